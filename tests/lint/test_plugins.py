"""Network plugins and their documents: more cases of the 8xx than an example can hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from lint.asking import linting
from ringfence.query.lint.run import lint
from ringfence.query.lint.table import meant
from ringfence.report.lint.pages import example

POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: tasks}
spec: {podSelector: {}, policyTypes: [Ingress]}
"""
FQDN = """\
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: names, namespace: tasks}
spec:
  endpointSelector: {matchLabels: {app: task-api}}
  egress: [{toFQDNs: [{%s}]}]
"""
DNS = """\
---
apiVersion: cilium.io/v2
kind: %s
metadata: {name: dns%s}
spec:
  endpointSelector: {matchLabels: {%s}}
  egress:
  - toEndpoints: [{matchLabels: {"k8s:io.kubernetes.pod.namespace": kube-system}}]
    toPorts: [{ports: [{port: "53", protocol: ANY}], rules: {dns: [{%s}]}}]
"""
HERE = ("CiliumNetworkPolicy", ", namespace: tasks")
ANYWHERE = ("CiliumClusterwideNetworkPolicy", "")


def found(folder: Path, code: str, text: str, *options: str) -> list[tuple[str, str]]:
    """Severity and message of what *code* finds in *text*, read beside the cluster of the examples."""
    tasks = example("tasks.yaml")
    assert tasks is not None
    (folder / "tasks.yaml").write_text(tasks.text)
    (folder / "text.yaml").write_text(text)
    result = lint(linting([folder / "tasks.yaml", folder / "text.yaml"], options), meant([code], "test"))
    return [(str(one.severity), one.message) for one in result.findings]


@pytest.mark.parametrize(
    ("name", "dns", "learned"),
    [
        ("matchName: api.example.com", None, False),
        ("matchName: api.example.com", (*HERE, "app: task-api", 'matchPattern: "*"'), True),
        ("matchName: api.example.com", (*HERE, '"k8s:app": task-api', 'matchPattern: "*"'), True),
        ("matchName: API.example.com.", (*HERE, "app: task-api", "matchName: api.example.com"), True),
        ("matchName: api.example.com", (*HERE, "app: task-api", 'matchPattern: "*.com"'), False),
        ("matchName: a.b.example.com", (*HERE, "app: task-api", 'matchPattern: "**.example.com"'), True),
        ("matchName: api.example.com", (*HERE, "app: task-api", "matchName: example.com"), False),
        ("matchName: api.example.com", (*HERE, "app: db", 'matchPattern: "*"'), False),
        ("matchName: api.example.com", (*HERE, "", 'matchPattern: "*"'), True),
        ("matchName: api.example.com", (*ANYWHERE, "app: db", 'matchPattern: "*"'), True),
        ('matchPattern: "*.example.com"', (*HERE, "app: task-api", 'matchPattern: "*.example.*"'), True),
        ('matchPattern: "*.example.com"', None, False),
    ],
)
def test_a_name_is_learned_by_a_rule_that_asks_for_it(
    name: str, dns: tuple[str, ...] | None, learned: bool, tmp_path: Path
) -> None:
    """What is not known counts as learned: an error has to be sure."""
    text = FQDN % name + (DNS % dns if dns else "")
    assert (found(tmp_path, "RF813", text) == []) == learned


def test_of_pods_that_are_not_in_the_input_nobody_knows(tmp_path: Path) -> None:
    text = FQDN.replace("task-api", "elsewhere") % "matchName: a.com" + DNS % (*HERE, "team: x", 'matchPattern: "*"')
    assert found(tmp_path, "RF813", text) == []


def test_without_its_proxy_cilium_learns_no_name(tmp_path: Path) -> None:
    text = FQDN % "matchName: a.com" + DNS % (*HERE, "", 'matchPattern: "*"')
    text += "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: cilium-config, namespace: kube-system}\n"
    [(severity, message)] = found(tmp_path, "RF813", text + 'data: {enable-l7-proxy: "false"}\n')
    assert severity == "error"
    assert "switched off" in message
    assert found(tmp_path, "RF813", text + 'data: {enable-l7-proxy: "true"}\n') == []


