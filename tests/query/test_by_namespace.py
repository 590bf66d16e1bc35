"""The matrix by namespace: unions, what all pairs share, and how many pairs there are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from random import Random
from typing import Any, Final

import pytest
from builders import cluster, endpoint, namespace, node, pod, policy, rule, selector, service, service_port, workload
from entrances import with_entrances
from generate import random_cluster
from hypothesis import given, settings
from reports.shops import MIXED, NOTED, UNKNOWN
from strategies import clusters, seeds

from ringfence.engine.compiler.answers import EVERYTHING, NOTHING, Answer, join
from ringfence.engine.compiler.reachability import Reachability
from ringfence.model.addresses import AddressSet
from ringfence.model.cluster import Cluster, Gap
from ringfence.model.entrances import CONTROLLER, Door, Entrance, EntranceBackend, controller
from ringfence.model.flows import End, Note, Outside, Reason
from ringfence.model.objects import EndpointSlice, Namespace, Pod, Workload
from ringfence.model.ports import ConnectionSet
from ringfence.model.profiles import PROFILES
from ringfence.query.asking import asking
from ringfence.query.blocks import Block, Connection, Pairs
from ringfence.query.matrix import By, Matrix, View, matrix
from ringfence.query.matrix import given as measured
from ringfence.query.namespaces import ByNamespace
from ringfence.report.words import end_id

EVERYWHERE: Final = AddressSet.of("0.0.0.0/0")
TWO: Final = cluster(
    namespace("shop"),
    namespace("data"),
    pod("shop/web", "app=web"),
    pod("shop/cart", "app=cart"),
    pod("shop/job", "app=job"),
    pod("data/db", "app=db"),
    pod("data/cache", "app=cache"),
    policy("data/db", selects="app=db", ingress=[rule("ns: {} pods: app in (web,cart)", [5432, 53])]),
    policy("data/cache", selects="app=cache", ingress=[rule("ns: {} pods: app in (web,cart,job)", [6379, 53])]),
)
"""Three pods of a shop and two of data: web and cart reach both of those, the job only the cache."""


def _one(made: Matrix, src: str, dst: str) -> Connection:
    (found,) = (c for c in made.connections if end_id(c.src).startswith(src) and end_id(c.dst).startswith(dst))
    return found


def test_the_union_and_the_count() -> None:
    found = _one(matrix(TWO, by="namespace"), "shop", "data")
    assert found.pairs == Pairs(5, 6)
    assert found.answer.possible == ConnectionSet.of(TCP=[53, 5432, 6379])
    assert found.answer.allowed == ConnectionSet.NONE, "the job does not reach the database"


def test_what_all_pairs_share() -> None:
    web, cart = TWO.workloads[:2]
    found = _one(matrix(TWO, by="namespace", src=[web, cart]), "shop", "data")
    assert found.pairs == Pairs(4, 4), "the asked ends alone are counted"
    assert found.answer.allowed == ConnectionSet.of(TCP=[53])
    assert found.answer.mixed == ConnectionSet.of(TCP=[5432, 6379])


def test_a_pod_and_itself_is_no_pair() -> None:
    """S125: three single pods make six pairs; a workload of several pods has pairs with itself."""
    assert _one(matrix(TWO, by="namespace"), "shop", "shop").pairs == Pairs(6, 6)
    alone = cluster(pod("one/a"), workload("two/b", pod("two/b", replicas=2, template=True)))
    made = matrix(alone, by="namespace")
    assert not [c for c in made.connections if c.src is c.dst and end_id(c.src) == "one[Namespace]"]
    assert _one(made, "two", "two").pairs == Pairs(1, 1)


def test_only_pairs_on_the_asked_port_count() -> None:
    found = _one(matrix(TWO, by="namespace", ports=ConnectionSet.of(TCP=[5432])), "shop", "data")
    assert found.pairs == Pairs(2, 6)
    nothing = matrix(TWO, by="namespace", dst=TWO.workloads[3:], ports=ConnectionSet.of(TCP=[9999]))
    assert [end_id(c.src) for c in nothing.connections] == []


def test_denied_pairs_of_namespaces_when_asked_for() -> None:
    closed = cluster(pod("a/x"), pod("b/y"), policy("a/deny", ingress=[]))
    assert next(end_id(b.dst) for b in matrix(closed, by="namespace").blocks()) == "b[Namespace]"
    denied = _one(matrix(closed, by="namespace", every=True), "b[", "a[")
    assert (denied.pairs, denied.answer.plainly_denied) == (Pairs(0, 1), True)


def test_the_outside_is_one_end() -> None:
    """However many ranges have answers of their own; a workload counts once."""
    guarded = policy("shop/p", ingress=[rule(["10.0.0.0/8", "192.0.2.0/24"], 443)], egress=[rule("10.0.0.0/8")])
    where = cluster(pod("shop/a"), pod("shop/b"), guarded)
    incoming = _one(matrix(where, by="namespace"), "0.0.0.0-", "shop")
    assert (incoming.src, incoming.pairs) == (Outside(EVERYWHERE), Pairs(2, 2))
    assert incoming.answer.possible == ConnectionSet.of(TCP=[443])
    assert not incoming.answer.allowed, "not all addresses may"
    leaving = _one(matrix(where, by="namespace"), "shop", "0.0.0.0-")
    assert (leaving.pairs, leaving.answer.possible) == (Pairs(2, 2), ConnectionSet.ALL)
    asked = _one(matrix(where, by="namespace", src=[Outside(AddressSet.of("192.0.2.0/25"))]), "192.0.2", "shop")
    assert asked.answer.allowed == ConnectionSet.of(TCP=[443])


def test_what_is_not_plain_is_carried() -> None:
    """Pods that differ are possible, what the API leaves open stays open with its reason, notes stay."""
    assert _one(matrix(MIXED, by="namespace"), "shop", "shop").answer.mixed
    undecided = _one(matrix(UNKNOWN, by="namespace"), "shop", "shop")
    assert (Reason.POD_IP_UNKNOWN, ConnectionSet.of(TCP=[5432])) in undecided.answer.open
    assert undecided.pairs == Pairs(2, 2), "what may be open counts"
    assert _one(matrix(NOTED, by="namespace"), "shop", "shop").answer.notes == {Note.UNMODELLED_POLICY}


def test_a_node_that_was_asked_about_stays_itself() -> None:
    where = cluster(pod("a/x"), node("n1"))
    found = matrix(where, by="namespace", src=[*where.nodes]).connections
    assert next((end_id(c.src), end_id(c.dst)) for c in found) == ("n1[Node]", "a[Namespace]")


@given(clusters())
def test_each_cell_is_the_join_of_its_pairs(where: Cluster) -> None:
    """Law: by namespace is by workload, joined; every pair of the engine is in it, denied ones too."""
    reach = Reachability(where)
    found = matrix(where, by="namespace", every=True)
    seen = 0
    for connection in found.connections:
        src, dst = connection.src, connection.dst
        if not (isinstance(src, Namespace) and isinstance(dst, Namespace)):
            continue
        pairs = [
            reach.answer(a, b)
            for a in where.workloads
            for b in where.workloads
            if (a.namespace, b.namespace) == (src.name, dst.name) and not (a is b and a.replicas == 1)
        ]
        connected = sum(bool(answer.possible or answer.open) for answer in pairs)
        assert connection.pairs == Pairs(connected, len(pairs))
        assert connection.answer == join(pairs)
        seen += len(pairs)
    workloads: tuple[Workload, ...] = where.workloads
    assert seen == len(workloads) ** 2 - sum(one.replicas == 1 for one in workloads)


@given(clusters())
def test_the_outside_of_each_namespace_is_the_join_of_its_cells(where: Cluster) -> None:
    """Law: the same for what comes from outside, over every address."""
    reach = Reachability(where)
    for connection in matrix(where, by="namespace", every=True).connections:
        if isinstance(connection.src, Outside) and isinstance(connection.dst, Namespace):
            answers = [
                reach.answer(connection.src, one) for one in where.workloads if one.namespace == connection.dst.name
            ]
            assert connection.answer == join(answers)


WAYS_IN: Final = replace(
    cluster(
        pod("a/web", "app=web"), pod("b/db", "app=db"),
        service("a/web", "app=web", ports=[80], type="NodePort"),
        service("b/far", None, ports=[443]),
        EndpointSlice("b", "far-1", "far", (service_port(443),), (endpoint("203.0.113.7"),)),
        policy("b/deny", ingress=[]),
    ),
    entrances=(Entrance("Ingress", "b", "in", (EntranceBackend("b", "far"), EntranceBackend("a", "web"))),),
    doorman=controller(),
)  # fmt: skip


def test_a_door_has_pairs_with_those_alone_that_it_leads_to() -> None:
    """Also when every pair is listed: it says nothing of other namespaces, wherever they stand in the listing."""
    listed = [(end_id(c.src), end_id(c.dst)) for c in matrix(WAYS_IN, by="namespace", every=True).connections]
    assert [pair for pair in listed if pair[0].startswith(CONTROLLER)] == [
        (CONTROLLER, "a[Namespace]"),
        (CONTROLLER, "203.0.113.7-203.0.113.7[External]"),
    ]
    assert [pair for pair in listed if pair[0] == "a/web[Service]"] == [("a/web[Service]", "a[Namespace]")]


def test_an_address_that_a_door_leads_to_is_no_destination_of_others() -> None:
    """They are listed with the whole outside; to say that they do not reach this address would be wrong."""
    made = matrix(WAYS_IN, by="namespace", every=True)
    assert [end_id(c.src) for c in made.connections if end_id(c.dst).startswith("203.0.113.7")] == [CONTROLLER]


def test_a_door_to_the_workload_of_an_asked_pod_splits_no_namespace() -> None:
    several = workload("a/w", pod("a/w-1", "app=web"), pod("a/w-2", "app=web"))
    where = replace(WAYS_IN, workloads=(several, *cluster(pod("a/x"), pod("b/db")).workloads))
    made = matrix(where, by="namespace", dst=[several.pods[0], where.workloads[1]])
    assert [end_id(block.dst) for block in made.blocks()] == ["a[Namespace]"]
    assert _one(made, "b[", "a[").pairs == Pairs(2, 2)


def test_ranges_that_overlap_are_both_told() -> None:
    """Each with all of its addresses, those too that another one has."""
    where = cluster(pod("a/x"), policy("a/p", ingress=[rule("10.1.0.0/16", 443)]))
    wide, narrow = (Outside(AddressSet.of(text)) for text in ("10.0.0.0/8", "10.1.0.0/16"))
    for asked in ([wide, narrow], [narrow, wide]):
        made = matrix(where, by="namespace", src=asked, dst=[*where.workloads])
        assert _one(made, "10.1.0.0-10.1.255.255", "a").answer.allowed == ConnectionSet.of(TCP=[443])
        assert _one(made, "10.0.0.0-10.255.255.255", "a").answer.mixed == ConnectionSet.of(TCP=[443])
        assert end_id(made.connections[0].dst) == "a[Namespace]"


@given(seeds)
@settings(max_examples=60)
def test_what_was_asked_about_is_the_join_of_its_pairs(seed: int) -> None:
    """Law: for any ends and ports that are asked about, ranges that overlap and single pods among them."""
    rng = Random(seed)
    where = random_cluster(rng)
    where = with_entrances(where, rng) if rng.random() < 0.5 else where
    src, dst = _some(rng, where), _some(rng, where)
    ports = ConnectionSet.of(TCP=[rng.choice((80, 443))]) if rng.random() < 0.5 else None
    made = matrix(where, by="namespace", src=src, dst=dst, ports=ports, every=rng.random() < 0.5)
    found = {
        (end_id(c.src), end_id(c.dst)): (c.answer, c.pairs) for c in made.connections if not isinstance(c.src, Door)
    }
    reach = Reachability(where)
    pairs: dict[tuple[str, str], list[Answer]] = {}
    for a in src:
        for b in dst:
            alone = a is b and isinstance(a, Workload) and a.replicas == 1
            if not alone and not (isinstance(a, Outside) and isinstance(b, Outside)):
                pairs.setdefault((_place_id(a), _place_id(b)), []).append(reach.answer(a, b))
    wanted = {
        key: (join(answers), Pairs(sum(map(made.view.connects, answers)), len(answers)))
        for key, answers in pairs.items()
        if made.view.lists(join(answers))
    }
    assert found == wanted


@given(seeds)
@settings(max_examples=100)
def test_counting_by_classes_is_counting_pair_by_pair(seed: int) -> None:
    """Law: whole rows at once give what walking over every pair gives, in the same order: ways in, ranges and notes."""
    rng = Random(seed)
    where = random_cluster(rng)
    where = with_entrances(where, rng) if rng.random() < 0.5 else where
    where = replace(where, gaps=(*where.gaps, *(_gap(rng, where) for _ in range(rng.choice((0, 1, 2))))))
    profile = rng.choice([*PROFILES.values()])
    if profile.direct_controller:
        where = _alike(where)
    ports = ConnectionSet.of(TCP=[rng.choice((80, 443))]) if rng.random() < 0.5 else None
    view = View(every=rng.random() < 0.5, by="namespace", ports=ports)
    found = matrix(where, by="namespace", ports=ports, every=view.every, profile=profile)
    asked = asking(where, profile, None, None)
    joined = ByNamespace(
        asked.reach.cluster, asked.sources, asked.targets, profile, connects=view.connects, gaps=asked.reach.gaps_of
    )
    # A place to which no pair came is listed behind the others, so all pairs come where all are to be listed.
    raw = asked.raw(every=view.every or rng.random() < 0.5)
    walked = joined.blocks(joined.pairs(raw), every=view.every, listed=view.lists)
    assert _cells(found.blocks()) == _cells(walked)


def test_of_what_was_measured_the_pairs_that_came_are_all() -> None:
    db, job, web, cart = (next(w for w in TWO.workloads if w.name == name) for name in ("db", "job", "web", "cart"))
    pairs = [(web, db, EVERYTHING), (cart, db, EVERYTHING), (job, db, NOTHING)]
    found = _one(measured(TWO, pairs, by="namespace", src=None, dst=None, every=False), "shop", "data")
    assert found.pairs == Pairs(2, 3)
    assert (found.answer.possible, found.answer.allowed) == (ConnectionSet.ALL, ConnectionSet.NONE)


def test_a_denied_pair_that_a_gap_concerns_makes_the_joined_answer_doubtful() -> None:
    """Though it is not listed by itself: the pair that is allowed has no note, the two namespaces have."""
    for selects, where in (("app=db", "data"), ("app=job", "shop")):
        gap = Gap(Note.INCOMPLETE_INPUT, "NetworkPolicy x", where, selector(selects))
        found = _one(matrix(replace(TWO, gaps=(gap,)), by="namespace"), "shop", "data")
        assert found.answer.gaps == {Note.INCOMPLETE_INPUT}
        assert not found.answer.remarks


def test_a_gap_of_everything_asks_no_more_about_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A note on every pair made the listing, and what is by namespace, ask about each of a hundred million pairs."""
    asked = 0
    between = Reachability.between

    def counted(self: Reachability, *ends: Any) -> Answer:
        nonlocal asked
        asked += 1
        return between(self, *ends)

    monkeypatch.setattr(Reachability, "between", counted)
    pods = [pod(f"n{number % 5}/p{number}", f"app=a{number % 7}") for number in range(60)]
    shut = [policy(f"n{number}/shut", ingress=[rule("app=a1", 80)]) for number in range(5)]
    where = cluster(*pods, *shut)
    gap = Gap(Note.UNMODELLED_POLICY, "AdminNetworkPolicy x")
    views: tuple[By, ...] = ("workload", "namespace")
    for by in views:
        before, asked = len(matrix(where, by=by).connections), 0
        assert len(matrix(replace(where, gaps=(gap,)), by=by).connections) == before
        assert asked <= len(pods), "a workload and itself"


