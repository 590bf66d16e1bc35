"""What a change of manifests opens and closes: two clusters, compared by what their policies mean.

Belongs: which pairs differ (``pairs``), how they are put together (``folding``, ``namespaces``), what of it is a risk
(``risks``, ``intents``), and the policies responsible (``blame``). Pure: no I/O, no terminal.
Does not: compiling the two sides together (``engine.compiler.joint``), wording (``report.diff``).
Start at ``diff.diff``.
"""