AGENT = """\
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: %s, namespace: kube-system}
spec:
  selector: {matchLabels: {k8s-app: agent}}
  template:
    metadata: {labels: {k8s-app: agent}}
    spec: {containers: [{name: %s, image: x, args: [%s]}]}
"""


@pytest.mark.parametrize(
    ("agents", "count"),
    [
        ([("aws-node", "aws-eks-nodeagent", "--enable-network-policy=false")], 1),
        ([("aws-node", "aws-eks-nodeagent", "--enable-network-policy=true")], 0),
        ([("aws-node", "aws-eks-nodeagent", "--enable-network-policy=false"), ("calico-node", "c", "")], 0),
        ([("kube-router", "kube-router", "--run-firewall=false")], 1),
        ([("kube-flannel-ds", "kube-flannel", "")], 1),
        ([("kube-flannel-ds", "kube-network-policies", "")], 0),
        ([("kube-flannel-ds", "kube-flannel", ""), ("kube-network-policies", "n", "")], 0),
    ],
)
def test_agents_that_do_not_enforce(agents: list[tuple[str, str, str]], count: int, tmp_path: Path) -> None:
    text = POLICY + "".join(AGENT % agent for agent in agents)
    assert len(found(tmp_path, "RF826", text)) == count
    without = "".join(AGENT % agent for agent in agents)
    assert found(tmp_path, "RF826", without) == [], "without a policy nothing is missing"


RANGE = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: gateway}
spec:
  podSelector: {}
  policyTypes: [Egress]
  egress: [{to: [{namespaceSelector: {}, podSelector: {matchLabels: {%s}}}], ports: [%s]}]
"""


@pytest.mark.parametrize(
    ("ports", "told"),
    [
        ("{port: 8080}", False),
        ("{port: http}", False),
        ("{port: 8080, endPort: 8081}", True),
        ("{port: 8000, endPort: 8081}", False),
        ("{port: 9000, endPort: 9001}", False),
    ],
)
def test_aws_translates_a_service_for_single_ports(ports: str, told: bool, tmp_path: Path) -> None:
    """Service port 8000 leads to 8080: a range that holds the second and not the first admits no call to it."""
    text = RANGE % ("app: task-api", ports)
    assert bool(found(tmp_path, "RF805", text, "--profile", "aws-vpc-cni")) == told
    assert found(tmp_path, "RF805", text, "--profile", "calico") == []


@pytest.mark.parametrize("more", ["", "{namespaceSelector: {}}", "{ipBlock: {cidr: 0.0.0.0/0}}"])
def test_aws_finds_a_service_by_its_own_selector(more: str, tmp_path: Path) -> None:
    """An error where a setting names the Service, and nothing where another peer admits it."""
    tasks = example("RF806.yaml")
    assert tasks is not None
    text = tasks.text.replace("{tier: api}}\n", f"{{tier: api}}}}\n{f'    - {more}' if more else ''}\n")
    severities = [severity for severity, _ in found(tmp_path, "RF806", text, "--profile", "aws-vpc-cni")]
    assert severities == ([] if more else ["error"])
    unnamed = text.replace("http://search:9200", "none")
    severities = [severity for severity, _ in found(tmp_path, "RF806", unnamed, "--profile", "aws-vpc-cni")]
    assert severities == ([] if more else ["warning"])


CLUSTER = """\
---
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: %s}
spec:
  tier: %s
  priority: 50
  subject: {namespaces: {matchLabels: {%s}}}
  ingress: [{name: r, action: %s, from: [{namespaces: {}}], protocols: [{tcp: {destinationPort: {number: %s}}}]}]
