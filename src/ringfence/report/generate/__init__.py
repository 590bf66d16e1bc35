"""Generated policies as text: one module for each format.

Belongs: ``text`` of a format, and the policies as plain data with their label and annotations (``objects``).
Does not: deciding what is written (``generate``), putting files in their place (``cli``).
Start at ``objects``, then ``yaml``.
"""
