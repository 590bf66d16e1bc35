"""From a cluster to what the lab will be: addresses, placement, packet rules, questions. Pure: nothing is started here.

Belongs: the fixed snapshot (``snapshot``), which pods a selector takes (``selection``), policies and Services as packet
rules (``policies``, ``services``), what is worth trying (``questions``).
Does not: processes, sockets, namespaces, and any verdict.
Start at ``snapshot``.
"""

from __future__ import annotations
