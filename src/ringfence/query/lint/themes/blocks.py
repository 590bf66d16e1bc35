"""7xx, IP blocks: which addresses are meant, and which are let through with them."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.model.addresses import AddressSet
from ringfence.model.policies import Direction
from ringfence.query.lint.check import WARNING, Found, check
from ringfence.query.lint.linting import Linting, names, numbers, peer_path

METADATA = ("169.254.169.254", "fd00:ec2::254")


@check(
    "RF701", "metadata-reachable", WARNING,
    title="cloud metadata within reach",
    wrong="A wide egress block also opens the cloud metadata address, from which credentials can be read.",
    fix="except 169.254.169.254/32 from every wide block, or name the ranges that are needed",
    origin="kube-netpol KNP-020",
)  # fmt: skip
def metadata_reachable(lint: Linting) -> Iterator[Found]:
    """A rule that admits TCP 80 to the address: rules add up, so that one is enough."""
    for policy in lint.policies:
        workloads = lint.subjects(policy)
        if Direction.EGRESS not in policy.directions or not workloads:
            continue
        for rule in policy.egress:
            if not numbers(rule).allows("TCP", 80):
                continue
            effect = f"{names(workloads)} can read http://{METADATA[0]}"
            if not rule.peers:
                yield Found(policy, rule.path, "a rule without peers admits the cloud metadata address", effect=effect,
                            remedy="name the peers that are needed")  # fmt: skip
            for index, peer in enumerate(rule.peers):
                inside = [one for one in METADATA if peer.block and AddressSet.of(one) <= peer.block.addresses]
                if inside:
                    yield Found(
                        policy, f"{peer_path(Direction.EGRESS, rule, index)}.ipBlock.cidr",
                        f"{peer} admits {inside[0]}, where a cloud's metadata are read",
                        effect=effect if inside[0] == METADATA[0] else "",
                        remedy=f"add {inside[0]}/{32 if ':' not in inside[0] else 128} to except",
                    )  # fmt: skip
