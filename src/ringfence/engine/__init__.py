"""Meaning: which flows the policies of a cluster allow.

Belongs: deciding one flow (``semantics``) and all flows at once (``compile``). Pure: no I/O, no clock, no terminal.
Does not: reading YAML (``manifests``), wording for a screen or colour (``report``), packets (``lab``, ``live``).
The two are witnesses: they share the model and nothing else, so ``semantics``, ``matching``, ``backends``,
``doors``, ``remarks`` and ``steps`` stay apart from ``classes``, ``compile``, ``reachability``, ``services`` and
``entrances``.
Start at ``semantics.decide``. It is the definition; the rest is speed.
"""
