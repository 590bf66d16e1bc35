"""Files of other programs in a directory, and what carries objects without being one that is read."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from conftest import Run

from manifests.reading import read
from ringfence.manifests import load
from ringfence.model.flows import Note

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: c, image: i}]}\n"
POLICY = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {podSelector: {}}}"
OTHERS = {
    "cloudformation": "Resources:\n  A: {Type: X, Properties: {B: !Ref C, D: !Sub '${E}'}}\n",
    "home-assistant": "password: !secret p\n",
    "python-names": "theme: {icon: !!python/name:emoji.twemoji ''}\n",
    "grafana-datasources": "apiVersion: 1\ndatasources: [{name: p, url: 'http://prometheus'}]\n",
    "helm-repository": "apiVersion: v1\nentries: {shop: []}\ngenerated: '2020-01-01'\n",
    "pipeline": "kind: pipeline\ntype: docker\nname: x\nsteps: []\n",
    "note-of-a-release": "apiVersion: release-notes/v2\nissue: [1]\nreleaseNotes: []\n",
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_file_of_another_program_is_counted_and_nothing_else(name: str, tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(POD)
    (tmp_path / "other.yaml").write_text(OTHERS[name])
    cluster = load([str(tmp_path)])
    assert cluster.passed == (str(tmp_path / "other.yaml"),)
    assert cluster.findings == ()
    assert cluster.gaps == ()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("apiVersion: v1\nkind: Namespace\nmetadata: {name: !Ref x}\n", "RF003"),
        ("apiVersion: v1\nkind: List\nitems: [!Ref x]\n", "RF003"),
        ("kind: NetworkPolicy\nspec: {podSelector: !x y}\n", "RF003"),
        ("kind: NetworkPolicy\nspec: {podSelector: {}}\n", "RF010"),
        ("apiVersion: v1\nmetadata: {name: a}\n", "RF010"),
        ("apiVersion: v1\nitems: [{kind: Pod}]\n", "RF010"),
    ],
)
def test_what_may_have_been_an_object_is_an_error_still(text: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(POD)
    (tmp_path / "other.yaml").write_text(text)
    cluster = load([str(tmp_path)])
    assert [finding.code for finding in cluster.findings] == [code]
    assert [gap.note for gap in cluster.gaps] == [Note.INCOMPLETE_INPUT]


def test_the_tag_of_merging_merges() -> None:
    """As yq writes it, and kubectl reads it."""
    pod = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: %s\n  labels: {%s <<: {app: %s}, x: z}\n"
    cluster = read(pod % ("web", "", "web") + "---\n" + pod % ("w2", "!!merge", "two"))
    assert cluster.findings == ()
    assert {pod.name: dict(pod.labels) for pod in cluster.pods} == {
        "web": {"app": "web", "x": "z"}, "w2": {"app": "two", "x": "z"},
    }  # fmt: skip


def test_documents_of_json_with_marks_are_read_one_by_one(tmp_path: Path) -> None:
    """One that is cut off takes nothing with it that stands before."""
    one = '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "%s"}}\n'
    file = tmp_path / "all.yaml"
    file.write_text("---\n".join(one % name for name in ("a", "b", "c"))[:-20])
    cluster = load([str(file)])
    assert [workload.name for workload in cluster.workloads] == ["a", "b"]
    assert [(finding.code, finding.line) for finding in cluster.findings] == [("RF003", 5)]


def test_a_template_of_json_is_told_as_one(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(POD)
    (tmp_path / "a.tmpl.json").write_text('{"node": {\n  {{- if .Values.a }}\n  "id": 1\n  {{- end }}\n}}\n')
    (finding,) = load([str(tmp_path)]).findings
    assert (finding.code, finding.message, finding.file) == (
        "RF046", "is a template, which holds no object before it is rendered", str(tmp_path / "a.tmpl.json"),
    )  # fmt: skip


def test_a_list_without_a_kind_may_have_been_cut_off() -> None:
    """kubectl writes the kind of a list in YAML last."""
    cluster = read(f"{POD}---\napiVersion: v1\nitems:\n- {{apiVersion: v1, kind: Pod, metadata: {{name: a}}}}\n")
    (finding,) = cluster.findings
    assert (finding.code, finding.message, finding.remedy) == (
        "RF010", "has no kind, so it is not known what it is", "add its kind, or take the dump again if it was cut off",
    )  # fmt: skip


def test_empty_documents_take_no_time() -> None:
    """A million lines of nothing; with a reader for each they take most of a minute."""
    begun = time.process_time()
    assert len(read("---\n" * 1_000_000 + POD).workloads) == 1
    assert time.process_time() - begun < 10


# -- objects inside others ----------------------------------------------------------------------------------------

INSIDE = {
    "template": f"apiVersion: template.openshift.io/v1\nkind: Template\nmetadata: {{name: t}}\nobjects: [{POLICY}]\n",
    "old-template": f"apiVersion: v1\nkind: Template\nmetadata: {{name: t}}\nobjects: [{POLICY}]\n",
    "generated": "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: t}\nspec: {rules: [{generate: "
    "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, name: d, data: {spec: {podSelector: {}}}}}]}\n",
    "values": "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: t}\n"
    f"spec: {{values: {{extraDeploy: [{POLICY}]}}}}\n",
}


@pytest.mark.parametrize("name", INSIDE)
def test_a_policy_inside_another_object_is_told_and_noted(name: str) -> None:
    cluster = read(f"{POD}---\n{INSIDE[name]}")
    (finding,) = cluster.findings
    assert (finding.code, finding.excludes) == ("RF057", True)
    assert finding.message == "has 1 object inside that is not read: NetworkPolicy"
    assert [(gap.note, gap.namespace) for gap in cluster.gaps] == [(Note.INCOMPLETE_INPUT, None)]
    assert ("oc process" in finding.remedy) == ("template" in name)


PODS_INSIDE = (
    "apiVersion: core.strimzi.io/v1\nkind: StrimziPodSet\nmetadata: {name: s}\nspec: {pods: [{apiVersion: v1, "
    "kind: Pod, metadata: {name: s-0}}]}\n"
)


def test_pods_inside_another_object_are_told() -> None:
    (finding,) = read(f"{POD}---\n{PODS_INSIDE}").findings
    assert (finding.code, finding.message) == ("RF057", "has 1 object inside that is not read: Pod")


def test_objects_that_stand_in_the_input_too_are_not_told() -> None:
    """As in a dump of a cluster, into which their controller has put them."""
    cluster = read(f"{POD.replace('web', 's-0')}---\n{PODS_INSIDE}")
    assert cluster.findings == ()
    assert cluster.ignored == {"StrimziPodSet (core.strimzi.io)": 1}


KEDA = (
    "apiVersion: keda.sh/v1\nkind: ScaledObject\nmetadata: {name: a, ownerReferences: [{apiVersion: apps/v1, kind: "
    "Deployment, name: x}]}\nspec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: x}}\n"
)
KARPENTER = "apiVersion: karpenter.sh/v1\nkind: NodePool\nmetadata: {name: a}\nspec: {template: {spec: {taints: []}}}\n"
MACHINES = (
    "apiVersion: machine.openshift.io/v1beta1\nkind: MachineSet\nmetadata: {name: a}\n"
    "spec: {template: {spec: {providerSpec: {}}}}\n"
)
SETTINGS = (
    "apiVersion: template.openshift.io/v1\nkind: Template\nmetadata: {name: t}\nobjects: [{apiVersion: v1, "
    "kind: ConfigMap, metadata: {name: c}, data: {a: b}}]\n"
)


@pytest.mark.parametrize("text", [KEDA, KARPENTER, MACHINES, SETTINGS])
def test_references_and_templates_of_machines_are_only_counted(text: str) -> None:
    cluster = read(f"{POD}---\n{text}")
    assert cluster.findings == ()
    assert sum(cluster.ignored.values()) == 1


# -- very many findings -------------------------------------------------------------------------------------------


def test_many_findings_of_one_code_are_shortened(run: Run, tmp_path: Path) -> None:
    bad = "".join(f"---\napiVersion: v1\nkind: Pod\nmetadata: {{name: Pod_{n}}}\n" for n in range(300))
    (tmp_path / "a.yaml").write_text(POD + bad)
    found = run("matrix", str(tmp_path), "--format", "txt")
    lines = found.err.splitlines()
    assert found.status == 2
    assert sum("RF014" in line for line in lines) == 11
    assert "error RF014: 290 more of this code (-v lists them)" in lines
    assert sum("RF014" in line for line in run("matrix", str(tmp_path), "-v").err.splitlines()) == 300


def test_lint_shortens_what_reading_found_and_counts_it(run: Run, tmp_path: Path) -> None:
    bad = "".join(f"---\napiVersion: v1\nkind: Pod\nmetadata: {{name: Pod_{n}}}\n" for n in range(300))
    (tmp_path / "a.yaml").write_text(POD + bad)
    lines = run("lint", str(tmp_path)).out.splitlines()
    assert sum(line.startswith("error[RF014]") for line in lines) == 10
    assert "error RF014: 290 more of this code (-v lists them)" in lines
    assert lines[-1].startswith("300 errors")
    assert sum(line.startswith("error[RF014]") for line in run("lint", str(tmp_path), "-v").out.splitlines()) == 300
