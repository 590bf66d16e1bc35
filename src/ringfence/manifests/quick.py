"""The quick way for what a dump holds by the ten thousand: live Pods and NetworkPolicies, in JSON, as a server writes
them.

It reads what has nothing unusual, and nothing else: whatever needs a word goes the general way, through ``records``,
which alone says what is wrong. What both read is the same; a law in the tests says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar, cast

import msgspec

from ringfence.manifests.checks import names
from ringfence.manifests.checks.problems import Problem
from ringfence.manifests.objects import policy, workloads
from ringfence.manifests.objects.fields import labels
from ringfence.manifests.objects.shapes import Container, OwnerReference, Port
from ringfence.manifests.objects.workloads import RUNNING, Live
from ringfence.manifests.text import json_text
from ringfence.manifests.text.documents import Item
from ringfence.manifests.text.heads import Head
from ringfence.manifests.text.json_objects import JsonObject
from ringfence.model.addresses import Address
from ringfence.model.objects import ContainerPort, Controller, Pod
from ringfence.model.policies import Direction, Policy, Rule, Subject
from ringfence.model.selectors import Selector
from ringfence.model.sources import NOWHERE, Source

T = TypeVar("T")
_NONE: Final = (b"", b"null")
_UNTYPED: Final = (*_NONE, b"[]")
"""Policy types that are not said."""


class _UnusualError(Exception):
    """Something that the general way has to look at."""


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


class _Owner(msgspec.Struct, gc=False):
    kind: str | None = None
    name: str | None = None
    controller: bool | None = None


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
_PLAIN_OWNERS: Final = msgspec.json.Decoder(list[_Owner])
_OTHERWISE: Final = (None, "", "Node", "Service")
"""Kinds of owners that mean something else than themselves."""
_PLAIN_NAME: Final = re.compile(r"[a-z0-9][-a-z0-9]{0,200}").fullmatch
"""Names as nearly all are; what ends in a letter or digit and is one of these is sound."""
_PLAIN_VALUE: Final = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?").fullmatch
"""Values of labels as nearly all are, which are sound."""
_NOTHING: Final[frozenset[str]] = frozenset()
_PARSE: Final = Address.parse


class _PolicyMetadata(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
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


class _Spec(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    podSelector: msgspec.Raw = msgspec.Raw()  # noqa: N815
    policyTypes: msgspec.Raw = msgspec.Raw()  # noqa: N815
    ingress: msgspec.Raw = msgspec.Raw()
    egress: msgspec.Raw = msgspec.Raw()


class _Policy(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    metadata: msgspec.Raw
    spec: msgspec.Raw
    apiVersion: str = ""  # noqa: N815
    kind: str = ""
    status: msgspec.Raw = msgspec.Raw()


def _no_fraction(_: str) -> Any:
    """No field of metadata has such a number; it may be written shorter than anybody would write it anew."""
    raise _UnusualError


_POLICY: Final = msgspec.json.Decoder(_Policy)
_SPEC: Final = msgspec.json.Decoder(_Spec)
_POLICY_METADATA: Final = msgspec.json.Decoder(_PolicyMetadata, float_hook=_no_fraction)
_ALONE: Final = len('{"apiVersion":"","kind":"","metadata":,"spec":}')
"""The characters of a policy beside the values of its members, when it has these four, each once, and no blanks."""
_MEMBERS: Final = ("podSelector", "policyTypes", "ingress", "egress")


class _Meaning(NamedTuple):
    """What a spec means, wherever it stands."""

    selector: Selector
    directions: frozenset[Direction]
    ingress: tuple[Rule, ...]
    egress: tuple[Rule, ...]


Plain = Pod | Live | Policy
"""What is read the quick way; a running pod is held as itself."""
Way = Callable[[str, Head, JsonObject], Plain | None]
GROUPS: Final = {"Pod": "", "NetworkPolicy": "networking.k8s.io"}


def key(one: Plain) -> tuple[str, str, str]:
    """Kind, namespace and name of *one*."""
    named = one.pod if isinstance(one, Live) else one
    return "Pod" if isinstance(named, Pod) else "NetworkPolicy", named.namespace or "", named.name


def plain_item(one: Plain) -> Item:
    """The object that *one* was read from, for the general way."""
    kind, place = key(one)[0], (one.pod if isinstance(one, Live) else one).source
    version = "/".join(filter(None, (GROUPS[kind], "v1")))
    document = place.document
    assert isinstance(document, JsonObject)
    return Item(version, kind, place.file, document, (), document.head().metadata)


class Quick:
    """A reader of the items of lists. What several objects have in common is decoded once, and is one object."""

    def __init__(self, default_namespace: str) -> None:
        self.default_namespace = default_namespace
        self._ports: dict[bytes, tuple[ContainerPort, ...]] = {b"": (), b"null": ()}
        self._labels: dict[bytes, Mapping[str, str]] = {b"": {}, b"null": {}}
        self._sound: set[str] = set()
        """Keys of labels that nothing is wrong with."""
        self._owners: dict[bytes, Controller | None] = {b"": None, b"null": None}
        self._last: tuple[_Metadata, Mapping[str, str], Controller | None] = _Metadata(""), self._labels[b""], None
        """What was written of the pod before, its labels and its owner: the next one is mostly a replica of it."""
        self._last_ports: tuple[msgspec.Raw, tuple[ContainerPort, ...]] = msgspec.Raw(), ()
        """The ports of the pod before, as written and as read."""
        self._specs: dict[bytes, _Meaning] = {}
        self._parts: dict[str, dict[bytes, Policy]] = {member: {} for member in _MEMBERS}
        """What members of specs mean, each alone: there are far fewer of them than of specs."""
        self._texts: dict[str, str] = {}
        self._namespaces: dict[str | None, str] = {None: default_namespace, "": default_namespace}
        self._ways: tuple[Way, ...] = (self._pod, self._policy)

    def read(self, file: str, above: Head, item: JsonObject) -> Plain | None:
        """The pod or the policy in *item* of the list *above*; None when the general way has to look at it."""
        for way in self._ways:
            try:
                found = way(file, above, item)
            except (msgspec.DecodeError, RecursionError, _UnusualError):
                continue
            if found is not None:
                if way is not self._ways[0]:
                    self._ways = self._ways[::-1]  # the next one is mostly of the same kind
                return found
        return None

    # -- pods ---------------------------------------------------------------------------------------------------------

    def _pod(self, file: str, above: Head, item: JsonObject) -> Pod | Live | None:
        found = _POD.decode(item.data)  # of another kind it is but the names that are looked at
        if (found.kind != "Pod" or found.apiVersion != "v1") and _said(found, above) != ("v1", "Pod"):
            return None
        metadata, spec, status = found.metadata, found.spec, found.status
        name, node = metadata.name, spec.nodeName
        if not (_PLAIN_NAME(name) and name[-1] != "-") and names.subdomain(name):  # also the empty one
            raise _UnusualError
        namespace = self._namespaces.get(metadata.namespace) or self._namespace(metadata.namespace)
        before, worn, owner = self._last
        if metadata.labels != before.labels or metadata.ownerReferences != before.ownerReferences:
            worn = self._read_labels(bytes(metadata.labels))
            owner = self._read_owner(bytes(metadata.ownerReferences))
            self._last = metadata, worn, owner
        made = Pod(
            namespace,
            name,
            worn,
            self._ports_of(spec),
            _addresses(status),
            spec.hostNetwork or False,
            self._texts.setdefault(node, node) if node else None,
            owner,
            1,
            False,
            _is_ready(status),
            _NOTHING,
            Source(file, 0, item),
        )
        return made if status.phase == RUNNING else Live(made, status.phase or "")

    def _read_labels(self, part: bytes) -> Mapping[str, str]:
        known = self._labels.get(part)
        if known is not None:
            return known
        found = _LABELS.decode(part) or {}
        if None in found.values():
            found = {key: value or "" for key, value in found.items()}
        worn = cast("dict[str, str]", found)
        if not (self._sound.issuperset(worn) and all(map(_PLAIN_VALUE, worn.values()))):
            _unremarked(partial(labels, found, "metadata.labels"))
            self._sound.update(worn)
        self._labels[part] = worn
        return worn

    def _read_owner(self, part: bytes) -> Controller | None:
        if part not in self._owners:
            self._owners[part] = _owner(part)
        return self._owners[part]

    def _ports_of(self, spec: _PodSpec) -> tuple[ContainerPort, ...]:
        containers = spec.containers or ()
        if len(containers) == 1 and not spec.initContainers and containers[0] is not None:  # as most have
            written = containers[0].ports
            if written != self._last_ports[0]:
                self._last_ports = written, self._shared(written, self._ports, _declared)
            return self._last_ports[1]
        found = [self._shared(one.ports, self._ports, _declared) for one in containers if one is not None]
        for one in spec.initContainers or ():
            if one is not None and bytes(one.ports) not in _NONE:
                init: Container = {"ports": _PORTS.decode(one.ports), "restartPolicy": one.restartPolicy}
                found.append(_unremarked(partial(workloads.init_ports, init, "")))
        return found[0] if len(found) == 1 else tuple(port for ports in found for port in ports)

    # -- policies -----------------------------------------------------------------------------------------------------

    def _policy(self, file: str, above: Head, item: JsonObject) -> Policy | None:
        found = _POLICY.decode(item.data)
        if _said(found, above) != ("networking.k8s.io/v1", "NetworkPolicy"):
            return None
        metadata = _POLICY_METADATA.decode(found.metadata)
        if not (_each_key_once(item, found, metadata) or json_text.no_key_twice(item.data)):
            raise _UnusualError
        if metadata.labels:
            _unremarked(partial(labels, metadata.labels, "metadata.labels"))
        if names.subdomain(metadata.name):
            raise _UnusualError
        namespace = self._namespaces.get(metadata.namespace) or self._namespace(metadata.namespace)
        selector, directions, ingress, egress = self._shared(found.spec, self._specs, self._meaning)
        return Policy(
            namespace, metadata.name, Subject(namespace, selector), directions, ingress, egress,
            source=Source(file, 0, item),
        )  # fmt: skip

    def _meaning(self, data: bytes) -> _Meaning:
        """What a spec means, put together from its members: no rule of validation looks at two of them."""
        found = _SPEC.decode(data)
        written = [(member, getattr(found, member)) for member in _MEMBERS]
        if not (_each_member_once(data, written) or json_text.no_key_twice(data)):
            raise _UnusualError
        subject, types, ingress, egress = (
            self._shared(part, self._parts[member], partial(_member, member)) for member, part in written
        )
        directions = types.directions
        if bytes(found.policyTypes) in _UNTYPED and egress.egress:  # S12
            directions = directions | {Direction.EGRESS}
        return _Meaning(subject.subject.pods, directions, ingress.ingress, egress.egress)

    # -- both ---------------------------------------------------------------------------------------------------------

    def _namespace(self, written: str | None) -> str:
        """The namespace that is *written* for the first time."""
        if not written or names.subdomain(written):
            raise _UnusualError
        self._namespaces[written] = written
        return written

    def _shared(self, part: msgspec.Raw, known: dict[bytes, T], read: Callable[[bytes], T]) -> T:
        """What *part* says, from *known* when it was read before."""
        data = bytes(part)
        if data not in known:
            known[data] = read(data)
        return known[data]


def _said(found: _Pod | _Policy, above: Head) -> tuple[str, str]:
    """Version and kind of an item, which may leave both to the typed list *above* (S3)."""
    version, kind = found.apiVersion, found.kind
    if (version and kind) or above.kind == "List":
        return version, kind
    return version or above.api_version, kind or above.kind.removesuffix("List")


def _addresses(status: _PodStatus) -> tuple[Address, ...]:
    several = status.podIPs
    try:
        if several:
            if len(several) == 1 and several[0] is not None:  # as most have
                return (_PARSE(several[0].ip or ""),)
            return tuple([_PARSE((one and one.ip) or "") for one in several])
        return (_PARSE(status.podIP),) if status.podIP else ()
    except ValueError:
        raise _UnusualError from None


def _is_ready(status: _PodStatus) -> bool:
    told, ready = False, True
    for one in status.conditions or ():
        if one is not None and one.type == "Ready":
            told, ready = True, ready and one.status == "True"
    return ready if told else (status.phase or "Running") == "Running"


def _owner(data: bytes) -> Controller | None:
    """The owner among those written, as ``workloads.owner`` takes it; nearly always it is the only one, and says so."""
    if data in _NONE:
        return None
    found = _PLAIN_OWNERS.decode(data)
    if len(found) == 1 and found[0].controller and found[0].name and found[0].kind not in _OTHERWISE:
        return Controller(found[0].kind or "", found[0].name)
    return workloads.owner({"ownerReferences": _OWNERS.decode(data)})


def _declared(data: bytes) -> tuple[ContainerPort, ...]:
    container: Container = {"ports": _PORTS.decode(data)}
    return _unremarked(partial(workloads.container_ports, container, "", "main"))


def _each_key_once(item: JsonObject, found: _Policy, metadata: _PolicyMetadata) -> bool:
    """Whether it is sure that no key stands twice in a policy, its spec aside: it is as long as its members together.

    False proves nothing: so is text with blanks, or with another member.
    """
    if not (found.apiVersion and found.kind):
        return False
    members = len(found.apiVersion) + len(found.kind) + len(found.metadata) + len(found.spec)
    return len(item.data) == _ALONE + members and len(msgspec.json.encode(metadata)) == len(found.metadata)


def _each_member_once(data: bytes, written: Sequence[tuple[str, msgspec.Raw]]) -> bool:
    """Whether it is sure that no member of a spec stands twice: it is as long as its members together, without blanks.

    False proves nothing.
    """
    there = [(member, len(part)) for member, part in written if len(part)]
    return len(data) == 1 + sum(len(member) + length + 4 for member, length in there)


def _member(name: str, data: bytes) -> Policy:
    """A policy whose spec has the member *name* alone, of which *data* is the text."""
    if data and not json_text.no_key_twice(data):
        raise _UnusualError
    spec = {name: msgspec.json.decode(data)} if data else {}
    decoded = policy.decode({"metadata": {"name": "any"}, "spec": spec})
    if decoded.problems:
        raise _UnusualError
    return policy.build("any", "any", decoded.spec, NOWHERE)


def _unremarked(read: Callable[[list[Problem]], T]) -> T:
    problems: list[Problem] = []
    found = read(problems)
    if problems:
        raise _UnusualError
    return found
