"""What the lab asks of Linux, one small module for each facility. Nothing here knows what a pod or a policy is.

Belongs: system calls that Python does not wrap (``calls``), network devices, addresses and routes by netlink
(``netlink``), packet rules by libnftables (``nft``), the kernel's log of dropped packets (``nflog``),
options of sockets (``sockets``).
Does not: names of Kubernetes, decisions, text for people.
Start at ``netlink``.
"""

from __future__ import annotations
