"""Policies put into a cluster one step at a time, so that no step cuts what may stay, and taken back the same way.

Belongs: which sets of labels a selector leaves out (``labels``), the order of the steps (``plan``, pure) and what one
is (``steps``), what is wanted (``wanted``), what the server says of it before anything is written (``preflight``), the
``journal``, and carrying it out, on and back (``run``). Does not: predictions, probes, layout.
Start at ``plan.plan``; the page on the order of applying says why it is so.
"""

from __future__ import annotations
