"""``prove``: the three words, the exit statuses, and every format, on labs that really run."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from conftest import ROOT, Run
from jsonschema import Draft202012Validator

from ringfence.lab.plan.selection import Selection
from ringfence.model.objects import Pod
from ringfence.model.policies import Policy

pytestmark = pytest.mark.usefixtures("packets")
EXAMPLE = "examples/task-api"
SCHEMA = Draft202012Validator(json.loads((ROOT / "docs" / "reference" / "prove.schema.json").read_text()))
SARIF = json.loads((ROOT / "tests" / "data" / "sarif" / "sarif-schema-2.1.0.json").read_text())
PODS = """
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: shop, labels: {app: a}}
---
apiVersion: v1
kind: Pod
metadata: {name: b, namespace: shop, labels: {app: b}}
"""
DENY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {matchLabels: {app: b}}}
"""


def _written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "all.yaml"
    path.write_text(text)
    return str(path)


def test_the_example_is_proven(run: Run) -> None:
    result = run("prove", EXAMPLE)
    assert result.status == 0
    assert "proven: the kernel did with every packet what was predicted." in result.out
    assert "Service default/kubernetes" in result.out
    (row,) = [line for line in result.out.splitlines() if line.startswith("task-api/task-api  ")]  # no arrow
    assert row.split() == ["task-api/task-api", "envoy-gateway-system/envoy-gateway", *["TCP", "8000"] * 2, "✓"]


def test_the_json_is_what_the_schema_says(run: Run) -> None:
    found = json.loads(run("prove", EXAMPLE, "--format", "json").out)
    SCHEMA.validate(found)
    assert found["word"] == "proven"
    assert found["disagreements"] == found["unmeasured"] == []
    pairs = {(pair["src"], pair["dst"]): pair for pair in found["measured"]["pairs"]}
    gateway = pairs["envoy-gateway-system/envoy-gateway", "task-api/task-api"]
    assert gateway["predicted"] == gateway["measured"] == {"TCP": [[8000, 8000]]}
    assert pairs["task-api/test-pod", "task-api/task-api"]["measured"] == {}
    assert all(rule["packets"] > 0 for rule in found["coverage"])


def test_the_junit_report_has_a_case_for_each_pair(run: Run) -> None:
    suites = ElementTree.fromstring(run("prove", EXAMPLE, "--format", "junit").out)  # noqa: S314 (our own text)
    cases = list(suites.iter("testcase"))
    assert int(suites.attrib["tests"]) == len(cases) > 50
    assert suites.attrib["failures"] == suites.attrib["errors"] == "0"


def test_all_lists_what_is_shut(run: Run) -> None:
    rows = [line.split()[-3:] for line in run("prove", EXAMPLE, "--all").out.splitlines()]
    assert ["nothing", "nothing", "✓"] in rows


def test_without_a_denial_nothing_is_proven(run: Run, tmp_path: Path) -> None:
    result = run("prove", _written(tmp_path, PODS))
    assert result.status == 3
    assert "incomplete: 0 disagreements, but this is missing:" in result.out
    assert "no flow was both predicted and measured as denied" in result.out


