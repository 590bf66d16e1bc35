"""Checks of the platform and of IP blocks where their severity depends on what is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from lint.asking import linting
from ringfence.query.lint.run import lint
from ringfence.query.lint.table import meant
from ringfence.report.lint.pages import example


def found(folder: Path, code: str, *texts: str, words: tuple[str, ...] = (), beside: tuple[str, ...] = ()) -> list[str]:
    """Severity and message of what the check *code* finds in *texts*."""
    for name in beside:
        one = example(name)
        assert one is not None
        (folder / name).write_text(one.text)
    (folder / "a.yaml").write_text("\n---\n".join(texts))
    result = lint(linting([folder], words), meant([code], "test"))
    return [f"{one.severity} {one.message}" for one in result.findings]


def policy(spec: str, namespace: str = "tasks", name: str = "p") -> str:
    meta = f"metadata: {{name: {name}, namespace: {namespace}}}"
    return f"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n{meta}\nspec: {{{spec}}}"


OPERATOR = "podSelector: {matchLabels: {app: operator}}, policyTypes: [Egress]"
NOWHERE = f"{OPERATOR}, egress: [{{to: [{{podSelector: {{}}}}]}}]"
WITH_OPERATOR = ("platform-operator.yaml",)


def bound_to(role: str, kind: str = "ClusterRole") -> str:
    return f"""\
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: b, namespace: tasks}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: {kind}, name: "{role}"}}
subjects: [{{kind: ServiceAccount, name: a}}]
---
apiVersion: v1
kind: Pod
metadata: {{name: x, namespace: tasks, labels: {{app: operator}}}}
spec: {{serviceAccountName: a, containers: [{{name: c, image: x}}]}}"""


def test_a_role_of_the_input_makes_it_an_error_and_a_foreign_one_a_warning(tmp_path: Path) -> None:
    (one,) = found(tmp_path, "RF501", policy(NOWHERE), beside=WITH_OPERATOR)
    assert one.startswith("error isolates pods for egress, and no rule")
    (tmp_path / "platform-operator.yaml").unlink()
    (two,) = found(tmp_path, "RF501", policy(NOWHERE), bound_to("edit"))
    assert two.startswith("warning ")


def test_a_role_to_use_a_security_profile_is_no_use_of_the_api(tmp_path: Path) -> None:
    assert found(tmp_path, "RF501", policy(NOWHERE), bound_to("system:openshift:scc:anyuid")) == []
    role = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: psp, namespace: tasks}
rules: [{apiGroups: [policy], resources: [podsecuritypolicies], verbs: [use]}]"""
    assert found(tmp_path, "RF501", policy(NOWHERE), role, bound_to("psp", "Role")) == []


def test_a_token_that_is_not_mounted_is_no_use_of_the_api(tmp_path: Path) -> None:
    account = """\
apiVersion: v1
kind: ServiceAccount
metadata: {name: operator, namespace: tasks}
automountServiceAccountToken: false"""
    assert found(tmp_path, "RF501", policy(NOWHERE), account, beside=WITH_OPERATOR) == []


@pytest.mark.parametrize(
    ("words", "severity"),
    [((), "warning"), (("--api-server", "192.0.2.10:6443"), "error"), (("--api-server", "192.0.2.10:443"), ""),
     (("--profile", "gke-dataplane-v2"), "")],
)  # fmt: skip
def test_443_alone_is_wrong_only_where_the_server_listens_elsewhere(
    tmp_path: Path, words: tuple[str, ...], severity: str
) -> None:
    text = policy(f"{OPERATOR}, egress: [{{ports: [{{port: 443}}]}}]")
    told = found(tmp_path, "RF502", text, words=words, beside=WITH_OPERATOR)
    assert [one.partition(" ")[0] for one in told] == ([severity] if severity else [])
    assert found(tmp_path, "RF501", text, words=words, beside=WITH_OPERATOR) == []


def test_the_other_port_by_another_policy_is_enough(tmp_path: Path) -> None:
    both = (policy(f"{OPERATOR}, egress: [{{ports: [{{port: {port}}}]}}]", name=f"p{port}") for port in (443, 6443))
    assert found(tmp_path, "RF502", *both, beside=WITH_OPERATOR) == []


