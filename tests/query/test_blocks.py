"""A matrix goes by one destination at a time: the same connections, in one order, and none of them kept."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable, Iterator
from textwrap import dedent

from builders import cluster, pod, policy, rule
from hypothesis import given
from manifests.reading import read
from strategies import clusters

from ringfence.engine.compiler.answers import Answer
from ringfence.engine.compiler.reachability import Reachability
from ringfence.engine.reference.semantics import decide
from ringfence.model.addresses import FAMILIES, AddressSet
from ringfence.model.cluster import Cluster
from ringfence.model.flows import End, Flow, Outside
from ringfence.model.objects import Workload
from ringfence.model.policies import Direction
from ringfence.model.profiles import NP_GUARD
from ringfence.query.asking import ordered
from ringfence.query.blocks import Place, listing_order
from ringfence.query.entering import entering
from ringfence.query.matrix import Matrix, matrix
from ringfence.query.protection import unprotected
from ringfence.report.words import end_id


def _told(pairs: Iterable[tuple[Place, Place, Answer]]) -> list[tuple[str, str, Answer]]:
    return sorted(((end_id(src), end_id(dst), answer) for src, dst, answer in pairs), key=lambda one: one[:2])


def _plainly(where: Cluster) -> Iterator[tuple[End, End, Answer]]:
    """Every pair, all at once, with the ranges that have one answer put together address by address."""
    ranges: dict[tuple[int, bool, Answer], AddressSet] = {}
    ends: dict[int, End] = {}
    reach = Reachability(where)
    yield from entering(reach)
    for src, dst, answer in reach.pairs(every=True):
        for end, far, incoming in ((dst, src, True), (src, dst, False)):
            if isinstance(far, Outside):
                key = (id(end), incoming, answer)
                ends[id(end)] = end
                ranges[key] = ranges.get(key, AddressSet.NONE) | far.addresses
        inside = not isinstance(src, Outside) and not isinstance(dst, Outside)
        if inside and not (src is dst and isinstance(src, Workload) and src.replicas == 1):
            yield src, dst, answer
    for (number, incoming, answer), addresses in ranges.items():
        for family in FAMILIES:
            for low, high in addresses.of_family(family):
                outside = Outside(AddressSet.interval(family, low, high))
                yield (outside, ends[number], answer) if incoming else (ends[number], outside, answer)


@given(clusters())
def test_blocks_hold_every_pair_once(where: Cluster) -> None:
    """Law: going by destination finds what all pairs at once have, ranges of the outside included."""
    found = ((c.src, c.dst, c.answer) for block in matrix(where, every=True).blocks() for c in block.connections)
    assert _told(found) == _told(_plainly(where))


@given(clusters())
def test_what_is_listed_is_what_is_not_plainly_denied(where: Cluster) -> None:
    """Law: the short listing is the long one without plain denials, in the same order."""
    short = [(end_id(c.src), end_id(c.dst), c.answer) for c in matrix(where).connections]
    long = [(end_id(c.src), end_id(c.dst), c.answer) for c in matrix(where, every=True).connections]
    assert short == [one for one in long if not one[2].plainly_denied]


@given(clusters())
def test_nothing_is_certain_that_a_gap_makes_doubtful(where: Cluster) -> None:
    """Law (S87): an answer has the notes of the gaps that are told of its ends; a denial without them has no doubt."""
    short, long = matrix(where), matrix(where, every=True)
    assert short.gaps == where.gaps
    listed = {(end_id(c.src), end_id(c.dst)) for c in short.connections}
    for c in long.connections:
        homes = {end.namespace for end in (c.src, c.dst) if isinstance(end, Workload)}
        told = {gap.note for gap in short.gaps if gap.namespace is None or gap.namespace in homes}
        sure = {gap.note for gap in short.gaps if gap.namespace is None or (gap.namespace in homes and not gap.pods)}
        assert sure <= c.answer.notes
        assert c.answer.gaps <= told
        inside = not isinstance(c.src, Outside) and not isinstance(c.dst, Outside)  # ranges may be cut otherwise
        if inside and (end_id(c.src), end_id(c.dst)) not in listed:
            assert c.answer.notes <= told, "what is said of it is said above all"


@given(clusters())
def test_one_order(where: Cluster) -> None:
    """Law: by destination, then source; the outside last; each destination in one block, also for asked ends."""
    some: list[End] = [*where.workloads[:2], *where.nodes, *(Outside(AddressSet.of(o)) for o in ("10.0.0.0/9", "::/0"))]
    for made in (matrix(where), matrix(where, by="pod"), matrix(where, by="namespace", every=True),
                 matrix(where, src=some), matrix(where, dst=some[::-1], every=True)):  # fmt: skip
        blocks = list(made.blocks())
        destinations = [listing_order(block.dst) for block in blocks]
        assert destinations == sorted(set(destinations))
        for block in blocks:
            sources = [listing_order(c.src) for c in block.connections]
            assert sources
            assert sources == sorted(set(sources))


def test_connections_are_made_once_and_blocks_anew() -> None:
    made = matrix(cluster(pod("a"), pod("b")))
    assert made.connections is made.connections
    assert tuple(c for block in made.blocks() for c in block.connections) == made.connections
    assert len(list(made.blocks())) == len(list(made.blocks())) == 3


def test_workloads_in_another_order_are_put_into_order() -> None:
    shuffled = cluster(pod("b/x"), pod("a/y"), pod("a/x"))
    assert [one.id for one in ordered(shuffled).workloads] == ["a/x[Pod]", "a/y[Pod]", "b/x[Pod]"]
    assert [end_id(block.dst) for block in matrix(shuffled).blocks()][:3] == ["a/x[Pod]", "a/y[Pod]", "b/x[Pod]"]


def test_the_np_guard_profile_keeps_the_cells_of_the_outside() -> None:
    """S128: its lines are cut at every block, whether the answers differ there or not."""
    guarded = policy("default/p", egress=[rule("10.0.0.0/8"), rule("11.0.0.0/8")])
    where = cluster(pod("a"), guarded)
    cells = [end_id(b.dst) for b in matrix(where, profile=NP_GUARD).blocks() if isinstance(b.dst, Outside)]
    assert cells == ["10.0.0.0-10.255.255.255[External]", "11.0.0.0-11.255.255.255[External]"]
    assert [end_id(b.dst) for b in matrix(where).blocks() if isinstance(b.dst, Outside)] == [
        "10.0.0.0-11.255.255.255[External]"
    ]


def test_memory_does_not_grow_with_connections() -> None:
    """Two hundred open pods have 40,000 connections; one block of them is there at a time."""

    def peak(made: Matrix) -> int:
        tracemalloc.start()
        count = sum(len(block.connections) for block in made.blocks())
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count == 200 * 199 + 2 * 200
        return found

    made = matrix(cluster(*(pod(f"p{number:03}") for number in range(200))))
    list(made.blocks())  # what the engine keeps
    assert peak(made) < 400_000, "less than ten bytes for each connection"


def test_who_comes_in_by_a_service_stands_before_the_outside() -> None:
    """Also at a destination that nobody else reaches, which has no rows of its own."""
    text = """
    apiVersion: v1
    kind: Service
    metadata: {name: s}
    spec: {type: LoadBalancer, selector: {app: b}, ports: [{port: 80}]}
    ---
    {apiVersion: v1, kind: Pod, metadata: {name: a}}
    ---
    {apiVersion: v1, kind: Pod, metadata: {name: b, labels: {app: b}}}
    ---
    {apiVersion: v1, kind: Pod, metadata: {name: c}}
    """
    where, outside = read(dedent(text)), "0.0.0.0-255.255.255.255[External]"
    assert [(end_id(b.dst), [end_id(c.src) for c in b.connections]) for b in matrix(where).blocks()] == [
        ("default/a[Pod]", ["default/b[Pod]", "default/c[Pod]", outside]),
        ("default/b[Pod]", ["default/a[Pod]", "default/c[Pod]", "default/s[Service]", outside]),
        ("default/c[Pod]", ["default/a[Pod]", "default/b[Pod]", outside]),
        (outside, ["default/a[Pod]", "default/b[Pod]", "default/c[Pod]"]),
    ]
    joined = next(matrix(where, by="namespace").blocks())
    assert [c.pairs for c in joined.connections if end_id(c.src) == "default/s[Service]"] == [(1, 3)]
    deny = """
    ---
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {name: p}
    spec: {podSelector: {matchLabels: {app: b}}}
    """
    blocks = {end_id(block.dst): block for block in matrix(read(dedent(text) + dedent(deny)), every=True).blocks()}
    assert "default/s[Service]" in [end_id(c.src) for c in blocks["default/b[Pod]"].connections]


@given(clusters())
def test_the_unprotected_are_those_that_a_decision_does_not_find_isolated(where: Cluster) -> None:
    """Law (S35): the short way agrees with asking the reference about a flow."""
    somewhere = Outside(AddressSet.of("192.0.2.1/32"))
    found = unprotected(where)
    for direction in Direction:
        for workload in where.workloads:
            isolated = True
            for one in workload.pods:
                src, dst = (somewhere, one) if direction is Direction.INGRESS else (one, somewhere)
                decision = decide(where, Flow(src, dst, "TCP", 1), explain=False)
                for part in decision.parts or (decision,):
                    isolated &= any(end.isolated for end in part.ends if end.direction is direction)
            assert (id(workload) in set(map(id, found[direction]))) == (not isolated)


def test_endpoints_are_the_workloads_and_what_else_is_named() -> None:
    made = matrix(cluster(pod("a"), policy("default/p", ingress=[rule("10.0.0.0/8")])))
    assert [end_id(end) for end in made.endpoints] == [
        "default/a[Pod]", "0.0.0.0-255.255.255.255[External]", "10.0.0.0-10.255.255.255[External]",
    ]  # fmt: skip