def test_a_lab_that_does_otherwise_disproves(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(self: Selection, policy: Policy) -> list[Pod]:
        return []

    monkeypatch.setattr(Selection, "subjects", nobody)
    path = _written(tmp_path, f"{PODS}---{DENY}")
    result = run("prove", path)
    assert result.status == 1
    assert "disproved: " in result.out
    assert "shop/a -> shop/b:31999: predicted denied, measured allowed" in result.out
    assert "the server met it" in result.out
    assert f"NetworkPolicy shop/deny ({path}:" in result.out
    found = json.loads(run("prove", path, "--format", "json").out)
    SCHEMA.validate(found)
    assert found["word"] == "disproved"
    assert found["disagreements"][0]["because"]
    line = Path(path).read_text().splitlines().index("apiVersion: networking.k8s.io/v1") + 1
    told = next(one for one in found["findings"] if one["message"].startswith("shop/a -> shop/b:"))
    assert told["code"] == "RF066"
    assert "was predicted denied and measured allowed" in told["message"]
    assert (told["severity"], told["object"], told["file"], told["line"]) == ("error", "shop/deny", path, line)
    suites = ElementTree.fromstring(run("prove", path, "--format", "junit").out)  # noqa: S314 (our own text)
    assert int(suites.attrib["failures"]) > 0
    sarif = json.loads(run("prove", path, "--format", "sarif").out)
    Draft202012Validator(SARIF).validate(sarif)
    results = sarif["runs"][0]["results"]
    assert {one["ruleId"] for one in results} == {"RF066"}
    (place,) = {one["locations"][0]["physicalLocation"]["region"]["startLine"] for one in results}
    assert place == line


def test_rules_never_used_and_arrows_not_kept_are_findings_with_their_place(run: Run, tmp_path: Path) -> None:
    """One kind of finding for reading, lint, check and prove: what is wanted and shut is told of its arrow twice."""
    rule = DENY.replace("{app: b}}}", "{app: b}}, ingress: [{from: [{podSelector: {matchLabels: {app: nobody}}}]}]}")
    intents = """
kind: Intents
apiVersion: ringfence.dev/v1alpha1
metadata: {name: i}
spec:
  protect: [shop]
  allow:
    - shop/a -> shop/b:31999
"""
    path = _written(tmp_path, f"{PODS}---{rule}---{intents}")
    found = json.loads(run("prove", path, "--format", "json").out)
    SCHEMA.validate(found)
    text = Path(path).read_text().splitlines()
    places = {(one["code"], text[one["line"] - 1].strip()) for one in found["findings"] if one.get("line")}
    arrow = "- shop/a -> shop/b:31999"
    assert {("RF091", arrow), ("RF068", arrow)} <= places
    assert ("RF069", rule.splitlines()[-1]) in places


def test_a_policy_that_is_not_modelled_leaves_a_proof_incomplete(run: Run, tmp_path: Path) -> None:
    other = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: c, namespace: shop}\nspec: {}\n"
    result = run("prove", _written(tmp_path, f"{PODS}---{DENY}---\n{other}"))
    assert result.status == 2
    assert "incomplete" in result.out
    assert "it may change answers, and the lab does not have it" in result.out


def test_answers_that_hang_on_addresses_are_listed(run: Run, tmp_path: Path) -> None:
    rule = DENY.replace("{matchLabels: {app: b}}}", "{matchLabels: {app: b}}, ingress: [{from: [{ipBlock: "
                        "{cidr: 10.244.0.0/24}}]}]}")  # fmt: skip
    result = run("prove", _written(tmp_path, f"{PODS}---{rule}"))
    assert result.status == 0
    assert "depend on addresses or placement" in result.out
    assert "shop/a -> shop/b: nothing for certain by the manifests, every port here" in result.out


def test_more_pods_than_asked_for_are_said_before_the_start(run: Run, tmp_path: Path) -> None:
    result = run("prove", _written(tmp_path, f"{PODS}---{DENY}"), "--max-pods", "1")
    assert result.status == 3
    assert "the lab leaves out" in result.err
    assert "more than the 1 pods of --max-pods" in result.err


def test_addresses_that_no_service_can_have_are_told(run: Run, tmp_path: Path) -> None:
    service = """---
apiVersion: v1
kind: Service
metadata: {name: NAME, namespace: shop}
spec: {clusterIP: WRITTEN, selector: {app: a}, ports: [{port: 80}]}
"""
    several = {"one": "10.96.5.5", "two": "10.96.5.5", "bad": "127.0.0.1"}
    text = "".join(service.replace("NAME", name).replace("WRITTEN", ip) for name, ip in several.items())
    result = run("prove", _written(tmp_path, f"{PODS}---{DENY}{text}"))
    assert result.status == 0
    assert "for Service shop/two, as 10.96.5.5 is that of shop/one" in result.out
    assert "for Service shop/bad, as 127.0.0.1 can be nobody's" in result.out


def test_a_workload_without_replicas_is_told(run: Run, tmp_path: Path) -> None:
    none = """---
apiVersion: apps/v1
kind: Deployment
metadata: {name: none, namespace: shop}
spec: {replicas: 0, selector: {matchLabels: {app: none}}, template: {metadata: {labels: {app: none}}}}
"""
    result = run("prove", _written(tmp_path, f"{PODS}---{DENY}{none}"))
    assert "one pod of shop/none[Deployment], which asks for none" in result.out


