"""The four questions that a reviewer asks of any generator, for four applications, and each output whole."""

from __future__ import annotations

import io
from dataclasses import replace
from itertools import product
from typing import Any, Final

import pytest
import yaml
from conftest import ROOT, Run
from intending import meant, wanted

from ringfence.engine.compiler.reachability import compile
from ringfence.manifests import load
from ringfence.model.addresses import AddressSet
from ringfence.model.cluster import Cluster
from ringfence.model.flows import End, Outside
from ringfence.model.objects import Workload
from ringfence.model.ports import ConnectionSet
from ringfence.model.selectors import Selector

DATA: Final = "tests/data/generate"
EXAMPLE: Final = "examples/task-api"
INPUTS: Final = {
    "microservice": (f"{DATA}/microservice",),
    "payments": (f"{DATA}/payments",),
    "tiers": (f"{DATA}/tiers",),
    "task-api": (f"{DATA}/task-api", EXAMPLE, "--exclude", "intents.yaml"),
}
CHOICES: Final = {"microservice": ("--pin", "api.openai.com=203.0.113.0/24")}
"""How the name outside is held, where there is one."""
DNS: Final = ConnectionSet.of(TCP=[53], UDP=[53])


def _generated(name: str, run: Run) -> tuple[str, str]:
    found = run("generate", *INPUTS[name], *CHOICES.get(name, ()))
    assert found.status == 0, found.err
    return found.out, found.err


