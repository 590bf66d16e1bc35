"""Names against names: what one side has and the other lacks, for what is missing and for what is excess."""

from __future__ import annotations

from collections.abc import Iterable

from ringfence.intents.dialects.found import NamedPorts
from ringfence.model.policies import PortMatch
from ringfence.model.ports import MAX_PORT, MIN_PORT, ConnectionSet, PortSet


def numbers(ports: Iterable[PortMatch]) -> ConnectionSet:
    """*ports* as numbers; a port's name stands for none, as nobody outside declares one."""
    found = ConnectionSet.NONE
    for one in ports:
        if not isinstance(one.port, str):
            low = one.port or MIN_PORT
            high = MAX_PORT if one.port is None else one.end_port or low
            found = found | ConnectionSet.single(one.protocol, PortSet.of((low, high)))
    return found


def beyond(one: NamedPorts, others: Iterable[NamedPorts]) -> ConnectionSet:
    """The ports of *one* that none of *others* opens for every name that it holds; nothing when it is covered.

    Names below one are covered by a wildcard alone, never by a list of them: nobody knows all there are.
    """
    left = numbers(one.ports)
    for other in others:
        if other.host.covers(one.host):
            left = left - numbers(other.ports)
    return left
