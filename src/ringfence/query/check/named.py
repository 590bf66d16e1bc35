"""Arrows to names outside against the names that companion documents hold, port by port: nothing of it is measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ringfence.engine.reference.matching import Matcher
from ringfence.intents.dialects.comparing import beyond, numbers
from ringfence.intents.dialects.found import NamedPorts, Names
from ringfence.intents.dialects.reading import names_in
from ringfence.intents.outside import ports_of
from ringfence.intents.wishes import Meaning, NameWish
from ringfence.model.addresses import AddressSet
from ringfence.model.cluster import Cluster, Gap
from ringfence.model.ends import HostEnd
from ringfence.model.flows import Note, Outside
from ringfence.model.hostnames import HostName
from ringfence.model.objects import Pod
from ringfence.model.policies import Direction, Policy, PortMatch, Rule, Subject
from ringfence.model.ports import ConnectionSet
from ringfence.model.selectors import EVERYTHING
from ringfence.query.check.pieces import Pieces, block_of
from ringfence.query.check.pieces import ports_of as ports_of_all
from ringfence.query.check.result import Named, StrangeName


@dataclass(frozen=True)
class Companions:
    """The companion documents of a cluster, each with the gap that it is to those who cannot read it.

    ``read`` are the gaps behind which nothing else is than names, and what ``policies`` say in its place: the way to
    the DNS, and that the pods may open nothing else.
    """

    found: tuple[tuple[Gap, Names], ...]
    read: tuple[Gap, ...] = ()
    policies: tuple[Policy, ...] = ()


def companions(meaning: Meaning) -> Companions:
    """The companion documents among what of the cluster of *meaning* is not modelled."""
    found, read, policies = [], [], []
    for gap in meaning.cluster.gaps:
        names = names_in(gap.source.value()) if gap.note is Note.UNMODELLED_POLICY else None
        if names is None:
            continue
        found.append((gap, names))
        place = names.namespace or gap.namespace
        if not names.understood or place is None or _cuts(names, place, meaning):
            continue
        if names.isolates or names.dns:
            if not names.isolates and not isolated(meaning.cluster, place, Direction.EGRESS):
                continue  # a policy in its place would isolate pods that it does not
            policies.append(_policy(gap, names, place))
        read.append(gap)
    return Companions(tuple(found), tuple(read), tuple(policies))


def isolated(cluster: Cluster, namespace: str, direction: Direction) -> bool:
    """Whether a policy isolates every pod of *namespace*, whatever its labels."""
    policies = cluster.policies_by_namespace.get(namespace, ())
    return any(policy.subject.pods == EVERYTHING and direction in policy.directions for policy in policies)


def _cuts(names: Names, place: str, meaning: Meaning) -> bool:
    """Whether a firewall of the namespace *place* closes addresses that an arrow wants."""
    return names.cuts_outside and any(
        not any(block_of(wish.dst) <= block.addresses and ports_of_all(wish.into) <= numbers(open_)
                for block, open_ in names.blocks)
        for wish in meaning.wishes
        if wish.dst.cidr is not None and not isinstance(wish.intent.arrow.dst, HostEnd)
        and any(pod.namespace == place for pod in wish.src.pods)
    )  # fmt: skip


def _policy(gap: Gap, names: Names, place: str) -> Policy:
    """The NetworkPolicy that opens what a companion opens beside names, and isolates whom it isolates."""
    kind, _, name = gap.what.partition(" ")
    rules = tuple(Rule((dns.peer,), dns.ports, path="spec") for dns in names.dns)
    called = f"{name.rpartition('/')[2]} ({kind})"
    return Policy(place, called, Subject(place, names.pods), frozenset({Direction.EGRESS}), (), rules,
                  source=gap.source)  # fmt: skip


def named(pieces: Pieces, wishes: Iterable[NameWish], known: Companions) -> Iterator[Named]:
    """Each arrow to a name, with the ports that no companion holds for some of its pods."""
    for wish in wishes:
        asked = _asked(wish)
        lacking = ConnectionSet.NONE
        for pod in wish.src.pods:
            if not _open(pieces, pod, ports_of(wish)):
                held = [one for gap, names in known.found if _takes(pieces, gap, names, pod) for one in names.names]
                lacking = lacking | beyond(asked, held)
        yield Named(wish, lacking)


def strange(pieces: Pieces, wishes: Iterable[NameWish], known: Companions) -> Iterator[StrangeName]:
    """Names that companion documents hold, for some pod at least, and no arrow wants."""
    every = [({id(pod) for pod in wish.src.pods}, {pod.namespace for pod in wish.src.pods}, _asked(wish))
             for wish in wishes]  # fmt: skip
    for gap, names in known.found:
        for one in names.names:
            left = ConnectionSet.NONE
            for pod in pieces.meaning.cluster.pods:
                if pod.namespace in pieces.meaning.protect and _takes(pieces, gap, names, pod):
                    # a firewall binds a namespace and opens nothing: a name in it is for whoever there asks for it
                    left = left | beyond(one, [asked for pods, places, asked in every if id(pod) in pods
                                               or (names.cuts_outside and pod.namespace in places)])  # fmt: skip
            if left:
                yield StrangeName(str(one.host), left, gap.what, gap.source.file, gap.source.at("")[0])


def _asked(wish: NameWish) -> NamedPorts:
    specs = tuple(PortMatch(spec.protocol, spec.low, spec.high) for spec in wish.ports if spec.name is None)
    return NamedPorts(HostName.parse(wish.host.host), specs)


def _takes(pieces: Pieces, gap: Gap, names: Names, pod: Pod) -> bool:
    """Whether a companion is about *pod*; one without a namespace of its own is about those of its gap, or all."""
    place = names.namespace or gap.namespace
    matcher = Matcher(pieces.cluster, pieces.reach.profile, Counter())
    return place in (None, pod.namespace) and matcher.selects(names.pods, pod.labels)


def _open(pieces: Pieces, pod: Pod, ports: ConnectionSet) -> bool:
    """Whether *pod* may reach every address outside on *ports*, so that it needs no companion."""
    piece = pieces.cluster.workload_of[id(pod)]
    answer = pieces.reach.answer(piece, Outside(AddressSet.whole(4)))
    return ports <= answer.allowed
