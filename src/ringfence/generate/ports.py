"""In which words a rule gives the ports of a wish: by number, by name, or apart for each workload (S62, S79)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from ringfence.generate.codes import Refusal
from ringfence.generate.parts import Pods
from ringfence.generate.selecting import Selecting
from ringfence.intents.wishes import Origin, Wish
from ringfence.model.ends import PortSpec
from ringfence.model.objects import Pod
from ringfence.model.policies import PortMatch
from ringfence.model.ports import MAX_PORT, MIN_PORT, ConnectionSet, PortSet

Ported = tuple[tuple[frozenset[int], ConnectionSet], ...]
"""Pods by identity, those together that have the same ports."""
_EVERY: Final = (MIN_PORT, MAX_PORT)


@dataclass(frozen=True, slots=True)
class Goal:
    """Pods that a wish leads to, with their ports in a rule's words and by number."""

    who: Pods
    matches: tuple[PortMatch, ...]
    ports: Ported


def numbers(ports: ConnectionSet) -> tuple[PortMatch, ...]:
    """*ports* in a rule's words: none when every port is meant."""
    if ports == ConnectionSet.ALL:
        return ()
    return tuple(
        PortMatch(protocol) if (low, high) == _EVERY else PortMatch(protocol, low, None if low == high else high)
        for protocol, part in ports.items()
        for low, high in part
    )


def joined(matches: Iterable[PortMatch]) -> tuple[PortMatch, ...]:
    """*matches*, of which each says a port, with numbers that touch made one."""
    names: dict[PortMatch, None] = {}
    found = ConnectionSet.NONE
    for one in matches:
        if isinstance(one.port, str):
            names[one] = None
            continue
        low = MIN_PORT if one.port is None else one.port
        high = MAX_PORT if one.port is None else one.end_port or low
        found = found | ConnectionSet.single(one.protocol, PortSet.of((low, high)))
    return (*numbers(found), *names)


def goals(selecting: Selecting, wish: Wish, *, by_name: bool) -> list[Goal] | Refusal:
    """Where *wish*, which leads to pods, leads; *by_name* lets a rule name a port whose number differs."""
    who = _whom(selecting, wish)
    by_pod = {id(pod): ports for pod, ports in _reached(wish) if not pod.host_network}
    groups: dict[ConnectionSet, set[int]] = {}
    for pod, ports in by_pod.items():
        groups.setdefault(ports, set()).add(pod)
    ported = tuple((frozenset(pods), ports) for ports, pods in groups.items())
    if isinstance(who, Pods):
        if not by_pod:
            return _of_nobody(who, wish, by_name=by_name)
        if len(groups) == 1 and who.members == by_pod.keys():
            return [Goal(who, numbers(next(iter(groups))), ported)]
        if by_name and _is_exact(selecting, who, wish.ports, by_pod):
            return [Goal(who, tuple(map(_match, wish.ports)), ported)]
    elif len(groups) <= 1:
        return who
    return _apart(selecting, wish, who, ported)


def _whom(selecting: Selecting, wish: Wish) -> Pods | Refusal:
    if wish.service is not None and wish.origin is not Origin.DNS:
        return selecting.behind(wish.dst)
    return selecting.party(wish.dst)


def _reached(wish: Wish) -> Iterator[tuple[Pod, ConnectionSet]]:
    for end, ports in wish.into:
        for pod in (end,) if isinstance(end, Pod) else getattr(end, "pods", ()):
            yield pod, ports


def _of_nobody(who: Pods, wish: Wish, *, by_name: bool) -> list[Goal] | Refusal:
    """Where nobody is yet, names of ports have no numbers."""
    if any(spec.name is not None for spec in wish.ports) and not by_name:
        return Refusal("RF087", f"nobody in {who.title} says which number the port has", "write the number")
    return [Goal(who, tuple(map(_match, wish.ports)), ())]


def _match(spec: PortSpec) -> PortMatch:
    if spec.name is not None:
        return PortMatch(spec.protocol, spec.name)
    return numbers(spec.ports)[0]


def _is_exact(selecting: Selecting, who: Pods, specs: Iterable[PortSpec], by_pod: dict[int, ConnectionSet]) -> bool:
    """Whether *specs*, resolved at each pod of *who*, are the very ports that are meant there (S62 to S65)."""
    some = list(specs)
    return bool(some) and all(
        _resolved(pod, some) == by_pod.get(id(pod), ConnectionSet.NONE)
        for pod in selecting.cluster.pods
        if id(pod) in who.members
    )


def _resolved(pod: Pod, specs: Iterable[PortSpec]) -> ConnectionSet:
    found = ConnectionSet.NONE
    for spec in specs:
        named = [
            port.number for port in pod.ports
            if (port.name, port.protocol) == (spec.name, spec.protocol) and port.container != "init"
        ]  # fmt: skip
        found = found | (spec.ports if spec.name is None else ConnectionSet.single(spec.protocol, PortSet.of(*named)))
    return found


def _apart(selecting: Selecting, wish: Wish, who: Pods | Refusal, ported: Ported) -> list[Goal] | Refusal:
    """One goal for each workload, which must be told apart from those whose ports are others."""
    found: list[Goal] = []
    for members, ports in ported:
        owners: dict[int, list[Pod]] = {}
        for pod, _ in _reached(wish):
            if id(pod) in members:
                owners.setdefault(id(selecting.cluster.workload_of[id(pod)]), []).append(pod)
        for pods in owners.values():
            title = selecting.cluster.workload_of[id(pods[0])].name
            one = selecting.single(pods, title)
            if isinstance(one, Refusal):
                return _not_apart(selecting, wish, who, ported)
            found.append(Goal(one, numbers(ports), ((one.members, ports),)))
    return found


def _not_apart(selecting: Selecting, wish: Wish, who: Pods | Refusal, ported: Ported) -> Refusal:
    said = ", ".join(dict.fromkeys(str(spec) for spec in wish.ports)) or "its ports"
    what = f"port {said} is not the same at all pods of {wish.dst.title}, and their labels do not tell them apart"
    by_pod = {pod: ports for members, ports in ported for pod in members}
    exact = isinstance(who, Pods) and _is_exact(selecting, who, wish.ports, by_pod)
    remedy = "say --named-ports, which writes the port's name" if exact else "give the pods labels of their own"
    return Refusal("RF087", what, remedy)
