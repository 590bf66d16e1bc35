"""The matrix of today against one that was stored: what was added, what is gone, what became more or less certain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ringfence.manifests.stored import Cell, Key, Stored
from ringfence.model.addresses import AddressSet
from ringfence.model.cluster import Cluster
from ringfence.model.flows import Outside
from ringfence.model.objects import Namespace, Node, Pod
from ringfence.model.ports import ConnectionSet
from ringfence.model.profiles import KUBERNETES, Profile
from ringfence.query.blocks import Place
from ringfence.query.matrix import matrix

_SHUT = Cell(ConnectionSet.NONE, ConnectionSet.NONE, ConnectionSet.NONE)


@dataclass(frozen=True, slots=True)
class Change:
    """A pair that is another than it was.

    ``added`` may be open now and was not; ``gone`` was allowed for certain and is not; ``surer`` was possible and is
    allowed for certain now. ``notes`` are new on it.
    """

    src: Key
    dst: Key
    added: ConnectionSet
    gone: ConnectionSet
    surer: ConnectionSet
    notes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Difference:
    """A cluster's matrix compared with the one in ``file``. ``pairs`` are those of today that may connect."""

    file: str
    pairs: int
    changes: tuple[Change, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing is another than it was."""
        return not self.changes


def against(cluster: Cluster, golden: Stored, profile: Profile = KUBERNETES) -> Difference:
    """How the matrix of *cluster* differs from *golden*."""
    now: dict[tuple[Key, Key], Cell] = {}
    pairs = 0
    for block in matrix(cluster, profile=profile).blocks():
        for connection in block.connections:
            answer = connection.answer
            pairs += bool(answer.possible or answer.open)
            cell = Cell(answer.allowed, answer.possible, answer.undecided, frozenset(map(str, answer.notes)))
            now[_key(connection.src), _key(connection.dst)] = cell
    before, after = _by_pair(golden.pairs), _by_pair(now)
    changes = []
    for name in sorted({*before, *after}):
        for (src, dst), old, new in _beside(before.get(name, []), after.get(name, [])):
            change = _change(src, dst, old, new)
            if change is not None:
                changes.append(change)
    return Difference(golden.file, pairs, tuple(changes))


def _change(src: Key, dst: Key, old: Cell, new: Cell) -> Change | None:
    added = (new.possible | new.undecided) - old.possible - old.undecided
    gone, surer = old.allowed - new.allowed, (new.allowed - old.allowed) - added
    notes = new.notes - old.notes
    return Change(src, dst, added, gone, surer, notes) if added or gone or surer or notes else None


def _key(end: Place) -> Key:
    if isinstance(end, Outside):
        return end.addresses
    if isinstance(end, Node | Namespace):
        return f"{end.name}[{type(end).__name__}]"
    return f"{end.id}[Pod]" if isinstance(end, Pod) and end.name else end.id


Listed = tuple[tuple[Key, Key], Cell]
Name = tuple[str, str]


def _by_pair(pairs: Mapping[tuple[Key, Key], Cell]) -> dict[Name, list[Listed]]:
    """The pairs by the names of their ends; all ranges of a family of the outside go by one name."""
    found: dict[Name, list[Listed]] = {}
    for (src, dst), cell in pairs.items():
        found.setdefault((_name(src), _name(dst)), []).append(((src, dst), cell))
    return found


def _name(key: Key) -> str:
    return f"outside/{key.first().family}" if isinstance(key, AddressSet) else key


def _beside(old: list[Listed], new: list[Listed]) -> Iterator[tuple[tuple[Key, Key], Cell, Cell]]:
    """What was and what is, side by side: ranges of the outside are cut where either of the two cuts them."""
    if not any(isinstance(end, AddressSet) for pair, _ in (*old, *new) for end in pair):
        ((pair, _),) = (old or new)[:1]
        yield pair, old[0][1] if old else _SHUT, new[0][1] if new else _SHUT
        return
    together: dict[tuple[Cell, Cell, bool], AddressSet] = {}
    named = (old or new)[0][0]
    inward = isinstance(named[0], AddressSet)
    for addresses, was in _whole(old):
        for others, is_ in _whole(new):
            if shared := addresses & others:
                key = (was, is_, inward)
                together[key] = together.get(key, AddressSet.NONE) | shared
    for (was, is_, _), addresses in together.items():
        yield ((addresses, named[1]) if inward else (named[0], addresses)), was, is_


def _whole(listed: Iterable[Listed]) -> list[tuple[AddressSet, Cell]]:
    """The ranges of *listed*, and the rest of all addresses, which is shut."""
    found: list[tuple[AddressSet, Cell]] = []
    rest = AddressSet.whole(4) | AddressSet.whole(6)
    for (src, dst), cell in listed:
        addresses = src if isinstance(src, AddressSet) else dst
        assert isinstance(addresses, AddressSet)
        found.append((addresses, cell))
        rest = rest - addresses
    return [*found, (rest, _SHUT)]
