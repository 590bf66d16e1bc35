"""Every finding of the reader: its code, its line and column, its field, and what it does to the answer."""

from __future__ import annotations

from textwrap import dedent
from typing import Final, NamedTuple

import pytest

from manifests.reading import read, told
from ringfence.errors import InputError
from ringfence.manifests import CODES
from ringfence.model.addresses import IpBlock
from ringfence.model.findings import Severity
from ringfence.model.flows import Note


class Case(NamedTuple):
    """Text; the findings as (code, line, column, field); the notes of the gaps it leaves."""

    name: str
    text: str
    findings: list[tuple[str, int, int, str]]
    gaps: list[str] = []  # noqa: RUF012 (a constant of the table)


def _policy(spec: str) -> str:
    return "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec:\n" + spec


def _ingress(service: str, port: int) -> str:
    return (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: ok}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
        "spec: {selector: {app: web}, ports: [{port: 80}]}\n---\napiVersion: networking.k8s.io/v1\nkind: Ingress\n"
        f"spec: {{defaultBackend: {{service: {{name: {service}, port: {{number: {port}}}}}}}}}\n"
        "metadata: {name: in}\n"
    )


def _route(spec: str) -> str:
    return f"apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: r}}\nspec: {{{spec}}}\n"


POD: Final = "apiVersion: v1\nkind: Pod\nmetadata: {name: ok}\n---\n"
GAP: Final = [Note.INCOMPLETE_INPUT.value]
CASES: Final = [
    Case("tab", POD + "a:\n\tb: c\n", [("RF003", 6, 1, "")], GAP),
    Case("unclosed", POD + "a: [b\n", [("RF003", 5, 4, "")], GAP),
    Case("template", POD + "a: {{ .Values.a }}\n", [("RF003", 5, 5, "")], GAP),
    Case("tag", POD + "kind: Pod\napiVersion: v1\na: !thing b\n", [("RF003", 7, 4, "")], GAP),
    Case("tag-of-others", POD + "a: !thing b\n", [("RF011", 5, 1, "")]),
    Case("alias", POD + "a: *nobody\n", [("RF003", 5, 4, "")], GAP),
    Case("deep", POD + "a: " + "[" * 300 + "]" * 300 + "\n", [("RF006", 5, 203, "")], GAP),
    Case(
        "bomb",
        POD
        + "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
        + "".join(
            f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n" for old, new in zip("abcde", "bcdef", strict=True)
        ),
        [("RF007", 10, 8, "")],
        GAP,
    ),
    Case("no-kind", POD + "apiVersion: v1\nmetadata: {name: a}\n", [("RF010", 5, 1, "kind")], GAP),
    Case("no-version", POD + "kind: Pod\nmetadata: {name: a}\n", [("RF010", 5, 1, "apiVersion")], GAP),
    Case("values-file", POD + "replicas: 3\n", [("RF011", 5, 1, "")]),
    Case(
        "twice-and-different",
        POD + "apiVersion: v1\nkind: Pod\nmetadata:\n  name: ok\n  labels: {a: b}\n",
        [("RF012", 1, 1, ""), ("RF012", 5, 1, "")],
    ),
    Case(
        "inside-another",
        POD + "apiVersion: crossplane.io/v1\nkind: Release\nmetadata: {name: r}\n"
        "spec: {objects: [{apiVersion: v1, kind: Service, metadata: {name: s}}]}\n",
        [("RF057", 5, 1, "")],
    ),
    Case("twice-and-equal", POD + POD, [("RF013", 5, 1, "")]),
    Case("bad-name", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: Big\n", [("RF014", 4, 3, "metadata.name")]),
    Case("no-name", "apiVersion: v1\nkind: Pod\nmetadata: {}\n", [("RF014", 3, 1, "metadata.name")]),
    Case("name-that-is-no", "apiVersion: v1\nkind: Pod\nmetadata: {name: no}\n", [("RF016", 3, 12, "metadata.name")]),
    Case(
        "generated-name",
        "apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}\n",
        [("RF014", 3, 1, "metadata.name")],
    ),
    Case(
        "namespaced-node",
        "apiVersion: v1\nkind: Node\nmetadata: {name: one, namespace: d}\n",
        [("RF015", 3, 23, "metadata.namespace")],
    ),
    Case(
        "number-as-label",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels:\n    x: z\n    app: 1\n",
        [("RF016", 7, 5, "metadata.labels.app")],
    ),
    Case(
        "containers-as-mapping",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers: {}\n",
        [("RF016", 5, 3, "spec.containers")],
    ),
    Case(
        "bad-label",
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels: {'a b': c}\n",
        [("RF017", 5, 12, "metadata.labels[a b]")],
    ),
    Case(
        "old-version",
        "apiVersion: apps/v1beta1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {}}\n",
        [("RF018", 1, 1, "apiVersion")],
    ),
    Case(
        "old-group",
        "apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {}}\n",
        [("RF018", 1, 1, "apiVersion")],
    ),
    Case(
        "unread-maker",
        POD + "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: a}\nspec: {template: {spec: {}}}\n",
        [("RF019", 5, 1, "")],
    ),
    Case(
        "no-such-kind",
        POD + "apiVersion: apps/v1\nkind: deployment\nmetadata: {name: a}\nspec: {template: {spec: {}}}\n",
        [("RF024", 6, 1, "kind")],
    ),
    Case(
        "failed-dump",
        POD + '{"apiVersion": "v1", "kind": "Status", "status": "Failure", "message": "forbidden"}',
        [("RF025", 5, 1, "")],
        GAP,
    ),
    Case(
        "container-port",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - ports:\n    - containerport: 80\n"
        "    - containerPort: 70000\n    - {containerPort: 80, protocol: tcp}\n",
        [
            ("RF020", 7, 7, "spec.containers[0].ports[0]"),
            ("RF020", 8, 7, "spec.containers[0].ports[1].containerPort"),
            ("RF020", 9, 27, "spec.containers[0].ports[2].protocol"),
        ],
    ),
    Case(
        "pod-address",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nstatus:\n  podIPs:\n  - ip: 10.0.0.999\n",
        [("RF021", 6, 5, "status.podIPs[0].ip")],
    ),
    Case(
        "service-port",
        "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports:\n  - port: 0\n  - port: 80\n"
        "    targetPort: 70000\n  - {name: x}\n  - {port: 81, targetPort: '80'}\n",
        [
            ("RF022", 6, 5, "spec.ports[0].port"),
            ("RF022", 8, 5, "spec.ports[1].targetPort"),
            ("RF022", 9, 5, "spec.ports[2].port"),
            ("RF022", 10, 16, "spec.ports[3].targetPort"),
        ],
    ),
    Case(
        "slice-port",
        "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: a}\naddressType: IPv4\n"
        "endpoints: []\nports:\n- port: 70000\n",
        [("RF026", 7, 3, "ports[0].port")],
    ),
    Case(
        "endpoints",
        "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80}]}\n---\n"
        "apiVersion: v1\nkind: Endpoints\nmetadata: {name: a}\n",
        [("RF023", 6, 1, "")],
    ),
    Case(
        "key-twice", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  name: b\n", [("RF005", 5, 3, "metadata.name")]
    ),
    Case(
        "unknown-field",
        _policy("  ingress:\n  - from:\n    - podSelector: {}\n      namespaceselector: {}\n"),
        [("RF030", 8, 7, "spec.ingress[0].from[0].namespaceselector")],
    ),
    Case("value", _policy("  policyTypes: [Ingress, egress]\n"), [("RF031", 5, 26, "spec.policyTypes[1]")], GAP),
    Case("required", _policy("  ingress:\n  - from: [{}]\n"), [("RF032", 6, 12, "spec.ingress[0].from[0]")], GAP),
    Case(
        "exclusive",
        _policy("  egress:\n  - to:\n    - ipBlock: {cidr: 10.0.0.0/8}\n      podSelector: {}\n"),
        [("RF033", 7, 7, "spec.egress[0].to[0]")],
        GAP,
    ),
    Case(
        "port",
        _policy("  ingress:\n  - ports:\n    - port: 8000\n    - port: 66000\n"),
        [("RF034", 8, 7, "spec.ingress[0].ports[1].port")],
        GAP,
    ),
    Case(
        "port-name",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\n" + _policy("  ingress:\n  - ports:\n    - port: http\n"),
        [("RF044", 11, 7, "spec.ingress[0].ports[0].port")],
    ),
    Case(
        "block",
        _policy("  ingress:\n  - from:\n    - ipBlock:\n        cidr: 10.0.0.1\n"),
        [("RF035", 8, 9, "spec.ingress[0].from[0].ipBlock.cidr")],
        GAP,
    ),
    Case(
        "host-bits",
        _policy("  ingress:\n  - from:\n    - ipBlock:\n        cidr: 10.0.0.1/8\n"),
        [("RF036", 8, 9, "spec.ingress[0].from[0].ipBlock.cidr")],
    ),
    Case(
        "stored-host-bits",
        _policy("  ingress:\n  - from:\n    - ipBlock:\n        cidr: 10.0.0.1/8\n").replace(
            "{name: p}", "{name: p, uid: u}"
        ),
        [("RF043", 8, 9, "spec.ingress[0].from[0].ipBlock.cidr")],
    ),
    Case(
        "selector",
        _policy("  podSelector:\n    matchExpressions:\n    - {key: a, operator: In}\n"),
        [("RF037", 7, 7, "spec.podSelector.matchExpressions[0].values")],
        GAP,
    ),
    Case(
        "label-in-selector",
        _policy("  podSelector:\n    matchLabels:\n      a: b\n      c: 'd e'\n"),
        [("RF037", 8, 7, "spec.podSelector.matchLabels")],
        GAP,
    ),
    Case(
        "not-served",
        "apiVersion: extensions/v1beta1\nkind: NetworkPolicy\nmetadata: {name: a}\n",
        [("RF038", 1, 1, "apiVersion")],
        GAP,
    ),
    Case(
        "not-modelled",
        POD + "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a}\n",
        [("RF039", 5, 1, "")],
        [Note.UNMODELLED_POLICY.value],
    ),
    Case(
        "null-label",
        _policy("  podSelector:\n    matchLabels:\n      a:\n"),
        [("RF040", 7, 7, "spec.podSelector.matchLabels.a")],
    ),
    Case("null-item", _policy("  ingress:\n  - null\n"), [("RF041", 6, 5, "spec.ingress[0]")]),
    Case(
        "canonical",
        _policy("  ingress:\n  - from:\n    - ipBlock: {cidr: '2001:DB8::/32'}\n"),
        [("RF042", 7, 17, "spec.ingress[0].from[0].ipBlock.cidr")],
    ),
]
CASES.extend(
    [
        Case(
            "by-shape",
            "apiVersion: example.org/v1\nkind: Shop\nmetadata: {name: a}\n"
            "spec:\n  template: {spec: {containers: [{image: i}]}}\n",
            [("RF056", 5, 3, "spec.template")],
        ),
        Case("no-service", _ingress("wep", 80), [("RF050", 12, 25, "spec.defaultBackend.service")]),
        Case("no-port", _ingress("web", 81), [("RF051", 12, 25, "spec.defaultBackend.service")]),
        Case("no-pod", _ingress("web", 80), [("RF052", 12, 25, "spec.defaultBackend.service")]),
        Case(
            "no-grant",
            POD + _route("parentRefs: [{name: g}], rules: [{backendRefs: [{name: a, namespace: b, port: 80}]}]"),
            [("RF053", 8, 66, "spec.rules[0].backendRefs[0].namespace")],
        ),
        Case(
            "no-service-kind",
            POD + _route("parentRefs: [{name: g}], rules: [{backendRefs: [{kind: Bucket, group: e.org, name: a}]}]"),
            [("RF054", 8, 56, "spec.rules[0].backendRefs[0]")],
        ),
        Case("no-gateway", POD + _route("rules: [{backendRefs: [{name: a, port: 80}]}]"), [("RF055", 8, 1, "spec")]),
    ]
)
BYTES: Final = {"RF001", "RF002", "RF004", "RF008"}
"""Codes about files and JSON; tested in ``test_load`` and ``test_text``."""
TREES: Final = {"RF009", "RF045", "RF046", "RF047", "RF048", "RF049"}
"""Codes about directories and sizes; tested in ``test_trees`` and ``test_found``."""
SERVERS: Final = {"RF027", "RF028", "RF029"}
"""Codes about servers and snapshots; tested in ``live``."""
INTENTS: Final = {"RF060", "RF061", "RF062", "RF063", "RF064", "RF065"}
"""Codes about documents of intents; tested in ``test_intents``."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_finding(case: Case) -> None:
    cluster = read(case.text)
    assert told(cluster) == case.findings
    assert [gap.note.value for gap in cluster.gaps] == case.gaps
    for finding in cluster.findings:
        assert finding.file == "<stdin>"
        assert finding.message
        assert finding.remedy
        assert finding.excludes == bool(CODES[finding.code].leaves_out)


def test_every_code_has_a_case() -> None:
    assert {code for case in CASES for code, *_ in case.findings} | BYTES | TREES | SERVERS | INTENTS == set(CODES)


def test_codes_that_leave_an_object_out_are_errors() -> None:
    assert all(c.severity is Severity.ERROR for c in CODES.values() if c.leaves_out == "object" and c.code != "RF039")


@pytest.mark.parametrize(
    ("version", "kind", "remedy", "gap"),
    [
        ("networking.k8s.io/v1", "networkpolicy", "did you mean NetworkPolicy?", "networkpolicy default/x"),
        ("networking.k8s.io/v1", "NetworkPolicys", "did you mean NetworkPolicy?", "NetworkPolicys default/x"),
        ("networking.k8s.io/v1", "NetworkPolicies", "did you mean NetworkPolicy?", "NetworkPolicies default/x"),
        ("networking.k8s.io/v1", "Firewall", "mend kind or apiVersion", "Firewall default/x"),
        ("networking.k8s.io/v1", "ingress", "did you mean Ingress?", ""),
        ("v1", "NetworkPolicy", "write apiVersion: networking.k8s.io/v1", "NetworkPolicy default/x"),
        ("v1", "pod", "did you mean Pod?", ""),
        ("v1", "namespace", "did you mean Namespace?", "namespace x"),
        ("v1", "Deployment", "write apiVersion: apps/v1", ""),
        ("apps/v1", "deployment", "did you mean Deployment?", ""),
        ("batch/v1", "Cronjob", "did you mean CronJob?", ""),
        ("ringfence.dev/v1alpha1", "Intent", "did you mean Intents?", ""),
        ("ringfence.dev/v1alpha1", "pins", "did you mean Pins?", ""),
        ("apps/v1", "Banana", "mend kind or apiVersion", ""),
    ],
)
def test_a_kind_that_no_server_has(version: str, kind: str, remedy: str, gap: str) -> None:
    cluster = read(f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: x}}\nspec: {{podSelector: {{}}}}\n")
    (finding,) = cluster.findings
    assert (finding.code, finding.message, finding.remedy) == ("RF024", f"{version} has no kind {kind}", remedy)
    assert finding.excludes
    assert [one.what for one in cluster.gaps] == ([gap] if gap else [])
    assert cluster.ignored == {}


@pytest.mark.parametrize("stored", ["uid: 1-2", "resourceVersion: '7'"])
def test_a_stored_block_in_the_form_of_ipv6_is_the_ipv4_one(stored: str) -> None:
    """S20, S21: values that are stored already stay valid; in a manifest the same one is refused."""
    text = (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p{}}}\n"
        "spec: {{ingress: [{{from: [{{ipBlock: {{cidr: '::ffff:10.1.2.3/112', "
        "except: ['::ffff:10.1.9.0/120']}}}}]}}]}}\n"
    )
    cluster = read(text.format(f", {stored}"))
    assert [finding.code for finding in cluster.findings] == ["RF043", "RF043"]
    block = cluster.policies[0].ingress[0].peers[0].block
    assert block == IpBlock("10.1.0.0/16", ("10.1.9.0/24",))
    assert [finding.code for finding in read(text.format("")).findings] == ["RF035", "RF035"]


def test_a_misspelt_policy_concerns_the_pods_that_it_meant() -> None:
    """S30: those of its selector and no others."""
    (gap,) = read(
        "apiVersion: networking.k8s.io/v1\nkind: networkpolicy\nmetadata: {name: x, namespace: shop}\n"
        "spec: {podSelector: {matchLabels: {app: db}}}\n"
    ).gaps
    assert (gap.namespace, str(gap.pods)) == ("shop", "app=db")


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("networking.k8s.io/v1", "IngressClass"), ("example.org/v1", "pod"),
        ("v1", "ConfigMap"), ("v1", "Secret"), ("v1", "Config"), ("v1", "Status"), ("apps/v1", "ControllerRevision"),
    ],
)  # fmt: skip
def test_kinds_that_have_nothing_to_do_with_traffic_are_counted(version: str, kind: str) -> None:
    cluster = read(f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: x}}\n")
    assert (cluster.findings, cluster.gaps) == ((), ())
    assert sum(cluster.ignored.values()) == 1


@pytest.mark.parametrize(
    ("version", "kind", "place"),
    [
        ("nsx.vmware.com/v1alpha1", "SecurityPolicy", "default"),
        ("crd.nsx.vmware.com/v1alpha1", "SecurityPolicy", "default"),
        ("vpcresources.k8s.aws/v1beta1", "SecurityGroupPolicy", "default"),
        ("kubeovn.io/v1", "SecurityGroup", None),
    ],
)
def test_security_groups_are_policies_that_are_not_modelled(version: str, kind: str, place: str | None) -> None:
    cluster = read(f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: x}}\n")
    assert [finding.code for finding in cluster.findings] == ["RF039"]
    assert [(gap.note, gap.namespace) for gap in cluster.gaps] == [(Note.UNMODELLED_POLICY, place)]


def test_an_unread_maker_whose_pods_are_there_is_no_finding() -> None:
    """A live dump holds the pods of a Rollout, and the ReplicaSet that says whose they are."""
    cluster = read(
        dedent(
            """\
            apiVersion: argoproj.io/v1alpha1
            kind: Rollout
            metadata: {name: shop}
            spec: {template: {spec: {}}}
            ---
            apiVersion: apps/v1
            kind: ReplicaSet
            metadata: {name: shop-1, ownerReferences: [{kind: Rollout, name: shop, controller: true}]}
            spec: {template: {}}
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: shop-1-x, ownerReferences: [{kind: ReplicaSet, name: shop-1, controller: true}]}
            """
        )
    )
    assert cluster.findings == ()
    assert [workload.id for workload in cluster.workloads] == ["default/shop[Rollout]"]


def test_a_refused_policy_leaves_a_gap_for_the_pods_it_selects() -> None:
    """S30: what the excluded object could have selected is known as far as its selector is."""
    readable = read(_policy("  podSelector: {matchLabels: {app: db}}\n  policyTypes: [Wrong]\n")).gaps[0]
    assert (readable.namespace, str(readable.pods)) == ("default", "app=db")
    unreadable = read(_policy("  podSelector: {matchLabels: {app: 1}}\n")).gaps[0]
    assert (unreadable.namespace, unreadable.pods) == ("default", None)


def test_endpoints_of_a_service_with_a_selector_are_no_finding() -> None:
    text = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {selector: {a: b}, ports: [{port: 80}]}\n---\n"
    cluster = read(text + "apiVersion: v1\nkind: Endpoints\nmetadata: {name: a}\n")
    assert (cluster.findings, cluster.ignored) == ((), {"Endpoints": 1})


def test_documents_that_are_not_read_are_counted() -> None:
    cluster = read(POD + "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    assert cluster.ignored == {"ConfigMap": 1}
    assert cluster.findings == ()


@pytest.mark.parametrize("text", ["", "\n", "---\n---\n", "# nothing\n", "a: b\n", "\tx", "{", "[]"])
def test_nothing_to_read_is_one_sentence(text: str) -> None:
    with pytest.raises(InputError, match="no Kubernetes object could be read"):
        read(text)
