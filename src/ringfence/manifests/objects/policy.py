"""NetworkPolicy of networking.k8s.io/v1: decoded strictly, defaulted and validated as the API server does it.

Three steps, in its order: the shape (unknown fields, types), the defaults (S10 to S14), the rules of validation (S15 to
S23). A field path is the server's own.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ringfence.manifests.checks import names, strict
from ringfence.manifests.checks.paths import child
from ringfence.manifests.checks.problems import Problem
from ringfence.model.addresses import IpBlock
from ringfence.model.policies import Direction, Peer, Policy, PortMatch, Rule, Subject
from ringfence.model.ports import PROTOCOLS
from ringfence.model.selectors import EVERYTHING, Operator, Requirement, Selector
from ringfence.model.sources import Source

_SELECTOR: Final = {
    "matchLabels": "labels",
    "matchExpressions": [{"key": "text", "operator": "text", "values": ["text"]}],
}
_PEERS: Final = [
    {"podSelector": _SELECTOR, "namespaceSelector": _SELECTOR, "ipBlock": {"cidr": "text", "except": ["text"]}}
]
_PORTS: Final = [{"protocol": "text", "port": "port", "endPort": "int32"}]
_SPEC: Final = {
    "podSelector": _SELECTOR,
    "policyTypes": ["text"],
    "ingress": [{"from": _PEERS, "ports": _PORTS}],
    "egress": [{"to": _PEERS, "ports": _PORTS}],
}
METADATA: Final = {
    **dict.fromkeys(("name", "generateName", "namespace", "uid", "resourceVersion", "selfLink"), "text"),
    "labels": "labels",
    "annotations": "labels",
    **dict.fromkeys(
        ("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "finalizers", "generation",
         "managedFields", "ownerReferences"), "any",
    ),
}  # fmt: skip
_POLICY: Final = {"apiVersion": "text", "kind": "text", "metadata": METADATA, "spec": _SPEC, "status": "any"}
_TYPES: Final = ("Ingress", "Egress")
_PEERS_OF: Final = {"ingress": "from", "egress": "to"}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A policy as the server would store it, and all there is to say about it.

    ``selector`` is its pod selector when that can be read, else None: what a refused policy could have selected.
    """

    metadata: Mapping[str, Any]
    spec: Mapping[str, Any]
    problems: tuple[Problem, ...]
    selector: Selector | None


def decode(value: Any) -> Decoded:
    """The policy that *value* holds, decoded, defaulted and validated."""
    problems: list[Problem] = []
    found = strict.decode(value, _POLICY, "", problems) or {}
    mistyped = {problem.field for problem in problems if problem.code == "RF016"}
    metadata, spec = found.get("metadata", {}), default(found.get("spec", {}))
    live = not {"uid", "resourceVersion"}.isdisjoint(metadata)
    problems += _metadata(metadata)
    # What has the wrong type was left out above; to call it missing as well would be a second word on one fault.
    problems += [one for one in _spec(spec, live) if not any(_within(path, one.field) for path in mistyped)]
    about_subject = any(p.refuses and _within("spec.podSelector", p.field) for p in problems) or "spec" in mistyped
    return Decoded(metadata, spec, tuple(problems), None if about_subject else selector(spec["podSelector"]))


def _within(path: str, other: str) -> bool:
    """Whether one of the two fields is the other, or lies in it."""
    shorter, longer = sorted((path, other), key=len)
    return longer == shorter or longer.startswith((f"{shorter}.", f"{shorter}["))


# -- defaults -------------------------------------------------------------------------------------------------------


def default(spec: Mapping[str, Any]) -> dict[str, Any]:
    """*spec* as the server stores it: defaults filled in, what is empty and may be left out."""
    made: dict[str, Any] = {"podSelector": _tidy_selector(spec.get("podSelector", {}))}  # S11
    for direction, peers in _PEERS_OF.items():
        rules = [_default_rule(rule, peers) for rule in spec.get(direction, ())]
        if rules:
            made[direction] = rules
    types = list(spec.get("policyTypes", ()))
    if not types:  # S12: Egress only when egress holds a rule
        types = ["Ingress", "Egress"] if "egress" in made else ["Ingress"]
    made["policyTypes"] = types
    return made


