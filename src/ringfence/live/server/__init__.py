"""One API server over HTTP: whom to ask, how to ask, and what its refusals mean.

Belongs: configuration and login (``connecting``, by the Kubernetes client library), single requests and their
repetition (``server``), lists in pages (``pages``), what kinds are called in paths (``resources``), ``errors``.
Does not: what the objects mean.
Start at ``connecting``.
"""

from __future__ import annotations
