"""Results as text: what a person reads on a screen and what another program reads from a pipe.

Belongs: one module for each result and format; wording, layout, colour.
Does not: asking or deciding anything (``query``), reading arguments (``cli``).
Start at ``words`` (how sets of ports are written), then ``matrix_table``.
"""
