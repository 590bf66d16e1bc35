"""What a twin is: the same to policies, nothing to Services and controllers, and little to its node."""

from __future__ import annotations

from typing import Any

import pytest
from builders import pod as model_pod
from builders import policy as model_policy
from builders import rule, selector
from hypothesis import given
from hypothesis import strategies as st

from ringfence.live.probe.beside import leading_there
from ringfence.live.probe.plan import Plan, Role, Settings, Twin, words
from ringfence.live.probe.twins import NEVER, impossible, keys_read, labels_of, owner, twin
from ringfence.live.runs import RUN
from ringfence.model.addresses import Address
from ringfence.model.objects import Service
from ringfence.model.selectors import Operator, Requirement, Selector
from ringfence.model.volatile import VOLATILE, is_volatile

STANDS = Twin(3, Role.TARGET, "shop", "web-1", "node-1", frozenset({("TCP", 8080)}), frozenset({"app"}), "shop/web")
PLAN = Plan("7c1e", (STANDS,), (), Settings())
ORIGINAL: dict[str, Any] = {
    "metadata": {
        "name": "web-1", "namespace": "shop",
        "labels": {"app": "web", "pod-template-hash": "5d4f8c7b9", "sidecar.istio.io/inject": "true"},
        "annotations": {"prometheus.io/scrape": "true", "k8s.v1.cni.cncf.io/networks": "blue"},
        "ownerReferences": [{"kind": "ReplicaSet", "name": "web-5d4f8c7b9", "uid": "1", "controller": True}],
    },
    "spec": {
        "serviceAccountName": "web", "nodeName": "node-1", "priorityClassName": "high", "hostname": "web-1",
        "tolerations": [{"key": "gpu", "operator": "Exists"}],
        "initContainers": [
            {"name": "once", "ports": [{"name": "setup", "containerPort": 1}]},
            {"name": "mesh", "restartPolicy": "Always", "ports": [{"name": "admin", "containerPort": 15000}]},
        ],
        "containers": [
            {"name": "app", "env": [{"name": "TOKEN", "value": "planted"}], "volumeMounts": [{"name": "data"}],
             "ports": [{"name": "http", "containerPort": 8080, "hostPort": 80}, {"containerPort": 9090}]},
            {"name": "log", "ports": [{"name": "http", "containerPort": 8081, "protocol": "UDP"}]},
        ],
        "volumes": [{"name": "data", "secret": {"secretName": "planted"}}],
    },
}  # fmt: skip


def made(stands: Twin = STANDS, original: dict[str, Any] | None = ORIGINAL, **more: Any) -> dict[str, Any]:
    return twin(PLAN, stands, words(PLAN, stands), owner_uid="u-1", original=original, **more)


def test_nobody_adopts_it_and_nobody_sends_it_anything() -> None:
    found = made()
    (controller,) = found["metadata"]["ownerReferences"]
    assert (controller["kind"], controller["controller"], controller["uid"]) == ("ConfigMap", True, "u-1")
    assert controller["name"] == owner("7c1e", "shop")["metadata"]["name"]
    assert found["spec"]["readinessGates"] == [{"conditionType": NEVER}]


def test_it_ends_by_itself_and_asks_for_little() -> None:
    spec = made()["spec"]
    assert spec["activeDeadlineSeconds"] == 600
    assert (spec["restartPolicy"], spec["terminationGracePeriodSeconds"]) == ("Never", 0)
    (container,) = spec["containers"]
    assert container["resources"] == {"requests": {"cpu": "5m", "memory": "16Mi"}, "limits": {"memory": "32Mi"}}


def test_it_keeps_to_the_restricted_level() -> None:
    spec = made()["spec"]
    (container,) = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert not {"hostNetwork", "hostPID", "hostIPC", "volumes"} & spec.keys()
    assert not any("hostPort" in port for port in container["ports"])


def test_a_low_port_is_asked_of_the_kernel_and_not_of_a_capability() -> None:
    low = Twin(1, Role.TARGET, "shop", "web-1", None, frozenset({("TCP", 80)}))
    sysctls = made(low)["spec"]["securityContext"]["sysctls"]
    assert sysctls == [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]
    assert "sysctls" not in made()["spec"]["securityContext"]


