"""The laws of a check: it says of every flow what the reference and the wishes say of it, one flow at a time."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from itertools import product
from random import Random
from typing import Final

from agreement import important_ports
from generate import random_cluster
from hypothesis import given, settings
from hypothesis import strategies as st
from wishing import random_meaning

from ringfence.engine.reference.matching import Matcher
from ringfence.engine.reference.semantics import decide
from ringfence.intents.wishes import Ban, Meaning, Wish
from ringfence.model.addresses import NEVER_A_POD, AddressSet
from ringfence.model.cluster import Cluster
from ringfence.model.flows import Decision, End, Flow, Outside, Verdict
from ringfence.model.objects import Pod, Workload
from ringfence.model.ports import ConnectionSet
from ringfence.model.profiles import KUBERNETES
from ringfence.query.check.check import check
from ringfence.query.check.result import Checked, Lack, Opening, Standing

SEEDS = st.integers(0, 2**32 - 1)
MANY: Final = 300 if os.environ.get("RINGFENCE_THOROUGH") else 20
"""Clusters for each law: one flow at a time is slow."""
One = tuple[object, object, str, int]
"""A flow: its ends by identity of pods, or as an address."""


def _verdicts(decision: Decision) -> set[Verdict]:
    if decision.verdict is Verdict.MIXED:
        return set().union(*(_verdicts(part) for part in decision.parts)) or {Verdict.ALLOWED, Verdict.DENIED}
    return {decision.verdict}


class _Slowly:
    """Every flow of a cluster, judged by the reference alone, and what wishes say of it."""

    def __init__(self, meaning: Meaning, rng: Random) -> None:
        self.meaning, self.cluster = meaning, meaning.cluster
        self.arrows: list[Wish | Ban] = [*meaning.wishes, *meaning.bans]
        self.matcher = Matcher(self.cluster, KUBERNETES, Counter())
        ports = sorted({*important_ports(self.cluster), *self._edges()})
        self.ports = rng.sample(ports, min(len(ports), 5))
        self.families = (4, 6) if self.cluster.speaks_ipv6 else (4,)
        outside = list(self._addresses())
        self.outside = rng.sample(outside, min(len(outside), 5))
        self._known: dict[One, set[Verdict]] = {}

    def _edges(self) -> Iterator[tuple[str, int]]:
        for one in self.arrows:
            for _, ports in one.into:
                for protocol, part in ports.items():
                    for low, high in part:
                        yield from ((protocol, n) for n in (low - 1, low, high, high + 1) if 1 <= n <= 65535)

    def _addresses(self) -> Iterator[Outside]:
        """The first address of every stretch that no block of a policy or a wish tells apart."""
        blocks = [peer.block.addresses for p in self.cluster.policies for r in (*p.ingress, *p.egress)
                  for peer in r.peers if peer.block]  # fmt: skip
        for one in self.arrows:
            blocks += [end.addresses for party in (one.src, one.dst) for end in party.ends if isinstance(end, Outside)]
        for family in (4, 6):
            starts = {low for b in blocks for low, _ in b.of_family(family)}
            starts |= {high + 1 for b in blocks for _, high in b.of_family(family)}
            last = 2 ** (32 if family == 4 else 128) - 1
            for n in sorted(starts | {0}):
                if n <= last:
                    yield Outside(AddressSet.interval(family, n, n))

    def verdicts(self, src: End, dst: End, protocol: str, port: int) -> set[Verdict]:
        key = (_key(src), _key(dst), protocol, port)
        if key not in self._known:
            self._known[key] = _verdicts(decide(self.cluster, Flow(src, dst, protocol, port), explain=False))
        return self._known[key]

    def about(self, one: Wish | Ban, src: End, dst: End, protocol: str, port: int) -> bool:
        """Whether the arrow speaks of that flow."""
        return any(_in(src, end) for end in one.src.ends) and any(
            _in(dst, end) and ports.allows(protocol, port) for end, ports in one.into
        )

    def wanted(self, src: End, dst: End, protocol: str, port: int) -> bool:
        if not any(self.about(one, src, dst, protocol, port) for one in self.meaning.wishes):
            return False
        return not self.cut(src, dst)

    def cut(self, src: End, dst: End) -> bool:
        return isinstance(dst, Outside) and any(
            one.helper is not None and self.about(one, src, dst, "TCP", 1) for one in self.meaning.bans
        )

    def covered(self, src: End, dst: End, protocol: str, port: int) -> str:
        """How the block of an arrow holds the other end: "surely", "perhaps" or not at all."""
        found = ""
        for one in self.meaning.wishes:
            for block, pod, other in ((one.dst, dst, src), (one.src, src, dst)):
                if not block.cidr or not isinstance(pod, Pod):
                    continue
                mine = one.src if block is one.dst else one.dst
                if not any(_in(other, end) for end in mine.ends):
                    continue
                if not any(
                    ports.allows(protocol, port) and (block is one.dst or _in(dst, end)) for end, ports in one.into
                ):
                    continue
                how = self._held(pod, AddressSet.of(block.cidr))
                found = how if how == "surely" else found or how
        return found

    def _held(self, pod: Pod, block: AddressSet) -> str:
        family = block.first().family
        node = self.cluster.node_by_name.get(pod.node or "") if pod.host_network and not pod.ips else None
        known = node.addresses if node else pod.ips
        if known:
            mine = [ip for ip in known if ip.family == family]
            inside = [ip for ip in mine if ip in block]
            return "" if not inside else "surely" if len(inside) == len(mine) else "perhaps"
        families = self.cluster.node_families if pod.host_network else self.cluster.pod_families
        if family not in families:
            return ""
        facts = self.cluster.facts
        said = (facts.node_cidrs if pod.host_network else facts.pod_cidrs) & AddressSet.whole(family)
        where = said or AddressSet.whole(family) - NEVER_A_POD
        return "surely" if where <= block else "perhaps" if where & block else ""

    def own_node(self, src: Pod, dst: Pod) -> bool:
        return src.node is not None and src.node == dst.node and src.host_network != dst.host_network

    def inside(self) -> Iterator[tuple[Pod, Pod]]:
        for src in self.cluster.pods:
            for dst in self.cluster.pods:
                if src is not dst or src.replicas > 1:
                    yield src, dst


def _in(end: End, meant: End) -> bool:
    if isinstance(end, Outside):
        return isinstance(meant, Outside) and end.addresses <= meant.addresses
    pods = meant.pods if isinstance(meant, Workload) else (meant,)
    return any(one is end for one in pods)


def _excess(slowly: _Slowly) -> set[One]:
    """Every flow that is open and should not be."""
    found: set[One] = set()
    for (src, dst), (protocol, port) in product(_touching(slowly), slowly.ports):
        if slowly.wanted(src, dst, protocol, port):
            continue
        verdicts = slowly.verdicts(src, dst, protocol, port)
        how = slowly.covered(src, dst, protocol, port) if isinstance(src, Pod) and isinstance(dst, Pod) else ""
        sure = Verdict.ALLOWED in verdicts and how != "surely"
        perhaps = Verdict.IMPLEMENTATION_DEFINED in verdicts and not how
        if sure or perhaps:
            found.add((_key(src), _key(dst), protocol, port))
    return found


def _touching(slowly: _Slowly) -> Iterator[tuple[End, End]]:
    """The pairs of which an end is protected."""
    protect = slowly.meaning.protect
    for src, dst in slowly.inside():
        if {src.namespace, dst.namespace} & protect.keys() and not slowly.own_node(src, dst):
            yield src, dst
    for pod in slowly.cluster.pods:
        for outside in slowly.outside if pod.namespace in protect else ():
            if outside.family in slowly.families:
                yield pod, outside
                yield outside, pod


def _key(end: End) -> object:
    return end.addresses if isinstance(end, Outside) else id(end)


def _told(slowly: _Slowly, told: Opening | Lack, ports: ConnectionSet) -> Iterator[One]:
    """The pods and flows behind what was told, at the ports that are looked at."""
    for src in told.sources:
        for a in _members(slowly, src):
            for b in _members(slowly, told.destination):
                for protocol, port in slowly.ports:
                    if ports.allows(protocol, port):
                        yield (_key(a), _key(b), protocol, port)


def _members(slowly: _Slowly, end: End) -> list[End]:
    if isinstance(end, Outside):
        return [one for one in slowly.outside if one.addresses <= end.addresses]
    return list(end.pods) if isinstance(end, Workload) else [end]


def _together(slowly: _Slowly, checked: Checked, flows: set[One]) -> set[One]:
    """Flows with the piece that a pod is told under in its place: pods of one piece are told together."""
    pieces: dict[int, object] = {}
    ends: list[End] = [end for one in checked.excess for end in (*one.sources, one.destination)]
    ends += [end for w in checked.wanted for lack in w.missing for end in (*lack.sources, lack.destination)]
    ends += [end for f in checked.forbidden for one in f.openings for end in (*one.sources, one.destination)]
    for end in ends:
        if isinstance(end, Workload):
            pieces.update({id(pod): id(end) for pod in end.pods})
    return {(pieces.get(a, a), pieces.get(b, b), protocol, port) for a, b, protocol, port in flows}  # type: ignore[call-overload]


def _made(seed: int) -> tuple[_Slowly, Checked]:
    rng = Random(seed)
    cluster: Cluster = random_cluster(rng)
    meaning = random_meaning(rng, cluster)
    return _Slowly(meaning, rng), check(meaning)


def excess_is_exact(seed: int) -> None:
    slowly, checked = _made(seed)
    told = {flow for one in checked.excess for flow in _told(slowly, one, one.ports)}
    assert _together(slowly, checked, told) == _together(slowly, checked, _excess(slowly))


def arrows_are_exact(seed: int) -> None:
    slowly, checked = _made(seed)
    for wanted in checked.wanted:
        told = {flow for one in wanted.missing for flow in _told(slowly, one, one.denied | one.undecided)}
        _agree(slowly, checked, wanted.wish, told, Verdict.ALLOWED)
    for forbidden in checked.forbidden:
        told = {flow for one in forbidden.openings for flow in _told(slowly, one, one.ports)}
        _agree(slowly, checked, forbidden.ban, told, Verdict.DENIED)


def _agree(slowly: _Slowly, checked: Checked, arrow: Wish | Ban, told: set[One], right: Verdict) -> None:
    """What was *told* of *arrow* are its flows that have another verdict than is *right*."""
    pairs: list[tuple[End, End]] = [*slowly.inside()]
    pairs += [pair for pod in slowly.cluster.pods for far in slowly.outside for pair in ((pod, far), (far, pod))]
    expected: set[One] = set()
    for (src, dst), (protocol, port) in product(pairs, slowly.ports):
        if not slowly.about(arrow, src, dst, protocol, port) or (isinstance(arrow, Wish) and slowly.cut(src, dst)):
            continue
        if slowly.verdicts(src, dst, protocol, port) != {right}:
            expected.add((_key(src), _key(dst), protocol, port))
    assert _together(slowly, checked, told) == _together(slowly, checked, expected), str(arrow.intent)


@given(SEEDS)
@settings(max_examples=MANY)
def test_excess_is_what_is_open_and_not_wanted(seed: int) -> None:
    excess_is_exact(seed)


@given(SEEDS)
@settings(max_examples=MANY)
def test_missing_is_what_is_wanted_and_not_open(seed: int) -> None:
    arrows_are_exact(seed)


def test_the_intents_vary() -> None:
    """What the laws are about happens: something is missing, in excess, forbidden and open, covered, in doubt."""
    kinds = ("missing", "excess", "broken", "exposed", "doubts", "covered", "unsure")
    seen: Counter[str] = Counter()
    for seed in range(30, 90):
        if min(seen[kind] for kind in (*kinds, "kept")) > 3:
            break
        rng = Random(seed)
        checked = check(random_meaning(rng, random_cluster(rng)))
        seen.update(kind for kind in kinds if getattr(checked, kind))
        seen["kept"] += any(one.standing is Standing.KEPT for one in checked.wanted)
    assert min(seen[kind] for kind in (*kinds, "kept")) > 3, seen
