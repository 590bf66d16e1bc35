"""How pods are singled out: by few labels that stay, conventional ones first, and never by labels that others wear."""

from __future__ import annotations

import pytest
from builders import cluster, pod, service, workload
from intending import generated, intents, refused

from ringfence.generate.selecting import Selecting
from ringfence.intents.parties import Party
from ringfence.manifests import load
from ringfence.model.cluster import Cluster
from ringfence.model.objects import Workload
from ringfence.model.volatile import VOLATILE, is_volatile

VERSIONED = "app.kubernetes.io/name=api,app.kubernetes.io/version=1.2.3,helm.sh/chart=api-1.2.3,pod-template-hash=6d4cf"


def _selector(one: Workload, *others: Workload) -> str:
    return _singled(cluster(one, *others), one)


def _singled(where: Cluster, one: Workload) -> str:
    found = Selecting(where).party(Party(one.name, one.namespace, (one,)))
    return str(getattr(found, "selector", None) or f"{getattr(found, 'message', '')}; {getattr(found, 'remedy', '')}")


def test_one_conventional_label_is_enough() -> None:
    one = workload("shop/api", has="tier=back,app=api,team=core")
    assert _selector(one) == "app=api"


def test_the_order_of_conventional_labels() -> None:
    one = workload("shop/api", has="name=x,app=x,k8s-app=x,app.kubernetes.io/name=x,app.kubernetes.io/instance=x")
    assert _selector(one) == "app.kubernetes.io/name=x"


def test_labels_by_which_its_services_select_come_first() -> None:
    """RF806: one plugin finds a Service by those alone."""
    one = workload("shop/api", has="app.kubernetes.io/name=api,tier=back,app=api")
    other = workload("shop/web", has="app.kubernetes.io/name=web,tier=front,app=web")
    assert _singled(cluster(one, other, service("shop/api", "tier=back", ports=[80])), one) == "tier=back"
    both = cluster(
        one, other, service("shop/a", "tier=back,app=api", ports=[80]), service("shop/b", "app=api", ports=[80])
    )
    assert _singled(both, one) == "app=api"
    too_wide = cluster(one, other, service("shop/web", "tier=front", ports=[80]), service("shop/none", ports=[80]))
    assert _singled(too_wide, one) == "app.kubernetes.io/name=api"


def test_labels_that_change_are_never_selected_by() -> None:
    """RF306: the hash of a template, a release, a chart."""
    assert _selector(workload("shop/api", has=VERSIONED)) == "app.kubernetes.io/name=api"


@pytest.mark.parametrize("key", sorted(VOLATILE))
def test_a_pod_with_nothing_but_such_a_label_is_refused(key: str) -> None:
    said = _selector(workload("shop/api", has={key: "x"}))
    assert said.startswith("the pods of shop/api have no label in common that stays")


@pytest.mark.parametrize(
    ("label", "changes"),
    [
        ("topology.kubernetes.io/zone=eu-1a", True),
        ("checksum/config=abc", True),
        ("example.com/git-commit=x", True),
        ("image=1.25.3", True),
        ("release=v2.0.1-rc1", True),
        ("rev=6d4cf56db6", True),
        ("built=20261127", True),
        ("version=v1", False),
        ("app=web2", False),
        ("app=cafe", False),
        ("app=deadbeef", False),
        ("tier=4", False),
        ("app.kubernetes.io/version=v1", True),
    ],
)
def test_what_is_taken_for_changing(label: str, changes: bool) -> None:
    key, _, value = label.partition("=")
    assert is_volatile(key, value) == changes


def test_two_labels_where_one_is_shared() -> None:
    one, other = workload("shop/api", has="app=shop,tier=back"), workload("shop/web", has="app=shop,tier=front")
    assert _selector(one, other) == "tier=back"
    third = workload("shop/jobs", has="app=jobs,tier=back")
    assert _selector(one, other, third) == "app=shop,tier=back"


def test_the_fewest_of_many() -> None:
    one = workload("shop/a", has="a=1,b=1,c=1,d=1,e=1,f=1")
    others = [workload(f"shop/x{key}", has={k: "1" if k != key else "2" for k in "abcdef"}) for key in "abcde"]
    assert _selector(one, *others) == "a=1,b=1,c=1,d=1,e=1"


def test_another_workload_changes_a_selector_only_when_it_must() -> None:
    one = workload("shop/api", has="app=api,tier=back")
    assert _selector(one) == "app=api"
    assert _selector(one, workload("shop/web", has="app=web,tier=back")) == "app=api"
    assert _selector(one, workload("shop/api2", has="app=api,tier=front")) == "tier=back"


def test_equal_labels_elsewhere_do_not_matter() -> None:
    one = workload("shop/api", has="app=api")
    assert _selector(one, workload("other/api", has="app=api")) == "app=api"


def test_versions_that_are_names_tell_apart_as_a_last_resort() -> None:
    """As the three of bookinfo's reviews."""
    one, other = workload("shop/v1", has="app=reviews,version=v1"), workload("shop/v2", has="app=reviews,version=v2")
    assert _selector(one, other) == "version=v1"
    assert _selector(one, other, workload("shop/r", has="app=ratings,version=v1")) == "app=reviews,version=v1"


def test_equal_labels_are_refused_by_name() -> None:
    one, other = workload("shop/api", has="app=api"), workload("shop/canary", has="app=api")
    assert _selector(one, other) == (
        "canary in shop wears all labels of api too (app=api); "
        "give api a label of its own, or write shop/[app=api] for all of them"
    )


