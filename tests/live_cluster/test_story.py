"""The whole story on a whole cluster: doctor, infer, generate, apply, probe, a mistake that is undone, cleanup.

Collected only with ``RINGFENCE_LIVE=1``. What it makes is in namespaces of its own, and removed behind it. The image of
all pods is ``RINGFENCE_IMAGE``, busybox where nothing is said; it has to be one that the cluster can get.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from conftest import ROOT, Result, Run
from exposition import numbers

from live_cluster import objects
from live_cluster.accounts import accounts
from live_cluster.conftest import whole_kubeconfig
from ringfence.live.cleanup import leftovers
from ringfence.live.runs import new_id
from ringfence.live.server.connecting import connect
from ringfence.live.server.resources import NAMESPACES, NETWORK_POLICIES, PODS
from ringfence.live.server.server import Server

IMAGE: Final = os.environ.get("RINGFENCE_IMAGE", "busybox")
STARTING: Final = 120.0
"""Seconds until all pods of the application must be ready."""


@dataclass(frozen=True)
class Shop:
    """The application, where it runs, and whom to ask."""

    shop: str
    data: str
    server: Server
    kubeconfig: Path
    folder: Path

    def policies(self) -> dict[str, Any]:
        """What every policy of the application says."""
        found = [one for space in (self.shop, self.data) for one in self.server.list(NETWORK_POLICIES, space)]
        return {f"{one['metadata']['namespace']}/{one['metadata']['name']}": one["spec"] for one in found}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The application, running."""
    kubeconfig = whole_kubeconfig()
    server, one = connect(str(kubeconfig)), new_id()
    made = Shop(f"rf-shop-{one}", f"rf-data-{one}", server, kubeconfig, tmp_path_factory.mktemp("story"))
    text = (ROOT / "tests" / "live_cluster" / "shop.yaml").read_text()
    for word, value in (("<shop>", made.shop), ("<data>", made.data), ("<image>", IMAGE)):
        text = text.replace(word, value)
    (made.folder / "shop.yaml").write_text(text)
    try:
        objects.put(server, objects.of(made.folder / "shop.yaml"))
        _wait(made)
        yield made
    finally:
        for space in (made.shop, made.data):
            server.delete(NAMESPACES, space)


def _wait(shop: Shop) -> None:
    end = time.monotonic() + STARTING
    while time.monotonic() < end:
        pods = [one for space in (shop.shop, shop.data) for one in shop.server.list(PODS, space)]
        ready = [one for one in pods if any(c["type"] == "Ready" and c["status"] == "True"
                                            for c in one.get("status", {}).get("conditions", ()))]  # fmt: skip
        if len(ready) == len(pods) == 4:
            return
        time.sleep(0.5)
    pytest.fail(f"the application does not run: {[one.get('status', {}).get('containerStatuses') for one in pods]}")


@pytest.fixture
def ask(run: Run, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line, on this cluster; a journal of its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(shop.folder / "state"))
    return lambda *words, **more: run(*words, "--kubeconfig", str(shop.kubeconfig), **more)


def _profile(result: Result) -> str:
    """The profile that the doctor found, as an option's value."""
    return str(json.loads(result.out).get("profile") or "kubernetes")


def test_the_whole_story(ask: Run, shop: Shop) -> None:
    # Does it enforce at all?
    told = ask("doctor", "--yes", "--format", "json", "--image", IMAGE)
    assert told.status == 0, told.err + told.out
    assert json.loads(told.out)["state"] == "enforced"
    profile = ("--profile", _profile(told))

    # A draft of the intents, from the cluster alone; of all its arrows those of the application.
    draft = ask("infer", "--live", "-q")
    assert draft.status == 0, draft.err
    arrows = [arrow for arrow in yaml.safe_load(draft.out)["spec"]["allow"] if arrow.startswith(f"{shop.shop}/")]
    assert sorted(arrows) == [
        f"{shop.shop}/api -> {shop.data}/postgres:5432",
        f"{shop.shop}/web -> {shop.shop}/svc/api:80",
    ]
    intents = shop.folder / "intents.yaml"
    intents.write_text(json.dumps({
        "apiVersion": "ringfence.dev/v1alpha1", "kind": "Intents", "metadata": {"name": "shop"},
        "spec": {"protect": [shop.shop, shop.data], "allow": arrows,
                 "deny": [f"{shop.shop}/web -x {shop.data}/postgres:5432"]},
    }))  # fmt: skip

    # Before there is a policy, what must never be is possible.
    before = ask("check", "--live", str(intents))
    assert before.status == 1, before.out

    # Policies, put in place with the wanted connections tried before and after.
    policies = shop.folder / "policies"
    made = ask("generate", "--live", str(intents), "-o", f"{policies}/", "-q")
    assert made.status == 0, made.err
    applied = ask("apply", str(policies), "--intents", str(intents), "--yes", "--image", IMAGE, *profile)
    assert applied.status == 0, applied.err + applied.out
    assert ask("check", "--live", str(intents)).status == 0
    good = shop.policies()
    assert good

    # For real: what is wanted goes through, what is forbidden does not.
    probed = ask("probe", "--intents", str(intents), "--yes", "--image", IMAGE, "--format", "json", *profile)
    assert probed.status == 0, probed.err + probed.out
    cells = json.loads(probed.out)["cells"]
    assert {cell["wanted"] for cell in cells if cell["agreement"] == "agrees"} == {"allowed", "denied"}
    assert not [cell for cell in cells if cell["wrong"]]
    reached = [cell for cell in cells if cell["wanted"] == "allowed"]
    assert {cell["target"] for cell in reached if cell["protocol"] == "TCP"} == {"pod"}
    assert {cell["target"] for cell in reached if cell["protocol"] == "UDP"} <= {"twin"}

    # A mistake: the port of the database is mistyped. It is noticed by a connection that worked before, and undone.
    for path in policies.iterdir():
        path.write_text(path.read_text().replace("port: 5432", "port: 5433"))
    broken = ask("apply", str(policies), "--intents", str(intents), "--yes", "--image", IMAGE, *profile)
    assert broken.status == 1, broken.err + broken.out
    assert "5432" in broken.out + broken.err
    assert shop.policies() == good
    again = ask("probe", f"{shop.shop}/api -> {shop.data}/postgres:5432", "--yes", "--image", IMAGE, *profile)
    assert again.status == 0, again.err + again.out

    # Nothing is left of all that but the policies.
    assert [one for one in leftovers(shop.server).left if one.namespace in (shop.shop, shop.data)] == []
    cleaned = ask("cleanup", "--dry-run")
    assert shop.shop not in cleaned.out


