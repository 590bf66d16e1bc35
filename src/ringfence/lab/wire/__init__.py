"""What runs on the wires: servers that answer, the cluster's name service, and the probes that try every way.

Belongs: sockets in the hosts' namespaces (``servers``), what a name means (``names``), trying many connections at once
(``measure``; one module for each protocol; ``bench`` has what those share).
Does not: what a probe ought to see. Nothing here knows of policies.
Start at ``measure``.
"""

from __future__ import annotations
