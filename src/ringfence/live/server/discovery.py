"""Which kinds a server has beside those that every server has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from ringfence.live.server.errors import Refused, Unreachable
from ringfence.live.server.resources import Resource
from ringfence.live.server.server import Json, Server

_ALL_AT_ONCE: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
"""Asks for all kinds in one answer, which servers give from 1.30 on, and else for the list of groups."""


@dataclass(frozen=True, slots=True)
class Discovered:
    """The kinds that can be listed, each in one version, and the groups that could not be asked."""

    resources: tuple[Resource, ...]
    silent: tuple[str, ...] = ()


class _NoListError(Exception):
    """What came is no list of kinds."""


def discover(server: Server) -> Discovered:
    """What *server* has in groups. Raises: Refused; Unreachable."""
    found = _answer(server.send("GET", "/apis", accept=_ALL_AT_ONCE))
    if found.get("kind") == "APIGroupDiscoveryList":
        return _all_at_once(found)
    if found.get("kind") != "APIGroupList":  # and not a server without any kinds of its own
        raise Unreachable(f"{server.address}: what came for /apis is no list of groups; is it an API server?",
                          passing=False)  # fmt: skip
    return _group_by_group(server, found)


def _answer(data: bytes) -> Json:
    """What *data* says; nothing where it is no object."""
    try:
        return msgspec.json.decode(data, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}


def _all_at_once(found: Json) -> Discovered:
    resources: list[Resource] = []
    silent = []
    for group in found.get("items") or ():
        name = group["metadata"]["name"]
        versions = group.get("versions") or ()
        seen: set[str] = set()
        for version in versions:
            for one in version.get("resources") or ():
                if "list" in one.get("verbs", ()) and one["resource"] not in seen:
                    seen.add(one["resource"])
                    kind = (one.get("responseKind") or {}).get("kind") or ""
                    resources.append(Resource(name, version["version"], one["resource"], kind,
                                              one.get("scope") == "Namespaced"))  # fmt: skip
        if not seen and any(version.get("freshness") == "Stale" for version in versions):
            silent.append(name)
    return Discovered(tuple(resources), tuple(silent))


def _group_by_group(server: Server, found: Json) -> Discovered:
    resources: list[Resource] = []
    silent = []
    for group in found.get("groups") or ():
        if group["name"] in _BUILT_IN:
            continue
        seen: set[str] = set()
        try:
            for version in _versions(group):
                for one in _listed(server, group["name"], version):
                    if one.plural not in seen:
                        seen.add(one.plural)
                        resources.append(one)
        except (Refused, _NoListError):
            silent.append(group["name"])
    return Discovered(tuple(resources), tuple(silent))


def _versions(group: Json) -> list[str]:
    """The versions of *group*, the preferred one first."""
    versions = [one["version"] for one in group.get("versions") or ()]
    preferred = (group.get("preferredVersion") or {}).get("version")
    return sorted(versions, key=lambda one: one != preferred)


def _listed(server: Server, group: str, version: str) -> Iterator[Resource]:
    answer = _answer(server.get(f"/apis/{group}/{version}"))
    if answer.get("kind") != "APIResourceList":
        raise _NoListError
    for one in answer.get("resources") or ():
        if "/" not in one["name"] and "list" in one.get("verbs", ()):
            yield Resource(group, version, one["name"], one["kind"], bool(one.get("namespaced")))


_BUILT_IN: Final = frozenset({
    "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "apps", "authentication.k8s.io",
    "authorization.k8s.io", "autoscaling", "batch", "certificates.k8s.io", "coordination.k8s.io", "discovery.k8s.io",
    "events.k8s.io", "flowcontrol.apiserver.k8s.io", "internal.apiserver.k8s.io", "networking.k8s.io", "node.k8s.io",
    "policy", "rbac.authorization.k8s.io", "resource.k8s.io", "scheduling.k8s.io", "storage.k8s.io",
    "storagemigration.k8s.io",
})  # fmt: skip
"""Groups of which it is known what they have; an older server is not asked about each."""
