"""A draft of the intents as text.

Belongs: the file for a person to mend and for ``generate`` to read (``yaml``), the document for a program (``json``),
and the few lines for whoever ran it (``summary``).
Does not: deciding what an arrow is or how sure (``infer``).
Start at ``yaml.lines``.
"""