@pytest.fixture
def pair(shop: Shop) -> Iterator[str]:
    """A namespace without policies: a pod that calls, one that listens, and one that says so and does not."""
    name = f"rf-pair-{new_id()}"
    listens = {"calls": "sleep 86400", "deaf": "sleep 86400",
               "hears": "while :; do nc -lk -p 7777 -e echo served || nc -l -p 7777 -e echo served; done"}  # fmt: skip
    try:
        objects.put(shop.server, [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}},
            *(_pod(name, pod, command) for pod, command in listens.items()),
        ])  # fmt: skip
        end = time.monotonic() + STARTING
        while time.monotonic() < end and any(_phase(one) != "Running" for one in shop.server.list(PODS, name)):
            time.sleep(0.5)
        yield name
    finally:
        shop.server.delete(NAMESPACES, name)


def _pod(namespace: str, name: str, command: str) -> dict[str, Any]:
    container = {"name": "app", "image": IMAGE, "imagePullPolicy": "IfNotPresent", "command": ["sh", "-c", command],
                 "ports": [{"containerPort": 7777}]}  # fmt: skip
    metadata = {"name": name, "namespace": namespace, "labels": {"app": name}}
    spec = {"terminationGracePeriodSeconds": 0, "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _phase(pod: dict[str, Any]) -> str:
    return str((pod.get("status") or {}).get("phase"))


def test_a_twin_listens_only_where_the_pods_own_port_is_of_no_use(ask: Run, pair: str) -> None:
    told = {}
    for end in ("hears", "deaf"):
        words = (f"{pair}/calls -> {pair}/{end}:7777", "--yes", "--image", IMAGE, "--format", "json")
        result = ask("probe", *words)
        assert result.status == 0, result.err + result.out
        (cell,) = json.loads(result.out)["cells"]
        told[end] = (cell["measured"], cell["target"], cell.get("listener", ""))
    assert told == {
        "hears": ("allowed", "pod", ""),
        "deaf": ("allowed", "twin", "the pod's own port refused: nobody listens there, or it was rejected on the way"),
    }


def test_the_roles_are_enough_to_measure(ask: Run, run: Run, shop: Shop, tmp_path: Path) -> None:
    """Doctor and probe, each with the role that ``rbac`` prints and nothing else."""
    with accounts(shop.server, shop.kubeconfig, shop.shop, tmp_path) as somebody:
        for verb, words in (
            ("doctor", ("--yes", "--format", "prometheus")),
            ("probe", (f"{shop.shop}/api -> {shop.data}/postgres:5432", "--yes", "--format", "prometheus")),
        ):
            (role,) = (one for one in yaml.safe_load_all(run("rbac", verb).out) if one["kind"] == "ClusterRole")
            config = str(somebody.with_rules(role["rules"]))
            result = run(verb, *words, "--image", IMAGE, "--kubeconfig", config)
            assert result.status == 0, (verb, result.err, result.out)
            states = {dict(labels)["state"]: value for (name, labels), value in numbers(result.out).items()
                      if name == f"ringfence_{verb}_state"}  # fmt: skip
            assert states["enforced" if verb == "doctor" else "agrees"] == 1
            assert "forbidden" not in result.err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_ended_takes_its_pods_away(number: signal.Signals, shop: Shop) -> None:
    """As the deadline of a job ends it, and as Ctrl-C does."""
    words = ["probe", f"{shop.shop}/api -> {shop.data}/postgres:5432", "--yes", "--image", IMAGE]
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "ringfence", *words, "--kubeconfig", str(shop.kubeconfig)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        end = time.monotonic() + 60
        while not _twins(shop) and time.monotonic() < end and process.poll() is None:
            time.sleep(0.1)
        assert _twins(shop), process.poll()
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, said
    assert _twins(shop) == []


def _twins(shop: Shop) -> list[str]:
    return [str(one) for one in leftovers(shop.server, namespace=shop.shop).left
            if one.namespace in (shop.shop, shop.data) and not one.going]  # fmt: skip
