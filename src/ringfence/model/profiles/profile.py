"""What a profile is: the properties in which plugins differ, and the flags that the engine reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

UNKNOWN: Final = ""
"""No source settles it: the answer is that of the text of the API, the third one included."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What sources say of a plugin, property by property; empty where none says anything.

    The first word or words are one of those that are named here, what follows behind ``;`` is for people.

    ``service_view``: "after DNAT" or "before DNAT": which port of a call to a Service meets egress rules (S75, S79).
    ``ip_block_pods``, ``ip_block_nodes``: "match" or "never" (S54, S73). ``ip_block_services``: "never seen" or
    "match" (S79, S82). ``from_own_node``: "allowed" or "approximated" (S71). ``to_own_node``: "open" (which is
    ``own-node-egress``), "allowed", "enforced" or "by option" (S72). ``hostnet_subject``, ``hostnet_peer``: what
    selecting such pods does, and how they are admitted (S73). ``deny_action``: "drop" or "reject".
    ``end_port``: "supported", "ignored" or "since" a version (S68). ``named_ports`` (S62 to S66), ``sctp`` (S69),
    ``icmp`` (S74), ``open_connections`` (S43), ``pod_start`` (S45), ``families`` (S53), ``hairpin`` (S86).
    ``dns_at``: where the DNS rule must point. ``other_kinds``: kinds that decide too. ``limits``: what is refused.
    """

    service_view: str = UNKNOWN
    ip_block_pods: str = UNKNOWN
    ip_block_nodes: str = UNKNOWN
    ip_block_services: str = UNKNOWN
    from_own_node: str = UNKNOWN
    to_own_node: str = UNKNOWN
    hostnet_subject: str = UNKNOWN
    hostnet_peer: str = UNKNOWN
    deny_action: str = UNKNOWN
    end_port: str = UNKNOWN
    named_ports: str = UNKNOWN
    sctp: str = UNKNOWN
    icmp: str = UNKNOWN
    open_connections: str = UNKNOWN
    pod_start: str = UNKNOWN
    families: str = UNKNOWN
    hairpin: str = UNKNOWN
    dns_at: str = UNKNOWN
    other_kinds: str = UNKNOWN
    limits: str = UNKNOWN


@dataclass(frozen=True, slots=True)
class Profile:
    """What differs between network plugins (S83, S84).

    ``blocks_match_pods``, ``blocks_match_nodes``: an ``ipBlock`` matches a pod, or a node, by its address (S54, S73).
    ``sure_of_pods``, ``sure_of_nodes``: the plugin is known to do so or not, and no answer is noted for it (S54).
    ``host_network_is_node``: a ``hostNetwork`` pod is its node, not a pod (S73).
    ``own_node``: a node always reaches its pods (S71).
    ``pod_to_own_node``: "allowed", "enforced", or "open", which is the reason ``own-node-egress`` (S72).
    ``first_named_port_only``: only the first container port of a name counts (S138).
    ``end_port``: False when the plugin applies ``port`` alone (S68).
    ``ipv6``: False when the profile leaves IPv6 out of account (S137).
    ``notes``: whether answers carry notes and the third answer; np-guard's text has no room for them.
    ``direct_controller``: a workload is named by its pods' direct owner (S136).

    ``traits`` are all properties as sources tell them, ``sources`` who they are. ``title`` and ``enforces`` are for
    people: what the plugin is, and whether it enforces policies without more ado.
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
    blocks_match_nodes: bool = True
    sure_of_pods: bool = False
    sure_of_nodes: bool = False
    traits: Traits = field(default=Traits(), compare=False, repr=False)
    title: str = field(default="", compare=False, repr=False)
    sources: str = field(default="", compare=False, repr=False)
    enforces: str = field(default="", compare=False, repr=False)


def derived(
    name: str, title: str, traits: Traits, sources: str, enforces: str = "", *, of_one_plugin: bool = True
) -> Profile:
    """The profile of *traits*: the engine's flags follow from them, and what is unknown is as the API has it.

    What holds of the API and not *of_one_plugin* is what a plugin should do, and no knowledge of what it does.
    """
    to_own_node = traits.to_own_node.partition(";")[0]
    return Profile(
        name,
        blocks_match_pods=not traits.ip_block_pods.startswith("never"),
        blocks_match_nodes=not traits.ip_block_nodes.startswith("never"),
        pod_to_own_node=to_own_node if to_own_node in ("allowed", "enforced") else "open",
        end_port=not traits.end_port.startswith("ignored"),
        sure_of_pods=of_one_plugin and traits.ip_block_pods != UNKNOWN,
        sure_of_nodes=of_one_plugin and traits.ip_block_nodes != UNKNOWN,
        traits=traits,
        title=title,
        sources=sources,
        enforces=enforces,
    )
