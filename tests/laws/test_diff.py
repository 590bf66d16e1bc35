"""The laws of a difference: it is what a comparison of every pair finds, it is empty for equals, and it mirrors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from entrances import with_entrances
from generate import random_cluster
from hypothesis import example, given, settings
from strategies import seeds

from ringfence.engine.compiler.entrances import Entrances
from ringfence.engine.compiler.reachability import Reachability
from ringfence.model.addresses import FAMILIES, AddressSet, edges
from ringfence.model.cluster import Cluster
from ringfence.model.entrances import Door
from ringfence.model.flows import Outside
from ringfence.model.objects import NAME_LABEL, Namespace, Pod, Workload
from ringfence.model.policies import Direction, Policy
from ringfence.model.profiles import KUBERNETES, Profile
from ringfence.query.asking import alone
from ringfence.query.blocks import listing_order
from ringfence.query.diff.diff import Diff, diff
from ringfence.query.diff.parts import ABSENT, Key, key_of

Name = tuple[str, ...]
Pairs = dict[tuple[Name, Name], tuple[Key, Key]]


def changed(rng: Random, cluster: Cluster) -> Cluster:
    """*cluster* with some of what a change of manifests may touch touched."""
    other = random_cluster(rng)
    policies = list(cluster.policies)
    for _ in range(rng.choice((0, 1, 1, 2))):
        if policies:
            at = rng.randrange(len(policies))
            policies[at] = _other_policy(rng, policies[at], other)
    if policies and rng.random() < 0.2:
        del policies[rng.randrange(len(policies))]
    if other.policies and rng.random() < 0.2:
        policies.append(replace(rng.choice(other.policies), name="more"))
    made = replace(cluster, policies=tuple(policies))
    if rng.random() < 0.3:
        made = replace(made, namespaces={**made.namespaces, "n0": _namespace(rng)})
    if rng.random() < 0.3:
        made = replace(made, workloads=tuple(_other_workload(rng, one) for one in made.workloads))
    if rng.random() < 0.2 and len(made.workloads) > 1:
        made = replace(made, workloads=made.workloads[1:])
    if rng.random() < 0.2 and other.pod_families == made.pod_families:
        new = replace(other.workloads[0], name="new")
        made = replace(made, workloads=(*made.workloads, new))
    if rng.random() < 0.1:
        made = replace(made, nodes=other.nodes)
    return made


def _other_policy(rng: Random, policy: Policy, other: Cluster) -> Policy:
    if not other.policies:
        return policy
    model = rng.choice(other.policies)
    return rng.choice((
        replace(policy, ingress=model.ingress),
        replace(policy, egress=model.egress),
        replace(policy, directions=frozenset({rng.choice(list(Direction))})),
        replace(policy, subject=replace(policy.subject, pods=model.subject.pods)),
    ))  # fmt: skip


def _namespace(rng: Random) -> Namespace:
    return Namespace("n0", {NAME_LABEL: "n0", "team": rng.choice(("a", "b")), "app": rng.choice(("web", "db"))})


def _other_workload(rng: Random, one: Workload) -> Workload:
    if rng.random() < 0.6:
        return one
    return replace(one, pods=tuple(_other_pod(rng, pod) for pod in one.pods))


def _other_pod(rng: Random, pod: Pod) -> Pod:
    if pod.template and rng.random() < 0.3:
        return replace(pod, replicas=rng.choice((1, 2)))
    if rng.random() < 0.3:
        return replace(pod, node=None)
    return replace(pod, labels={**pod.labels, rng.choice(("app", "tier", "env")): rng.choice(("web", "db", "a"))})


def _cells(old: Cluster, new: Cluster, direction: Direction, profile: Profile) -> Iterator[Outside]:
    for family in FAMILIES:
        if family == 4 or (profile.ipv6 and (old.speaks_ipv6 or new.speaks_ipv6)):
            blocks = (block.addresses for side in (old, new) for block in side.blocks[direction])
            for low, high in edges(blocks, family):
                yield Outside(AddressSet.interval(family, low, high))


def _ends(cluster: Cluster) -> dict[Name, Workload]:
    return {(one.namespace, one.name, one.kind): one for one in cluster.workloads}


def brute(
    old: Cluster, new: Cluster, profile: Profile = KUBERNETES, cut: tuple[Cluster, Cluster] | None = None
) -> Pairs:
    """Every pair that differs, by asking two engines that know nothing of each other about each.

    The outside is cut where a block of *cut* begins or ends, which are the two sides if not said.
    """
    cut = cut or (old, new)
    sides = [(Reachability(side, profile), _ends(side)) for side in (old, new)]
    names = sides[0][1].keys() | sides[1][1].keys()
    found: Pairs = {}

    def note(src: Name, dst: Name, answers: list[Key]) -> None:
        if answers[0] != answers[1]:
            found[src, dst] = answers[0], answers[1]

    for dst in names:
        for src in names:
            answers = []
            for reach, ends in sides:
                pair = ends.get(src), ends.get(dst)
                there = pair[0] is not None and pair[1] is not None and not alone(pair[0], pair[1], profile)
                answers.append(key_of(reach.answer(*pair) if there else ABSENT))  # type: ignore[arg-type]
            note(src, dst, answers)
        for cell in _cells(*cut, Direction.INGRESS, profile):
            note((cell.id,), dst, [
                key_of(reach.answer(cell, ends[dst]) if dst in ends else ABSENT) for reach, ends in sides
            ])  # fmt: skip
        for cell in _cells(*cut, Direction.EGRESS, profile):
            note(dst, (cell.id,), [
                key_of(reach.answer(ends[dst], cell) if dst in ends else ABSENT) for reach, ends in sides
            ])  # fmt: skip
    return found


def by_cells(found: Diff) -> Pairs:
    """The pairs of a difference with ranges cut into the cells of both sides, as :func:`brute` has them."""
    made: Pairs = {}
    for src, dst, before, after in found.pairs:
        if isinstance(src, Door):
            continue
        for a in _named(src, found, Direction.INGRESS):
            for b in _named(dst, found, Direction.EGRESS):
                assert (a, b) not in made, "a pair comes once"
                made[a, b] = key_of(before), key_of(after)
    return made


def from_groups(found: Diff) -> Pairs:
    """The same from the groups."""
    made: Pairs = {}
    for change in found.changes:
        count = 0
        for dst in change.destinations:
            for src in change.sources:
                if src is dst and any(src is one for one in change.alone):
                    continue
                count += 1
                if isinstance(src, Door):
                    continue
                for a in _named(src, found, Direction.INGRESS):
                    for b in _named(dst, found, Direction.EGRESS):
                        assert (a, b) not in made, "a pair is in one group"
                        made[a, b] = key_of(change.before), key_of(change.after)
        assert count == change.pairs
    return made


def _named(end: object, found: Diff, direction: Direction) -> list[Name]:
    if isinstance(end, Workload):
        return [(end.namespace, end.name, end.kind)]
    assert isinstance(end, Outside)
    cells = _cells(found.old, found.new, direction, found.profile)
    return [(cell.id,) for cell in cells if cell.addresses <= end.addresses]


def _two(seed: int) -> tuple[Cluster, Cluster]:
    rng = Random(seed)
    old = random_cluster(rng)
    return old, changed(rng, old)


@given(seeds)
@example(10664)  # a pod of the host's network, whose node is known on one side alone
@settings(max_examples=150)
def test_a_difference_is_what_every_pair_says(seed: int) -> None:
    old, new = _two(seed)
    found = diff(old, new)
    wanted = brute(found.old, found.new)
    assert by_cells(found) == wanted
    assert from_groups(found) == wanted


@given(seeds)
@settings(max_examples=40)
def test_two_strange_clusters_too(seed: int) -> None:
    rng = Random(seed)
    old, new = random_cluster(rng), random_cluster(rng)
    found = diff(old, new)
    assert by_cells(found) == brute(found.old, found.new)


@given(seeds)
@settings(max_examples=60)
def test_equals_do_not_differ(seed: int) -> None:
    cluster = random_cluster(Random(seed))
    assert diff(cluster, cluster).empty
    again = diff(cluster, random_cluster(Random(seed)))
    assert again.empty
    assert not again.policies


@given(seeds)
@settings(max_examples=60)
def test_the_way_back_mirrors(seed: int) -> None:
    old, new = _two(seed)
    there, back = diff(old, new), diff(new, old)
    assert from_groups(there) == {pair: (b, a) for pair, (a, b) in from_groups(back).items()}
    assert [one.id for one in there.added] == [one.id for one in back.removed]
    for direction in Direction:
        assert {w.id for w in there.unprotected[direction].gained} <= {w.id for w in back.unprotected[direction].lost}


@given(seeds)
@settings(max_examples=40)
def test_the_old_with_the_difference_is_the_new(seed: int) -> None:
    """Law: what each pair may open before, with the pairs of the difference put in, is what it may open after."""
    old, new = _two(seed)
    found = diff(old, new)
    both = found.old, found.new
    patched, wanted = ({pair: after for pair, (_, after) in brute(Cluster(), side, cut=both).items()} for side in both)
    for pair, (_, after) in by_cells(found).items():
        patched[pair] = after
    nothing = key_of(ABSENT)
    assert {pair: key for pair, key in patched.items() if key != nothing} == wanted


@given(seeds)
@example(100298)  # a label that no policy names, and by which a Service selects
@example(100793)  # the same behind an Ingress
@settings(max_examples=60)
def test_what_comes_in_through_doors_is_compared_too(seed: int) -> None:
    """Law: the doors of a difference are those whose answers differ, where each side is asked by itself."""
    rng = Random(seed)
    old = with_entrances(random_cluster(rng), rng)
    new = changed(rng, old)
    if rng.random() < 0.5:
        new = with_entrances(new, rng)
    found = diff(old, new)
    before, after = (_through_doors(side) for side in (found.old, found.new))
    nothing = key_of(ABSENT)
    wanted = {pair: (before.get(pair, nothing), after.get(pair, nothing)) for pair in before | after}
    got = {
        (src.id, listing_order(dst)): (key_of(was), key_of(now))
        for src, dst, was, now in found.pairs if isinstance(src, Door)
    }  # fmt: skip
    assert got == {pair: keys for pair, keys in wanted.items() if keys[0] != keys[1]}


def _through_doors(cluster: Cluster) -> dict[tuple[str, tuple[object, ...]], Key]:
    rows = Entrances(Reachability(cluster, KUBERNETES)).rows()
    return {(door.id, listing_order(end)): key_of(answer) for door, end, answer in rows}


@given(seeds)
@settings(max_examples=40)
def test_namespaces_count_the_pairs(seed: int) -> None:
    old, new = _two(seed)
    one, other = diff(old, new), diff(old, new, by="namespace")
    assert sum(change.pairs for change in one.changes) == sum(change.pairs for change in other.changes)
    assert all(len(change.sources) == len(change.destinations) == 1 for change in other.changes)


@given(seeds)
@settings(max_examples=40)
def test_what_is_responsible_is_named(seed: int) -> None:
    """A side that lets something through names a cause for each end that is inside the cluster."""
    old, new = _two(seed)
    found = diff(old, new)
    for change in found.changes[:20]:
        for because, answer in zip(found.why(change), (change.before, change.after), strict=True):
            if any(isinstance(src, Door) for src in change.sources):
                continue
            if answer.possible & (change.opened | change.closed):
                assert because.through
