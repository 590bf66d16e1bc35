"""A cluster in a few numbers, as text.

Belongs: the lines for a person (``text``) and the document for a program (``json``).
Does not: counting (``query.summary``).
Start at ``text.write``.
"""
