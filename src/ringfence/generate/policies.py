"""The documents: default deny first, then the DNS, then one policy for each peer of each subject."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ringfence.generate import naming
from ringfence.generate.codes import finding
from ringfence.generate.edges import DNS, Edges
from ringfence.generate.needless import without_needless
from ringfence.generate.outside import Names, NamesChoice
from ringfence.generate.parts import Document, Edge, Generated, Role
from ringfence.intents.wishes import Meaning
from ringfence.model.findings import Finding
from ringfence.model.intents import Intent
from ringfence.model.policies import Direction, Policy, PortMatch, Rule, Subject
from ringfence.model.ports import PROTOCOLS

_DIRECTIONS: Final = (Direction.INGRESS, Direction.EGRESS)


@dataclass(frozen=True, slots=True)
class Options:
    """What can be asked of the generator.

    ``only`` is the one direction that is written. ``named_ports`` lets rules name ports whose numbers differ.
    ``names`` is how names outside are held.
    """

    only: Direction | None = None
    named_ports: bool = False
    names: NamesChoice = NamesChoice()  # noqa: RUF009 (frozen)


def generate(meaning: Meaning, options: Options = Options()) -> Generated:
    """The policies that allow what *meaning* wants, and nothing else, in the namespaces that it protects.

    *meaning* has no finding that is an error.
    """
    edges = Edges(meaning, options.only, options.named_ports)
    names = Names(edges, options.names)
    found = without_needless([*edges.all(), *names.all()])
    places = sorted(meaning.protect)
    documents = [one for place in places for one in _of_namespace(place, found, options)]
    companions = [(place, one) for place in places for one in names.companions(found, place)]
    refusals = (*edges.refusals, *names.refusals)
    return Generated(tuple(documents), tuple(companions), refusals, tuple(_unguarded(meaning)))


def _of_namespace(namespace: str, edges: Iterable[Edge], options: Options) -> Iterator[Document]:
    yield _deny(namespace, options.only)
    groups: dict[object, list[Edge]] = {}
    for edge in edges:
        if edge.namespace == namespace:
            groups.setdefault(naming.key(edge), []).append(edge)
    some = [tuple(sorted(group, key=_edge_order)) for group in groups.values()]
    made = [_document(name, group) for name, group in zip(naming.names(some), some, strict=True)]
    yield from sorted(made, key=_order)


def _edge_order(edge: Edge) -> tuple[object, ...]:
    return (edge.words.block is not None, str(edge.words))


def _order(document: Document) -> tuple[object, ...]:
    """The DNS first, then what comes in, then what goes out, by name."""
    policy = document.policy
    return (document.role is not Role.DNS, Direction.EGRESS in policy.directions, policy.name)


def _deny(namespace: str, only: Direction | None) -> Document:
    directions = frozenset({only} if only else _DIRECTIONS)
    policy = Policy(namespace, naming.DENY[only], Subject(namespace), directions)
    return Document(policy, Role.DENY, (f"protect: {namespace}",))


def _document(name: str, edges: Sequence[Edge]) -> Document:
    first = edges[0]
    rules = tuple(replace(rule, path=f"spec.{first.direction}[{index}]") for index, rule in enumerate(_rules(edges)))
    ingress, egress = (rules, ()) if first.direction is Direction.INGRESS else ((), rules)
    subject = Subject(first.namespace, first.subject.selector)
    policy = Policy(first.namespace, name, subject, frozenset({first.direction}), ingress, egress)
    intents = sorted({intent for edge in edges for intent in edge.intents}, key=_intent_order)
    return Document(
        policy,
        Role.DNS if first.group == DNS else Role.ALLOW,
        tuple(dict.fromkeys(map(str, intents))),
        tuple(dict.fromkeys(intent.comment for intent in intents if intent.comment)),
        tuple(dict.fromkeys(remark for edge in edges for remark in edge.remarks)),
        tuple(dict(sorted(pair for edge in edges for pair in edge.annotations)).items()),
    )


def _intent_order(intent: Intent) -> tuple[object, ...]:
    return (str(intent), intent.comment)


def _rules(edges: Sequence[Edge]) -> Iterator[Rule]:
    """One rule for each set of ports: peers that have the same stand in one."""
    by_ports: dict[tuple[PortMatch, ...], list[Edge]] = {}
    for edge in edges:
        by_ports.setdefault(tuple(sorted(edge.matches, key=_port_order)), []).append(edge)
    for ports, some in by_ports.items():
        yield Rule(tuple(dict.fromkeys(edge.words for edge in some)), ports)


def _port_order(match: PortMatch) -> tuple[object, ...]:
    return (isinstance(match.port, str), PROTOCOLS.index(match.protocol), str(match.port) if isinstance(match.port, str)
            else match.port or 0)  # fmt: skip


def _unguarded(meaning: Meaning) -> Iterator[Finding]:
    """Pods of protected namespaces that no policy guards: they have their node's network (S73)."""
    for workload in meaning.cluster.workloads:
        if workload.namespace in meaning.protect and any(pod.host_network for pod in workload.pods):
            document, path = meaning.protect[workload.namespace]
            what = f"{workload.namespace}/{workload.name} has its node's network, and no policy guards it"
            yield finding("RF090", what, source=document.source, path=path)