"""
CORE, NAMED = "team: core", "kubernetes.io/metadata.name: tasks"


@pytest.mark.parametrize(
    ("one", "other", "tied"),
    [
        (("Admin", CORE, "Accept", 80), ("Admin", CORE, "Deny", 80), True),
        (("Admin", CORE, "Accept", 80), ("Admin", NAMED, "Deny", 80), True),
        (("Admin", CORE, "Accept", 80), ("Baseline", CORE, "Deny", 80), False),
        (("Admin", CORE, "Accept", 80), ("Admin", CORE, "Deny", 81), False),
        (("Admin", CORE, "Deny", 80), ("Admin", CORE, "Deny", 80), False),
        (("Admin", CORE, "Accept", 80), ("Admin", "kubernetes.io/metadata.name: gateway", "Deny", 80), False),
    ],
)
def test_a_tie_is_one_where_the_rules_surely_meet(
    one: tuple[object, ...], other: tuple[object, ...], tied: bool, tmp_path: Path
) -> None:
    text = CLUSTER % ("a", *one) + CLUSTER % ("b", *other)
    assert bool(found(tmp_path, "RF821", text)) == tied


WHOLE = """\
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: g}
spec: {%s}
"""


@pytest.mark.parametrize(
    ("spec", "caught"),
    [
        ("types: [Ingress]", True),
        ("selector: all(), types: [Egress], egress: [{action: Deny}]", True),
        (
            "selector: all(), types: [Egress], egress: [{action: Allow, protocol: UDP, destination: {ports: [53]}}]",
            False,
        ),
        ("selector: all(), types: [Egress], egress: [{action: Pass}]", False),
        ("selector: app == 'db', types: [Ingress]", False),
        ("namespaceSelector: name != 'kube-system', types: [Ingress]", False),
        ("selector: all(), preDNAT: true, applyOnForward: true, types: [Ingress], ingress: [{action: Deny}]", False),
    ],
)
def test_a_policy_for_all_that_allows_nothing_cuts_off_the_system(spec: str, caught: bool, tmp_path: Path) -> None:
    assert bool(found(tmp_path, "RF819", WHOLE % spec)) == caught


@pytest.mark.parametrize("code", ["RF812", "RF813", "RF814", "RF816", "RF818", "RF819", "RF820", "RF821", "RF822",
                                  "RF824", "RF826"])  # fmt: skip
def test_documents_of_any_shape_are_passed_over(code: str, tmp_path: Path) -> None:
    """Nobody checked the types of what these kinds hold; a finding may be missing then, and nothing falls over."""
    kinds = [
        ("cilium.io/v2", "CiliumNetworkPolicy"), ("cilium.io/v2", "CiliumClusterwideNetworkPolicy"),
        ("projectcalico.org/v3", "NetworkPolicy"), ("projectcalico.org/v3", "GlobalNetworkPolicy"),
        ("projectcalico.org/v3", "GlobalNetworkSet"), ("crd.antrea.io/v1beta1", "NetworkPolicy"),
        ("crd.antrea.io/v1beta1", "ClusterNetworkPolicy"),
        ("policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"),
        ("extensions.agents.x-k8s.io/v1beta1", "SandboxTemplate"), ("v1", "ConfigMap"),
    ]  # fmt: skip
    odd = ["[]", "null", "7", "text", "{}", "[[]]", "[7]", "[null]", "[{}]", "{a: [b]}"]
    keys = ("endpointSelector", "egress", "ingress", "subject", "appliedTo", "priority", "order", "tier", "selector",
            "types", "networkPolicy", "enableDefaultDeny")  # fmt: skip
    texts = [
        f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: cilium-config{number}, namespace: tasks}}\n"
        f"data: {value}\nspecs: {value}\nspec: {spec}\n"
        for version, kind in kinds
        for number, value in enumerate(odd)
        for spec in [value if number < 4 else "{" + ", ".join(f"{key}: {value}" for key in keys) + "}"]
    ]
    rules = [
        f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: rules{number}, namespace: tasks}}\n"
        f"spec: {{subject: {{namespaces: {value}}}, priority: 1, endpointSelector: {{}}, egress: [{{action: Deny, "
        f"to: {value}, toFQDNs: {value}, toPorts: {value}, protocols: {value}, destination: {value}, "
        f"ports: {value}}}, {{action: Allow, to: {value}, toEntities: {value}}}, {{action: {value}, 7: {value}}}]}}\n"
        for version, kind in kinds
        for number, value in enumerate(odd)
    ]
    found(tmp_path, code, "---\n".join([*texts, *rules]))
