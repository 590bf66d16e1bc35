"""Kinds that nobody told ringfence about: pods by the shape of their template (S25, S121)."""

from __future__ import annotations

import json
from textwrap import dedent

import pytest
import yaml

from manifests.reading import read, told
from ringfence.engine.compiler.reachability import Reachability
from ringfence.model.flows import Note

CONTAINER = "{image: i, ports: [{name: http, containerPort: 8080}]}"
POD = f"{{metadata: {{labels: {{app: a}}}}, spec: {{containers: [{CONTAINER}]}}}}"


def _object(version: str, kind: str, spec: str, name: str = "w") -> str:
    return f"---\napiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n"


@pytest.mark.parametrize(
    ("version", "kind", "spec", "id", "replicas"),
    [
        ("argoproj.io/v1alpha1", "Rollout", f"{{replicas: 3, template: {POD}}}", "w[Rollout]", 3),
        ("argoproj.io/v1alpha1", "Rollout", f"{{template: {POD}}}", "w[Rollout]", 1),
        ("serving.knative.dev/v1", "Service", f"{{template: {POD}}}", "w[KnativeService]", 1),
        ("serving.knative.dev/v1", "Configuration", f"{{template: {POD}}}", "w[Configuration]", 1),
        ("apps.openshift.io/v1", "DeploymentConfig", f"{{replicas: 2, template: {POD}}}", "w[DeploymentConfig]", 2),
        ("apps.kruise.io/v1alpha1", "CloneSet", f"{{replicas: 4, template: {POD}}}", "w[CloneSet]", 4),
        ("jobset.x-k8s.io/v1alpha2", "JobSet",
         f"{{replicatedJobs: [{{replicas: 5, template: {{spec: {{template: {POD}}}}}}}]}}", "w[JobSet]", 5),
        ("argoproj.io/v1alpha1", "CronWorkflow",
         f"{{workflowSpec: {{podMetadata: {{labels: {{app: a}}}}, templates: [{{container: {CONTAINER}}}]}}}}",
         "w[CronWorkflow]", 1),
        ("batch.volcano.sh/v1alpha1", "Job", f"{{tasks: [{{replicas: 6, template: {POD}}}]}}", "w[Job]", 6),
        ("keda.sh/v1alpha1", "ScaledJob", f"{{jobTargetRef: {{template: {POD}}}}}", "w[ScaledJob]", 2),
        ("example.org/v1", "Shop", f"{{nodeSets: [{{podTemplate: {POD}}}]}}", "w[Shop]", 2),
    ],
)  # fmt: skip
def test_a_template_is_found_wherever_it_stands(version: str, kind: str, spec: str, id: str, replicas: int) -> None:
    cluster = read(_object(version, kind, spec))
    (workload,) = cluster.workloads
    assert (workload.id, workload.replicas) == (f"default/{id}", replicas)
    (pod,) = workload.pods
    assert pod.labels == {"app": "a"} | {key: value for key, value in pod.labels.items() if key != "app"}
    assert [(port.name, port.number) for port in pod.ports] == [("http", 8080)]
    assert pod.template
    assert cluster.ignored == {}
    assert not any(finding.excludes for finding in cluster.findings)


def test_several_templates_of_one_object_are_one_workload() -> None:
    text = f"""
        apiVersion: ray.io/v1
        kind: RayCluster
        metadata: {{name: ray}}
        spec:
          headGroupSpec: {{template: {{metadata: {{labels: {{role: head}}}}, spec: {{containers: [{{image: i}}]}}}}}}
          workerGroupSpecs:
          - {{replicas: 3, template: {POD}}}
        """
    (workload,) = read(dedent(text)).workloads
    assert [(dict(pod.labels), pod.replicas) for pod in workload.pods] == [({"role": "head"}, 2), ({"app": "a"}, 3)]


def test_no_replicas_are_one_with_a_note() -> None:
    (workload,) = read(_object("argoproj.io/v1alpha1", "Rollout", f"{{replicas: 0, template: {POD}}}")).workloads
    assert (workload.no_replicas, workload.replicas) == (True, 1)


