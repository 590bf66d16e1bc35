"""What twins saw on a live cluster, as text: a module for each format.

Belongs: layout of results (``table``, ``json``, ``junit``, ``md``, ``tap``,
``prometheus``), what they share (``words``), and what a
run would do (``plan``).
Does not: judge anything, or talk to a server.
Start at ``words``.
"""

from __future__ import annotations
