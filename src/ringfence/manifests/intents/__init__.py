"""Documents of kind Intents: what a person wants, from bytes to nouns.

Belongs: the shape of the document, of which its JSON Schema is made (``shapes``), and reading one with its arrows,
aliases and comments (``read``).
Does not: what the arrows mean in a cluster (the room ``intents``).
Start at ``read.intents``.
"""
