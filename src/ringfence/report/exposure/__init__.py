"""The exposure of a cluster, as text.

Belongs: the lines that people read (``rows``: what stands in them and for which workloads together; ``table``, ``md``,
``csv``), np-guard's grammar (``txt``) and the document for a program (``json``).
Does not: what is exposed (``query.exposure``).
Start at ``rows.rows``.
"""
