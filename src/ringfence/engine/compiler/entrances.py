"""Ways in for the compiled answer: what comes in through a controller and by Services, from the rows.

A reading of entrances of its own, apart from the reference's ``doors``, so that the two can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from ringfence.engine.compiler.answers import Answer, join
from ringfence.engine.compiler.reachability import Reachability
from ringfence.engine.compiler.services import Services, Target
from ringfence.model.addresses import AddressSet, Family
from ringfence.model.entrances import Door, Entrance, EntranceBackend, front
from ringfence.model.flows import End, Outside, Reason
from ringfence.model.objects import Node, Pod, Service, ServicePort
from ringfence.model.ports import ConnectionSet, PortSet

Party = Pod | Node | Outside
Row = tuple[Door, End, Answer]


class Entrances:
    """Who comes in where, on exactly the ports that something leads to."""

    def __init__(self, reachability: Reachability) -> None:
        self.reach = reachability
        self.cluster = reachability.cluster
        self.services = Services(reachability)
        self._by_id = {service.id: service for service in self.cluster.services}

    def rows(self) -> Iterator[Row]:
        """One row for each end that the unknown controller leads to, and for each that a Service lets the outside to.

        An answer speaks of the ports that are led to, and of no other.
        """
        yield from self._through_the_controller()
        if not self.reach.profile.direct_controller:  # S137: Services have no effect there
            for service in self.cluster.services:
                if service.faces_outside:
                    yield from self.by(service)

    # -- through a controller ----------------------------------------------------------------------------------

    def _through_the_controller(self) -> Iterator[Row]:
        door = self.cluster.doorman
        if door is None:
            return
        backends = {backend: None for entrance in self.cluster.entrances for backend in entrance.backends}
        for end, found in self._led_to(backends, (door,)):
            yield door, end, found

    def through(self, entrance: Entrance, sources: Sequence[End]) -> Iterator[tuple[End, Answer]]:
        """Each end that *entrance* leads to, with what one of *sources*, the pods that serve it, gets there."""
        yield from self._led_to(dict.fromkeys(entrance.backends), sources)

    def _led_to(self, backends: Iterable[EntranceBackend], sources: Sequence[End]) -> Iterator[tuple[End, Answer]]:
        led = _Led()
        for backend in backends:
            service = self._by_id.get(backend.id)
            if service is not None and service.external_name is None:
                for target in self._targets(service, backend):
                    led.add(target, backend.protocol)
        known: dict[object, Answer] = {}

        def answer(party: Party, families: frozenset[Family]) -> Answer:
            if isinstance(party, Outside):
                return join(self.reach.answer(source, party) for source in sources)
            key = (*self._alike(party), families)
            if key not in known:
                known[key] = join(self.reach.answer(source, party, families) for source in sources)
            return known[key]

        yield from self._rows(led, answer)

    def _targets(self, service: Service, backend: EntranceBackend) -> Iterator[Target]:
        """Where *backend* leads: to the ports of the endpoints, those of a headless Service too (S77, S88)."""
        if self.reach.profile.direct_controller:
            yield from self._as_np_guard(service, backend)
            return
        translated = replace(service, headless=False)
        if service.selector is None:
            translated = replace(translated, cluster_ips=(), ip_families=())
        for entry in service.ports:
            if entry.protocol != backend.protocol:
                continue
            if backend.target and isinstance(backend.port, int):
                yield from (t for t in self.services.targets(translated, *_dialled(entry)) if t.port == backend.port)
            elif backend.port in (None, entry.name, entry.port):
                yield from self.services.targets(translated, *_dialled(entry))

    def _as_np_guard(self, service: Service, backend: EntranceBackend) -> Iterator[Target]:
        """S139: a port of the Service by name, number or target, if the pod declares the number, of any protocol."""
        wanted = [entry.target for entry in service.ports
                  if backend.port in (None, entry.name, entry.port, entry.target)]  # fmt: skip
        if service.selector is None:
            return
        for pod in self.services._chosen(service):
            declared = [port for port in pod.ports if port.container == "main"]
            for target in wanted:
                named = (port.number for port in declared if port.name == target)
                number = next(named, 0) if isinstance(target, str) else target
                if any(port.number == number for port in declared):
                    yield Target(pod, number)

    # -- by a Service ------------------------------------------------------------------------------------------

    def by(self, service: Service) -> Iterator[Row]:
        """A row for each end that *service* lets the outside to."""
        led = _Led()
        for entry in service.ports:
            for target in self.services.targets(service, *_dialled(entry)):
                if not isinstance(target.party, Outside):
                    led.add(target, entry.protocol)
        known: dict[object, Answer] = {}

        def answer(party: Party, families: frozenset[Family]) -> Answer:
            assert not isinstance(party, Outside)
            key = (*self._alike(party), families)
            if key not in known:
                known[key] = self._facing(service, party, families)
            return known[key]

        door = front(service)
        for end, found in self._rows(led, answer):
            yield door, end, found

    def _facing(self, service: Service, party: Pod | Node, families: frozenset[Family]) -> Answer:
        """What the whole outside gets at *party* by *service*; behind a node's address that may be open (S81)."""
        spoken = self.reach.classes.items[self.reach.classes.of_party[id(party)]].families
        families = spoken & families or spoken
        found = join(self.reach.answer(Outside(AddressSet.whole(family)), party) for family in sorted(families))
        if service.external_traffic_policy == "Local":
            return found
        depends = ConnectionSet.ALL - found.allowed
        opened = ((Reason.SOURCE_REWRITTEN, depends),) if depends else ()
        return Answer(found.allowed, opened, ConnectionSet.NONE, found.remarks, found.gaps)

    # -- both --------------------------------------------------------------------------------------------------

    def _alike(self, party: Pod | Node) -> tuple[object, ...]:
        """What is the same of two parties about which every answer is."""
        return self.reach.classes.of_party[id(party)], self.reach.remarks(party), self.reach.gaps(party)

    def _rows(self, led: _Led, answer: Callable[[Party, frozenset[Family]], Answer]) -> Iterator[tuple[End, Answer]]:
        """A row for each end behind which something is led to: the pods of a workload together (S123)."""
        ends: dict[object, tuple[End, list[Answer]]] = {}
        for party, families, ports in led.found.values():
            end: End = (self.cluster.workload_of.get(id(party)) or party) if isinstance(party, Pod) else party
            key: object = end.addresses if isinstance(end, Outside) else id(end)
            ends.setdefault(key, (end, []))[1].append(within(answer(party, families), ports))
        for end, answers in ends.values():
            yield end, join(answers)


class _Led:
    """The parties that something leads to, each with the families in which it does, and the ports."""

    def __init__(self) -> None:
        self.found: dict[object, tuple[Party, frozenset[Family], ConnectionSet]] = {}

    def add(self, target: Target, protocol: str) -> None:
        party, families = target.party, target.families
        key = (party.addresses if isinstance(party, Outside) else id(party), families)
        *_, ports = self.found.get(key, (party, families, ConnectionSet.NONE))
        self.found[key] = (party, families, ports | ConnectionSet.single(protocol, PortSet.of(target.port)))


def within(answer: Answer, ports: ConnectionSet) -> Answer:
    """*answer* as far as it is about *ports*."""
    opened = tuple((reason, open_ports & ports) for reason, open_ports in answer.open if open_ports & ports)
    return Answer(answer.possible & ports, opened, answer.blocked & ports, answer.remarks, answer.gaps)


def _dialled(entry: ServicePort) -> tuple[str, int]:
    return entry.protocol, entry.port
