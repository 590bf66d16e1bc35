"""A cluster whose pods come to life in the fake API server: what twins write is what its network plugin would do.

The reference engine says what is let through, on the objects that the server has then, twins among them; *plugin* may
ignore part of that, as a fault that a probe has to find.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import msgspec
from fakeapi import FakeApi

from ringfence.engine.reference.semantics import decide
from ringfence.manifests import load
from ringfence.manifests.text.files import Answer
from ringfence.model.cluster import Cluster
from ringfence.model.flows import Flow, Verdict
from ringfence.model.objects import Pod
from ringfence.model.policies import Direction, Policy

BEGAN = 1_700_000_000
Json = dict[str, Any]


def as_written(policies: Sequence[Policy]) -> list[Policy]:
    """A plugin that enforces everything."""
    return list(policies)


def without_egress(policies: Sequence[Policy]) -> list[Policy]:
    """A plugin that never looks at egress."""
    return [replace(one, directions=one.directions - {Direction.EGRESS}) for one in policies]


def nothing(policies: Sequence[Policy]) -> list[Policy]:
    """No plugin."""
    return []


class Simulated:
    """``api`` with pods that run, and listen to the ports that they declare. *denial* is what a client sees of a
    denial; *lost* are ways on which nothing gets through, by the nodes at their ends.

    ``deaf`` are addresses where nobody listens to anything, ``stuck`` those that answer nobody, ``listening`` ports
    that pods listen to though they do not declare them. ``moods`` are how an address answers what gets through to it,
    round after round.
    """

    def __init__(
        self, api: FakeApi, plugin: Callable[[Sequence[Policy]], list[Policy]] = as_written, *,
        denial: str = "silent", lost: frozenset[tuple[str, str]] = frozenset(), udp: bool = True,
    ) -> None:  # fmt: skip
        self.api, self.plugin, self.denial, self.lost, self.udp = api, plugin, denial, lost, udp
        self.deaf: set[str] = set()
        self.stuck: set[str] = set()
        self.listening: set[tuple[str, int]] = set()
        self.moods: dict[str, Sequence[str]] = {}
        self.created: list[Json] = []
        api.store.hooks.append(self._note)
        api.start_pods(self.log)

    def _note(self, event: str, body: Json) -> None:
        if event == "created" and body["kind"] in ("Pod", "ConfigMap"):
            self.created.append(body)
        if event == "created" and body["kind"] == "Pod" and "nodeName" not in body["spec"]:
            (term,) = body["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][
                "nodeSelectorTerms"
            ]
            (node,) = term["matchFields"][0]["values"]
            self.api.add({**body, "spec": {**body["spec"], "nodeName": node}})

    @property
    def twins(self) -> list[Json]:
        """Every twin that was ever made, as the server took it."""
        return [one for one in self.created if one["kind"] == "Pod" and one["metadata"]["name"].startswith("rfprobe-")]

    def cluster(self) -> Cluster:
        """The objects of the server as a cluster."""
        kinds = ("Pod", "NetworkPolicy", "Namespace", "Service")
        items = [one for kind in kinds for one in self.api.objects(kind)]
        body = msgspec.json.encode({"apiVersion": "v1", "kind": "List", "items": items})
        found = load([], given=[Answer("cluster/all", body)])
        return replace(found, policies=tuple(self.plugin(found.policies)))

    def log(self, pod: Json) -> str:
        """What the twin *pod* writes."""
        command = pod["spec"]["containers"][0].get("command") or []
        if command[:2] != ["sh", "-c"] or command[3] != "twin":
            return ""
        words = command[4:]
        lines = [f"rf1 start {BEGAN} busybox {'udp' if self.udp else 'no-udp'}"]
        for word in words:
            what, _, rest = word.partition(",")
            if what == "listen":
                protocol, port = rest.split(",")
                heard = "open" if protocol == "TCP" or self.udp else "error"
                lines.append(f"rf1 self {protocol} {port} {heard} there it is")
        tries = [word.partition(",")[2].split(",") for word in words if word.startswith("try,")]
        if tries:
            cluster = self.cluster()
            by_name = {(one.namespace, one.name): one for one in cluster.pods}
            by_address = {str(ip): one for one in cluster.pods for ip in one.ips}
            src = by_name[pod["metadata"]["namespace"], pod["metadata"]["name"]]
            for round, second in enumerate((0, 2, 6, 7, 8), 1):
                for number, protocol, address, port, _ in tries:
                    dst = by_address.get(address)
                    outcome = self.outcome(cluster, src, dst, protocol, int(port))
                    if outcome == "open" and dst is not None:
                        outcome = self.answer(address, dst, protocol, int(port))
                        if outcome == "open" and address in self.moods:
                            outcome = self.moods[address][round - 1]
                    lines.append(f"rf1 try {round} {number} {outcome} {BEGAN + second} said nc")
        return "\n".join(lines) + "\n"

    def answer(self, address: str, dst: Pod, protocol: str, port: int) -> str:
        """What the pod at *address* makes of what gets through to it; twins always listen."""
        if dst.name.startswith("rfprobe-"):
            return "open"
        if address in self.stuck:
            return "silent"
        declared = {(one.protocol, one.number) for one in dst.ports} | {
            ("TCP", n) for a, n in self.listening if a == address
        }
        return "open" if (protocol, port) in declared and address not in self.deaf else "refused"

    def outcome(self, cluster: Cluster, src: Pod, dst: Pod | None, protocol: str, port: int) -> str:
        """How an attempt ends."""
        if protocol == "UDP" and not self.udp:
            return "error"
        if dst is None or (src.node, dst.node) in self.lost:
            return "silent"
        verdict = decide(cluster, Flow(src, dst, protocol, port), explain=False).verdict
        return "open" if verdict is Verdict.ALLOWED else self.denial


def pod(
    namespace: str, name: str, labels: dict[str, str], *, node: str = "node-1", ip: str = "",
    ports: Sequence[Json] = (), owner: str = "", **spec: Any,
) -> Json:  # fmt: skip
    """A pod that runs, as a server has it."""
    metadata: Json = {"name": name, "namespace": namespace, "labels": labels}
    if owner:
        metadata["ownerReferences"] = [{
            "apiVersion": "apps/v1", "kind": "StatefulSet", "name": owner, "uid": "1", "controller": True,
        }]  # fmt: skip
    status: Json = {"phase": "Running", "podIP": ip, "podIPs": [{"ip": ip}],
                    "conditions": [{"type": "Ready", "status": "True"}]}  # fmt: skip
    container: Json = {"name": "app", "image": "app"}
    if ports:
        container["ports"] = list(ports)
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": metadata,
        "spec": {"nodeName": node, "serviceAccountName": "app", "containers": [container], **spec}, "status": status,
    }  # fmt: skip


def policy(namespace: str, name: str, selects: dict[str, str], **spec: Any) -> Json:
    """A NetworkPolicy of *spec*."""
    body = {"podSelector": {"matchLabels": selects}, **spec}
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": body}


def budget(name: str) -> Json:
    """What keeps pods of the shop with that label from being too few."""
    return {
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name, "namespace": "shop"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": name}}},
    }  # fmt: skip


def peers(name: str, port: int) -> Json:
    """A Service that publishes pods of the shop with that label before they are ready."""
    return {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "peers", "namespace": "shop"},
        "spec": {"selector": {"app": name}, "clusterIP": "None", "publishNotReadyAddresses": True,
                 "ports": [{"port": port}]},
    }  # fmt: skip


def shop() -> list[Json]:
    """A shop of three workloads on two nodes: web may reach api on http, api may reach db, nobody else may."""
    http = [{"name": "http", "containerPort": 8080}]
    sql = [{"name": "sql", "containerPort": 5432}]
    web, api, db = ({"app": name, "pod-template-hash": "5d4f8c7b9"} for name in ("web", "api", "db"))
    return [
        pod("shop", "web-1", web, ip="10.1.0.1"),
        pod("shop", "web-2", web, node="node-2", ip="10.1.1.1"),
        pod("shop", "api-1", api, node="node-2", ip="10.1.1.2", ports=http),
        pod("shop", "api-2", api, ip="10.1.0.2", ports=http),
        pod("shop", "db-1", db, ip="10.1.0.3", ports=sql),
        pod("tools", "shell", {"app": "shell"}, node="node-2", ip="10.1.1.9"),
        policy("shop", "api", {"app": "api"}, policyTypes=["Ingress"],
               ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "web"}}}], "ports": [{"port": "http"}]}]),
        policy("shop", "db", {"app": "db"}, policyTypes=["Ingress", "Egress"],
               ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "api"}}}], "ports": [{"port": 5432}]}]),
        policy("shop", "web", {"app": "web"}, policyTypes=["Egress"],
               egress=[{"to": [{"podSelector": {"matchLabels": {"app": "api"}}}]}]),
    ]  # fmt: skip