def test_labels_that_are_part_of_anothers_are_refused() -> None:
    one, other = workload("shop/api", has="app=api"), workload("shop/canary", has="app=api,track=canary")
    assert "canary in shop wears all labels of api too" in _selector(one, other)
    assert _selector(other, one) == "track=canary"


def test_no_labels_are_refused() -> None:
    assert _selector(workload("shop/api")).startswith("the pods of shop/api have no label in common that stays; ")


def test_one_pod_of_several_is_refused() -> None:
    live = [pod(f"shop/api-{n}", "app=api,pod-template-hash=6d4cf56db6") for n in range(2)]
    where = cluster(workload("shop/api", *live), pod("shop/web", "app=web"))
    said = refused(where, intents("shop/pod/api-0 -> shop/web:80", protect="shop"))
    assert "other pods of shop/api wear the same labels (app=api)" in said[0]


def test_pods_of_one_owner_with_different_labels() -> None:
    """What all of them wear counts."""
    live = [pod("shop/api-0", "app=api,role=leader"), pod("shop/api-1", "app=api,role=follower")]
    assert _selector(workload("shop/api", *live)) == "app=api"


def test_a_pod_of_the_nodes_network_is_refused() -> None:
    one = workload("kube-system/proxy", pod("kube-system/proxy", "app=proxy", host_network=True))
    assert _selector(one) == "kube-system/proxy has its node's network, and no selector matches that; "


def test_a_pod_of_the_nodes_network_with_equal_labels_is_not_let_in() -> None:
    """Some plugins match it by labels (S73), and then it would be."""
    one = workload("shop/api", has="app=api")
    other = workload("shop/agent", pod("shop/agent", "app=api", host_network=True))
    assert "agent in shop wears all labels of api too" in _selector(one, other)


JOB = b"""
apiVersion: batch/v1
kind: Job
metadata: {name: migrate, namespace: shop}
spec:
  template:
    metadata: {labels: {LABELS}}
    spec: {containers: [{name: main, image: example.com/migrate:1}]}
"""


def _job(labels: bytes) -> str:
    import io

    where = load(["-"], stdin=io.BytesIO(JOB.replace(b"LABELS", labels)))
    return _singled(where, where.workloads[0])


def test_the_generated_labels_of_a_job_are_never_selected_by() -> None:
    assert _job(b"app: migrate") == "app=migrate"
    assert _job(b"").startswith("the pods of shop/migrate have no label in common that stays")


def test_the_ordinals_of_a_statefulset_are_never_selected_by() -> None:
    live = [pod(f"shop/db-{n}", {"app": "db", "statefulset.kubernetes.io/pod-name": f"db-{n}"}) for n in range(2)]
    assert _selector(workload("shop/db", *live, kind="StatefulSet")) == "app=db"


def test_keys_that_a_template_does_not_show_yet() -> None:
    one = workload("shop/api", pod("shop/api", "app=api,extra=1", template=True, generated=["extra"]))
    twin = workload("shop/twin", pod("shop/twin", "app=api", template=True))
    assert "twin in shop wears all labels of api too (app=api)" in _selector(one, twin)


def test_labels_of_an_arrow_are_kept_as_they_were_written() -> None:
    where = cluster(workload("shop/api", has="app=api,tier=back"), workload("shop/web", has="app=web"))
    made = generated(where, intents("shop/web -> shop/[tier=back]:80", protect="shop"))
    assert [str(one.subject.pods) for one in made.policies] == ["{}", "{}", "tier=back", "app=web"]


def test_a_label_of_an_arrow_that_changes_is_written_as_one_that_stays() -> None:
    where = cluster(workload("shop/api", has=VERSIONED), workload("shop/web", has="app=web"))
    made = generated(where, intents("shop/web -> shop/[app.kubernetes.io/version=1.2.3]:80", protect="shop"))
    assert "app.kubernetes.io/name=api" in [str(one.subject.pods) for one in made.policies]


def test_a_label_that_changes_and_nothing_else_is_refused() -> None:
    where = cluster(workload("shop/web", has="app=web"), workload("shop/api", has="app=api"))
    said = refused(where, intents("shop/web -> shop/[app.kubernetes.io/version=9.9.9]:80", protect="shop"))
    assert said
    assert "no label in common that stays" in said[0]


def test_two_ways_to_one_workload_are_one_peer() -> None:
    """By its name and by its Service, whose selector is another."""
    where = cluster(
        workload("shop/db", pod("shop/db", "app=db,tier=data", ports=[5432, 9187], template=True)),
        service("shop/db-metrics", "tier=data", ports=["9000->9187"]),
        workload("shop/web", has="app=web"),
    )
    made = generated(where, intents("shop/web -> shop/db:5432", "shop/web -> shop/db-metrics:9000", protect="shop"))
    names = [one.name for one in made.policies]
    assert names == ["default-deny-all", "allow-dns-egress", "allow-web-to-db-ingress", "allow-web-to-db-egress"]
    assert [port.port for port in made.policies[2].ingress[0].ports] == [5432, 9187]


def test_a_service_in_front_of_several_workloads_is_selected_as_it_selects() -> None:
    where = cluster(
        workload("shop/blue", pod("shop/blue", "app=api,color=blue", ports=[8080], template=True)),
        workload("shop/green", pod("shop/green", "app=api,color=green", ports=[8080], template=True)),
        service("shop/api", "app=api", ports=["80->8080"]),
        workload("shop/web", has="app=web"),
    )
    made = generated(where, intents("shop/web -> shop/svc/api:80", protect="shop"))
    assert [one.name for one in made.policies][2:] == ["allow-web-to-api-ingress", "allow-web-to-api-egress"]
    assert str(made.policies[2].subject.pods) == "app=api"
