"""Arrows to names outside against the names that companion documents hold, port by port: nothing of it is measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ringfence.engine.reference.matching import Matcher
from ringfence.intents.dialects.comparing import beyond
from ringfence.intents.dialects.found import NamedPorts, Names
from ringfence.intents.dialects.reading import names_in
from ringfence.intents.outside import ports_of
from ringfence.intents.wishes import NameWish
from ringfence.model.addresses import AddressSet
from ringfence.model.cluster import Cluster, Gap
from ringfence.model.flows import Note, Outside
from ringfence.model.hostnames import HostName
from ringfence.model.objects import Pod
from ringfence.model.policies import PortMatch
from ringfence.model.ports import ConnectionSet
from ringfence.query.check.pieces import Pieces
from ringfence.query.check.result import Named, StrangeName


@dataclass(frozen=True)
class Companions:
    """The companion documents of a cluster, each with the gap that it is to those who cannot read it."""

    found: tuple[tuple[Gap, Names], ...]

    @property
    def read(self) -> tuple[Gap, ...]:
        """The gaps behind which nothing else is than names and the way to the DNS."""
        return tuple(gap for gap, names in self.found if names.understood)


def companions(cluster: Cluster) -> Companions:
    """The companion documents among what of *cluster* is not modelled."""
    found = []
    for gap in cluster.gaps:
        if gap.note is Note.UNMODELLED_POLICY:
            names = names_in(gap.source.value())
            if names is not None:
                found.append((gap, names))
    return Companions(tuple(found))


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
    every = [(wish, {id(pod) for pod in wish.src.pods}, _asked(wish)) for wish in wishes]
    for gap, names in known.found:
        for one in names.names:
            left = ConnectionSet.NONE
            for pod in pieces.meaning.cluster.pods:
                if pod.namespace in pieces.meaning.protect and _takes(pieces, gap, names, pod):
                    left = left | beyond(one, [asked for _, pods, asked in every if id(pod) in pods])
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
