"""Intents against policies: what is wanted and not possible, and what is possible and nobody wants.

Belongs: the cluster in pieces that the wishes tell apart, and what they want between two of them (``pieces``, ``parts``
for the outside, ``covered`` for pods that a block of addresses holds); the closed world (``closed``), the arrows
(``arrows``) and what could hide something (``doubts``); a matrix against one that was stored (``against``).
Does not: what arrows mean (``intents``), what policies let through (``engine``), showing it (``report.check``).
Start at ``check.check``.
"""
