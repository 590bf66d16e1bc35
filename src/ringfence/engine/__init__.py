"""Meaning: which flows the policies of a cluster allow.

Two inner rooms, each with a charter: ``reference`` decides one flow, ``compiler`` all flows at once. They are
witnesses: they share the model and nothing else, and neither imports the other.
Belongs: verdicts, in one of the two rooms; nothing stands beside them. Pure: no I/O, no clock, no terminal.
Does not: reading YAML (``manifests``), wording for a screen or colour (``report``), packets (``lab``, ``live``).
Start at ``reference.semantics.decide``. It is the definition; the rest is speed.
"""
