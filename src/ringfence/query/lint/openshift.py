"""OpenShift, where DNS pods are in a namespace of their own and listen on 5353: whether it is, and who asks them."""

from __future__ import annotations

from ringfence.intents.dns import OPENSHIFT
from ringfence.model.intents import Dns
from ringfence.model.policies import Peer, Policy
from ringfence.query.lint.linting import Linting


def shows_openshift(lint: Linting) -> bool:
    """Whether the input shows it, by kinds of its own or by a peer that asks for the namespace of its DNS by name."""
    return (
        lint.dns_at is Dns.OPENSHIFT
        or any(one.kind == "Route" for one in lint.cluster.entrances)
        or any(one.group.endswith("openshift.io") for one in lint.cluster.others)
        or any(
            peer.namespaces is not None and peer.namespaces.requirements and takes_dns(lint, policy, peer)
            for policy in lint.policies for rule in policy.egress for peer in rule.peers
        )
    )  # fmt: skip


def takes_dns(lint: Linting, policy: Policy, peer: Peer) -> bool:
    """Whether *peer* takes the DNS pods of OpenShift, in the input or not."""
    if peer.block is not None or (peer.namespaces is None and policy.namespace != OPENSHIFT.namespace):
        return False
    select = lint.matcher.selects
    if peer.namespaces is not None and not select(peer.namespaces, lint.cluster.namespace(OPENSHIFT.namespace).labels):
        return False
    return peer.pods is None or select(peer.pods, dict(OPENSHIFT.labels))
