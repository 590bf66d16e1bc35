"""``ringfence doctor`` as a user has it: what it prints, asks, and how it ends."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from conftest import ROOT, Result, Run
from fakeapi import FakeApi, Fault
from jsonschema import Draft202012Validator

from live.simulated import Simulated, daemonset, node, ready_pod
from ringfence.cli import asking, cluster, doctor
from ringfence.live.doctor.evidence import PLATFORMS
from ringfence.live.doctor.nouns import Candidate, Expected, Outcome, State
from ringfence.live.doctor.remedies import AGAIN, PLATFORM, remedies
from ringfence.live.server.server import Server

SCHEMA: Final = Draft202012Validator(json.loads((ROOT / "docs" / "reference" / "doctor.schema.json").read_text()))
CALICO: Final = daemonset("calico-node", "docker.io/calico/node:v3.30.0", "calico-system",
                          labels={"k8s-app": "calico-node"})  # fmt: skip


@dataclass
class Bench:
    api: FakeApi
    sim: Simulated
    run: Callable[..., Result]


@pytest.fixture
def bench(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Bench]:
    """The verb on a pretend cluster of two nodes, whose clock is moved by waiting."""
    with FakeApi() as api:
        sim = Simulated(api)
        connected = cluster.connected

        def slept(args: Any) -> Server:
            server = connected(args)
            server.sleep = sim.sleep
            return server

        monkeypatch.setattr(cluster, "connected", slept)
        monkeypatch.setattr(doctor, "CLOCK", sim.clock)
        config = str(api.kubeconfig(tmp_path / "config"))
        yield Bench(api, sim, lambda *words, **more: run("doctor", "--kubeconfig", config, *words, **more))


def document(result: Result) -> dict[str, Any]:
    found = json.loads(result.out)
    SCHEMA.validate(found)
    assert isinstance(found, dict)
    return found


# -- the four answers -----------------------------------------------------------------------------------------------


def test_enforced(bench: Bench) -> None:
    bench.api.add(CALICO, *(ready_pod(CALICO, name) for name in ("node-1", "node-2")))
    result = bench.run("--yes")
    assert result.status == 0
    rows = result.out.splitlines()
    assert rows[0].split() == ["expected", "Calico", "v3.30.0,", "enforcing"]
    assert "enforced: policies hold: every connection behaved as they say" in rows
    assert "  predictions for this cluster: --profile calico" in rows
    assert [row.split()[:5] for row in rows if row.startswith("ingress  across")] == [
        ["ingress", "across", "nodes", "IPv4", "enforced"]
    ]
    assert "What would help" not in result.out
    assert "ringfence: a policy that lets nobody in" in result.err


def test_not_enforced(bench: Bench) -> None:
    bench.sim.directions = ()
    bench.api.add(node("docker-desktop"))
    result = bench.run("--yes", "-q")
    assert result.status == 1
    assert result.err == ""
    assert "not-enforced: policies change nothing in this cluster" in result.out
    assert "    minikube start --cni=calico" in result.out.splitlines()
    assert "    ringfence doctor --yes --wait 5m" in result.out.splitlines()


def test_partially(bench: Bench) -> None:
    bench.sim.directions = ("Ingress",)
    result = bench.run("--yes")
    assert result.status == 1
    assert "partially: policies hold on some paths, and on others they do not" in result.out
    assert "egress, same node, IPv4: open while a policy forbade it" in result.out


def test_objects_alone_are_never_a_proof(bench: Bench) -> None:
    bench.api.add(CALICO)
    result = bench.run("--no-canary")
    assert result.status == 3
    assert result.out.splitlines()[0].split() == ["expected", "Calico", "v3.30.0,", "enforcing"]
    assert "unknown: nothing is proven" in result.out
    assert not [one for one in bench.api.seen if one.method != "GET"]


@pytest.mark.parametrize("directions", [("Ingress", "Egress"), ("Ingress",), ()])
def test_the_document_follows_its_schema(directions: tuple[str, ...], bench: Bench) -> None:
    bench.sim.directions = directions
    bench.api.add(CALICO, ready_pod(CALICO, "node-1"))
    found = document(bench.run("--yes", "--format", "json"))
    assert found["state"] == {2: "enforced", 1: "partially", 0: "not-enforced"}[len(directions)]
    assert found["uncovered"] == [{"node": "node-2", "why": "no ready pod of DaemonSet calico-system/calico-node"}]
    assert len(found["canary"]["cells"]) == 4
    assert found["canary"]["namespace"] == f"ringfence-canary-{found['canary']['run']}"
    assert found["profile"] == "calico"


def test_the_document_of_objects_alone(bench: Bench) -> None:
    bench.api.rights.forbid("list", "clusterroles")
    bench.api.rights.forbid("list", "nodes")
    found = document(bench.run("--no-canary", "--format", "json"))
    assert found["state"] == "unknown"
    assert found["not_read"] == ["nodes (no right to)", "clusterroles (no right to)"]
    assert "canary" not in found


# -- asking ---------------------------------------------------------------------------------------------------------


def test_without_anybody_to_ask_nothing_is_made(bench: Bench) -> None:
    result = bench.run()
    assert result.status == 2
    assert "There is no terminal to ask at; say --yes, or --dry-run to see it all" in result.err
    assert not [one for one in bench.api.seen if one.method != "GET"]


@pytest.mark.parametrize(("said", "status"), [(b"y\n", 0), (b"yes\n", 0), (b"n\n", 3), (b"\n", 3), (b"", 3)])
def test_a_person_is_asked(said: bytes, status: int, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "is_terminal", lambda stream: True)
    result = bench.run("-q", stdin=said)
    assert result.status == status
    assert "This makes in fake: namespace ringfence-canary-" in result.err
    assert "5 small pods (busybox), and three policies one after the other" in result.err
    assert (
        "It needs the right to get, create and delete namespaces; there to create, list and delete deployments"
        in result.err
    )


def test_a_dry_run_prints_every_object_and_touches_nothing(bench: Bench) -> None:
    result = bench.run("--dry-run", "--image", "example.com/mirror/busybox:1.36")
    assert result.status == 0
    made = list(yaml.safe_load_all(result.out))
    assert [one["kind"] for one in made] == ["Namespace", *["Deployment"] * 5, *["NetworkPolicy"] * 3]
    images = {
        c["image"] for one in made if one["kind"] == "Deployment" for c in one["spec"]["template"]["spec"]["containers"]
    }
    assert images == {"example.com/mirror/busybox:1.36"}
    assert not [one for one in bench.api.seen if one.method != "GET"]


# -- waiting --------------------------------------------------------------------------------------------------------


def test_it_waits_until_a_plugin_that_was_just_installed_enforces(bench: Bench) -> None:
    bench.sim.directions = ()

    def installed() -> None:
        bench.sim.directions = ("Ingress", "Egress")
        bench.api.add(CALICO)

    bench.sim.events.append((100.0, installed))
    result = bench.run("--yes", "--wait", "5m")
    assert result.status == 0
    assert "ringfence: not-enforced; trying again" in result.err
    assert "predictions for this cluster: --profile calico" in result.out
    assert bench.api.objects("Deployment") == []


def test_it_does_not_wait_for_ever(bench: Bench) -> None:
    bench.sim.directions = ()
    assert bench.run("--yes", "--wait", "2m").status == 1
    assert 120 < bench.sim.now < 240


def test_it_does_not_wait_for_rights(bench: Bench) -> None:
    bench.api.rights.forbid("create", "deployments")
    assert bench.run("--yes", "--wait", "5m").status == 3
    assert bench.sim.now < 30


def test_aws_gets_more_time(bench: Bench) -> None:
    bench.api.add(daemonset("aws-node", "x/amazon-k8s-cni:v1.20.1,x/aws-network-policy-agent:v1.2.1"))
    bench.sim.delay = 90.0
    assert bench.run("--yes").status == 0
    assert bench.run("--yes", "--deadline", "30s").status != 0


# -- less rights ----------------------------------------------------------------------------------------------------


def test_without_the_right_to_make_namespaces_an_existing_one_is_asked_for(bench: Bench) -> None:
    bench.api.rights.forbid("create", "namespaces")
    result = bench.run("--yes")
    assert result.status == 3
    assert "namespaces cannot be made (namespaces is forbidden" in result.out
    assert "name an existing one without policies with -n" in result.out
    bench.api.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "lab"}})
    assert bench.run("--yes", "-n", "lab").status == 0


def test_without_any_right_to_read_it_still_tries(bench: Bench) -> None:
    for resource in ("nodes", "daemonsets", "deployments", "configmaps", "services",
                     "clusterroles", "clusterrolebindings", "endpointslices"):  # fmt: skip
        bench.api.rights.forbid("*", resource, "cluster")
        if resource != "deployments":
            bench.api.rights.forbid("*", resource)
    result = bench.run("--yes")
    assert result.status == 0
    assert "not read  nodes (no right to)" in result.out
    assert "expected  none found" in result.out


def test_the_role_that_rbac_prints_is_enough_and_no_more_is_asked(bench: Bench, run: Run) -> None:
    roles = [one for one in yaml.safe_load_all(run("rbac", "doctor").out) if one]
    bench.api.rights.only(*roles)
    bench.api.add(CALICO, ready_pod(CALICO, "node-1"))
    found = document(bench.run("--yes", "--format", "json"))
    assert found["state"] == "enforced"
    assert "not_read" not in found
    assert not [one for one in bench.api.seen if one.status == 403]
    given = {
        (verb, f"{resource}.{group}".rstrip(".") if "/" not in resource else resource)
        for role in roles for rule in role["rules"]
        for group in rule["apiGroups"] for resource in rule["resources"] for verb in rule["verbs"]
    }  # fmt: skip
    unused = {
        ("list", "networkpolicies.networking.k8s.io"), ("delete", "deployments.apps"),
        ("list", "nodeclasses.eks.amazonaws.com"), ("get", "networks.config.openshift.io"),
    }  # fmt: skip
    assert given - bench.api.asked() == unused  # an existing namespace, and two platforms


def test_no_secret_is_asked_for_or_told(bench: Bench) -> None:
    bench.api.add(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"p": "cGxhbnRlZC1zZWNyZXQ="}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cilium-config", "namespace": "kube-system"},
         "data": {"enable-policy": "default", "other": "planted-secret"}},
        daemonset("cilium", "quay.io/cilium/cilium:v1.17.4", env=[{"name": "TOKEN", "value": "planted-secret"}]),
    )  # fmt: skip
    result = bench.run("--yes", "--format", "json")
    assert "planted" not in result.out + result.err
    assert not [one for one in bench.api.seen if "secret" in one.path]


# -- bad input and a bad environment --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--wait", "soon"), "'soon' is no time; write 90s or 5m"),
        (("--no-canary", "--wait", "5m"), "--no-canary makes nothing that could be waited for"),
        (("--no-canary", "--dry-run"), "--no-canary makes nothing that could be waited for"),
        (("extra",), "unexpected extra"),
    ],
)
def test_bad_usage(words: tuple[str, ...], said: str, bench: Bench) -> None:
    result = bench.run(*words)
    assert result.status == 2
    assert said in result.err
    assert result.err.count("\n") == 1


def test_no_kubeconfig(run: Run, tmp_path: Path) -> None:
    result = run("doctor", "--kubeconfig", str(tmp_path / "none"))
    assert result.status == 3
    assert "no kubeconfig" in result.err


def test_a_server_that_takes_no_login(bench: Bench) -> None:
    bench.api.tokens.clear()
    result = bench.run("--yes")
    assert result.status == 3
    assert "Unauthorized" in result.err
    assert "log in again" in result.err
    assert result.err.count("\n") == 1


def test_what_is_left_is_told(bench: Bench) -> None:
    bench.api.faults.add(Fault(method="DELETE", path="namespaces/ringfence-canary-[0-9a-f]+$", status=200, body={}))
    result = bench.run("--yes", "--format", "json")
    left = document(result)["canary"]["left"]
    assert left[0].startswith("namespace ringfence-canary-")
    assert left[1].startswith("it is removed by: ringfence cleanup ")


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("5m", 300), ("1.5m", 90), ("1h", 3600)])
def test_times(text: str, seconds: float) -> None:
    assert doctor.duration(text) == seconds


# -- remedies -------------------------------------------------------------------------------------------------------


def expected(platform: str, plugin: str = "", enforcing: bool | None = False) -> Expected:
    candidates = (Candidate(plugin, "", enforcing, ()),) if plugin else ()
    return Expected("v1", platform, candidates)


OPEN: Final = Outcome(State.NOT_ENFORCED)


@pytest.mark.parametrize("platform", sorted(PLATFORMS))
def test_every_platform_has_a_remedy_with_a_command(platform: str) -> None:
    found = remedies(expected(platform), OPEN)
    assert found[: len(PLATFORM[platform])] == PLATFORM[platform]
    assert all(one.commands for one in found)
    assert found[-1] is AGAIN


def test_an_unknown_platform_has_one_too() -> None:
    assert any("kube-network-policies" in command for one in remedies(expected(""), OPEN) for command in one.commands)


@pytest.mark.parametrize(("plugin", "word"), [("Cilium", "cilium-config"), ("flannel", "netpol.enabled=true"),
                                              ("kube-router", "daemonset/kube-router")])  # fmt: skip
def test_a_plugin_that_is_set_not_to_enforce_has_its_own(plugin: str, word: str) -> None:
    assert word in str(remedies(expected("", plugin), OPEN)[0].commands)
    assert word not in str(remedies(expected("", plugin, enforcing=True), OPEN))


def test_eks_auto_mode_is_not_eks() -> None:
    assert "configmap amazon-vpc-cni" in str(remedies(expected("EKS", "EKS Auto Mode"), OPEN))
    assert "aws eks update-addon" in str(remedies(expected("EKS", "AWS VPC CNI"), OPEN))


def test_there_is_no_remedy_where_none_is_needed_or_nothing_is_known() -> None:
    assert remedies(expected("kind"), Outcome(State.ENFORCED)) == ()
    assert remedies(expected("kind"), Outcome(State.UNKNOWN)) == ()
    assert remedies(expected("kind", "Calico", enforcing=True), Outcome(State.UNKNOWN)) == ()
    # Objects alone say that nothing enforces: that is worth a remedy, and still no proof.
    assert remedies(expected("minikube", "minikube"), Outcome(State.UNKNOWN)) != ()


def test_a_signal_to_end_takes_everything_away_too(bench: Bench) -> None:
    before = signal.getsignal(signal.SIGTERM)
    bench.sim.events.append((6.0, lambda: signal.raise_signal(signal.SIGTERM)))
    assert bench.run("--yes").status == 130
    assert bench.api.objects("Deployment") == []
    assert not [one for one in bench.api.objects("Namespace") if one["metadata"]["name"].startswith("ringfence")]
    assert signal.getsignal(signal.SIGTERM) == before