@pytest.fixture(params=INPUTS)
def application(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_whole_output(application: str, run: Run, request: pytest.FixtureRequest) -> None:
    out, _ = _generated(application, run)
    path = ROOT / "tests" / "golden" / f"generate-{application}.yaml"
    if request.config.getoption("--golden"):
        path.write_text(out)
    assert out == path.read_text(), "if that is meant, run make golden and look at the difference"


def _read(name: str) -> Cluster:
    paths = [path for path in INPUTS[name] if "/" in path]
    return load([str(ROOT / path) for path in paths], exclude=["intents.yaml"] if len(paths) > 1 else [])


def _with(name: str, run: Run) -> Cluster:
    """The cluster of *name* with what is generated for it, and no other policy."""
    cluster = _read(name)
    out, _ = _generated(name, run)
    policies = load(["-"], stdin=io.BytesIO(out.encode()))
    assert not policies.findings
    return replace(cluster, policies=policies.policies)


def _documents(name: str, run: Run) -> list[dict[str, Any]]:
    out, _ = _generated(name, run)
    return list(yaml.safe_load_all(out))


def test_default_deny_first(application: str, run: Run) -> None:
    first = _documents(application, run)[0]
    assert first["metadata"]["name"] == "default-deny-all"
    assert first["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_dns_is_included_on_udp_and_tcp_and_in_its_namespace(application: str, run: Run) -> None:
    deny, dns, *_ = _documents(application, run)
    assert dns["metadata"]["name"] == "allow-dns-egress"
    assert dns["metadata"]["namespace"] == deny["metadata"]["namespace"]
    assert dns["spec"] == {
        "podSelector": {},
        "policyTypes": ["Egress"],
        "egress": [
            {
                "to": [
                    {
                        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
                        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
                    }
                ],
                "ports": [{"protocol": "TCP", "port": 53}, {"protocol": "UDP", "port": 53}],
            }
        ],
    }


def test_a_peer_elsewhere_is_named_with_its_namespace(application: str, run: Run) -> None:
    """Never a podSelector alone for pods of another namespace (RF301), and never two items for one peer (RF302)."""
    cluster = _with(application, run)
    for policy in cluster.policies:
        for rule in (*policy.ingress, *policy.egress):
            (peer,) = rule.peers
            here = {pod.namespace for pod in cluster.pods if _matches(peer.pods, pod.labels)}
            assert peer.namespaces is not None or policy.namespace in here


def _matches(selector: Selector | None, labels: object) -> bool:
    assert isinstance(labels, dict)
    return selector is None or all(labels.get(one.key) in one.values for one in selector.requirements)


def test_a_line_says_that_a_plugin_must_enforce_it(application: str, run: Run) -> None:
    _, err = _generated(application, run)
    assert err.splitlines()[-1] == (
        "the cluster's network plugin must enforce policies; where none does, these change nothing: "
        "ringfence doctor tells"
    )


# -- the matrices ---------------------------------------------------------------------------------------------------

TIERS: Final = ("frontend", "api", "backend", "database")
OPEN: Final = {
    ("frontend", "api"): ConnectionSet.of(TCP=[8000]),
    ("api", "backend"): ConnectionSet.of(TCP=[9000]),
    ("backend", "database"): ConnectionSet.of(TCP=[5432]),
    ("ingress-nginx-controller", "frontend"): ConnectionSet.of(TCP=[8080]),
    **{(tier, "coredns"): DNS for tier in TIERS},
    ("database", "database"): ConnectionSet.ALL,  # its one pod, and a pod always reaches itself (S70)
}
"""Every pair that may connect; no other pair of a tier with a tier, the controller, the DNS or the outside may."""


def test_each_tier_accepts_only_its_caller(run: Run) -> None:
    """The whole matrix of four by four, with the ingress controller, the DNS and the outside beside it."""
    cluster = _with("tiers", run)
    engine = compile(cluster)
    ends: dict[str, End] = {one.name: one for one in cluster.workloads}
    ends["outside"] = Outside(AddressSet.of("0.0.0.0/0"))
    assert ends.keys() == {*TIERS, "ingress-nginx-controller", "coredns", "outside"}
    for one, other in product(ends, ends):
        if {one, other} & {*TIERS}:
            answer = engine.answer(ends[one], ends[other])
            assert answer.possible == OPEN.get((one, other), ConnectionSet.NONE), (one, other)
            assert not answer.mixed
            assert not answer.open


def test_the_task_api_comes_out_as_it_was_written_by_hand(run: Run) -> None:
    """Equal in effect to the policies of the example, pair by pair, but for the DNS."""
    by_hand = load([str(ROOT / EXAMPLE)])
    made = _with("task-api", run)
    before, after = compile(by_hand), compile(replace(by_hand, policies=made.policies))
    outside = Outside(AddressSet.of("0.0.0.0/0"))
    ends: list[Workload | Outside] = [*by_hand.workloads, outside]
    for one, other in product(ends, ends):
        if not one is other is outside:
            assert before.answer(one, other).possible == after.answer(one, other).possible, (one.id, other.id)


def test_the_dns_of_the_task_api_is_tighter_than_by_hand(run: Run) -> None:
    """By hand every pod of kube-system was reached on 53; generated it is the DNS pods alone. The difference, shown."""
    made = _with("task-api", run)
    by_hand = load([str(ROOT / EXAMPLE)])
    rules = [
        next(one for one in some.policies if one.name == "allow-dns-egress").egress[0].peers[0]
        for some in (by_hand, made)
    ]
    assert [str(one) for one in rules] == [
        "namespaceSelector kubernetes.io/metadata.name=kube-system",
        "namespaceSelector kubernetes.io/metadata.name=kube-system and podSelector k8s-app=kube-dns",
    ]


def test_dns_by_namespace_is_what_was_written_by_hand(run: Run) -> None:
    found = run("generate", *INPUTS["task-api"], "--dns", "namespace")
    by_hand = yaml.safe_load((ROOT / EXAMPLE / "allow-dns-egress.yaml").read_text())
    made = next(one for one in yaml.safe_load_all(found.out) if one["metadata"]["name"] == "allow-dns-egress")
    (peer,) = by_hand["spec"]["egress"][0]["to"]
    assert made["spec"]["egress"][0]["to"] == [{**peer, "podSelector": {}}]  # the same pods, said in full


def test_what_the_first_sentence_says_is_what_is_meant(run: Run) -> None:
    """The wishes of the tiers, computed by the plainest means, are the matrix above, but for a pod and itself."""
    cluster = _read("tiers")
    found = meant(cluster, *cluster.intents)
    pods = {one.name: one.pods[0] for one in found.cluster.workloads}
    assert {
        (one, other): wanted(found, pods[one], pods[other])
        for one, other in product(pods, pods)
        if {one, other} & {*TIERS} and wanted(found, pods[one], pods[other])
    } == {pair: ports for pair, ports in OPEN.items() if pair != ("database", "database")}
