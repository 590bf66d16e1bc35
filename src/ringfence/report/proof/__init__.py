"""A proof as text: what was predicted, what packets did, and whether the two agree.

Belongs: one module for each format, over the rows that all of them show (``rows``).
Does not: comparing (``workflow.compare``), or sending anything (``lab``).
Start at ``rows``, then ``text.write``.
"""
