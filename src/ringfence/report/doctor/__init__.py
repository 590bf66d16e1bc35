"""Whether a cluster enforces its policies, as text.

Belongs: the answer for a person (``table``) and for a program (``json``), the objects of a dry run (``objects``), and
the table of evidence for the reference (``pages``).
Does not: finding it out (``live.doctor``), and what this machine lacks for a lab (``report.lab_doctor``).
Start at ``table.write``.
"""

from __future__ import annotations