def test_etcd_beside_the_api_server_is_not_meant_for_it(tmp_path: Path) -> None:
    peer = "{namespaceSelector: {}, podSelector: {matchLabels: {component: etcd, tier: control-plane}}}"
    assert found(tmp_path, "RF503", policy(f"{OPERATOR}, egress: [{{to: [{peer}]}}]"), beside=WITH_OPERATOR) == []


WEBHOOK = ("tasks.yaml", "platform-webhook.yaml")
INGRESS = "podSelector: {matchLabels: {app: task-api}}, policyTypes: [Ingress]"


@pytest.mark.parametrize(
    ("peer", "words", "codes"),
    [("ipBlock: {cidr: 10.9.0.0/16}", (), []),
     ("ipBlock: {cidr: 10.9.0.0/16}", ("--node-cidr", "10.8.0.0/16"), ["RF504"]),
     ("podSelector: {}", (), ["RF505"]),
     ("namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: konnectivity-agent}}", (), [])],
)  # fmt: skip
def test_who_may_be_the_api_server(tmp_path: Path, peer: str, words: tuple[str, ...], codes: list[str]) -> None:
    text = policy(f"{INGRESS}, ingress: [{{from: [{{{peer}}}], ports: [{{port: 8080}}]}}]")
    told = [code for code in ("RF504", "RF505") if found(tmp_path, code, text, words=words, beside=WEBHOOK)]
    assert told == codes


def test_a_conversion_webhook_is_called_too(tmp_path: Path) -> None:
    crd = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: tasks.example.org}
spec:
  conversion:
    strategy: Webhook
    webhook: {clientConfig: {service: {name: task-api, namespace: tasks, port: 8000}}}"""
    (one,) = found(tmp_path, "RF504", crd, policy(INGRESS), beside=("tasks.yaml",))
    assert one.startswith("error conversion webhook is served by tasks/task-api on 8080")


def test_a_monitor_is_heard_and_the_scraper_of_the_input_is_asked(tmp_path: Path) -> None:
    monitor = """\
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata: {name: m, namespace: tasks}
spec: {selector: {matchLabels: {app: task-api}}, podMetricsEndpoints: [{port: http}]}"""
    scraper = """\
