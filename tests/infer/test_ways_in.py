"""Arrows that no program's strings tell: what comes in, who scrapes, whom the API server calls, what is closed."""

from __future__ import annotations

from typing import Final

import pytest

from infer.drafts import SHOP, arrows, draft, program
from ringfence.infer.nouns import Draft

INGRESS: Final = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: front, namespace: shop}
spec:
  rules:
    - http:
        paths:
          - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
          - {path: /m, pathType: Prefix, backend: {service: {name: many, port: {name: grpc}}}}
"""
PROMETHEUS: Final = """
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: prometheus, namespace: monitoring}
spec: {template: {metadata: {labels: {app: prometheus}}, spec: {containers: [{name: c}]}}}
"""
MONITOR: Final = """
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: shop, namespace: shop}
spec: {selector: {matchLabels: {team: shop}}, endpoints: [{port: metrics}]}
"""
SCRAPED: Final = """
apiVersion: v1
kind: Service
metadata: {name: stats, namespace: shop, labels: {team: shop}}
spec: {selector: {app: api}, ports: [{name: metrics, port: 80, targetPort: 9102}]}
"""


def _all(found: Draft) -> list[str]:
    return [f"{one.arrow} {one.confidence}" for one in found.arrows]


def test_an_ingress_is_an_arrow_from_its_controller() -> None:
    made = draft(SHOP, program(), INGRESS)
    assert _all(made) == ["{ingress-controller} -> shop/many:9000 high", "{ingress-controller} -> shop/svc/web:80 high"]
    assert [(one.text, one.line > 0, one.sort) for one in made.arrows[0].evidence] == [("many", True, "Ingress")]


def test_a_controller_that_is_named_stands_in_its_place() -> None:
    door = "apiVersion: v1\nkind: Pod\nmetadata: {name: controller, namespace: ingress-nginx}"
    made = draft(SHOP, program(), INGRESS, door, controllers=("ingress-nginx/controller",))
    assert _all(made)[0] == "ingress-nginx/controller -> shop/many:9000 high"
    assert "ingress-nginx" not in made.protect


def test_a_route_whose_port_is_the_pods_is_an_arrow_to_the_services_port() -> None:
    route = """
apiVersion: route.openshift.io/v1
kind: Route
metadata: {name: front, namespace: shop}
spec: {to: {kind: Service, name: web}, port: {targetPort: 8000}}
"""
    assert _all(draft(SHOP, program(), route)) == ["{ingress-controller} -> shop/svc/web:80 high"]


def test_a_route_of_a_gateway_is_an_arrow_too() -> None:
    route = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: front, namespace: shop}
spec: {parentRefs: [{name: gw}], rules: [{backendRefs: [{name: api, port: 8080}]}]}
"""
    assert _all(draft(SHOP, route)) == ["{ingress-controller} -> shop/api:8080 high"]


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        ("type: LoadBalancer", ["0.0.0.0/0 -> shop/front:80 high"]),
        ("type: NodePort", ["0.0.0.0/0 -> shop/front:80 medium"]),
        ("type: ClusterIP", []),
        ("type: LoadBalancer, loadBalancerSourceRanges: [203.0.113.0/24, ' 198.51.100.0/24 ']",
         ["198.51.100.0/24 -> shop/front:80 high", "203.0.113.0/24 -> shop/front:80 high"]),
    ],
)  # fmt: skip
def test_a_service_that_faces_the_outside(spec: str, found: list[str]) -> None:
    service = f"""
apiVersion: v1
kind: Service
metadata: {{name: front, namespace: shop}}
spec: {{selector: {{app: web}}, ports: [{{port: 80, targetPort: 8000}}], {spec}}}
"""
    assert _all(draft(SHOP, program(), service)) == found


def test_a_monitor_is_an_arrow_from_prometheus_to_the_pods() -> None:
    """What scrapes dials the pods that a Service leads to, and not the Service."""
    made = draft(SHOP, PROMETHEUS, SCRAPED, MONITOR)
    assert _all(made) == ["monitoring/prometheus -> shop/api-server:9102 medium"]
    assert made.companions == ()


def test_a_monitor_without_prometheus_in_the_input_is_a_suggestion() -> None:
    made = draft(SHOP, SCRAPED, MONITOR)
    assert _all(made) == []
    assert [(one.name, one.active) for one in made.companions] == [("prometheus", False)]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (("{team: shop}}, end", "{team: other}}, end"), 0),
        (("name: shop, namespace: shop", "name: shop, namespace: monitoring"), 0),
        (("spec: {sel", "spec: {namespaceSelector: {matchNames: [shop]}, sel"), 1),
        (("spec: {sel", "spec: {namespaceSelector: {any: true}, sel"), 1),
        (("{port: metrics}", "{targetPort: 9102}"), 1),
        (("{port: metrics}", "{port: other}"), 0),
        (("{matchLabels: {team: shop}}", "{matchExpressions: [{key: team, operator: In, values: [shop]}]}"), 1),
        (("{matchLabels: {team: shop}}", "{matchExpressions: [{key: team, operator: DoesNotExist}]}"), 0),
    ],
)
def test_whom_a_monitor_selects(change: tuple[str, str], found: int) -> None:
    monitor = MONITOR.replace(*change)
    assert monitor != MONITOR
    assert len(_all(draft(SHOP, PROMETHEUS, SCRAPED, monitor))) == found


