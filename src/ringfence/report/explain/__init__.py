"""Explanations as text: why a flow is or is not allowed.

Belongs: the sentences for a person (``text``) and the document for a program (``json``).
Does not: which policies and rules had a say (``query.explain``).
Start at ``text.write``.
"""
