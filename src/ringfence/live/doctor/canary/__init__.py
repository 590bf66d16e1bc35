"""The canary: five small pods, three policies one after the other, and what becomes of their connections.

Belongs: the objects (``objects``, ``script``), the pods as the server has them (``pods``) and the lines that they log
(``log``), the course of a run as a pure function of what was seen and when (``course``), what it proves (``verdict``),
the run itself (``run``), and what takes all of it away again (``tidy``).
Does not: which plugin it should be, and what to do about it (the room above).
Start at ``run.run``; ``course`` holds the logic, without a server or a clock of its own.
"""

from __future__ import annotations
