"""Generated policies as text.

Belongs: one module for each format, and ``objects``, the policies as plain data with labels and annotations.
Does not: deciding what is written (``generate``), putting files in their place (``cli``).
"""
