"""The exposure as lines in np-guard's grammar (S146, S147)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ringfence.model.policies import Direction
from ringfence.model.selectors import Operator, Requirement, Selector
from ringfence.query.exposure.parties import Party
from ringfence.query.exposure.result import Admitted, Exposure, Opening
from ringfence.report.gaps import sentences
from ringfence.report.words import end_id, grammar

_ARROW = {Direction.EGRESS: "=>", Direction.INGRESS: "<="}


def lines(exposure: Exposure) -> Iterator[str]:
    """The two directions, and the workloads without protection; a part with nothing in it is left out.

    A label's value and an expression with that one value mean the same and are written alike.
    """
    yield from (f"# {' '.join(text.split())}" for text in sentences(exposure.cluster.gaps))
    yield "Exposure Analysis Result:"
    unprotected = []
    for direction in (Direction.EGRESS, Direction.INGRESS):
        found: list[tuple[str, str]] = []
        known: dict[int, list[str]] = {}
        for one in exposure.workloads:
            admitted, name = one.admitted[direction], end_id(one.workload)
            texts = known.get(id(admitted))
            if texts is None:
                texts = known[id(admitted)] = sorted(_admitted(admitted))
            found += [(name, text) for text in texts]
            if not admitted.isolated:
                unprotected.append(f"{name} is not protected on {direction.capitalize()}")
        yield from _part(f"{direction.capitalize()} Exposure:", found, _ARROW[direction])
    if unprotected:
        yield ""
        yield "Workloads not protected by network policies:"
        yield from sorted(unprotected)


def _part(title: str, found: list[tuple[str, str]], arrow: str) -> Iterator[str]:
    if not found:
        return
    width = max(len(name) for name, _ in found)
    if arrow == _ARROW[Direction.INGRESS]:
        yield ""
    yield title
    yield from (f"{name:<{width}} \t{arrow} \t{text}" for name, text in found)


def _admitted(admitted: Admitted) -> Iterator[str]:
    for addresses, ports in admitted.outside:
        for piece in addresses.ranges():
            yield f"{piece}[External] : {grammar(ports)}"
    if admitted.everyone:
        yield f"entire-cluster : {_opening(admitted.everyone)}"
    for party, opening in admitted.absent:
        yield f"{_party(party)} : {_opening(opening)}"


def _opening(opening: Opening) -> str:
    """The ports, and the names that have no number yet, as they are."""
    numbers = [grammar(opening.ports)] if opening.ports else []
    return ",".join([*numbers, *(f"{protocol} {name}" for protocol, name in sorted(opening.names))])


def _party(party: Party) -> str:
    spaces = party.home
    if spaces is None:
        spaces = f"[namespace with {{{_selector(party.namespaces)}}}]" if party.namespaces.requirements else ""
    pods = f"[pod with {{{_selector(party.pods)}}}]" if party.pods.requirements else "[all pods]"
    return f"{spaces or '[all namespaces]'}/{pods}"


def _selector(selector: Selector) -> str:
    labels = [one for one in selector.requirements if _is_label(one)]
    more = [one for one in selector.requirements if not _is_label(one)]
    return ",".join([*(f"{one.key}={one.values[0]}" for one in labels), *_expressions(more)])


def _is_label(one: Requirement) -> bool:
    return one.operator is Operator.IN and len(one.values) == 1


def _expressions(found: Iterable[Requirement]) -> Iterator[str]:
    for one in found:
        yield f"{{Key:{one.key},Operator:{one.operator},Values:[{' '.join(one.values)}],}}"
