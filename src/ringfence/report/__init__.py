"""Results as text: what a person reads on a screen and what another program reads from a pipe.

Inner rooms, one for each kind of result, with charters: ``matrix``, ``explain``, ``summary``, ``proof``, ``infer``,
``check``, ``generate``, ``doctor`` and more.
Belongs: one module for each result and format; wording, layout, colour. Here at the top is what several results share.
Does not: asking or deciding anything (``query``), reading arguments (``cli``).
Start at ``words`` (how sets of ports are written), then ``matrix.table``.
"""
