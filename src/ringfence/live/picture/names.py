"""Pseudonyms: the same name is the same word everywhere, so that selectors select as before and answers are alike.

Names of objects, namespaces and labels' values share one set of words, as a label may hold a name. Keys of labels have
another; those of Kubernetes itself stay. Numbers of ports, kinds and addresses stay; images and annotations go, and so
does what policies of other dialects say.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from ringfence.live.server.server import Json

KEPT: Final = frozenset({
    "", "default", "kube-system", "kube-public", "kube-node-lease", "kubernetes", "kube-dns", "coredns",
    "node-local-dns", "openshift-dns", "true", "false",
})  # fmt: skip
"""Words that everybody's cluster has, and by which the DNS is known."""
_KEYS: Final = frozenset({
    "controller-revision-hash", "deployment", "deploymentconfig", "job-name", "k8s-app", "pod-template-generation",
    "pod-template-hash", "rollouts-pod-template-hash",
})  # fmt: skip
_OF_KUBERNETES: Final = re.compile(r"(^|\.)(kubernetes|k8s)\.io/|^openshift\.io/")
_DERIVED: Final = ("endpointslice.kubernetes.io/managed-by", "endpointslice-controller.k8s.io")
"""Tells the EndpointSlices that the cluster itself makes from what Services select."""
_HASHES: Final = ("pod-template-hash", "rollouts-pod-template-hash")
_NAMES: Final = frozenset({
    "gatewayClassName", "generateName", "ingressClassName", "name", "namespace", "nodeName", "sectionName",
    "serviceAccountName",
})  # fmt: skip
_HOSTS: Final = frozenset({"externalName", "host", "hostname"})
_GONE: Final = frozenset({"annotations", "image", "specs"})
_LABELS: Final = frozenset({"labels", "matchLabels", "nodeSelector"})
_UNNAMED: Final = re.compile(r"^(of namespace|\w+) \S+ (?=alone were given|is of a form)")
"""What a failure says of a namespace, or of an object."""
_PORTS: Final = frozenset({"port", "ports", "targetPort"})
"""Where ports are named."""

Found = Callable[[str, str], str]
"""Told of a word of a sort (``key``, ``word``, ``host`` or ``port``), gives what stands for it."""


class Pseudonyms:
    """Words for the names in *objects*, given in the order of the names, so that the same cluster has the same."""

    def __init__(self, objects: Iterable[Json]) -> None:
        keys: set[str] = set()
        words: set[str] = set()
        hosts: set[str] = set()
        ports: set[str] = set()
        self._hashes: set[str] = set()

        def note(sort: str, text: str) -> str:
            if sort == "hash":
                self._hashes.add(text)
            {"key": keys, "host": hosts, "port": ports}.get(sort, words).add(text)
            return text

        for one in objects:
            renamed(one, note)
        parts = {part for word in words for part in self._parts(word)}
        self._keys = _numbered("key", keys)
        self._words = _numbered("n", parts)
        self._hosts = _numbered("host", hosts)
        self._ports = _numbered("port", ports)

    def _parts(self, word: str) -> tuple[str, ...]:
        """*word*, or what it is made of: a ReplicaSet is called after its Deployment, by the hash of its template."""
        head, dash, tail = word.rpartition("-")
        return (head, tail) if dash and tail in self._hashes else (word,)

    def key(self, text: str) -> str:
        """For the key of a label."""
        return text if text in _KEYS or _OF_KUBERNETES.search(text) else self._keys[text]

    def word(self, text: str) -> str:
        """For a name or the value of a label."""
        return "-".join(part if part in KEPT else self._words[part] for part in self._parts(text))

    def host(self, text: str) -> str:
        """For a host; what is an address stays."""
        try:
            ipaddress.ip_address(text)
        except ValueError:
            return f"{self._hosts[text]}.example"
        return text

    def port(self, text: str) -> str:
        """For the name of a port."""
        return self._ports[text]

    def __call__(self, one: Json) -> Json:
        """*one* with its names changed."""
        ways = {"key": self.key, "host": self.host, "port": self.port}
        return renamed(one, lambda sort, text: ways.get(sort, self.word)(text))


def _numbered(stem: str, texts: Iterable[str]) -> dict[str, str]:
    return {text: f"{stem}{number}" for number, text in enumerate(sorted(texts), 1)}


def renamed(one: Json, change: Found) -> Json:
    """*one* with every name in it changed."""
    if one["kind"] == "Status":
        return {**one, "message": _UNNAMED.sub(r"\1 … ", one["message"])}
    kept = dict(one)
    if one["kind"].endswith("Policy") and one["apiVersion"] != "networking.k8s.io/v1":
        kept.pop("spec", None)
    if one["kind"] == "Namespace":  # its name is the value of a label too, whether that is written or not
        change("word", one["metadata"]["name"])
    return {
        key: value if key in ("apiVersion", "kind") else _inside(key, value, change)
        for key, value in kept.items() if key not in _GONE
    }  # fmt: skip


def _inside(key: str, value: Any, change: Found) -> Any:
    """What stands at *key*, changed."""
    if key in _PORTS:
        return _ports(value, change)
    if key in _LABELS and isinstance(value, Mapping):
        return _labels(value, change)
    if isinstance(value, Mapping):
        if key == "selector" and value and all(isinstance(text, str) for text in value.values()):
            return _labels(value, change)
        if "operator" in value and "key" in value:
            return _requirement(value, change)
        return {name: _inside(name, inner, change) for name, inner in value.items() if name not in _GONE}
    if isinstance(value, list):
        return [_inside(key, inner, change) for inner in value]
    if isinstance(value, str):
        if key in _NAMES:
            return change("word", value)
        if key in _HOSTS or (key in ("address", "addresses") and value):
            return change("host", value)
    return value


def _ports(value: Any, change: Found) -> Any:
    """A port, or several, by number or name."""
    if isinstance(value, list):
        return [_ports(inner, change) for inner in value]
    if isinstance(value, Mapping):
        return {
            name: change("port", inner) if name in ("name", "port", "targetPort") and isinstance(inner, str) else inner
            for name, inner in value.items()
        }
    return change("port", value) if isinstance(value, str) else value


def _labels(value: Mapping[str, Any], change: Found) -> Json:
    return {change("key", key): _value(key, text, change) for key, text in value.items()}


def _value(key: str, text: Any, change: Found) -> Any:
    if (key, text) == _DERIVED:
        return text
    return change("hash" if key in _HASHES else "word", text) if isinstance(text, str) else text


def _requirement(value: Mapping[str, Any], change: Found) -> Json:
    """One of ``matchExpressions``."""
    key = value["key"]
    made = {**value, "key": change("key", key)}
    if isinstance(value.get("values"), list):
        made["values"] = [_value(key, text, change) for text in value["values"]]
    return made
