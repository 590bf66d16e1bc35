"""Does this cluster enforce its policies, and by which network plugin?

Two questions, two methods: objects tell which plugin should enforce (``reading``, ``evidence``, ``detect``), and only
traffic tells whether it does (``canary``). Static evidence alone never makes a cluster ``enforced``.
Belongs: the table of evidence as data, which nodes no plugin covers (``nodes``), who serves DNS (``dns``), which
commands would help (``remedies``; they are printed, never run), and the answer of all of it (``nouns``).
Does not: predictions; layout; the lab's own ``doctor``, which asks whether this machine can hold a lab.
Start at ``examine.examine``.
"""

from __future__ import annotations