@pytest.mark.parametrize(
    ("owner", "labels"),
    [
        ("kind: Rollout, name: w, controller: true", "{}"),
        ("kind: ReplicaSet, name: w-5d8f, controller: true", "{rollouts-pod-template-hash: 5d8f}"),
    ],
)
def test_live_pods_take_the_place_of_the_template(owner: str, labels: str) -> None:
    """S121: also when the ReplicaSet between them was not read and the label is evidence."""
    live = (
        f"---\napiVersion: v1\nkind: Pod\nmetadata: {{name: w-1, labels: {labels}, ownerReferences: [{{{owner}}}]}}\n"
        "status: {phase: Running}\n"
    )
    (workload,) = read(live + _object("argoproj.io/v1alpha1", "Rollout", f"{{template: {POD}}}")).workloads
    assert workload.id == "default/w[Rollout]"
    assert [(pod.name, pod.template) for pod in workload.pods] == [("w-1", False)]


def test_a_pod_of_a_deployment_config_leads_to_it() -> None:
    live = (
        "---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: w-1-abc\n  labels: {deployment: w-1, deploymentconfig: w}\n"
        "  ownerReferences: [{kind: ReplicationController, name: w-1, controller: true}]\nstatus: {phase: Running}\n"
    )
    (workload,) = read(live + _object("apps.openshift.io/v1", "DeploymentConfig", f"{{template: {POD}}}")).workloads
    assert workload.id == "default/w[DeploymentConfig]"


def test_a_knative_service_is_no_service_of_the_core() -> None:
    text = """
        apiVersion: serving.knative.dev/v1
        kind: Service
        metadata: {name: w}
        spec: {template: {spec: {containers: [{image: i}]}}}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: w}
        spec: {type: ExternalName, externalName: gateway.example.org}
        ---
        apiVersion: serving.knative.dev/v1
        kind: Configuration
        metadata:
          name: w
          ownerReferences: [{apiVersion: serving.knative.dev/v1, kind: Service, name: w, controller: true}]
        spec: {template: {spec: {containers: [{image: i}]}}}
        ---
        apiVersion: serving.knative.dev/v1
        kind: Revision
        metadata:
          name: w-1
          ownerReferences: [{apiVersion: serving.knative.dev/v1, kind: Configuration, name: w, controller: true}]
        spec: {containers: [{image: i}]}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: w-1-deployment
          ownerReferences: [{apiVersion: serving.knative.dev/v1, kind: Revision, name: w-1, controller: true}]
        spec: {template: {spec: {containers: [{image: i}]}}}
        """
    cluster = read(dedent(text))
    assert [workload.id for workload in cluster.workloads] == ["default/w[KnativeService]"]
    assert [service.type for service in cluster.services] == ["ExternalName"]


def test_labels_that_an_unknown_controller_may_add_are_noted() -> None:
    """S87: a policy asks for a label that the template does not name; whether the pods wear it is not known."""
    policy = (
        "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\n"
        "spec: {podSelector: {matchLabels: {example.org/cluster: w}}}\n"
    )
    unknown = read(policy + _object("example.org/v1", "Shop", f"{{template: {POD}}}"))
    known = read(policy + _object("argoproj.io/v1alpha1", "Rollout", f"{{template: {POD}}}"))
    assert told(unknown) == [("RF056", 10, 8, "spec.template")]
    assert told(known) == []
    for cluster, notes in ((unknown, {Note.INCOMPLETE_INPUT}), (known, set())):
        (workload,) = cluster.workloads
        assert Reachability(cluster).answer(workload, workload).notes == notes


@pytest.mark.parametrize(
    ("version", "kind", "spec"),
    [
        ("kubevirt.io/v1", "VirtualMachine", "{template: {spec: {domain: {}}}}"),
        ("example.org/v1", "Shop", "{sets: [{podTemplate: {spec: {nodeSelector: {a: b}}}}]}"),
        ("kubernetes.crossplane.io/v1alpha2", "Object",
         f"{{forProvider: {{manifest: {{apiVersion: apps/v1, kind: Deployment, spec: {{template: {POD}}}}}}}}}"),
        ("argoproj.io/v1alpha1", "Workflow", "{workflowTemplateRef: {name: t}}"),
    ],
)  # fmt: skip
def test_what_is_not_of_that_shape_is_told(version: str, kind: str, spec: str) -> None:
    cluster = read(_object(version, kind, spec))
    assert [finding.code for finding in cluster.findings] == ["RF019"]
    assert cluster.workloads == ()


