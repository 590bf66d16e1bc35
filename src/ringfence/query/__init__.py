"""Questions a person asks, answered from the engine: the matrix, and why a flow is or is not allowed.

Inner room, with a charter: ``check`` compares what is wanted with what is possible.
Belongs: which pairs and ports to ask about, and what the answers have in common. Pure: no I/O, no terminal.
Does not: meaning (``engine``), wording and layout (``report``).
Start at ``matrix.matrix``, then ``explain.explain``.
"""
