"""Twins: pods that stand where a workload's pods stand, and try real connections from there.

Belongs: what is to be tried, and from where (``plan``), what a twin is (``twins``), the shell script that it runs
(``script``), what it wrote (``reading``), making twins, waiting, and taking them away again (``run``), and who else in
a cluster would notice them (``beside``).
Does not: what is expected of a connection; nothing here knows it.
Start at ``run.tried``.
"""

from __future__ import annotations
