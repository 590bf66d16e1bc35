"""Requests whose answers must be the same from the fake server and from a real one.

Answers of a real server are kept in ``recorded.json`` beside this file, without what differs each time. The tests hold
the fake to them; where a real server is there, it is held to them too.

    python tests/fakeapi/contract.py KUBECONFIG STRANGER       record anew; STRANGER logs in somebody without rights
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

RECORDED: Final = Path(__file__).with_name("recorded.json")
AT_ONCE: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
SPACE: Final = "contract"
APPLY: Final = "application/apply-patch+yaml"
MERGE: Final = "application/merge-patch+json"
CORE: Final = f"/api/v1/namespaces/{SPACE}"
POLICIES: Final = f"/apis/networking.k8s.io/v1/namespaces/{SPACE}/networkpolicies"
STRANGER: Final = "stranger"
"""A user without any rights."""


@dataclass(frozen=True)
class Ask:
    """One request. ``only`` are the parts of the answer that count, all when empty; ``who`` asks.

    ``{last:PATH}`` in the body or the query stands for what the answer before held there.
    """

    method: str
    path: str
    body: Any = None
    query: str = ""
    content: str = "application/json"
    accept: str = "application/json"
    only: tuple[str, ...] = ()
    who: str = ""


@dataclass(frozen=True)
class Got:
    """An answer as it came."""

    status: int
    content: str
    body: bytes


Send = Callable[[Ask, bytes | None], Got]
"""Sends one request, whose body is ready."""
HEAD: Final = ("kind", "apiVersion", "metadata.name", "metadata.namespace", "metadata.labels")


def policy(name: str, port: Any = 80, **more: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": SPACE, **more}
    ports = [{"port": port, "protocol": "TCP"}]
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata,
            "spec": {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"ports": ports}]}}  # fmt: skip


def with_ingress(name: str, *rules: Any) -> dict[str, Any]:
    return policy(name) | {"spec": {"podSelector": {}, "ingress": [*rules]}}


def config(name: str, **labels: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}, "data": {"a": "b"}}


def apply(name: str, body: Any, manager: str = "one", more: str = "", **rest: Any) -> Ask:
    return Ask("PATCH", f"{POLICIES}/{name}", body, f"fieldManager={manager}{more}", APPLY, **rest)


_POD: Final = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"app": "p"}},
               "spec": {"containers": [{"name": "main", "image": "x"}]}}  # fmt: skip
CASES: Final[dict[str, list[Ask]]] = {
    "created, found, deleted": [
        Ask("POST", POLICIES, policy("a"), "fieldManager=one"),
        Ask("POST", POLICIES, policy("a"), "fieldManager=one"),
        Ask("GET", f"{POLICIES}/a"),
        Ask("DELETE", f"{POLICIES}/a"),
        Ask("DELETE", f"{POLICIES}/a"),
        Ask("GET", f"{POLICIES}/a"),
    ],
    "nothing is there": [
        Ask("POST", POLICIES.replace(SPACE, "none"), policy("a") | {"metadata": {"name": "a"}}),
        Ask("GET", "/api/v1/namespaces/none"),
        Ask("GET", f"{CORE}/pods/none"),
        Ask("GET", f"{CORE}/pods/none/log"),
        Ask("GET", "/apis/example.com/v1"),
        Ask("GET", "/apis/example.com/v1/widgets"),
        Ask("GET", "/api/v1/widgets"),
        Ask("GET", "/apis/networking.k8s.io/v1/widgets"),
        Ask("GET", "/nowhere"),
        Ask("GET", CORE.replace(SPACE, "none") + "/pods", only=("kind", "items")),
        Ask("PATCH", f"{POLICIES}/none", {"metadata": {"labels": {"a": "b"}}}, content=MERGE),
    ],
    "dry runs keep nothing": [
        Ask("POST", POLICIES, policy("dry"), "dryRun=All&fieldManager=one"),
        Ask("GET", f"{POLICIES}/dry"),
        apply("dry", policy("dry"), more="&dryRun=All"),
        Ask("GET", f"{POLICIES}/dry"),
        apply("dry", policy("dry")),
        apply("dry", policy("dry", 81), more="&dryRun=All"),
        Ask("DELETE", f"{POLICIES}/dry", {"dryRun": ["All"]}),
        Ask("GET", f"{POLICIES}/dry"),
        Ask("DELETE", f"{POLICIES}/dry"),
    ],
    "server-side apply": [
        apply("s", policy("s", labels={"a": "1", "b": "2"})),
        apply("s", policy("s", labels={"a": "1", "b": "2"})),
        apply("s", policy("s", labels={"b": "2"})),
        apply("s", policy("s"), "two"),
        apply("s", policy("s", 81), "two"),
        apply("s", policy("s", 81, labels={"b": "3"}), "two"),
        apply("s", policy("s", 81), "two", "&force=true"),
        apply("s", policy("s"), "one"),
        Ask("GET", f"{POLICIES}/s"),
        Ask("DELETE", f"{POLICIES}/s"),
    ],
    "apply over what was created": [
        Ask("POST", POLICIES, policy("c", labels={"a": "1"}), "fieldManager=kubectl-create"),
        apply("c", policy("c", labels={"a": "1"})),
        apply("c", policy("c", labels={"a": "2"})),
        apply("c", policy("c", 82, labels={"a": "2"})),
        apply("c", policy("c", 82, labels={"a": "2"}), more="&force=true"),
        Ask("PATCH", f"{POLICIES}/c", {"metadata": {"labels": {"z": "1", "a": None}}}, "fieldManager=two", MERGE),
        Ask("DELETE", f"{POLICIES}/c"),
    ],
    "apply without what the server fills in": [
        apply("d", policy("d") | {"spec": {"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]}}),
        apply("d", policy("d") | {"spec": {"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]}}),
        apply("d", policy("d") | {"spec": {"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]}}, "two"),
        Ask("DELETE", f"{POLICIES}/d"),
        Ask("POST", POLICIES, with_ingress("d", {"ports": [{"port": 80}]}), "fieldManager=kubectl-create"),
        apply("d", with_ingress("d", {"ports": [{"port": 80}]})),
        Ask("DELETE", f"{POLICIES}/d"),
    ],
    "apply that is refused": [
        Ask("PATCH", f"{POLICIES}/r", policy("r"), "", APPLY),
        apply("r", policy("other")),
        apply("r", policy("r", managedFields=[])),
        apply("r", policy("r", uid="00000000-0000-0000-0000-000000000000")),
        apply("r", policy("r", resourceVersion="1")),
        apply("r", policy("r", namespace="default")),
        apply("r", policy("r", 0)),
        apply("r", policy("r") | {"spec": {"podSelector": {}, "surprise": 1}}, more="&fieldValidation=Strict"),
    ],
    "fields that there are not": [
        Ask("POST", POLICIES, policy("f") | {"spec": {"podSelector": {}, "surprise": 1}}, "fieldValidation=Strict"),
        Ask("POST", POLICIES, with_ingress("f", {"form": []}), "fieldValidation=Strict"),
        Ask("POST", POLICIES, policy("f") | {"spec": {"podSelector": {}, "surprise": 1}},
            "fieldValidation=Ignore&dryRun=All&fieldManager=one"),
    ],
    "policies that are invalid": [
        Ask("POST", POLICIES, policy("i", 0)),
        Ask("POST", POLICIES, policy("i", 65536)),
        Ask("POST", POLICIES, with_ingress("i", {"ports": [{"port": 0}, {"port": 99999, "protocol": "SCTP"}]})),
        Ask("POST", POLICIES, with_ingress("i", {"from": [{}]})),
        Ask("POST", POLICIES, with_ingress("i", {"from": [{"ipBlock": {"cidr": "10.0.0.0/33"}}]})),
        Ask("POST", POLICIES, with_ingress("i", {"ports": [{"port": 80, "protocol": "ICMP"}]})),
        Ask("POST", POLICIES, policy("Bad_Name")),
    ],
    "bodies that are none": [
        Ask("POST", POLICIES, policy("b") | {"kind": "Deployment"}),
        Ask("POST", POLICIES, policy("b", namespace="default")),
    ],
    "lists in pages": [
        *(Ask("POST", f"{CORE}/configmaps", config(f"c{n}", part="odd" if n % 2 else "even"), only=("kind",))
          for n in range(5)),
        Ask("GET", f"{CORE}/configmaps", query="limit=2&labelSelector=part",
            only=("metadata", "items.0.metadata.name")),
        Ask("GET", f"{CORE}/configmaps", query="limit=2&labelSelector=part&continue={last:metadata.continue}",
            only=("metadata", "items.0.metadata.name")),
        Ask("GET", f"{CORE}/configmaps", query="limit=2&labelSelector=part&continue={last:metadata.continue}",
            only=("metadata", "items.0.metadata.name", "items.1")),
        Ask("GET", f"{CORE}/configmaps", query="labelSelector=part in (odd),part!=x",
            only=("kind", "items.1.metadata.name", "items.2", "items.0.kind")),
        Ask("GET", f"{CORE}/configmaps", query="labelSelector=!part&fieldSelector=metadata.name=c0", only=("items",)),
        Ask("GET", f"{CORE}/configmaps", query="limit=2&continue=nonsense"),
        Ask("GET", f"{CORE}/configmaps", query="labelSelector=a b"),
        Ask("DELETE", f"{CORE}/configmaps", query="labelSelector=part=odd", only=("kind", "items.0.metadata.name")),
        Ask("GET", f"{CORE}/configmaps", query="labelSelector=part", only=("kind", "items.2.metadata.name", "items.3")),
        Ask("DELETE", f"{CORE}/configmaps", query="labelSelector=part", only=("kind",)),
    ],
    "of one version, of one object": [
        Ask("POST", POLICIES, policy("v"), "fieldManager=one"),
        Ask("DELETE", f"{POLICIES}/v", {"preconditions": {"uid": "00000000-0000-0000-0000-000000000000"}}),
        Ask("PATCH", f"{POLICIES}/v", {"metadata": {"resourceVersion": "1", "labels": {"a": "b"}}}, content=MERGE),
        Ask("PUT", f"{POLICIES}/v", policy("v", 81, resourceVersion="1")),
        Ask("GET", f"{POLICIES}/v"),
        Ask("PUT", f"{POLICIES}/v", policy("v", 81, resourceVersion="{last:metadata.resourceVersion}"),
            "fieldManager=one"),
        Ask("DELETE", f"{POLICIES}/v", {"preconditions": {"uid": "{last:metadata.uid}"}}),
    ],
    "pods": [
        Ask("POST", f"{CORE}/pods", _POD, only=HEAD),
        Ask("POST", f"{CORE}/pods", _POD),
        Ask("PATCH", f"{CORE}/pods/p/status", {"status": {"phase": "Running", "podIP": "10.1.2.3"}}, content=MERGE,
            only=(*HEAD, "status.phase", "status.podIP")),
        Ask("GET", f"{CORE}/pods", query="fieldSelector=status.phase=Running", only=("kind", "items.0.metadata.name")),
        Ask("DELETE", f"{CORE}/pods/p", {"gracePeriodSeconds": 0}, only=HEAD),
        Ask("GET", f"{CORE}/pods/p"),
    ],
    "without rights": [
        Ask("GET", "/api/v1/pods", who=STRANGER),
        Ask("GET", f"{CORE}/pods", who=STRANGER),
        Ask("GET", f"{CORE}/pods/p/log", who=STRANGER),
        Ask("GET", f"{POLICIES}/a", who=STRANGER),
        Ask("POST", POLICIES, policy("a"), who=STRANGER),
        apply("a", policy("a"), who=STRANGER),
        Ask("GET", CORE, who=STRANGER),
        Ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
             "spec": {"resourceAttributes": {"verb": "list", "resource": "pods"}}}, who=STRANGER,
            only=("kind", "spec", "status.allowed")),
    ],
    "what there is": [
        Ask("GET", "/api", only=("kind", "versions")),
        Ask("GET", "/apis", only=("kind", "apiVersion")),
        Ask("GET", "/apis", accept=AT_ONCE, only=("kind", "apiVersion")),
        Ask("GET", "/apis/networking.k8s.io/v1", only=("kind", "apiVersion", "groupVersion")),
    ],
    "namespaces": [
        Ask("POST", "/api/v1/namespaces", {"metadata": {"name": "contract-two"}}, only=(*HEAD, "spec", "status")),
        Ask("POST", "/api/v1/namespaces", {"metadata": {"name": "contract-two"}}),
        Ask("DELETE", "/api/v1/namespaces/contract-two", only=(*HEAD, "status.phase")),
    ],
}  # fmt: skip


def answers(send: Send) -> dict[str, list[Any]]:
    """What *send* gives for every case, without what differs each time; the namespace of the contract is made first."""
    send(Ask("POST", "/api/v1/namespaces"), json.dumps({"metadata": {"name": SPACE}}).encode())
    return {name: list(_case(send, asks)) for name, asks in CASES.items()}


def _case(send: Send, asks: list[Ask]) -> Iterator[Any]:
    last: Any = {}
    seen: dict[str, str] = {}
    for ask in asks:
        query = _filled(ask.query, last)
        body = None if ask.body is None else _filled(json.dumps(ask.body), last).encode()
        got = send(Ask(ask.method, ask.path, None, query, ask.content, ask.accept, (), ask.who), body)
        try:
            found = json.loads(got.body)
        except ValueError:
            found = got.body.decode()
        last = found if isinstance(found, dict) else {}
        parts = {path: _at(found, path) for path in ask.only} if ask.only and got.status < 300 else found
        yield {"status": got.status, "type": got.content.split(";")[0], "body": _plain(parts, seen)}


def _filled(text: str, last: Any) -> str:
    while "{last:" in text:
        before, _, rest = text.partition("{last:")
        path, _, after = rest.partition("}")
        text = f"{before}{_at(last, path)}{after}"
    return text


def _at(value: Any, path: str) -> Any:
    for part in path.split("."):
        if isinstance(value, list):
            value = value[int(part)] if int(part) < len(value) else None
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value


_IN_WORDS: Final = re.compile(r"(UID in object meta:|UID in record|continue key is not valid:) (\([^)]*\)|.*)")
"""What differs each time in sentences."""
_EACH_TIME: Final = {
    "uid": "UID", "creationTimestamp": "TIME", "time": "TIME", "deletionTimestamp": "TIME", "continue": "TOKEN",
}  # fmt: skip


def _plain(value: Any, seen: dict[str, str]) -> Any:
    """*value* with words for what differs each time; versions are numbered, so that the same stays the same."""
    if isinstance(value, list):
        return [_plain(inner, seen) for inner in value]
    if not isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for key, inner in sorted(value.items()):
        if key == "resourceVersion" and isinstance(inner, str):
            found[key] = seen.setdefault(inner, f"V{len(seen) + 1}")
        elif key in _EACH_TIME and isinstance(inner, str) and inner:
            found[key] = _EACH_TIME[key]
        elif key == "message" and isinstance(inner, str):
            found[key] = _IN_WORDS.sub(r"\1 …", inner)
        else:
            found[key] = _plain(inner, seen)
    if isinstance(found.get("managedFields"), list):
        found["managedFields"].sort(key=lambda one: (one.get("manager", ""), one.get("operation", "")))
    return found


def by_server(admin: Any, stranger: Any) -> Send:
    """Sends through two servers as :func:`ringfence.live.server.connecting.connect` makes them."""

    def send(ask: Ask, body: bytes | None) -> Got:
        from urllib.parse import quote

        headers = {"Accept": ask.accept, "User-Agent": "contract"} | ({"Content-Type": ask.content} if body else {})
        path = f"{ask.path}?{quote(ask.query, safe='=&!,()')}" if ask.query else ask.path
        server = stranger if ask.who else admin
        reply = server.transport(ask.method, path, headers, body)
        return Got(reply.status, reply.headers.get("content-type", ""), reply.body)

    return send


if __name__ == "__main__":
    from ringfence.live.server.connecting import connect

    made = answers(by_server(connect(sys.argv[1]), connect(sys.argv[2])))
    RECORDED.write_text(json.dumps(made, indent=1, sort_keys=True) + "\n")
