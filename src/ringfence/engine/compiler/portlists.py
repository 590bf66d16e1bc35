"""The ``ports`` of rules, and what they mean at a destination."""

from __future__ import annotations

from ringfence.engine.compiler.classes import Classes
from ringfence.engine.compiler.sides import Sides
from ringfence.model.objects import ContainerPort, Pod
from ringfence.model.policies import PortMatch
from ringfence.model.ports import MAX_PORT, ConnectionSet, PortSet

List = tuple[PortMatch, ...]


class PortLists:
    """Every list of ports that a rule has, with a number; names in them are resolved at the destination (S62)."""

    def __init__(self, classes: Classes, sides: Sides) -> None:
        self._classes = classes
        self._sides = sides
        self._numbers: dict[List, int] = {}
        self._seen: dict[int, tuple[List, int]] = {}
        """Lists by identity, each kept: what many rules share is one object, and looked up at once."""
        self._firm: list[ConnectionSet] = []
        self._firm_numbers: list[int] = []
        self._names: list[List] = []
        self._at: dict[tuple[int, int], int] = {}

    def number(self, ports: List) -> int:
        """The number of the list *ports*."""
        seen = self._seen.get(id(ports))
        if seen is None:
            seen = self._seen[id(ports)] = ports, self._number(ports)
        return seen[1]

    def _number(self, ports: List) -> int:
        number = self._numbers.setdefault(ports, len(self._firm))
        if number == len(self._firm):
            firm = self._numeric(ports)
            self._firm.append(firm)
            self._firm_numbers.append(self._sides.ports(firm))
            self._names.append(tuple(item for item in ports if isinstance(item.port, str)))
        return number

    def at(self, number: int, destination: int) -> int:
        """The number of the set of ports that list *number* is at *destination*, a class or a cell of the outside."""
        if not self._names[number] or destination >= len(self._classes.items):
            return self._firm_numbers[number]
        item = self._classes.items[destination]
        if item.node_like:
            return self._firm_numbers[number]
        assert isinstance(item.party, Pod)
        key = (number, id(item.party.ports))
        found = self._at.get(key)
        if found is None:
            ports = self._firm[number]
            for one in self._names[number]:
                ports = ports | self._named(one, item.party.ports)
            found = self._at[key] = self._sides.ports(ports)
        return found

    def _numeric(self, ports: List) -> ConnectionSet:
        if not ports:
            return ConnectionSet.ALL
        found = ConnectionSet.NONE
        for item in ports:
            if item.port is None:
                found = found | ConnectionSet.single(item.protocol, PortSet.ALL)
            elif isinstance(item.port, int):
                last = item.end_port if item.end_port is not None and self._classes.profile.end_port else item.port
                found = found | ConnectionSet.single(item.protocol, PortSet.of((item.port, min(last, MAX_PORT))))
        return found

    def _named(self, item: PortMatch, declared: tuple[ContainerPort, ...]) -> ConnectionSet:
        if self._classes.profile.first_named_port_only:
            first = [p for p in declared if p.name == item.port and p.container == "main"][:1]
            numbers = [p.number for p in first if p.protocol == item.protocol]
        else:
            numbers = [
                p.number
                for p in declared
                if p.name == item.port and p.protocol == item.protocol and p.container != "init"
            ]
        return ConnectionSet.single(item.protocol, PortSet.of(*numbers))
