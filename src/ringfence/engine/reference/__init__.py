"""The reference: one flow at a time, the API's own sentences as code. Short, slow and plain.

Belongs: how a selector, a peer and a port match (``matching``), where a Service leads (``backends``), ways in
(``doors``), the sentences of a decision (``steps``) and what must be said about it (``remarks``).
Does not: anything of ``compiler``, not even a helper; anything that is there for speed.
Start at ``semantics.decide``.
"""
