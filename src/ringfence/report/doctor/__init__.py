"""Whether a cluster enforces its policies, as text.

Belongs: the answer for a person (``table``) and for a program (``json``), and the objects of a dry run (``objects``).
Does not: finding it out (``live.doctor``), and what this machine lacks for a lab (``report.lab_doctor``).
Start at ``table.write``.
"""

from __future__ import annotations
