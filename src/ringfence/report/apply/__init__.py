"""What applying would do, what it did, and what stood against it, as text.

Belongs: ``text`` for a person, ``json`` for programs. Does not: the difference in the cluster (``report.diff``), or
talking to a server.
Start at ``text``.
"""
