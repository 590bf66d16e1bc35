"""The matrix as text: one module for each format, named as ``--format`` names it.

Belongs: ``lines`` of a format, in pieces, so that a matrix can be long; the sentences about a connection (``words``);
what the two drawings share (``graph``).
Does not: which pairs there are (``query.matrix``), or how ports and ends are written anywhere else (``report.words``).
Start at ``txt``, the shortest; then ``table``, with ``columns``.
"""