def test_labels_stay_but_for_those_that_change_or_call_a_mesh() -> None:
    assert made()["metadata"]["labels"] == {"app": "web", RUN: "7c1e"}


def test_what_a_policy_reads_stays_though_it_changes() -> None:
    stands = Twin(1, Role.SOURCE, "shop", "web-1", kept=frozenset({"pod-template-hash"}))
    assert made(stands)["metadata"]["labels"]["pod-template-hash"] == "5d4f8c7b9"


def test_annotations_go_but_for_those_that_choose_a_network_or_keep_a_mesh_out() -> None:
    assert made()["metadata"]["annotations"] == {
        "k8s.v1.cni.cncf.io/networks": "blue", "sidecar.istio.io/inject": "false", "linkerd.io/inject": "disabled",
    }  # fmt: skip


def test_named_ports_are_those_of_the_workload() -> None:
    (container,) = made()["spec"]["containers"]
    assert container["ports"] == [
        {"name": "http", "containerPort": 8080}, {"containerPort": 9090}, {"name": "admin", "containerPort": 15000},
    ]  # fmt: skip


def test_nothing_secret_and_nothing_that_pushes_others_out_is_copied() -> None:
    found = made()
    assert "planted" not in str(found)
    assert not {"priorityClassName", "hostname", "nodeName"} & found["spec"].keys()
    assert found["spec"]["automountServiceAccountToken"] is False
    assert found["spec"]["serviceAccountName"] == "web"


def test_it_stands_on_the_node_that_was_chosen() -> None:
    spec = made()["spec"]
    (term,) = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert term == {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["node-1"]}]}
    assert spec["tolerations"] == [{"key": "gpu", "operator": "Exists"}]


def test_without_a_node_it_may_stand_where_the_workload_may() -> None:
    stands = Twin(1, Role.SOURCE, "shop", "web-1")
    original = {**ORIGINAL, "spec": {**ORIGINAL["spec"], "nodeSelector": {"pool": "blue"}}}
    assert made(stands, original)["spec"]["nodeSelector"] == {"pool": "blue"}


def test_a_platform_may_say_who_runs() -> None:
    namespace = {"metadata": {"annotations": {"openshift.io/sa.scc.uid-range": "1000680000/10000"}}}
    assert made(namespace=namespace)["spec"]["securityContext"]["runAsUser"] == 1000680000


def test_a_control_is_like_no_workload() -> None:
    control = Twin(9, Role.CONTROL_SOURCE, "shop", node="node-1", title="shop/control")
    found = made(control, None)
    assert found["metadata"]["labels"] == {RUN: "7c1e"}
    assert found["metadata"]["name"] == "rfprobe-7c1e-9-control-cs"


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"hostNetwork": True}, "network"),
        ({"os": {"name": "windows"}}, "Windows"),
        ({"nodeSelector": {"kubernetes.io/os": "windows"}}, "Windows"),
        ({"os": {"name": "linux"}}, ""),
    ],
)
def test_where_no_twin_can_stand(spec: dict[str, Any], why: str) -> None:
    found = impossible({"spec": spec})
    assert why in found
    assert bool(found) == bool(why)


def test_names_are_unique_up_to_the_last_hyphen() -> None:
    some = [Twin(n, role, "shop", "x", title="shop/web") for n, role in enumerate(Role)]
    assert len({one.name("7c1e").rpartition("-")[0] for one in some}) == len(some)


@given(st.text(min_size=0, max_size=80))
def test_names_are_ones_that_a_server_takes(title: str) -> None:
    name = Twin(12345, Role.CONTROL_TARGET, "shop", title=title).name("abcdef")
    assert len(name) <= 63
    assert all(sign.isascii() and (sign.islower() or sign.isdigit() or sign == "-") for sign in name), name
    assert name[-1].isalnum()


