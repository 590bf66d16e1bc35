"""A draft of the intents from the manifests alone: who says whose name, and how sure that is.

Belongs: what a string means as a connection (``reading``), whom it names in the cluster (``naming``), the arrows that
come of it, and what is called and not there. Pure: no I/O.
Does not: finding the strings (``manifests.clues``); writing the file (``report.infer``); saying what policies do.
Start at ``draft.infer``, then ``reading.mentions``.
"""
