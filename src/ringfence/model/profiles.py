"""How a network plugin differs from the text of the API, as data.

The engine reads these; the lab and the live cluster are facts and need no profile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ringfence.errors import UsageError


@dataclass(frozen=True, slots=True)
class Profile:
    """What differs between network plugins (S83, S84).

    ``blocks_match_pods``: an ``ipBlock`` matches a pod by its address (S54).
    ``host_network_is_node``: a ``hostNetwork`` pod is its node, not a pod (S73).
    ``own_node``: a node always reaches its pods (S71).
    ``pod_to_own_node``: "allowed", "enforced", or "open", which is the reason ``own-node-egress`` (S72).
    ``first_named_port_only``: only the first container port of a name counts (S138).
    ``end_port``: False when the plugin applies ``port`` alone (S68).
    ``ipv6``: False when the profile leaves IPv6 out of account (S137).
    ``notes``: whether answers carry notes and the third answer; np-guard's text has no room for them.
    ``direct_controller``: a workload is named by its pods' direct owner (S136).
    """

    name: str
    blocks_match_pods: bool = True
    host_network_is_node: bool = True
    own_node: bool = True
    pod_to_own_node: str = "open"
    first_named_port_only: bool = False
    end_port: bool = True
    ipv6: bool = True
    notes: bool = True
    direct_controller: bool = False


KUBERNETES: Final = Profile("kubernetes")
"""The text of the API, with the third answer where it leaves a point open."""
NP_GUARD: Final = Profile(
    "np-guard",
    blocks_match_pods=False,
    host_network_is_node=False,
    own_node=False,
    pod_to_own_node="enforced",
    first_named_port_only=True,
    ipv6=False,
    notes=False,
    direct_controller=True,
)
"""The conventions of np-guard's netpol-analyzer, for comparing line by line (S131 to S141)."""
PROFILES: Final = {profile.name: profile for profile in (KUBERNETES, NP_GUARD)}


def named(name: str) -> Profile:
    """The profile called *name*. Raises: UsageError, with the names that there are."""
    if name not in PROFILES:
        raise UsageError(f"profile {name!r}: no such profile; there are {' and '.join(sorted(PROFILES))}")
    return PROFILES[name]