KEYS = ("app", "tier", "pod-template-hash", "job-name", "sidecar.istio.io/inject", "app.kubernetes.io/version")
LABELS = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(["a", "b", "v1.2.3", "5d4f8c7b9"]), max_size=6)
REQUIREMENTS = st.builds(
    lambda key, operator, values: Requirement(
        key, operator, tuple(sorted(values)) if operator in (Operator.IN, Operator.NOT_IN) else ()
    ),
    st.sampled_from(KEYS), st.sampled_from(Operator), st.sets(st.sampled_from(["a", "b", "v1.2.3"]), min_size=1),
)  # fmt: skip
SELECTORS = st.builds(lambda some: Selector.of({}, some), st.lists(REQUIREMENTS, max_size=3))


def _takes(selector: Selector, labels: dict[str, str]) -> bool:
    """What the API says of the four operators."""
    for one in selector.requirements:
        met = {
            Operator.IN: labels.get(one.key) in one.values,
            Operator.NOT_IN: labels.get(one.key) not in one.values,
            Operator.EXISTS: one.key in labels,
            Operator.DOES_NOT_EXIST: one.key not in labels,
        }[one.operator]
        if not met:
            return False
    return True


@given(worn=LABELS, subjects=st.lists(SELECTORS, min_size=1, max_size=4), peers=st.lists(SELECTORS, max_size=4))
def test_the_same_policies_select_a_twin_and_its_original(
    worn: dict[str, str], subjects: list[Selector], peers: list[Selector]
) -> None:
    policies = [
        model_policy(f"shop/p{n}", selects=subject, ingress=[rule(peers=[one]) for one in map(_peer, peers)])
        for n, subject in enumerate(subjects)
    ]
    labels = labels_of(worn, "7c1e", keys_read(policies))
    for one in (*subjects, *peers):
        assert _takes(one, worn) == _takes(one, labels)


def _peer(one: Selector) -> Any:
    from ringfence.model.policies import Peer

    return Peer(pods=one)


@given(worn=LABELS)
def test_without_a_policy_that_reads_them_no_volatile_label_stays(worn: dict[str, str]) -> None:
    labels = labels_of(worn, "7c1e", frozenset())
    assert labels[RUN] == "7c1e"
    assert not any(is_volatile(key, value) for key, value in labels.items() if key != RUN)
    assert {key: value for key, value in worn.items() if key in ("app", "tier") and not is_volatile(key, value)} == {
        key: value for key, value in labels.items() if key in ("app", "tier")
    }
    assert not VOLATILE & labels.keys()


@given(worn=LABELS, wanted=LABELS.filter(bool), unready=st.booleans())
def test_a_service_that_ignores_readiness_is_found_and_no_other(
    worn: dict[str, str], wanted: dict[str, str], unready: bool
) -> None:
    service = Service("shop", "web", selector=wanted, publish_not_ready=unready)
    found = leading_there([service], "shop", worn)
    assert bool(found) == (unready and all(worn.get(key) == value for key, value in wanted.items()))
    assert leading_there([service], "elsewhere", worn) == []


def test_the_words_of_a_source_name_each_address_of_its_target() -> None:
    from ringfence.live.probe.plan import Connection

    source = Twin(1, Role.SOURCE, "shop", "web-1")
    target = Twin(2, Role.TARGET, "shop", "api-1", listens=frozenset({("UDP", 53)}))
    plan = Plan("7c1e", (source, target), (Connection(4, source, target, "UDP", 53),))
    there = {target: (Address.parse("10.1.0.2"), Address.parse("fd00::2"))}
    assert words(plan, source, there) == [
        "wait,2", "try,4.0,UDP,10.1.0.2,53,rf-7c1e-4.0", "try,4.1,UDP,fd00::2,53,rf-7c1e-4.1",
    ]  # fmt: skip
    assert words(plan, target) == ["wait,2", "listen,UDP,53"]


def test_keys_of_peers_count_too() -> None:
    one = model_policy("shop/p", selects="app=web;tier", ingress=[rule(peers="role=db")])
    assert keys_read([one]) == {"app", "tier", "role"}
    assert model_pod("shop/x", "app=web").labels == {"app": "web"}
    assert selector("app=web").requirements