def _cells(blocks: Iterable[Block]) -> list[tuple[str, str, Answer, Pairs | None]]:
    return [(end_id(c.src), end_id(block.dst), c.answer, c.pairs) for block in blocks for c in block.connections]


def _gap(rng: Random, where: Cluster) -> Gap:
    """A gap that concerns some pods of *where*, or all of a namespace."""
    one = rng.choice(where.pods)
    worn = [f"{key}={value}" for key, value in one.labels.items()]
    taken = selector(rng.choice(worn)) if worn and rng.random() < 0.7 else None
    return Gap(rng.choice((Note.INCOMPLETE_INPUT, Note.UNMODELLED_POLICY)), "x", one.namespace, taken)


def _alike(where: Cluster) -> Cluster:
    """*where* with one pod of each workload: the np-guard profile takes no others that differ."""
    return replace(where, workloads=tuple(replace(one, pods=one.pods[:1]) for one in where.workloads))


def _some(rng: Random, where: Cluster) -> list[End]:
    ranges = [Outside(AddressSet.of(text)) for text in ("10.0.0.0/8", "10.0.0.0/24", "2001:db8::/32", "0.0.0.0/0")]
    several: list[End] = [*where.workloads, *where.nodes, *ranges, *where.pods]
    return list({end_id(end): end for end in rng.sample(several, 4)}.values())


def _place_id(end: End) -> str:
    return f"{end.namespace}[Namespace]" if isinstance(end, Workload | Pod) else end_id(end)