def test_a_monitor_of_pods_and_the_annotations_of_old() -> None:
    pods = MONITOR.replace("ServiceMonitor", "PodMonitor").replace("endpoints", "podMetricsEndpoints")
    pods = pods.replace("{team: shop}", "{app: web}").replace("{port: metrics}", "{targetPort: 9000}")
    assert _all(draft(SHOP, PROMETHEUS, program(), pods)) == ["monitoring/prometheus -> shop/deploy/web:9000 medium"]
    noted = program(annotations={"prometheus.io/scrape": "true", "prometheus.io/port": "9100"})
    assert _all(draft(SHOP, PROMETHEUS, noted)) == ["monitoring/prometheus -> shop/deploy/web:9100 medium"]
    assert _all(draft(SHOP, PROMETHEUS, program(annotations={"prometheus.io/scrape": "false"}))) == []


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ('{prometheus.io/scrape: "true"}', ["shop/api-server:9102"]),
        ('{prometheus.io/scrape: "true", prometheus.io/port: "9100"}', ["shop/api-server:9100"]),
        ('{prometheus.io/scrape: "false"}', []),
    ],
)
def test_the_annotations_of_a_service(asked: str, found: list[str]) -> None:
    service = SCRAPED.replace("labels: {team: shop}", f"annotations: {asked}")
    made = [f"monitoring/prometheus -> {dst} medium" for dst in found]
    assert _all(draft(SHOP, PROMETHEUS, service)) == made


def test_a_webhook_of_the_input_asks_for_a_companion() -> None:
    webhook = """
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: checks}
webhooks: [{name: a.b.c, clientConfig: {service: {name: api, namespace: shop}}}]
"""
    made = draft(SHOP, webhook)
    assert [(one.name, one.active) for one in made.companions] == [("webhooks", True)]
    assert draft(SHOP, webhook.replace("name: api", "name: elsewhere")).companions == ()


def test_probes_are_counted_and_need_no_arrow() -> None:
    made = draft(SHOP, program(container={"livenessProbe": {"httpGet": {"path": "/", "port": 8000}}}))
    assert made.probed == 1
    assert _all(made) == []


def test_a_secret_is_told_and_not_read() -> None:
    manifest = """
apiVersion: v1
kind: Secret
metadata: {name: creds, namespace: shop}
stringData: {url: "postgres://bob:hunter2@db/x"}
"""
    own = {"DB_URL": {"secretKeyRef": {"name": "creds", "key": "url"}},
           "DB_PASSWORD": {"secretKeyRef": {"name": "creds", "key": "password"}}}  # fmt: skip
    made = draft(SHOP, manifest, program(own, container={"envFrom": [{"secretRef": {"name": "more"}}]}))
    assert arrows(made) == []
    assert [(one.name, one.why, one.secret) for one in made.closed] == [
        ("", "Secret shop/more", True),
        ("DB_URL", "key url of Secret shop/creds", True),
    ]
    assert "hunter2" not in repr(made)


def test_a_config_map_that_is_not_there_is_told_unless_it_may_be_missing() -> None:
    def closed(reference: dict[str, object]) -> list[str]:
        return [one.why for one in draft(SHOP, program({"A_URL": {"configMapKeyRef": reference}})).closed]

    assert closed({"name": "gone", "key": "a"}) == ["ConfigMap shop/gone is not in the input"]
    assert closed({"name": "gone", "key": "a", "optional": True}) == []


def test_a_config_map_that_stands_twice_and_differs_is_not_read() -> None:
    one = """
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {a: "api:8080"}
"""
    user = program({"A_ADDR": {"configMapKeyRef": {"name": "settings", "key": "a"}}})
    assert arrows(draft(SHOP, one, one, user)) == ["shop/api:8080 high"]
    twice = draft(SHOP, one, one.replace("8080", "8081"), user)
    assert arrows(twice) == []
    assert [shut.why for shut in twice.closed] == ["ConfigMap shop/settings stands twice, and differently"]


def test_namespaces_of_the_cluster_itself_are_not_protected() -> None:
    system = program({"API": "http://api.shop:8080"}).replace('"namespace": "shop"', '"namespace": "kube-system"')
    made = draft(SHOP, system)
    assert made.protect == ("other", "shop")
    assert arrows(made, src="kube-system/web") == ["shop/api:8080 high"]
    assert draft(system).arrows == ()