apiVersion: v1
kind: Pod
metadata: {name: prometheus, namespace: monitoring, labels: {app.kubernetes.io/name: prometheus}}
spec: {containers: [{name: c, image: x}]}"""
    gateway = policy(f"{INGRESS}, ingress: [{{from: [{{podSelector: {{}}}}], ports: [{{port: 8080}}]}}]")
    assert found(tmp_path, "RF507", monitor, gateway, beside=("tasks.yaml",)) == []
    (one,) = found(tmp_path, "RF507", monitor, scraper, gateway, beside=("tasks.yaml",))
    assert one == "warning tasks/task-api is to be scraped on 8080, and no policy lets monitoring/prometheus in there"


HOST = """\
apiVersion: v1
kind: Pod
metadata: {name: agent, namespace: tasks, labels: {app: agent, part: all}}
spec: {hostNetwork: true, containers: [{name: c, image: x}]}"""
POD = HOST.replace("hostNetwork: true, ", "").replace("agent", "worker")


@pytest.mark.parametrize(
    ("selector", "severity"), [("{}", "note"), ("{matchLabels: {part: all}}", "warning"),
                               ("{matchLabels: {app: agent}}", "error"), ("{matchLabels: {app: worker}}", "")],
)  # fmt: skip
def test_selecting_the_host_network_alone_is_an_error(tmp_path: Path, selector: str, severity: str) -> None:
    told = found(tmp_path, "RF510", HOST, POD, policy(f"podSelector: {selector}, policyTypes: [Ingress]"))
    assert [one.partition(" ")[0] for one in told] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("peers", "words", "severity"),
    [("{podSelector: {matchLabels: {app: agent}}}", (), "error"),
     ("{podSelector: {matchLabels: {part: all}}}", (), "warning"),
     ("{podSelector: {}}", (), ""),
     ("{podSelector: {matchLabels: {app: agent}}}, {ipBlock: {cidr: 10.9.0.0/16}}", (), "note"),
     ("{podSelector: {matchLabels: {app: agent}}}", ("--profile", "aws-vpc-cni"), "")],
)  # fmt: skip
def test_a_peer_on_the_host_network(tmp_path: Path, peers: str, words: tuple[str, ...], severity: str) -> None:
    text = policy(f"podSelector: {{}}, policyTypes: [Egress], egress: [{{to: [{peers}]}}]")
    told = found(tmp_path, "RF511", HOST, POD, text, words=words)
    assert [one.partition(" ")[0] for one in told] == ([severity] if severity else [])


def test_what_is_on_the_host_network_is_not_called_missing(tmp_path: Path) -> None:
    """RF510 and RF511 tell of it: that no pod has the label would be wrong."""
    text = policy("podSelector: {matchLabels: {app: agent}}, policyTypes: [Ingress], "
                  "ingress: [{from: [{podSelector: {matchLabels: {app: agent}}}]}]")  # fmt: skip
    assert found(tmp_path, "RF304", HOST, POD, text) == []
    assert found(tmp_path, "RF305", HOST, POD, text) == []


def egress(*peers: str, ports: str = "") -> str:
    rule = f"{{to: [{', '.join(f'{{ipBlock: {{{one}}}}}' for one in peers)}]{ports}}}"
    return policy(f"podSelector: {{}}, policyTypes: [Egress], egress: [{rule}]")


def test_an_exception_of_which_only_a_part_is_admitted_is_a_note(tmp_path: Path) -> None:
    wide = "cidr: 0.0.0.0/0, except: [10.0.0.0/8]"
    (one,) = found(tmp_path, "RF703", egress(wide, "cidr: 10.1.2.3/32"), beside=("tasks.yaml",))
    assert one == ("note 10.1.2.3/32, which is in 10.0.0.0/8, is admitted all the same by ipBlock 10.1.2.3/32")
    (two,) = found(tmp_path, "RF703", egress(wide, "cidr: 10.0.0.0/7"), beside=("tasks.yaml",))
    assert two == "warning 10.0.0.0/8 is admitted all the same by ipBlock 10.0.0.0/7"


def test_an_exception_of_each_other_block_leaves_both_admitted(tmp_path: Path) -> None:
    """Two blocks that except one another's ranges: what both except stays out, the rest comes in by the other."""
    one, other = "cidr: 0.0.0.0/0, except: [10.0.0.0/8]", "cidr: 0.0.0.0/0, except: [192.168.0.0/16]"
    assert len(found(tmp_path, "RF703", egress(one, other), beside=("tasks.yaml",))) == 2
    assert found(tmp_path, "RF703", egress(one, one), beside=("tasks.yaml",)) == []


def test_halves_are_a_whole(tmp_path: Path) -> None:
    (one,) = found(tmp_path, "RF707", egress("cidr: 0.0.0.0/1", "cidr: 128.0.0.0/1"), beside=("tasks.yaml",))
    assert one == "warning 0.0.0.0/1 and the blocks beside it are together every address"
    text = egress("cidr: 0.0.0.0/0", ports=", ports: [{port: 443}]")
    assert [one[:5] for one in found(tmp_path, "RF707", text, beside=("tasks.yaml",))] == ["note "]
    assert found(tmp_path, "RF707", egress("cidr: 0.0.0.0/0, except: [10.0.0.0/8]"), beside=("tasks.yaml",)) == []


def test_a_public_service_may_be_open_to_the_world(tmp_path: Path) -> None:
    public = """\
apiVersion: v1
kind: Service
metadata: {name: public, namespace: tasks}
spec: {type: LoadBalancer, selector: {app: task-api}, ports: [{port: 80, targetPort: http}]}"""
    text = policy(f"{INGRESS}, ingress: [{{from: [{{ipBlock: {{cidr: 0.0.0.0/0}}}}], ports: [{{port: 8080}}]}}]")
    assert [one[:4] for one in found(tmp_path, "RF707", public, text, beside=("tasks.yaml",))] == ["note"]
    assert [one[:4] for one in found(tmp_path, "RF707", text, beside=("tasks.yaml",))] == ["warn"]


def test_addresses_of_the_input_are_known_without_a_range(tmp_path: Path) -> None:
    service = """\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: tasks}
spec: {clusterIP: 10.96.7.7, selector: {app: worker}, ports: [{port: 80}]}"""
    pod = f"{POD}\nstatus: {{podIP: 10.1.1.1, podIPs: [{{ip: 10.1.1.1}}]}}"
    told = found(tmp_path, "RF704", service, pod, egress("cidr: 10.96.7.7/32", "cidr: 10.1.1.1/32"))
    assert told == [
        "warning 10.96.7.7/32 is Service tasks/web",
        "warning 10.1.1.1/32 is the address of a pod of tasks/worker",
    ]
    words = ("--profile", "aws-vpc-cni")
    assert len(found(tmp_path, "RF704", service, pod, egress("cidr: 10.96.7.7/32"), words=words)) == 0


