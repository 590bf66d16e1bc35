"""A prediction meets a live cluster: real connections, from twins of its pods, are held against what was said.

Belongs: which connections are tried (``asked``), what is made for them and where they lead (``planning``), the run
itself, which goes on with listeners where a pod's own port cannot be used (``carrying``), what of it says something
(``seeing``), and cells, the results (``results``).
Does not: pods and their scripts, which know nothing of predictions (``live/probe``); whether a prediction and an
outcome agree (``workflow/judging``), which the lab asks too.
Start at ``carrying.measure``.
"""

from __future__ import annotations
