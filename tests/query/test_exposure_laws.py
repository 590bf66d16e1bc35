"""Laws of the exposure: it is, for any pod that might come and any address outside, what the reference decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from random import Random

import pytest
from generate import random_cluster
from generate_policies import LABELS, PORT_NAMES, PORTS, labels
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import seeds, selectors

from ringfence.engine.reference.matching import Matcher
from ringfence.engine.reference.semantics import decide
from ringfence.model.addresses import Address, AddressSet
from ringfence.model.cluster import Cluster
from ringfence.model.flows import End, Flow, Note, Outside, Verdict
from ringfence.model.objects import NAME_LABEL, ContainerPort, Namespace, Pod
from ringfence.model.policies import Direction, Policy, Rule
from ringfence.model.ports import PROTOCOLS, ConnectionSet, PortSet
from ringfence.model.profiles import KUBERNETES, NP_GUARD, Profile
from ringfence.model.selectors import EVERYTHING, Selector
from ringfence.query.exposure.exposure import exposure
from ringfence.query.exposure.parties import Party, Wider
from ringfence.query.exposure.result import Admitted, Exposed, Opening
from ringfence.query.protection import unprotected

BOTH = pytest.mark.parametrize("profile", [KUBERNETES, NP_GUARD], ids=lambda profile: profile.name)


def _without_blocks(policy: Policy, direction: Direction) -> Policy:
    """*policy* for *direction* alone and by selectors alone: whether a block takes a pod to come nobody knows."""
    kept = {one: tuple(_by_selectors(policy.rules(one))) for one in Direction}
    return replace(
        policy,
        directions=policy.directions & {direction},
        ingress=kept[Direction.INGRESS],
        egress=kept[Direction.EGRESS],
    )


def _by_selectors(rules: tuple[Rule, ...]) -> Iterator[Rule]:
    for rule in rules:
        peers = tuple(peer for peer in rule.peers if peer.block is None)
        if peers or not rule.peers:
            yield replace(rule, peers=peers)


def _in_force(cluster: Cluster, direction: Direction) -> Cluster:
    policies = [_without_blocks(one, direction) for one in cluster.policies]
    return replace(cluster, policies=tuple(one for one in policies if one.directions))


def _newcomer(rng: Random, cluster: Cluster) -> tuple[Pod, Namespace]:
    """A pod that is not there yet, in a namespace of the input or in a new one."""
    name = rng.choice([*sorted(cluster.inhabited), "new-one", "new-one"])
    space = cluster.namespace(name)
    if name == "new-one":
        space = Namespace(name, {**labels(rng), NAME_LABEL: name})
    ports = tuple(ContainerPort(rng.choice(PORTS), name, "TCP") for name in PORT_NAMES if rng.random() < 0.5)
    return Pod(name, "newcomer", labels(rng), ports), space


def _samples(rng: Random, openings: list[ConnectionSet]) -> Iterator[tuple[str, int]]:
    """Ports at the edges of what is open, and some more."""
    for protocol in PROTOCOLS:
        numbers = {rng.choice(PORTS), rng.randint(1, 65535)}
        for one in openings:
            for low, high in one[protocol]:
                numbers |= {low - 1, low, high, high + 1}
        yield from ((protocol, number) for number in sorted(numbers) if 0 < number < 65536)


def _at(opening: Opening, pod: Pod, profile: Profile) -> ConnectionSet:
    """The ports of *opening* at *pod*, whose names of ports are known."""
    found = opening.ports
    for protocol, name in opening.names:
        named = [one for one in pod.ports if one.name == name]
        if profile.first_named_port_only:
            named = named[:1]
        numbers = [one.number for one in named if one.protocol == protocol]
        found = found | ConnectionSet.single(protocol, PortSet.of(*numbers))
    return found


def _said(admitted: Admitted, pod: Pod, matcher: Matcher, profile: Profile) -> ConnectionSet:
    """What the exposure says that *pod* may open, or have opened: as one of everybody, and of each party."""
    space = matcher.cluster.namespace(pod.namespace)
    found = _at(admitted.everyone, pod, profile)
    for party, opening in admitted.parties:
        if matcher.selects(party.namespaces, space.labels) and matcher.selects(party.pods, pod.labels):
            found = found | _at(opening, pod, profile)
    return found


def _allowed(
    cluster: Cluster, one: Exposed, other: End, way: Direction, port: tuple[str, int], profile: Profile
) -> bool:
    for pod in one.workload.pods:
        src, dst = (other, pod) if way is Direction.INGRESS else (pod, other)
        found = decide(cluster, Flow(src, dst, *port), profile, explain=False)
        if found.verdict in (Verdict.ALLOWED, Verdict.MIXED):
            return True
    return False


def _no_common_family(cluster: Cluster, one: Exposed, other: Pod, profile: Profile) -> bool:
    flows = (Flow(other, pod, "TCP", 80) for pod in one.workload.pods)
    return any(Note.NO_COMMON_FAMILY in decide(cluster, flow, profile, explain=False).notes for flow in flows)


@BOTH
@given(seed=seeds)
@settings(max_examples=70)
def test_for_any_pod_that_might_come_it_is_what_the_reference_decides(profile: Profile, seed: int) -> None:
    rng = Random(seed)
    cluster = random_cluster(rng)
    found = exposure(cluster, profile)
    for one in found.workloads:
        pod, space = _newcomer(rng, cluster)
        for direction, admitted in one.admitted.items():
            world = _in_force(cluster, direction)
            world = replace(world, namespaces={**world.namespaces, space.name: space})
            if _no_common_family(world, one, pod, profile):
                continue
            said = _said(admitted, pod, Matcher(world, profile, Counter()), profile)
            for port in _samples(rng, [said]):
                assert said.allows(*port) == _allowed(world, one, pod, direction, port, profile), (one, pod, port)


@BOTH
@given(seed=seeds)
@settings(max_examples=70)
def test_for_any_address_outside_it_is_what_the_reference_decides(profile: Profile, seed: int) -> None:
    rng = Random(seed)
    cluster = random_cluster(rng)
    for one in exposure(cluster, profile).workloads:
        for direction, admitted in one.admitted.items():
            blocks = sorted(block.cidr for block in cluster.blocks[direction] if block.family == 4)
            near = AddressSet.of(rng.choice(blocks)).first().number if blocks else 0
            number = min(max(near + rng.randint(-2, 300), 0), 2**32 - 1) if blocks else rng.randint(0, 2**32 - 1)
            there = Outside(AddressSet.interval(4, number, number))
            ports = [ports for where, ports in admitted.outside if Address(4, number) in where]
            assert len(ports) <= 1
            said = ports[0] if ports else ConnectionSet.NONE
            for port in _samples(rng, [said]):
                assert said.allows(*port) == _allowed(cluster, one, there, direction, port, profile), (one, there, port)


@BOTH
@given(seed=seeds)
@settings(max_examples=60)
def test_who_is_not_isolated_is_unprotected(profile: Profile, seed: int) -> None:
    cluster = random_cluster(Random(seed))
    found, bare = exposure(cluster, profile), unprotected(cluster, profile)
    for direction in Direction:
        exposed = {id(one.workload) for one in found.workloads if not one.admitted[direction].isolated}
        assert exposed == set(map(id, bare[direction]))
        share = found.isolated[direction]
        assert (share.number, share.of) == (len(cluster.workloads) - len(exposed), len(cluster.workloads))


@given(seed=seeds)
@settings(max_examples=60)
def test_nothing_is_said_twice(seed: int) -> None:
    for one in exposure(random_cluster(Random(seed))).workloads:
        for admitted in one.admitted.values():
            for party, opening in admitted.parties:
                assert not party.nobody
                assert not opening <= admitted.everyone
                for other, more in admitted.parties:
                    assert other is party or not (party.within(other) and opening <= more)
                    assert more <= opening or not party.within(other)  # what all pods of the wider one get, these get


UNIVERSE = [
    {key: value for key, value in zip(LABELS, values, strict=True) if value is not None}
    for values in product(*([None, "other", "never", *some] for some in LABELS.values()))
]
"""Every set of labels as far as the selectors of the strategies can tell, one value that none names among them."""


@given(some=st.lists(st.tuples(selectors, selectors), max_size=8, unique=True))
@settings(max_examples=70)
def test_wider_parties_are_found_without_comparing_all(some: list[tuple[Selector, Selector]]) -> None:
    parties = [one for one in (Party(*both) for both in some) if not one.nobody]
    known = Wider(parties)
    for party in parties:
        assert set(known.than(party)) == {one for one in parties if one is not party and party.within(one)}


@given(narrow=selectors, wide=selectors)
@settings(max_examples=70)
def test_one_party_is_within_another_when_all_its_pods_are(narrow: Selector, wide: Selector) -> None:
    matcher = Matcher(Cluster(), KUBERNETES, Counter())
    inside = [one for one in UNIVERSE if matcher.selects(narrow, one)]
    truth = all(matcher.selects(wide, one) for one in inside)
    a, b = Party(EVERYTHING, narrow), Party(EVERYTHING, wide)
    assert a.nobody == (not inside)
    if inside:
        assert a.within(b) == truth
        assert Party(narrow, EVERYTHING).within(Party(wide, EVERYTHING)) == truth
    elif a.within(b):
        assert truth