def test_the_range_of_the_pods_may_come_from_nodes(tmp_path: Path) -> None:
    node = "apiVersion: v1\nkind: Node\nmetadata: {name: node-1}\nspec: {podCIDR: 10.4.0.0/24, podCIDRs: [10.4.0.0/24]}"
    (one,) = found(tmp_path, "RF709", node, egress("cidr: 10.0.0.0/8"), beside=("tasks.yaml",))
    assert one == "warning 10.0.0.0/8 holds pods of this cluster: 10.4.0.0/24"
    (two,) = found(tmp_path, "RF709", egress("cidr: 10.0.0.0/8"), beside=("tasks.yaml",))
    assert two.startswith("note 10.0.0.0/8 holds all of 10.0.0.0/8")
    wrong = node.replace("10.4.0.0/24", "10.4.0.0/240")
    assert len(found(tmp_path, "RF709", wrong, egress("cidr: 10.0.0.0/8"), beside=("tasks.yaml",))) == 1


NONSENSE = [
    "5",
    "x",
    "[]",
    "[5, x, null]",
    "{}",
    "{a: 5}",
    "[[{a: 5}]]",
    "null",
    "[{a: {}}, {verbs: 5, resources: {}}]",
]
FIELDS = {
    "webhooks": "admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration",
    "webhooks: [{clientConfig": "admissionregistration.k8s.io/v1 MutatingWebhookConfiguration",
    "webhooks: [{clientConfig: {service": "admissionregistration.k8s.io/v1 MutatingWebhookConfiguration",
    "spec": "apiregistration.k8s.io/v1 APIService",
    "spec: {service": "apiregistration.k8s.io/v1 APIService",
    "spec: {conversion": "apiextensions.k8s.io/v1 CustomResourceDefinition",
    "subjects": "rbac.authorization.k8s.io/v1 RoleBinding",
    "roleRef": "rbac.authorization.k8s.io/v1 RoleBinding",
    "rules": "rbac.authorization.k8s.io/v1 Role",
    "automountServiceAccountToken": "v1 ServiceAccount",
    "spec: {podMetricsEndpoints": "monitoring.coreos.com/v1 PodMonitor",
    "spec: {endpoints": "monitoring.coreos.com/v1 ServiceMonitor",
    "spec: {podCIDRs": "v1 Node",
    "spec: {podCIDR": "v1 Node",
    "spec: {ports: [{port: 80}], selector: {app: operator}, ipFamilies": "v1 Service",
    "spec: {containers: [{name: c, livenessProbe": "v1 Pod",
    "spec: {containers: [{name: c, env": "v1 Pod",
    "spec: {containers: [{name: c, args": "v1 Pod",
    "spec: {volumes": "v1 Pod",
    "spec: {serviceAccountName": "v1 Pod",
}


@pytest.mark.parametrize("field", FIELDS)
def test_nonsense_in_what_nobody_else_reads_is_passed_over(tmp_path: Path, field: str) -> None:
    """No value of a wrong type ends in an exception: what it asks for cannot be known, and nothing is found for it."""
    version, kind = FIELDS[field].split()
    texts = [
        f"apiVersion: {version}\nkind: {kind}\n"
        f"metadata: {{name: n{number}, namespace: tasks, labels: {{app: operator}}}}\n"
        f"{field}: {value}{_closing(field)}"
        for number, value in enumerate(NONSENSE)
    ]
    both = policy("podSelector: {}, policyTypes: [Ingress, Egress], egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]")
    found(tmp_path, "RF5,RF7,RF514", *texts, both, beside=("tasks.yaml", "platform-operator.yaml"))


def _closing(field: str) -> str:
    """The brackets that end what *field* begins."""
    opened: list[str] = []
    for sign in field:
        if sign in "{[":
            opened.append("}" if sign == "{" else "]")
        elif sign in "}]":
            opened.pop()
    return "".join(reversed(opened))
