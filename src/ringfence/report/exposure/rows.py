"""What the lines for people say: to whom something is open, on which ports, and for which workloads alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ringfence.model.addresses import FAMILIES, AddressSet
from ringfence.model.flows import Outside
from ringfence.model.objects import Workload
from ringfence.model.policies import Direction
from ringfence.model.selectors import Selector
from ringfence.query.exposure.parties import Party
from ringfence.query.exposure.result import ALL, Admitted, Exposed, Exposure, Opening, Share, WayIn
from ringfence.report.words import REASON_TEXT, end_name, human


class Sort(StrEnum):
    """Why something stands in a line, the ones to look at first coming first."""

    WAY_IN = "way-in"
    UNPROTECTED = "unprotected"
    METADATA = "metadata"
    OUTSIDE = "outside"
    EVERYONE = "everyone"
    ABSENT = "absent"
    SHUT = "shut"


RANK: Final = {sort: number for number, sort in enumerate(Sort)}
_WORD: Final = {Direction.INGRESS: "from", Direction.EGRESS: "to"}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is open, in words."""

    sort: Sort
    direction: Direction
    party: str
    ports: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line, and the workloads of one namespace that it holds for; ``whole`` when those are all of it."""

    line: Line
    workloads: tuple[Workload, ...]
    whole: bool

    @property
    def subject(self) -> str:
        """The workloads, in few words."""
        first, more = self.workloads[0], len(self.workloads) - 1
        if not more:
            return f"{first.namespace}/{first.name}"
        if self.whole:
            return f"{first.namespace}/* ({more + 1:,} workloads)"
        named = ", ".join(one.name for one in self.workloads[:3])
        return f"{first.namespace}/{named}" + (f" and {more - 2:,} more" if more > 2 else "")


def rows(exposure: Exposure) -> list[Row]:
    """One row for what holds for workloads of a namespace alike, the ones to look at first coming first."""
    found: dict[tuple[str, Line], list[Workload]] = {}
    sizes: dict[str, int] = {}
    known: dict[tuple[int, Direction], list[Line]] = {}
    for one in exposure.workloads:
        space = one.workload.namespace
        sizes[space] = sizes.get(space, 0) + 1
        for line in _together(list(lines_of(one, known))):
            found.setdefault((space, line), []).append(one.workload)
    made = [Row(line, tuple(workloads), len(workloads) == sizes[space]) for (space, line), workloads in found.items()]
    return sorted(made, key=lambda row: (RANK[row.line.sort], row.line.direction != Direction.INGRESS,
                                         row.workloads[0].namespace, row.workloads[0].name))  # fmt: skip


def _together(lines: list[Line]) -> list[Line]:
    """*lines*, with those of a workload that is not isolated at all as one."""
    if sum(line.sort is Sort.UNPROTECTED for line in lines) < len(Direction):
        return lines
    return [line for line in lines if line.sort is not Sort.UNPROTECTED] + [
        _unprotected("from and to", Direction.INGRESS)
    ]


def _unprotected(word: str, direction: Direction) -> Line:
    more = ", the cloud's metadata too" if word.endswith("to") else ""
    return Line(Sort.UNPROTECTED, direction, f"{word} anywhere{more}: no policy isolates it", human(ALL.ports))


def lines_of(one: Exposed, known: dict[tuple[int, Direction], list[Line]]) -> Iterator[Line]:
    """The lines of one workload. *known* keeps what many workloads share; it is for one exposure."""
    for way in one.ways:
        # Where nobody named the controller, a rule may let it in all the same.
        shut = not (way.ports or way.doubtful or way.unnamed)
        party = f"outside by {way.kind} {way.by.id}"
        yield Line(Sort.SHUT if shut else Sort.WAY_IN, Direction.INGRESS, party, way_ports(way))
    for direction, admitted in one.admitted.items():
        lines = known.get((id(admitted), direction))
        if lines is None:
            lines = known[id(admitted), direction] = list(_admitted(admitted, direction))
        yield from lines


def way_ports(way: WayIn) -> str:
    """What is let through of the ports that *way* leads to, and why not the others."""
    parts = [human(way.ports)] if way.ports else []
    parts += [f"perhaps {human(ports)}: {REASON_TEXT[reason]}" for reason, ports in way.doubtful]
    if way.shut:
        who = "a controller that nobody named" if way.unnamed else "who comes this way"
        parts.append(f"{human(way.shut)} {'are' if ',' in human(way.shut) else 'is'} shut to {who}")
    return "; ".join(parts) or "nothing"


def _admitted(admitted: Admitted, direction: Direction) -> Iterator[Line]:
    word = _WORD[direction]
    if not admitted.isolated:
        yield _unprotected(word, direction)
        return
    if direction is Direction.EGRESS and admitted.metadata:
        yield Line(Sort.METADATA, direction, "to the cloud's metadata (169.254.169.254)", "TCP 80")
    for addresses, ports in admitted.outside:
        yield Line(Sort.OUTSIDE, direction, f"{word} {addresses_text(addresses)}", human(ports))
    if admitted.everyone:
        yield Line(Sort.EVERYONE, direction, f"{word} every pod of the cluster", opening_text(admitted.everyone))
    for party, opening in admitted.absent:
        yield Line(Sort.ABSENT, direction, f"{word} {party_text(party)}", opening_text(opening))


def addresses_text(addresses: AddressSet) -> str:
    """``outside (0.0.0.0/0)``, each family for itself."""
    parts = (addresses & AddressSet.whole(family) for family in FAMILIES)
    return " and ".join(end_name(Outside(part)) for part in parts if part)


def party_text(party: Party) -> str:
    """``pods with role=monitoring in namespaces with env=prod``."""
    who = f"pods with {party.pods}" if party.pods.requirements else "any pod"
    return f"{who} in {_spaces(party)}"


def _spaces(party: Party) -> str:
    if party.home is not None:
        return party.home
    return f"namespaces with {party.namespaces}" if party.namespaces != Selector() else "any namespace"


def opening_text(opening: Opening) -> str:
    """The ports, and the names of ports."""
    names = [f"{protocol} {name}" for protocol, name in sorted(opening.names)]
    return ", ".join([human(opening.ports)] * bool(opening.ports) + names) or "nothing"


def coverage(exposure: Exposure) -> list[str]:
    """The shares with default deny, as sentences."""
    return [_share("Isolated by a policy", exposure.isolated, "workload{}"),
            _share("Denied by default, to new pods too", exposure.denying, "namespace{} with workloads")]  # fmt: skip


def _share(title: str, shares: dict[Direction, Share], of_what: str) -> str:
    of = next(iter(shares.values())).of
    what = of_what.format("" if of == 1 else "s")
    parts = (f"{one.number:,} for {direction} ({_percent(one)})" for direction, one in shares.items())
    return f"{title}, of {of:,} {what}: {', '.join(parts)}."


def _percent(share: Share) -> str:
    """Rounded, but 0 and 100 mean none and all."""
    if share.number in (0, share.of):
        return "100 %" if share.number else "0 %"
    return f"{min(max(round(100 * share.number / share.of), 1), 99)} %"
