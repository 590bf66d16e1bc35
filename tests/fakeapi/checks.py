"""What the server refuses or fills in, for the few kinds of which tests ask that."""

from __future__ import annotations

import copy
import ipaddress
import re
from typing import Any, Final

from fakeapi import answers
from fakeapi.answers import Json
from fakeapi.kinds import Kind

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_SPEC: Final[dict[str, Any]] = {
    "podSelector": {"matchLabels": None, "matchExpressions": None},
    "policyTypes": None,
    "ingress": {"ports": {"port": None, "endPort": None, "protocol": None}, "from": None},
    "egress": {"ports": {"port": None, "endPort": None, "protocol": None}, "to": None},
}
_FIELDS: Final[dict[str, Any]] = {"apiVersion": None, "kind": None, "metadata": None, "status": None, "spec": _SPEC}


def checked(kind: Kind, body: Json, validation: str) -> Json:
    """*body* as it would be stored. Raises: answers.Refusal."""
    if body.get("kind", kind.kind) != kind.kind or body.get("apiVersion", kind.api_version) != kind.api_version:
        version = str(body.get("apiVersion"))
        raise answers.bad(
            f'{body.get("kind")} in version "{version.rpartition("/")[2]}" cannot be handled as a {kind.kind}: no kind '
            f'"{body.get("kind")}" is registered for version "{version}" in scheme "pkg/runtime/scheme.go:111"'
        )
    name = str(body.get("metadata", {}).get("name") or "")
    if not _NAME.fullmatch(name) or len(name) > 253:
        what = (
            f'Invalid value: "{name}": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric '
            "characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex "
            f"used for validation is '{_NAME.pattern}')"
        )
        raise answers.invalid(kind.kind, kind.group, name, [("metadata.name", "FieldValueInvalid", what)])
    if kind.kind == "NetworkPolicy":
        return _policy(kind, body, validation)
    if kind.kind == "Namespace":
        status = {"status": {"phase": "Active"}} | body
        metadata = copy.deepcopy(body["metadata"])
        metadata.setdefault("labels", {})["kubernetes.io/metadata.name"] = name
        return status | {"spec": {"finalizers": ["kubernetes"]}, "metadata": metadata}
    return body


def _policy(kind: Kind, body: Json, validation: str) -> Json:
    unknown = unknown_fields(body)
    if unknown and validation == "Strict":
        told = ", ".join(f'unknown field "{path}"' for path in unknown)
        raise answers.bad(
            f'NetworkPolicy in version "v1" cannot be handled as a NetworkPolicy: strict decoding error: {told}'
        )
    body = _pruned(body, _FIELDS)
    spec = copy.deepcopy(body.get("spec") or {})
    problems: list[tuple[str, str, str]] = []
    for way, peers in (("ingress", "from"), ("egress", "to")):
        for at, rule in enumerate(spec.get(way) or ()):
            for number, port in enumerate(rule.get("ports") or ()):
                _port(port, f"spec.{way}[{at}].ports[{number}]", problems)
            for number, peer in enumerate(rule.get(peers) or ()):
                _peer(peer, f"spec.{way}[{at}].{peers}[{number}]", problems)
    if problems:
        raise answers.invalid(kind.kind, kind.group, body["metadata"]["name"], problems)
    spec.setdefault("podSelector", {})
    spec.setdefault("policyTypes", ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])
    return {**body, "spec": spec}


def unknown_fields(body: Json) -> list[str]:
    """The paths of fields that no NetworkPolicy has."""
    return list(_unknown(body, _FIELDS, ""))


def _pruned(value: Any, known: dict[str, Any]) -> Any:
    """*value* without the fields that it cannot have."""
    if isinstance(value, list):
        return [_pruned(one, known) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: _pruned(inner, known[key]) if known[key] else inner for key, inner in value.items() if key in known}


def _port(port: Json, path: str, problems: list[tuple[str, str, str]]) -> None:
    port.setdefault("protocol", "TCP")
    number = port.get("port")
    if isinstance(number, int) and not 1 <= number <= 65535:
        problems.append((f"{path}.port", "FieldValueInvalid",
                         f"Invalid value: {number}: must be between 1 and 65535, inclusive"))  # fmt: skip
    if port["protocol"] not in ("TCP", "UDP", "SCTP"):
        what = f'Unsupported value: "{port["protocol"]}": supported values: "TCP", "UDP", "SCTP"'
        problems.append((f"{path}.protocol", "FieldValueNotSupported", what))


def _peer(peer: Json, path: str, problems: list[tuple[str, str, str]]) -> None:
    if not peer:
        problems.append((path, "FieldValueRequired", "Required value: must specify a peer"))
    cidr = (peer.get("ipBlock") or {}).get("cidr")
    if cidr is None:
        return
    try:
        ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        what = f'Invalid value: "{cidr}": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'
        problems.append((f"{path}.ipBlock.cidr", "FieldValueInvalid", what))


def _unknown(value: Any, known: dict[str, Any], path: str) -> Any:
    for one in value if isinstance(value, list) else [value]:
        index = f"[{value.index(one)}]" if isinstance(value, list) else ""
        for key, inner in one.items() if isinstance(one, dict) else ():
            at = f"{path}{index}.{key}".lstrip(".")
            if key not in known:
                yield at
            elif known[key]:
                yield from _unknown(inner, known[key], at)
