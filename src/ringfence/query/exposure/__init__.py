"""What faces the outside, and who could come that the input does not hold.

Belongs: what one end admits, worked out once for all pods that policies treat alike (``admitting``), of whom rules
speak that need not be there (``parties``), the ways that lead in (``ways``), and the shares with default deny.
Does not: pairs of two ends of the input (``query.matrix``), wording and layout (``report.exposure``).
Start at ``exposure.exposure``.
"""
