"""Where the two witnesses disagree on ways in, and random ways in for a cluster: for law tests and the fuzz run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from ringfence.engine.compiler.entrances import Entrances
from ringfence.engine.compiler.reachability import Reachability
from ringfence.engine.reference.doors import decided, ways
from ringfence.model.cluster import Cluster
from ringfence.model.entrances import Entrance, EntranceBackend, controller
from ringfence.model.flows import Note, Outside, Reason, Verdict
from ringfence.model.objects import Node, Pod, Service
from ringfence.model.ports import ConnectionSet, PortSet
from ringfence.model.profiles import KUBERNETES, Profile

Key = tuple[str, object]
Said = tuple[Verdict, frozenset[Reason], frozenset[Note]]


def with_entrances(cluster: Cluster, rng: Random) -> Cluster:
    """*cluster* with some ways in to its Services: to ports by number and name, to none, and to Services not there."""
    found = []
    for number in range(rng.choice((1, 2, 3))):
        backends = []
        for _ in range(rng.choice((0, 1, 1, 2, 3))):
            service = rng.choice(cluster.services) if cluster.services else Service("n0", "s0")
            ports: list[int | str | None] = [None, 80, "p0", *(port.name for port in service.ports)]
            ports += [port.port for port in service.ports]
            ports += [port.target for port in service.ports if isinstance(port.target, int)]
            name = service.name if rng.random() < 0.95 else "nobody"
            protocol = rng.choice(("TCP", "TCP", "TCP", "UDP"))
            backends.append(EntranceBackend(service.namespace, name, rng.choice(ports), protocol, rng.random() < 0.3))
        found.append(Entrance("Ingress", "n0", f"in-{number}", tuple(backends)))
    return replace(cluster, entrances=tuple(found), doorman=controller())


def disagreements(cluster: Cluster, profile: Profile = KUBERNETES) -> Iterator[str]:
    """Each port of each way in on which the reference and the compiler differ, by verdict, reasons or notes."""
    reach = Reachability(cluster, profile)
    rows = {(door.id, _key(cluster, end)): answer for door, end, answer in Entrances(reach).rows()}
    found: dict[Key, dict[tuple[str, int], list[Said]]] = {}
    for way in dict.fromkeys(ways(cluster, profile)):
        decision = decided(cluster, way, profile)
        ports = found.setdefault((way.door.id, _key(cluster, way.party)), {})
        ports.setdefault((way.protocol, way.port), []).append((decision.verdict, decision.reasons, decision.notes))
    if rows.keys() != found.keys():
        yield f"rows {sorted(map(str, rows.keys() ^ found.keys()))}"
    for key in rows.keys() & found.keys():
        answer = rows[key]
        led = ConnectionSet.NONE
        for (protocol, port), said in found[key].items():
            led = led | ConnectionSet.single(protocol, PortSet.of(port))
            verdicts = {verdict for verdict, _, _ in said}
            wanted = verdicts.pop() if len(verdicts) == 1 else Verdict.MIXED
            reasons = frozenset(reason for _, some, _ in said for reason in some)
            seen = frozenset(reason for reason, ports in answer.open if ports.allows(protocol, port))
            if (answer.verdict(protocol, port), seen) != (wanted, reasons):
                yield f"{key} {protocol} {port}: reference {wanted} {set(reasons)}, compiler {answer}"
        if answer.possible | answer.undecided | answer.blocked != led:
            yield f"{key}: the reference leads to {led}, the compiler to {answer}"
        notes = frozenset(note for said in found[key].values() for _, _, some in said for note in some)
        # A pair's notes are those of any port; a way in asks about some, and a block may be used for others only.
        if not {str(note) for note in notes} <= {str(note) for note in answer.notes}:
            yield f"{key}: reference notes {set(notes)}, compiler {set(answer.notes)}"


def _key(cluster: Cluster, end: object) -> object:
    if isinstance(end, Outside):
        return end.addresses
    if isinstance(end, Node):
        return f"node {end.name}"
    workload = cluster.workload_of.get(id(end)) if isinstance(end, Pod) else end
    return getattr(workload, "id", None)
