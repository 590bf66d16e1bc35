"""Checks as text and data: what is missing, in excess, unprotected, forbidden and open, or in doubt.

Belongs: the words (``words``) and findings (``findings``) that all formats share; a text for a person (``table``), JSON
(``json``), Markdown (``md``), JUnit (``junit``), SARIF (``sarif``) and numbers for
Prometheus (``prometheus``); a comparison with a stored matrix (``against``).
Does not: what was found (``query.check``).
Start at ``table.write``.
"""