@pytest.mark.parametrize(
    ("version", "kind", "spec"),
    [
        ("argoproj.io/v1alpha1", "ApplicationSet", "{template: {spec: {project: default}}}"),
        ("argoproj.io/v1alpha1", "WorkflowTemplate", "{templates: [{container: {image: i}}]}"),
        ("kyverno.io/v1", "ClusterPolicy",
         f"{{rules: [{{mutate: {{patchStrategicMerge: {{spec: {{template: {POD}}}}}}}}}]}}"),
        ("cluster.x-k8s.io/v1beta1", "MachineDeployment", "{template: {spec: {version: v1.30.0}}}"),
        ("infrastructure.cluster.x-k8s.io/v1beta1", "AWSMachineTemplate", "{template: {spec: {instanceType: x}}}"),
        ("kueue.x-k8s.io/v1beta1", "Workload", f"{{podSets: [{{template: {POD}}}]}}"),
        ("monitoring.coreos.com/v1", "Prometheus", "{storage: {volumeClaimTemplate: {spec: {accessModes: [x]}}}}"),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition", f"{{template: {POD}}}"),
    ],
)  # fmt: skip
def test_what_makes_no_pods_is_only_counted(version: str, kind: str, spec: str) -> None:
    cluster = read(_object(version, kind, spec))
    assert cluster.findings == ()
    assert cluster.workloads == ()
    assert sum(cluster.ignored.values()) == 1


def test_a_pod_template_alone_makes_no_pods() -> None:
    cluster = read(f"apiVersion: v1\nkind: PodTemplate\nmetadata: {{name: t}}\ntemplate: {POD}\n")
    assert (cluster.workloads, cluster.findings, cluster.ignored) == ((), (), {"PodTemplate": 1})


def test_a_template_of_the_wrong_type_is_told_with_its_place() -> None:
    text = "apiVersion: e.org/v1\nkind: A\nmetadata: {name: w}\nspec:\n  template:\n    metadata: {labels: {app: 1}}\n"
    cluster = read(text + "    spec: {containers: [{image: i}]}\n")
    assert told(cluster) == [("RF016", 6, 25, "spec.template.metadata.labels.app")]
    assert cluster.findings[0].message == "must be text, not the number 1"


def test_nothing_is_told_of_a_template_that_live_pods_replace() -> None:
    live = (
        "---\napiVersion: v1\nkind: Pod\n"
        "metadata: {name: w-1, ownerReferences: [{kind: Shop, name: w, controller: true}]}\nstatus: {phase: Running}\n"
    )
    cluster = read(live + _object("example.org/v1", "Shop", f"{{template: {POD}}}"))
    assert (told(cluster), [pod.name for pod in cluster.workloads[0].pods]) == ([], ["w-1"])


def test_json_is_read_as_yaml_is() -> None:
    text = _object("example.org/v1", "Shop", f"{{sets: [{{podTemplate: {POD}, replicas: 3}}]}}")
    document = json.dumps(yaml.safe_load(text.removeprefix("---")))
    assert read(document).workloads == read(text).workloads
    assert [finding.code for finding in read(document).findings] == ["RF056"]


@pytest.mark.parametrize("member", ["namespace: {a: b}", "ownerReferences: 7", "labels: {app: 1}"])
def test_metadata_of_another_type_is_told(member: str) -> None:
    """As of the kinds that are known by name; labels of the object itself are nobody's."""
    text = f"""apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {{name: a, {member}}}
spec: {{template: {{spec: {{containers: [{{name: c}}]}}}}}}
"""
    (finding,) = read(text).findings
    assert (finding.code, finding.line, finding.excludes) == ("RF016", 3, True)
    assert finding.field.startswith(f"metadata.{member.partition(':')[0]}")