def _default_rule(rule: Mapping[str, Any], peers: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if rule.get("ports"):
        made["ports"] = [{"protocol": "TCP", **port} for port in rule["ports"]]  # S14
    if rule.get(peers):
        made[peers] = [_default_peer(peer) for peer in rule[peers]]
    return made


def _default_peer(peer: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        key: _tidy_selector(peer[key]) for key in ("podSelector", "namespaceSelector") if key in peer
    }
    if "ipBlock" in peer:
        made["ipBlock"] = {key: value for key, value in peer["ipBlock"].items() if value or key == "cidr"}
    return made


def _tidy_selector(written: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if written.get("matchLabels"):
        made["matchLabels"] = written["matchLabels"]
    if written.get("matchExpressions"):
        made["matchExpressions"] = [
            {key: value for key, value in one.items() if value or key != "values"}
            for one in written["matchExpressions"]
        ]
    return made


# -- validation -----------------------------------------------------------------------------------------------------


def _metadata(metadata: Mapping[str, Any]) -> Iterator[Problem]:
    for key, value in metadata.get("labels", {}).items():
        wrong = names.label_key(key) or names.label_value(value)
        if wrong:
            yield Problem("RF017", wrong, "metadata.labels", at=child("metadata.labels", key))


def _spec(spec: Mapping[str, Any], live: bool) -> Iterator[Problem]:
    yield from selector_problems(spec["podSelector"], "spec.podSelector")
    for direction, peers in _PEERS_OF.items():
        for index, rule in enumerate(spec.get(direction, ())):
            path = f"spec.{direction}[{index}]"
            for number, port in enumerate(rule.get("ports", ())):
                yield from _port(port, f"{path}.ports[{number}]")
            for number, peer in enumerate(rule.get(peers, ())):
                yield from _peer(peer, f"{path}.{peers}[{number}]", live)
    if len(spec["policyTypes"]) > len(_TYPES):  # S13
        yield Problem("RF031", "may have at most two entries", "spec.policyTypes")
    for index, name in enumerate(spec["policyTypes"]):
        if name not in _TYPES:
            yield _unsupported(name, _TYPES, f"spec.policyTypes[{index}]")


def _unsupported(value: Any, supported: Sequence[str], path: str) -> Problem:
    near = difflib.get_close_matches(
        str(value).capitalize() if supported is _TYPES else str(value).upper(), supported, 1
    )
    remedy = f"did you mean {near[0]}?" if near else f"use one of {', '.join(supported)}"
    return Problem("RF031", f"{value!r} is not supported", path, remedy)


def selector_problems(written: Mapping[str, Any], path: str) -> Iterator[Problem]:
    """What the server refuses in a label selector (S23)."""
    for key, value in written.get("matchLabels", {}).items():
        for wrong in filter(None, (names.label_key(key), names.label_value(value))):
            yield Problem("RF037", wrong, f"{path}.matchLabels", at=child(f"{path}.matchLabels", key))
    for index, one in enumerate(written.get("matchExpressions", ())):
        inner, operator, values = f"{path}.matchExpressions[{index}]", one.get("operator", ""), one.get("values", ())
        if operator in (Operator.IN, Operator.NOT_IN) and not values:
            yield Problem("RF037", f"{operator} needs at least one value", f"{inner}.values", "add values")
        elif operator in (Operator.EXISTS, Operator.DOES_NOT_EXIST) and values:
            yield Problem("RF037", f"{operator} takes no values", f"{inner}.values", "remove values")
        elif operator not in list(Operator):
            near = [o for o in Operator if o.lower() == str(operator).lower()]
            remedy = f"did you mean {near[0]}?" if near else f"use one of {', '.join(Operator)}"
            yield Problem("RF037", f"{operator!r} is not an operator", f"{inner}.operator", remedy)
        wrong = names.label_key(one.get("key", ""))
        if wrong:
            yield Problem("RF037", wrong, f"{inner}.key")
        for number, value in enumerate(values):
            if names.label_value(value):
                yield Problem("RF037", names.label_value(value), f"{inner}.values[{number}]")


def _port(item: Mapping[str, Any], path: str) -> Iterator[Problem]:
    protocol, port, end = item["protocol"], item.get("port"), item.get("endPort")
    if protocol not in PROTOCOLS:  # S14
        yield _unsupported(protocol, PROTOCOLS, f"{path}.protocol")
    if isinstance(port, int):
        yield from _number(port, f"{path}.port")
        if end is not None:
            if end < port:  # S17
                yield Problem(
                    "RF034", f"{end} is below port, which is {port}", f"{path}.endPort", "make it at least port"
                )
            yield from _number(end, f"{path}.endPort")
        return
    if end is not None:  # S17
        what = "port is not given" if port is None else "port is a name"
        yield Problem(
            "RF034", f"may not stand where {what}", f"{path}.endPort", "give port a number, or remove endPort"
        )
    if port is not None:
        for wrong in names.port_name(port):  # S15, S16
            yield Problem("RF034", f"the name {port!r} {wrong}", f"{path}.port")


def _number(port: int, path: str) -> Iterator[Problem]:
    if not 1 <= port <= 65535:  # S15
        yield Problem("RF034", f"{port} is not from 1 to 65535", path)


def _peer(peer: Mapping[str, Any], path: str, live: bool) -> Iterator[Problem]:
    for key in ("podSelector", "namespaceSelector"):
        if key in peer:
            yield from selector_problems(peer[key], f"{path}.{key}")
    if "ipBlock" in peer:
        yield from _block(peer["ipBlock"], f"{path}.ipBlock", live)
        if len(peer) > 1:  # S19
            yield Problem("RF033", "a peer has either ipBlock or selectors", path, "make two peers of it")
    if not peer:  # S18
        yield Problem(
            "RF032", "names no peer", path, "give podSelector, namespaceSelector or ipBlock; {} as a rule is everybody"
        )


def _block(block: Mapping[str, Any], path: str, live: bool) -> Iterator[Problem]:
    cidr = block.get("cidr", "")
    if not cidr:
        yield Problem("RF032", "ipBlock needs a cidr", f"{path}.cidr", "add it, such as 10.9.8.0/24")
        return
    outer, problems = _cidr(cidr, f"{path}.cidr", live)
    yield from problems
    for index, text in enumerate(block.get("except", ())):
        inner = f"{path}.except[{index}]"
        cut, problems = _cidr(text, inner, live)
        yield from problems
        if outer is None or cut is None:
            continue
        # S22: inside cidr, with a longer prefix; the other family is never inside
        if (
            outer.version != cut.version
            or outer.prefixlen >= cut.prefixlen
            or outer != cut.supernet(new_prefix=outer.prefixlen)
        ):
            yield Problem(
                "RF035", f"{text} must lie in {cidr} and be smaller", inner, "cut out a part of cidr, or remove it"
            )


_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _cidr(text: str, path: str, live: bool) -> tuple[_Network | None, list[Problem]]:
    """The masked network that *text* means, and what is wrong with how it is written (S20, S21)."""
    plain = without_zeros(text)
    try:
        if "/" not in plain or not plain.rpartition("/")[2].isdigit():
            raise ValueError
        network = ipaddress.ip_network(plain, strict=False)
    except ValueError:
        return None, [Problem("RF035", f"{text!r} is not a CIDR such as 10.9.8.0/24 or 2001:db8::/64", path)]
    mapped = _mapped(network)
    if mapped is not None:
        what = f"{text} is an IPv4 address in the form of an IPv6 one"
        if not live:
            return None, [Problem("RF035", what, path, "write it as IPv4")]
        return mapped, [Problem("RF043", f"{what}; read as {mapped}", path, f"write {mapped}")]
    if plain != text or ipaddress.ip_interface(plain).ip != network.network_address:
        what = "has leading zeros" if plain != text else "has bits beyond its prefix"
        code = "RF043" if live else "RF036"
        return network, [Problem(code, f"{text} {what}; read as {network}", path, f"write {network}")]
    if network.version == 6 and str(network) != text:
        return network, [Problem("RF042", f"{text} is not in canonical form", path, f"write {network}")]
    return network, []


def _mapped(network: _Network) -> ipaddress.IPv4Network | None:
    """The IPv4 network that *network* means when it is one in the form of IPv6, as Go's library takes it."""
    if network.version == 4 or network.prefixlen < 96 or network.network_address.ipv4_mapped is None:
        return None
    return ipaddress.IPv4Network((int(network.network_address) & 0xFFFFFFFF, network.prefixlen - 96))


def without_zeros(text: str) -> str:
    """*text* with the leading zeros of IPv4 numbers and of the prefix taken off; they are read as decimal (S20)."""
    if ":" in text:
        return re.sub(r"/0+(?=\d)", "/", text)
    return re.sub(r"(?<![0-9])0+(?=\d)", "", text)


# -- meaning --------------------------------------------------------------------------------------------------------


def selector(written: Mapping[str, Any]) -> Selector:
    """The selector of a validated ``LabelSelector``."""
    if not written:
        return EVERYTHING
    expressions = [
        Requirement(one["key"], Operator(one["operator"]), tuple(one.get("values", ())))
        for one in written.get("matchExpressions", ())
    ]
    return Selector.of(written.get("matchLabels"), expressions)


def build(namespace: str, name: str, spec: Mapping[str, Any], source: Source) -> Policy:
    """The policy that the stored *spec*, in which nothing is refused, means."""
    return Policy(
        namespace,
        name,
        Subject(namespace, selector(spec["podSelector"])),
        frozenset(Direction(kind.lower()) for kind in spec["policyTypes"]),
        _rules(spec, "ingress"),
        _rules(spec, "egress"),
        source=source,
    )


def _rules(spec: Mapping[str, Any], direction: str) -> tuple[Rule, ...]:
    return tuple(
        Rule(
            tuple(_meant(peer) for peer in rule.get(_PEERS_OF[direction], ())),
            tuple(PortMatch(port["protocol"], port.get("port"), port.get("endPort")) for port in rule.get("ports", ())),
            path=f"spec.{direction}[{index}]",
        )
        for index, rule in enumerate(spec.get(direction, ()))
    )


def _meant(peer: Mapping[str, Any]) -> Peer:
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        return Peer(block=IpBlock(_masked(block["cidr"]), tuple(map(_masked, block.get("except", ())))))
    pods, namespaces = peer.get("podSelector"), peer.get("namespaceSelector")
    return Peer(selector(pods) if pods is not None else None, selector(namespaces) if namespaces is not None else None)


def _masked(cidr: str) -> str:
    """*cidr* as the network it means (S21)."""
    network = ipaddress.ip_network(without_zeros(cidr), strict=False)
    return str(_mapped(network) or network)
