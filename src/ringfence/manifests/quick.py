"""The quick way for what a dump holds by the ten thousand: live Pods and NetworkPolicies, in JSON, as a server writes
them.

It reads what has nothing unusual, and nothing else: whatever needs a word goes the general way, through ``records``,
which alone says what is wrong. What both read is the same; a law in the tests says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from ringfence.manifests import policy, workloads
from ringfence.manifests.checks import names
from ringfence.manifests.checks.problems import Problem
from ringfence.manifests.fields import labels
from ringfence.manifests.shapes import Container, OwnerReference, Port
from ringfence.manifests.text import json_text
from ringfence.manifests.text.documents import Item
from ringfence.manifests.text.heads import Head
from ringfence.manifests.text.json_objects import JsonObject
from ringfence.manifests.workloads import Live
from ringfence.model.addresses import Address
from ringfence.model.objects import ContainerPort, Controller, Pod
from ringfence.model.policies import Direction, Policy, Rule, Subject
from ringfence.model.selectors import Selector
from ringfence.model.sources import NOWHERE, Source

T = TypeVar("T")
_NONE: Final = (b"", b"null")


class _Ip(msgspec.Struct, gc=False):
    ip: str | None = None


class _Condition(msgspec.Struct, gc=False):
    type: str | None = None
    status: str | None = None


class _Container(msgspec.Struct, gc=False):
    ports: msgspec.Raw = msgspec.Raw()
    restartPolicy: str | None = None  # noqa: N815 (the API's spelling, here and below)


class _PodSpec(msgspec.Struct, gc=False):
    nodeName: str | None = None  # noqa: N815
    hostNetwork: bool | None = None  # noqa: N815
    containers: list[_Container | None] | None = None
    initContainers: list[_Container | None] | None = None  # noqa: N815


class _PodStatus(msgspec.Struct, gc=False):
    phase: str | None = None
    podIP: str | None = None  # noqa: N815
    podIPs: list[_Ip | None] | None = None  # noqa: N815
    conditions: list[_Condition | None] | None = None


class _Metadata(msgspec.Struct, gc=False):
    name: str
    namespace: str | None = None
    generateName: str | None = None  # noqa: N815
    uid: str | None = None
    labels: msgspec.Raw = msgspec.Raw()
    ownerReferences: msgspec.Raw = msgspec.Raw()  # noqa: N815


class _Pod(msgspec.Struct, gc=False):
    metadata: _Metadata
    apiVersion: str = ""  # noqa: N815
    kind: str = ""
    spec: _PodSpec = msgspec.field(default_factory=_PodSpec)
    status: _PodStatus = msgspec.field(default_factory=_PodStatus)


_POD: Final = msgspec.json.Decoder(_Pod)
_PORTS: Final = msgspec.json.Decoder(list[Port | None] | None)
_LABELS: Final = msgspec.json.Decoder(dict[str, str | None] | None)
_OWNERS: Final = msgspec.json.Decoder(list[OwnerReference | None] | None)
_KIND: Final = re.compile(rb'"kind"\s*:\s*"([A-Za-z]+)"')
_HINT: Final = 100
"""Bytes of an object in which a server has told its kind."""


class _PolicyMetadata(msgspec.Struct, forbid_unknown_fields=True):
    """The fields of ``policy.METADATA``, which a policy may have and no others."""

    name: str
    generateName: str | None = None  # noqa: N815
    namespace: str | None = None
    uid: str | None = None
    resourceVersion: str | None = None  # noqa: N815
    selfLink: str | None = None  # noqa: N815
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    creationTimestamp: Any = None  # noqa: N815
    deletionTimestamp: Any = None  # noqa: N815
    deletionGracePeriodSeconds: Any = None  # noqa: N815
    finalizers: Any = None
    generation: Any = None
    managedFields: Any = None  # noqa: N815
    ownerReferences: Any = None  # noqa: N815


class _Policy(msgspec.Struct, forbid_unknown_fields=True):
    metadata: _PolicyMetadata
    spec: msgspec.Raw
    apiVersion: str = ""  # noqa: N815
    kind: str = ""
    status: Any = None


_POLICY: Final = msgspec.json.Decoder(_Policy)


class _Meaning(NamedTuple):
    """What a spec means, wherever it stands."""

    selector: Selector
    directions: frozenset[Direction]
    ingress: tuple[Rule, ...]
    egress: tuple[Rule, ...]


Plain = Live | Policy
"""What is read the quick way."""
GROUPS: Final = {"Pod": "", "NetworkPolicy": "networking.k8s.io"}


def plain_key(one: Plain) -> tuple[str, str, str]:
    """Kind, namespace and name of *one*."""
    return ("Pod", one.pod.namespace, one.pod.name) if isinstance(one, Live) else ("NetworkPolicy", *_named(one))


def _named(one: Policy) -> tuple[str, str]:
    return one.namespace or "", one.name


def plain_item(one: Plain) -> Item:
    """The object that *one* was read from, for the general way."""
    kind, place = ("Pod", one.pod.source) if isinstance(one, Live) else ("NetworkPolicy", one.source)
    version = "/".join(filter(None, (GROUPS[kind], "v1")))
    document = place.document
    assert isinstance(document, JsonObject)
    return Item(version, kind, place.file, document, (), document.head().metadata)


class _UnusualError(Exception):
    """Something that the general way has to look at."""


class Quick:
    """A reader of the items of lists. What several objects have in common is decoded once, and is one object."""

    def __init__(self, default_namespace: str) -> None:
        self.default_namespace = default_namespace
        self._ports: dict[bytes, tuple[ContainerPort, ...]] = {b"": (), b"null": ()}
        self._labels: dict[bytes, Mapping[str, str]] = {b"": {}, b"null": {}}
        self._owners: dict[bytes, Controller | None] = {b"": None, b"null": None}
        self._specs: dict[bytes, _Meaning] = {}
        self._texts: dict[str, str] = {}
        self._namespaces: dict[str | None, str] = {None: default_namespace, "": default_namespace}

    def read(self, file: str, above: Head, item: JsonObject) -> Live | Policy | None:
        """The live pod or the policy in *item* of the list *above*; None when the general way has to look at it."""
        hint = _KIND.search(bytes(memoryview(item.data)[:_HINT]))
        kind = hint[1].decode() if hint else str(above.kind).removesuffix("List")
        try:
            if kind == "Pod":
                return self._pod(file, above, item)
            if kind == "NetworkPolicy":
                return self._policy(file, above, item)
        except (msgspec.DecodeError, RecursionError, _UnusualError):
            pass
        return None

    # -- pods ---------------------------------------------------------------------------------------------------------

    def _pod(self, file: str, above: Head, item: JsonObject) -> Live:
        found = _POD.decode(item.data)
        _same((found.apiVersion, found.kind), ("v1", "Pod"), above)
        metadata, spec, status = found.metadata, found.spec, found.status
        ips = status.podIPs
        made = Pod(
            self._namespace(metadata.namespace),
            _name(metadata.name),
            self._shared(metadata.labels, self._labels, _worn),
            self._ports_of(spec),
            tuple(map(_address, ips)) if ips else (Address.parse(status.podIP),) if status.podIP else (),
            spec.hostNetwork or False,
            self._texts.setdefault(spec.nodeName, spec.nodeName) if spec.nodeName else None,
            self._shared(metadata.ownerReferences, self._owners, _owner),
            ready=_is_ready(status),
            source=Source(file, 0, item),
        )
        return Live(made, status.phase or "")

    def _ports_of(self, spec: _PodSpec) -> tuple[ContainerPort, ...]:
        found = [self._shared(one.ports, self._ports, _declared) for one in spec.containers or () if one is not None]
        for one in spec.initContainers or ():
            if one is not None and bytes(one.ports) not in _NONE:
                container: Container = {"ports": _PORTS.decode(one.ports), "restartPolicy": one.restartPolicy}
                found.append(_unremarked(partial(workloads.init_ports, container, "")))
        return found[0] if len(found) == 1 else tuple(port for ports in found for port in ports)

    # -- policies -----------------------------------------------------------------------------------------------------

    def _policy(self, file: str, above: Head, item: JsonObject) -> Policy:
        found = _POLICY.decode(item.data)
        _same((found.apiVersion, found.kind), ("networking.k8s.io/v1", "NetworkPolicy"), above)
        if not json_text.no_key_twice(item.data):
            raise _UnusualError
        metadata = found.metadata
        if metadata.labels:
            _worn(msgspec.json.encode(metadata.labels))
        namespace, name = self._namespace(metadata.namespace), _name(metadata.name)
        selector, directions, ingress, egress = self._shared(found.spec, self._specs, _meaning)
        return Policy(
            namespace, name, Subject(namespace, selector), directions, ingress, egress, source=Source(file, 0, item)
        )

    # -- both ---------------------------------------------------------------------------------------------------------

    def _namespace(self, written: str | None) -> str:
        found = self._namespaces.get(written)
        if found is None:
            found = self._namespaces[written] = _name(written or "")
        return found

    def _shared(self, part: msgspec.Raw, known: dict[bytes, T], read: Callable[[bytes], T]) -> T:
        """What *part* says, from *known* when it was read before."""
        data = bytes(part)
        if data not in known:
            known[data] = read(data)
        return known[data]


def _same(said: tuple[str, str], wanted: tuple[str, str], above: Head) -> None:
    """Whether an item is what it was taken for; it may leave that to the typed list *above* (S3)."""
    if said == wanted:
        return
    typed = above.kind != "List"
    version, kind = (said[0] or (typed and above.api_version)), (said[1] or (typed and above.kind.removesuffix("List")))
    if (version, kind) != wanted:
        raise _UnusualError


def _name(written: str) -> str:
    if not written or names.subdomain(written):
        raise _UnusualError
    return written


def _address(one: _Ip | None) -> Address:
    try:
        return Address.parse((one and one.ip) or "")
    except ValueError:
        raise _UnusualError from None


def _is_ready(status: _PodStatus) -> bool:
    said = [one.status == "True" for one in status.conditions or () if one is not None and one.type == "Ready"]
    return all(said) if said else (status.phase or "Running") == "Running"


def _worn(data: bytes) -> Mapping[str, str]:
    return _unremarked(partial(labels, _LABELS.decode(data), "metadata.labels"))


def _owner(data: bytes) -> Controller | None:
    return workloads.owner({"ownerReferences": _OWNERS.decode(data)})


def _declared(data: bytes) -> tuple[ContainerPort, ...]:
    container: Container = {"ports": _PORTS.decode(data)}
    return _unremarked(partial(workloads.container_ports, container, "", "main"))


def _meaning(data: bytes) -> _Meaning:
    decoded = policy.decode({"metadata": {"name": "any"}, "spec": msgspec.json.decode(data)})
    if decoded.problems:
        raise _UnusualError
    one = policy.build("any", "any", decoded.spec, NOWHERE)
    return _Meaning(one.subject.pods, one.directions, one.ingress, one.egress)


def _unremarked(read: Callable[[list[Problem]], T]) -> T:
    problems: list[Problem] = []
    found = read(problems)
    if problems:
        raise _UnusualError
    return found
