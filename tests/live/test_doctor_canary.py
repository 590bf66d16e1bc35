"""The canary against pretend clusters behind the fake API server: what it makes, proves, and leaves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from fakeapi import FakeApi, Fault

from live.simulated import Json, Simulated
from ringfence.live import runs
from ringfence.live.doctor.canary import run as canary
from ringfence.live.doctor.canary.course import Deadlines
from ringfence.live.doctor.canary.run import Plan
from ringfence.live.doctor.nouns import Outcome, State
from ringfence.live.server.connecting import connect
from ringfence.live.server.server import Reply, Server


def cluster(api: FakeApi, tmp_path: Path, **how: object) -> tuple[Simulated, Server]:
    sim = Simulated(api, **how)  # type: ignore[arg-type]
    server = connect(str(api.kubeconfig(tmp_path / "config")))
    server.sleep = sim.sleep
    return sim, server


def plan(**how: object) -> Plan:
    return Plan("ab12cd", **{"nodes": ("node-1", "node-2"), **how})  # type: ignore[arg-type]


def left(api: FakeApi) -> list[str]:
    """What carries the label of a run."""
    return [f"{o['kind']} {o['metadata']['name']}" for o in api.objects()
            if runs.RUN in (o["metadata"].get("labels") or {})]  # fmt: skip


def go(api: FakeApi, tmp_path: Path, what: Plan | None = None, **how: object) -> Outcome:
    sim, server = cluster(api, tmp_path, **how)
    outcome = canary.run(server, what or plan(), clock=sim.clock)
    assert left(api) == []
    assert outcome.left == ()
    return outcome


# -- the four answers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("denied", ["silent", "refused"])
def test_a_cluster_that_enforces(denied: str, api: FakeApi, tmp_path: Path) -> None:
    found = go(api, tmp_path, denied=denied, delay=3.0)
    assert (found.state, found.why) == (State.ENFORCED, "")
    assert [str(cell.path) for cell in found.cells] == [
        "ingress, same node, IPv4", "ingress, across nodes, IPv4", "egress, same node, IPv4",
        "egress, across nodes, IPv4",
    ]  # fmt: skip
    assert found.seconds is not None
    assert 3 <= found.seconds <= 6
    assert found.attempts > 100
    assert [(str(path), why) for path, why in found.untested] == [
        ("ingress, same node, IPv6", "pods have IPv4 addresses alone"),
        ("egress, same node, IPv6", "pods have IPv4 addresses alone"),
    ]


def test_a_cluster_that_does_not(api: FakeApi, tmp_path: Path) -> None:
    found = go(api, tmp_path, directions=())
    assert found.state is State.NOT_ENFORCED
    assert {cell.state for cell in found.cells} == {State.NOT_ENFORCED}


@pytest.mark.parametrize(("way", "name"), [("Ingress", "ingress"), ("Egress", "egress")])
def test_a_cluster_that_enforces_one_direction(way: str, name: str, api: FakeApi, tmp_path: Path) -> None:
    found = go(api, tmp_path, directions=(way,))
    assert found.state is State.PARTIALLY
    assert {cell.path.direction for cell in found.cells if cell.state is State.ENFORCED} == {name}


def test_a_cluster_whose_pods_cannot_connect(api: FakeApi, tmp_path: Path) -> None:
    found = go(api, tmp_path, answer=lambda *_: "silent")
    assert found.state is State.UNKNOWN
    assert "closed before there was any policy" in found.why


def test_a_plugin_that_blocks_pods_which_no_policy_selects(api: FakeApi, tmp_path: Path) -> None:
    sim = Simulated(api)
    sim.answer = lambda client, server, port, result: "silent" if sim._standing() else result
    server = connect(str(api.kubeconfig(tmp_path / "config")))
    server.sleep = sim.sleep
    found = canary.run(server, plan(), clock=sim.clock)
    assert found.state is State.UNKNOWN
    assert "the control server, which no policy selects, could not be reached" in found.why
    assert left(api) == []


def test_two_families(api: FakeApi, tmp_path: Path) -> None:
    found = go(api, tmp_path, families=("10.244.0.{}", "fd00:10::{}"))
    assert found.state is State.ENFORCED
    assert len(found.cells) == 8
    assert {cell.path.family for cell in found.cells} == {"IPv4", "IPv6"}
    assert found.untested == ()


def test_one_node(api: FakeApi, tmp_path: Path) -> None:
    found = go(api, tmp_path, plan(nodes=("node-1",)), nodes=("node-1",))
    assert found.state is State.ENFORCED
    assert {cell.path.placement for cell in found.cells} == {"same node"}
    assert ("ingress, across nodes, IPv4", "there is no second node that takes pods") in [
        (str(path), why) for path, why in found.untested
    ]


def test_without_nodes_the_scheduler_decides_and_the_placement_is_read(api: FakeApi, tmp_path: Path) -> None:
    found = go(api, tmp_path, plan(nodes=()))
    assert found.state is State.ENFORCED
    assert {cell.path.placement for cell in found.cells} == {"same node"}  # where this pretend scheduler put them


# -- what it makes --------------------------------------------------------------------------------------------------


def test_everything_carries_the_run_and_is_restricted() -> None:
    made = canary.everything(plan())
    assert [one["kind"] for one in made] == ["Namespace", *["Deployment"] * 5, *["NetworkPolicy"] * 3]
    space, *others = made
    assert space["metadata"]["labels"] == {
        "ringfence.dev/run": "ab12cd", "pod-security.kubernetes.io/enforce": "restricted",
        "istio-injection": "disabled",
    }  # fmt: skip
    assert space["metadata"]["annotations"] == {"linkerd.io/inject": "disabled"}
    for one in others:
        assert one["metadata"]["labels"]["ringfence.dev/run"] == "ab12cd"
        assert one["metadata"]["namespace"] == space["metadata"]["name"]
    for deployment in others[:5]:
        pod = deployment["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not pod["automountServiceAccountToken"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }  # fmt: skip
        assert container["resources"]["limits"]["memory"]


def test_no_two_deployments_begin_alike() -> None:
    """A plugin may take pods together whose names agree up to the last hyphen, or begin alike."""
    names = [one["metadata"]["name"] for one in canary.everything(plan()) if one["kind"] == "Deployment"]
    assert len({name.split("-")[0] for name in names if not name.startswith("c")}) == 3
    assert len({name.rpartition("-")[0] for name in names}) == 5


# -- in a namespace that is there -----------------------------------------------------------------------------------


def test_in_an_existing_namespace_only_what_it_made_goes(api: FakeApi, tmp_path: Path) -> None:
    api.add({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs", "namespace": "lab"}})
    api.rights.forbid("create", "namespaces")
    found = go(api, tmp_path, plan(namespace="lab"))
    assert found.state is State.ENFORCED
    assert api.namespace("lab") is not None
    assert [o["metadata"]["name"] for o in api.objects("ConfigMap")] == ["theirs"]


def test_a_namespace_with_policies_is_refused(api: FakeApi, tmp_path: Path) -> None:
    api.add({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
             "metadata": {"name": "deny", "namespace": "lab"}, "spec": {"podSelector": {}}})  # fmt: skip
    found = go(api, tmp_path, plan(namespace="lab"))
    assert found.state is State.UNKNOWN
    assert found.why == (
        "namespace lab has policies (deny), which would be measured too; name one without with -n"
    )  # fmt: skip
    assert [o["kind"] for o in api.objects() if o["metadata"].get("namespace") == "lab"] == ["NetworkPolicy"]


# -- what goes wrong ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "resource"),
    [("create", "namespaces"), ("create", "networkpolicies"), ("create", "deployments"), ("list", "pods"),
     ("get", "pods/log")],
)  # fmt: skip
def test_a_right_that_lacks_is_told_and_nothing_is_left(
    verb: str, resource: str, api: FakeApi, tmp_path: Path
) -> None:  # fmt: skip
    api.rights.forbid(verb, resource)
    found = go(api, tmp_path)
    assert found.state is State.UNKNOWN
    assert f'cannot {verb} resource "{resource}"' in found.why


def test_without_the_right_to_make_policies_no_pod_is_made(api: FakeApi, tmp_path: Path) -> None:
    api.rights.forbid("create", "networkpolicies")
    go(api, tmp_path)
    assert not [one for one in api.seen if one.line.startswith("POST") and "deployments" in one.path]


def test_pods_that_do_not_start(api: FakeApi, tmp_path: Path) -> None:
    sim, server = cluster(api, tmp_path, starts=False)

    def fail() -> None:
        for one in api.objects("Deployment"):
            api.add({**one, "status": {"conditions": [{"type": "ReplicaFailure", "status": "True",
                     "reason": "FailedCreate", "message": "pods are forbidden: exceeded quota: small"}]}})  # fmt: skip

    sim.events.append((5.0, fail))
    found = canary.run(server, plan(start=20), clock=sim.clock)
    assert found.state is State.UNKNOWN
    assert found.why == (
        "the pods of first-server, second-server, control-server did not start: FailedCreate: pods are forbidden: "
        "exceeded quota: small"
    )
    assert sim.now < 130
    assert left(api) == []


def test_a_container_that_does_not_start_is_no_pod_that_runs(api: FakeApi, tmp_path: Path) -> None:
    """Its pod is in phase Running all the same."""
    sim, server = cluster(api, tmp_path)
    waiting = {"waiting": {"reason": "RunContainerError", "message": 'exec: "sh": executable file not found in $PATH'}}

    def fail(event: str, body: Json) -> None:
        if body["kind"] == "Pod" and event == "created":
            status = {**body["status"], "containerStatuses": [{"restartCount": 1, "state": waiting}]}
            api.add({**body, "status": status})

    api.store.hooks.append(fail)
    found = canary.run(server, plan(start=20), clock=sim.clock)
    assert found.state is State.UNKNOWN
    assert 'did not start: RunContainerError: exec: "sh": executable file not found in $PATH' in found.why
    assert left(api) == []


@pytest.mark.parametrize("what", ["restart", "replace"])
def test_a_pod_that_did_not_stay_itself_proves_nothing(what: str, api: FakeApi, tmp_path: Path) -> None:
    sim, server = cluster(api, tmp_path)

    def disturb() -> None:
        (pod,) = [one for one in api.objects("Pod") if one["metadata"]["name"].startswith("first-server")]
        if what == "restart":
            pod["status"]["containerStatuses"][0]["restartCount"] = 1
        else:
            api.store.drop(api._kind(pod), pod["metadata"]["namespace"], pod["metadata"]["name"])
        api.add(pod)

    sim.events.append((8.0, disturb))
    found = canary.run(server, plan(), clock=sim.clock)
    assert found.state is State.UNKNOWN
    assert "first-server" in found.why
    assert ("started again" if what == "restart" else "went away") in found.why
    assert left(api) == []


def test_an_image_without_nc(api: FakeApi, tmp_path: Path) -> None:
    found = go(api, tmp_path, answer=lambda *_: "error sh: nc: not found")
    assert found.state is State.UNKNOWN
    assert "does the image have nc? name another with --image" in found.why


def test_a_server_that_is_gone_in_the_middle(api: FakeApi, tmp_path: Path) -> None:
    """The answer is unknown, and the objects cannot be taken away: that is said, with the command."""
    sim, server = cluster(api, tmp_path)
    sim.events.append((6.0, lambda: api.faults.add(Fault(drop="before", times=10_000))))
    found = canary.run(server, plan(), clock=sim.clock)
    assert found.state is State.UNKNOWN
    assert "the connection broke" in found.why
    assert found.left[-1] == "it is removed by: ringfence cleanup ab12cd"
    api.faults.clear()


def test_a_namespace_that_stays(api: FakeApi, tmp_path: Path) -> None:
    sim, server = cluster(api, tmp_path)
    api.faults.add(Fault(method="DELETE", path="namespaces/ringfence-canary-ab12cd$", status=200, body={}))
    found = canary.run(server, plan(), clock=sim.clock)
    assert found.state is State.ENFORCED
    assert found.left == (
        "namespace ringfence-canary-ab12cd",
        "it is removed by: ringfence cleanup ab12cd",
    )


@pytest.mark.parametrize("at", [1.0, 4.0, 8.0, 12.0, 16.0])
def test_an_interrupt_leaves_nothing(at: float, api: FakeApi, tmp_path: Path) -> None:
    sim, server = cluster(api, tmp_path)

    def interrupt() -> None:
        raise KeyboardInterrupt

    sim.events.append((at, interrupt))
    with pytest.raises(KeyboardInterrupt):
        canary.run(server, plan(), clock=sim.clock)
    assert left(api) == []


def test_a_second_interrupt_still_takes_away_and_tells_what_is_left(api: FakeApi, tmp_path: Path) -> None:
    sim, server = cluster(api, tmp_path)
    api.faults.add(Fault(method="DELETE", path="namespaces/ringfence-canary-ab12cd$", status=200, body={}))

    def interrupt() -> None:
        raise KeyboardInterrupt

    sim.events += [(5.0, interrupt), (6.0, interrupt)]
    said: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        canary.run(server, plan(), tell=said.append, clock=sim.clock)
    assert left(api) == []  # the second attempt was heard

    api.faults.add(Fault(method="DELETE", path="namespaces/ringfence-canary-ab12cd$", status=200, body={}, times=9))
    sim.events += [(sim.now + 5.0, interrupt), (sim.now + 6.0, interrupt)]
    with pytest.raises(KeyboardInterrupt):
        canary.run(server, plan(), tell=said.append, clock=sim.clock)
    assert said[-1] == ("left: namespace ringfence-canary-ab12cd; it is removed by: ringfence cleanup ab12cd")


def test_the_deadline_is_the_plans(api: FakeApi, tmp_path: Path) -> None:
    assert go(api, tmp_path, plan(deadlines=Deadlines(policy=60)), delay=45.0).state is State.ENFORCED


def test_a_reader_that_has_gone_keeps_nothing_there(api: FakeApi, tmp_path: Path) -> None:
    sim, server = cluster(api, tmp_path)

    def interrupt() -> None:
        raise KeyboardInterrupt

    def tell(line: str) -> None:
        raise BrokenPipeError(line)

    sim.events.append((5.0, interrupt))
    with pytest.raises(KeyboardInterrupt):
        canary.run(server, plan(), tell=tell, clock=sim.clock)
    assert left(api) == []


def test_a_policy_that_may_not_be_deleted_keeps_no_deployment_there(api: FakeApi, tmp_path: Path) -> None:
    sim, server = cluster(api, tmp_path)
    api.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mine"}})
    api.faults.add(Fault(method="DELETE", path="/networkpolicies/", status=403, times=99))
    outcome = canary.run(server, plan(namespace="mine"), clock=sim.clock)
    assert {one.split()[0] for one in left(api)} == {"NetworkPolicy"}
    assert outcome.left[-1] == "it is removed by: ringfence cleanup ab12cd -n mine"


def test_a_fault_of_our_own_tells_what_is_left(api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sim, server = cluster(api, tmp_path)
    api.faults.add(Fault(method="DELETE", path="namespaces/ringfence-canary-ab12cd$", status=200, body={}, times=9))

    def fault(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr("ringfence.live.doctor.canary.pods.wires", fault)
    said: list[str] = []
    with pytest.raises(ValueError):  # noqa: PT011 (it has no words)
        canary.run(server, plan(), tell=said.append, clock=sim.clock)
    assert said[-1] == "left: namespace ringfence-canary-ab12cd; it is removed by: ringfence cleanup ab12cd"


def test_a_namespace_that_was_made_though_something_between_said_no_goes_too(api: FakeApi, tmp_path: Path) -> None:
    sim, server = cluster(api, tmp_path)
    carry = server.transport
    lost: list[Reply] = []

    def between(method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        reply = carry(method, path, headers, body)
        if method == "POST" and path.startswith("/api/v1/namespaces?") and not lost:
            lost.append(reply)
            return Reply(503, {}, b"upstream went away")
        return reply

    server.transport = between
    assert canary.run(server, plan(), clock=sim.clock).state is State.UNKNOWN
    assert lost
    assert left(api) == []