def test_equal_pods_that_are_not_made_are_told(run: Run, tmp_path: Path) -> None:
    many = """---
apiVersion: apps/v1
kind: Deployment
metadata: {name: many, namespace: shop}
spec: {replicas: 7, selector: {matchLabels: {app: many}}, template: {metadata: {labels: {app: many}}}}
"""
    path = _written(tmp_path, f"{PODS}---{DENY}{many}")
    said = "3 of 7 equal pods of shop/many[Deployment]; --pods-per-workload makes more"
    assert said in run("prove", path).out
    assert len(json.loads(run("prove", path, "--format", "json").out)["snapshot"]["pods"]) == 6
    more = run("prove", path, "--pods-per-workload", "7")
    assert more.status == 0
    assert "equal pods" not in more.out


@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_a_number_of_pods_is_a_number(run: Run, value: str) -> None:
    result = run("prove", EXAMPLE, f"--max-pods={value}")
    assert (result.status, result.out) == (2, "")
    assert "is not a number from 1 up" in result.err


WISH = """
---
apiVersion: ringfence.dev/v1alpha1
kind: Intents
metadata: {name: shop}
spec:
  protect: [shop]
  dns: none
  allow: ["shop/a -> shop/b:80", "shop/a -> later/[app=c]:81"]
  deny: ["shop/b -x shop/a"]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: all, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: a, namespace: shop}
spec:
  podSelector: {matchLabels: {app: a}}
  policyTypes: [Egress]
  egress:
    - {to: [{podSelector: {matchLabels: {app: b}}}], ports: [{port: 80}]}
    - to:
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: later}}
          podSelector: {matchLabels: {app: c}}
      ports: [{port: 81}]
---
apiVersion: v1
kind: Namespace
metadata: {name: later}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
"""
ADMIT = """
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: b, namespace: shop}
spec:
  podSelector: {matchLabels: {app: b}}
  ingress: [{from: [{podSelector: {matchLabels: {app: a}}}], ports: [{port: 80}]}]
"""


def test_what_is_intended_is_measured_too_with_pods_that_come_later(run: Run, tmp_path: Path) -> None:
    result = run("prove", _written(tmp_path, PODS + WISH + ADMIT), "--format", "json")
    found = json.loads(result.out)
    SCHEMA.validate(found)
    assert (result.status, found["word"]) == (0, "proven")
    assert found["intended"]["check"]["clean"] is True
    arrows = {one["arrow"]: one for one in found["intended"]["arrows"]}
    assert set(arrows) == {"shop/a -> shop/b:80", "shop/a -> later/[app=c]:81", "shop/b -x shop/a"}
    assert {one["standing"] for one in arrows.values()} == {"kept"}
    assert arrows["shop/a -> later/[app=c]:81"]["open"] == 2  # of two pods that stand in
    assert (arrows["shop/b -x shop/a"]["open"], arrows["shop/b -x shop/a"]["shut"] > 0) == (0, True)


def test_what_is_proven_and_not_intended_is_told_apart(run: Run, tmp_path: Path) -> None:
    path = _written(tmp_path, PODS + WISH)
    result = run("prove", path, "--format", "json")
    found = json.loads(result.out)
    SCHEMA.validate(found)
    assert (result.status, found["word"], found["disagreements"]) == (1, "unintended", [])
    arrows = {one["arrow"]: one for one in found["intended"]["arrows"]}
    assert (arrows["shop/a -> shop/b:80"]["standing"], arrows["shop/a -> shop/b:80"]["shut"]) == ("broken", 1)
    text = run("prove", path).out
    assert "unintended: the kernel did what was predicted, and that is not what is intended." in text
    suites = ElementTree.fromstring(run("prove", path, "--format", "junit").out)  # noqa: S314 (our own text)
    failed = [case.attrib for case in suites.iter("testcase") if case.find("failure") is not None]
    assert [(one["classname"], one["name"]) for one in failed] == [
        ("wanted", "shop/a -> shop/b:80"),
        ("measured", "shop/a -> shop/b:80"),
    ]
    assert suites.attrib["failures"] == "2"


def test_the_intents_of_the_example_are_proven(run: Run) -> None:
    out = run("prove", EXAMPLE).out
    assert "check: 4 of 4 intended connections are possible, nothing in excess." in out
    assert any(line.startswith("the DNS of task-api") and line.endswith("✓") for line in out.splitlines())
