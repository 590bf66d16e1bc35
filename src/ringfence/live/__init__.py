"""A real cluster: all traffic with an API server is here, and nothing here predicts.

Inner rooms, each with a charter: ``server`` (connecting, requests, lists in pages), ``picture`` (from a server to
manifests: what a verb needs, and a snapshot to keep), ``doctor`` (which network plugin, and does it enforce?),
``apply`` (policies put in place step by step, or taken back), ``probe`` (twins of pods that try real connections).
``rights`` says what each verb may ask of a server, ``runs`` marks what a run makes, and finds what it left.

This room is a witness as the lab is, so it may not reach ``engine``, not even through another room.
Belongs: requests, and the objects they carry.
Does not: predictions, comparisons, layout.
Start at ``server.connecting.connect``.
"""

from __future__ import annotations
