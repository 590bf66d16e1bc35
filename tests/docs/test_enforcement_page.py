"""The page about enforcement: its commands are run on pretend clusters, and print what the page shows."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from conftest import ROOT, Result, Run
from fakeapi import FakeApi
from live.simulated import Simulated, daemonset, node, ready_pod

from ringfence.cli import asking, cluster, doctor
from ringfence.live.server.server import Server

PAGE: Final = ROOT / "docs" / "how-to" / "check-enforcement.md"
SHOWN: Final = re.compile(r"```sh\n(ringfence doctor[^\n]*)\n```\n\n```text\n(.*?)```", re.DOTALL)
"""A command, and what it prints."""
COMMAND: Final = re.compile(r"^ringfence doctor[^\n]*$", re.MULTILINE)
CALICO: Final = daemonset("calico-node", "docker.io/calico/node:v3.30.0", "calico-system",
                          labels={"k8s-app": "calico-node"})  # fmt: skip


def dev(api: FakeApi) -> Simulated:
    """Two nodes with Calico."""
    api.version |= {"gitVersion": "v1.34.2"}
    sim = Simulated(api, nodes=("worker-1", "worker-2"), delay=1.0)
    api.add(CALICO, *(ready_pod(CALICO, name) for name in sim.nodes))
    api.add(
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "kube-dns", "namespace": "kube-system"},
         "spec": {"clusterIP": "10.96.0.10", "selector": {"k8s-app": "kube-dns"}, "ports": [{"port": 53}]}},
        {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
         "metadata": {"name": "kube-dns-x", "namespace": "kube-system",
                      "labels": {"kubernetes.io/service-name": "kube-dns"}},
         "ports": [{"port": 53, "protocol": "UDP", "name": "dns"}, {"port": 53, "protocol": "TCP", "name": "tcp"}],
         "endpoints": [{"targetRef": {"kind": "Pod", "name": "coredns-6f9c", "namespace": "kube-system"}}]},
    )  # fmt: skip
    return sim


def minikube(api: FakeApi) -> Simulated:
    """One node, and a bridge."""
    api.version |= {"gitVersion": "v1.34.0"}
    sim = Simulated(api, nodes=(), directions=())
    sim.nodes = ("minikube",)
    api.add(node("minikube", labels={"minikube.k8s.io/name": "minikube"}))
    return sim


def on_its_cluster(command: str, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Result:
    """What *command* does on the cluster that it names; a person who is asked agrees."""
    words = shlex.split(command)[1:]
    with FakeApi() as api:
        name = words[words.index("--context") + 1] if "--context" in words else "dev"
        sim = {"dev": dev, "minikube": minikube}[name](api)
        api.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "sandbox"}})
        config = tmp_path / "config"
        config.write_text(json.dumps(api.login()).replace('"fake"', f'"{name}"'))
        connected: Callable[[Any], Server] = cluster.connected

        def slept(args: Any) -> Server:
            server = connected(args)
            server.sleep = sim.sleep
            return server

        with monkeypatch.context() as patched:
            patched.setattr(cluster, "connected", slept)
            patched.setattr(doctor, "CLOCK", sim.clock)
            patched.setattr(asking, "is_terminal", lambda _: True)
            patched.setenv("KUBECONFIG", str(config))
            return run(*words, stdin=b"y\n")


def test_the_page_shows_what_is_printed(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    text = PAGE.read_text()

    def again(match: re.Match[str]) -> str:
        printed = on_its_cluster(match[1], run, monkeypatch, tmp_path).out
        return f"```sh\n{match[1]}\n```\n\n```text\n{printed}```"

    printed = SHOWN.sub(again, text)
    if request.config.getoption("--golden"):
        PAGE.write_text(printed)
    assert len(SHOWN.findall(text)) == 3
    assert printed == PAGE.read_text()


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("ringfence doctor --context dev", 0), ("ringfence doctor --yes --context minikube", 1),
        ("ringfence doctor --yes --wait 5m", 0), ("ringfence doctor --dry-run", 0), ("ringfence doctor -n sandbox", 0),
        ("ringfence doctor --no-canary", 3),
    ],
)  # fmt: skip
def test_every_command_of_the_page_runs(
    command: str, status: int, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert command in COMMAND.findall(PAGE.read_text())
    assert on_its_cluster(command, run, monkeypatch, tmp_path).status == status


def test_no_command_of_the_page_is_forgotten() -> None:
    assert len(COMMAND.findall(PAGE.read_text())) == 6
