"""A pretend cluster behind the fake API server: Deployments become pods, and clients log what policies let through.

Time passes only when somebody sleeps. What the pods log follows from the NetworkPolicies that the server has, by a few
plain lines of its own, so that the policies which were written are part of what is tested.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from fakeapi import FakeApi

Json = dict[str, Any]


@dataclass
class Simulated:
    """``directions`` are what the plugin enforces, ``delay`` its seconds. ``answer`` may overrule every result.

    ``nodes`` are the names of those that pods may be on. ``events`` happen when their time has come.
    """

    api: FakeApi
    directions: tuple[str, ...] = ("Ingress", "Egress")
    delay: float = 0.0
    denied: str = "silent"
    families: tuple[str, ...] = ("10.244.0.{}",)
    nodes: tuple[str, ...] = ("node-1", "node-2")
    answer: Callable[[str, str, int, str], str] = lambda client, server, port, result: result
    now: float = 0.0
    starts: bool = True
    events: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.count = 0
        self.logs: dict[tuple[str, str], str] = {}
        self.tries: dict[tuple[str, str, int], int] = {}
        self.history: list[tuple[float, list[Json]]] = []
        self.api.store.hooks.append(self._hook)
        for name in self.nodes:
            self.api.add(node(name))

    # -- time -------------------------------------------------------------------------------------------------------

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + 1.0)
            for event in [one for one in self.events if one[0] <= self.now]:
                self.events.remove(event)
                event[1]()
            self._tick()

    # -- what a cluster does ----------------------------------------------------------------------------------------

    def _hook(self, event: str, body: Json) -> None:
        if body["kind"] == "NetworkPolicy":
            self.history.append((self.now, copy.deepcopy(self.api.objects("NetworkPolicy"))))
        if body["kind"] == "Deployment" and event == "created" and self.starts:
            self._start(body)

    def _start(self, deployment: Json) -> None:
        template, metadata = deployment["spec"]["template"], deployment["metadata"]
        self.count += 1
        addresses = [form.format(self.count) for form in self.families]
        terms = (
            template["spec"].get("affinity", {}).get("nodeAffinity", {})
            .get("requiredDuringSchedulingIgnoredDuringExecution", {}).get("nodeSelectorTerms", [])
        )  # fmt: skip
        wanted = [value for term in terms for one in term["matchFields"] for value in one["values"]]
        name = f"{metadata['name']}-7d9f-{self.count:05x}"
        self.api.add({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "name": name, "namespace": metadata["namespace"], "labels": template["metadata"]["labels"],
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": metadata["name"],
                                     "uid": metadata["uid"], "controller": True}],
            },
            "spec": {**template["spec"], "nodeName": (wanted or list(self.nodes))[0]},
            "status": {"phase": "Running", "podIP": addresses[0], "podIPs": [{"ip": one} for one in addresses],
                       "containerStatuses": [{"name": "canary", "restartCount": 0, "state": {"running": {}}}]},
        })  # fmt: skip

    def _tick(self) -> None:
        pods = [pod for pod in self.api.objects("Pod") if "ringfence.dev/role" in (pod["metadata"].get("labels") or {})]
        by_address = {one["ip"]: pod for pod in pods for one in pod["status"]["podIPs"]}
        for pod in pods:
            command = pod["spec"]["containers"][0]["command"]
            if command[3] != "client":
                continue
            key = (pod["metadata"]["namespace"], pod["metadata"]["name"])
            for target in command[4:]:
                address, _, port = target.rpartition(",")
                number = self.tries[key[1], address, int(port)] = self.tries.get((key[1], address, int(port)), 0) + 1
                result = self._result(pod, by_address.get(address), int(port))
                self.logs[key] = self.logs.get(key, "") + f"{number} {address} {port} {result}\n"
            self.api.logs[(*key, "")] = self.logs[key]

    def _result(self, client: Json, server: Json | None, port: int) -> str:
        if server is None:
            return "silent"
        roles = [one["metadata"]["labels"]["ringfence.dev/role"] for one in (client, server)]
        served = [int(word) for word in server["spec"]["containers"][0]["command"][4:]]
        if port not in served:
            return "refused"
        policies = self._standing()
        allowed = all(
            way not in self.directions or _allows(policies, way, subject, peer, port)
            for way, subject, peer in (("Ingress", server, client), ("Egress", client, server))
        )
        return self.answer(roles[0], roles[1], port, "open" if allowed else self.denied)

    def _standing(self) -> list[Json]:
        """The policies as the plugin has them: those of ``delay`` seconds ago."""
        then = [policies for at, policies in self.history if at + self.delay < self.now]
        return then[-1] if then else []


def _allows(policies: Iterable[Json], way: str, subject: Json, peer: Json, port: int) -> bool:
    selecting = [
        one for one in policies
        if one["metadata"]["namespace"] == subject["metadata"]["namespace"]
        and way in one["spec"]["policyTypes"] and _selects(one["spec"]["podSelector"], subject)
    ]  # fmt: skip
    if not selecting:
        return True
    ends = "from" if way == "Ingress" else "to"
    return any(
        any(_selects(end["podSelector"], peer) for end in rule.get(ends, ()))
        and any(one["port"] == port for one in rule["ports"])
        for one in selecting
        for rule in one["spec"].get(way.lower(), ())
    )


def _selects(selector: Json, pod: Json) -> bool:
    labels = pod["metadata"]["labels"]
    wanted = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        one["operator"] == "In" and labels.get(one["key"]) in one["values"]
        for one in selector.get("matchExpressions") or ()
    )


def node(name: str, **more: Any) -> Json:
    """A node that takes pods."""
    metadata = {"name": name, "labels": {"kubernetes.io/os": "linux", **more.pop("labels", {})}}
    return {
        "apiVersion": "v1", "kind": "Node", "metadata": metadata | more.pop("metadata", {}),
        "spec": more.pop("spec", {}),
        "status": {
            "conditions": [{"type": "Ready", "status": more.pop("ready", "True")}],
            "nodeInfo": {"kubeletVersion": more.pop("kubelet", "v1.34.0"), "operatingSystem": "linux"},
        },
    }  # fmt: skip


def daemonset(name: str, image: str, namespace: str = "kube-system", **more: Any) -> Json:
    """A DaemonSet with a container for each image of *image*, which may be several behind commas."""
    containers = [
        {"name": f"c{number}", "image": one, **({"args": more["args"]} if "args" in more and not number else {})}
        for number, one in enumerate(image.split(","))
    ]
    if "env" in more:
        containers[0]["env"] = more["env"]
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {"name": name, "namespace": namespace, "labels": more.get("labels", {})},
        "spec": {"selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels},
            "spec": {"containers": containers, "serviceAccountName": more.get("account", name)},
        }},
    }  # fmt: skip


def ready_pod(of: Json, on: str) -> Json:
    """A pod of a DaemonSet, ready on a node."""
    metadata = of["metadata"]
    return {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": f"{metadata['name']}-{on}", "namespace": metadata["namespace"],
                     "labels": of["spec"]["template"]["metadata"]["labels"]},
        "spec": {"nodeName": on, "containers": []},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }  # fmt: skip
