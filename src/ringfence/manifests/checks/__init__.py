"""What the API server refuses, and how that is told: codes, problems, paths of fields, names, shapes.

Belongs: rules about single values, and the table of codes.
Does not: reading text (``text``), or what a kind of object means.
Start at ``codes.CODES``, then ``strict.decode``.
"""
