"""The sandbox and the namespaces in it: where packets of the lab can go, and that they cannot leave.

Belongs: leaving the host's namespaces (``sandbox``), devices, addresses and routes (``topology``).
Does not: rules (``plan``), servers and probes (``wire``).
Start at ``topology``, which draws it.
"""

from __future__ import annotations
