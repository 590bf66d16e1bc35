"""What Ingress objects, Routes and routes of Gateways lead to, and what is told of them."""

from __future__ import annotations

from textwrap import dedent

import pytest

from manifests.reading import read
from ringfence.engine.compiler.entrances import Entrances
from ringfence.engine.compiler.reachability import Reachability
from ringfence.engine.reference.doors import decided, ways
from ringfence.model.cluster import Cluster
from ringfence.model.entrances import EntranceBackend
from ringfence.model.flows import Verdict
from ringfence.report.words import end_id, grammar

SHOP = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{name: www, port: 80, targetPort: http}, {name: dns, port: 53, protocol: UDP}]}
---
"""


def _read(text: str) -> Cluster:
    return read(SHOP + dedent(text))


def _backends(cluster: Cluster) -> list[tuple[str, int | str | None, str, bool]]:
    return [(b.id, b.port, b.protocol, b.target) for entrance in cluster.entrances for b in entrance.backends]


def test_an_ingress_leads_to_each_of_its_backends() -> None:
    cluster = _read("""
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: {name: in, namespace: shop}
        spec:
          defaultBackend: {service: {name: web, port: {number: 80}}}
          rules:
          - http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {name: www}}}}]}
          - host: a.example.org
        """)
    (entrance,) = cluster.entrances
    assert (entrance.kind, entrance.id) == ("Ingress", "shop/in")
    assert _backends(cluster) == [("shop/web", 80, "TCP", False), ("shop/web", "www", "TCP", False)]
    assert cluster.findings == ()
    assert cluster.ignored == {}
    assert cluster.doorman is not None


@pytest.mark.parametrize("version", ["extensions/v1beta1", "networking.k8s.io/v1beta1"])
def test_an_old_ingress_is_read_and_told(version: str) -> None:
    cluster = _read(f"""
        apiVersion: {version}
        kind: Ingress
        metadata: {{name: in, namespace: shop}}
        spec:
          backend: {{serviceName: web, servicePort: 80}}
          rules: [{{http: {{paths: [{{backend: {{serviceName: web, servicePort: www}}}}]}}}}]
        """)
    assert _backends(cluster) == [("shop/web", 80, "TCP", False), ("shop/web", "www", "TCP", False)]
    (finding,) = cluster.findings
    assert (finding.code, finding.message) == ("RF018", f"{version} is no longer served")
    assert finding.remedy == "write networking.k8s.io/v1"


def test_a_route_leads_by_the_port_of_the_pods_or_the_name_of_the_services_port() -> None:
    text = """
        apiVersion: route.openshift.io/v1
        kind: Route
        metadata: {{name: r, namespace: shop}}
        spec: {{to: {{kind: Service, name: web}}, {more}}}
        """
    assert _backends(_read(text.format(more="port: {targetPort: 8080}"))) == [("shop/web", 8080, "TCP", True)]
    assert _backends(_read(text.format(more="port: {targetPort: www}"))) == [("shop/web", "www", "TCP", False)]
    both = _read(text.format(more="alternateBackends: [{kind: Service, name: other, weight: 0}]"))
    assert _backends(both) == [("shop/web", None, "TCP", False), ("shop/other", None, "TCP", False)]


@pytest.mark.parametrize("kind", ["HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute"])
@pytest.mark.parametrize("version", ["v1", "v1beta1", "v1alpha2"])
def test_routes_of_a_gateway_lead_to_their_backends(kind: str, version: str) -> None:
    port = 53 if kind == "UDPRoute" else 80
    cluster = _read(f"""
        apiVersion: gateway.networking.k8s.io/{version}
        kind: {kind}
        metadata: {{name: r, namespace: shop}}
        spec: {{parentRefs: [{{name: gate}}], rules: [{{backendRefs: [{{name: web, port: {port}}}]}}]}}
        """)
    assert _backends(cluster) == [("shop/web", port, "UDP" if kind == "UDPRoute" else "TCP", False)]
    assert cluster.findings == ()


def test_copies_of_requests_lead_in_too() -> None:
    mirror = "filters: [{type: RequestMirror, requestMirror: {backendRef: {name: web, port: 80}}}]"
    cluster = _read(f"""
        apiVersion: gateway.networking.k8s.io/v1
        kind: HTTPRoute
        metadata: {{name: r, namespace: shop}}
        spec: {{parentRefs: [{{name: gate}}], rules: [{{{mirror}}}]}}
        """)
    assert [b.at for b in cluster.entrances[0].backends] == ["spec.rules[0].filters[0].requestMirror.backendRef"]


def test_a_route_of_a_mesh_is_no_way_in() -> None:
    cluster = _read("""
        apiVersion: gateway.networking.k8s.io/v1
        kind: HTTPRoute
        metadata: {name: r, namespace: shop}
        spec:
          parentRefs: [{group: "", kind: Service, name: web}]
          rules: [{backendRefs: [{name: web, port: 80}]}]
        """)
    assert _backends(cluster) == []
    assert cluster.doorman is None
    assert cluster.findings == ()


ACROSS = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: edge}
spec: {parentRefs: [{name: gate}], rules: [{backendRefs: [{name: web, namespace: shop, port: 80}]}]}
---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: g, namespace: NAMESPACE}
spec:
  from: [{group: gateway.networking.k8s.io, kind: KIND, namespace: FROM}]
  to: [{group: "", kind: Service, name: NAME}]
"""


@pytest.mark.parametrize(
    ("namespace", "kind", "origin", "name", "granted"),
    [
        ("shop", "HTTPRoute", "edge", "web", True),
        ("shop", "HTTPRoute", "edge", "null", True),
        ("shop", "HTTPRoute", "edge", "other", False),
        ("shop", "TCPRoute", "edge", "web", False),
        ("shop", "HTTPRoute", "shop", "web", False),
        ("edge", "HTTPRoute", "edge", "web", False),
    ],
)
def test_a_backend_elsewhere_needs_a_grant_from_there(
    namespace: str, kind: str, origin: str, name: str, granted: bool
) -> None:
    text = ACROSS.replace("NAMESPACE", namespace).replace("KIND", kind).replace("FROM", origin).replace("NAME", name)
    cluster = _read(text)
    assert bool(_backends(cluster)) is granted
    if granted:
        assert cluster.findings == ()
        return
    (finding,) = cluster.findings
    assert finding.code == "RF053"
    assert finding.message == (
        "no ReferenceGrant in shop lets any HTTPRoute of edge lead to Service shop/web, so the backend is refused"
    )
    assert (finding.field, finding.excludes) == ("spec.rules[0].backendRefs[0].namespace", True)


def _told(backend: str, extra: str = "") -> tuple[str, str, str, bool]:
    cluster = _read(
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: in, namespace: shop}\n"
        f"spec: {{defaultBackend: {backend}}}\n---\n{extra}"
    )
    (finding,) = cluster.findings
    assert finding.line
    return finding.code, finding.message, finding.field, finding.excludes


def test_a_backend_that_leads_nowhere_is_told() -> None:
    assert _told("{service: {name: wep, port: {number: 80}}}") == (
        "RF050",
        "leads to Service shop/wep, which is not in the input: what is behind it is missing from the answers",
        "spec.defaultBackend.service",
        True,
    )
    assert _told("{service: {name: web, port: {number: 8080}}}") == (
        "RF051",
        "Service shop/web leads to no TCP port 8080 (it has: TCP 80 (www), UDP 53 (dns))",
        "spec.defaultBackend.service",
        False,
    )
    empty = (
        "apiVersion: v1\nkind: Service\nmetadata: {name: none, namespace: shop}\n"
        "spec: {selector: {a: b}, ports: [{port: 80}]}\n"
    )
    assert _told("{service: {name: none, port: {number: 80}}}", empty) == (
        "RF052",
        "leads nowhere: Service shop/none has no pod in the input behind it",
        "spec.defaultBackend.service",
        False,
    )
    assert _told("{resource: {kind: StorageBucket, name: b}}") == (
        "RF054",
        "leads to the kind StorageBucket and to no Service; what is behind it is not known",
        "spec.defaultBackend",
        True,
    )


def test_what_many_paths_lead_to_is_told_once() -> None:
    paths = ", ".join(
        f"{{path: /{n}, pathType: Prefix, backend: {{service: {{name: wep, port: {{number: 80}}}}}}}}" for n in range(5)
    )
    cluster = _read(
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: in, namespace: shop}\n"
        f"spec: {{rules: [{{http: {{paths: [{paths}]}}}}]}}\n"
    )
    assert [(f.code, f.field) for f in cluster.findings] == [("RF050", "spec.rules[0].http.paths[0].backend.service")]


def test_a_route_without_a_gateway_leads_nowhere() -> None:
    cluster = _read("""
        apiVersion: gateway.networking.k8s.io/v1
        kind: HTTPRoute
        metadata: {name: r, namespace: shop}
        spec: {rules: [{backendRefs: [{name: web, port: 80}]}]}
        """)
    assert [finding.code for finding in cluster.findings] == ["RF055"]
    assert _backends(cluster) == []


def test_an_ingress_of_the_wrong_type_is_left_out_and_told() -> None:
    cluster = _read("""
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: {name: in, namespace: shop}
        spec: {rules: {http: {}}}
        """)
    assert [(f.code, f.field, f.excludes) for f in cluster.findings] == [("RF016", "spec.rules", True)]
    assert cluster.entrances == ()


def test_a_route_of_another_group_is_none() -> None:
    cluster = _read("""
        apiVersion: serving.knative.dev/v1
        kind: Route
        metadata: {name: r, namespace: shop}
        spec: {to: {kind: Service, name: web}}
        """)
    assert cluster.entrances == ()
    assert cluster.ignored == {"Route (serving.knative.dev)": 1}


def test_backends_are_equal_whatever_field_they_stand_in() -> None:
    assert EntranceBackend("a", "b", 80, at="x") == EntranceBackend("a", "b", 80, at="y")


def _with_gateway(listener: str, parent: str = "name: gate, namespace: edge", more: str = "") -> Cluster:
    return _read(f"""
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata: {{name: gate, namespace: edge}}
        spec: {{gatewayClassName: any, listeners: [{{name: web, port: 80, protocol: HTTP{listener}}}]}}
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: HTTPRoute
        metadata: {{name: r, namespace: shop}}
        spec: {{parentRefs: [{{{parent}}}], rules: [{{backendRefs: [{{name: web, port: 80}}]}}]}}
        {more}""")


ANY_TEAM = "{matchExpressions: [{key: team, operator: Exists}]}"
SPACE = """---
        apiVersion: v1
        kind: Namespace
        metadata: {name: shop, labels: {team: a}}
        """


@pytest.mark.parametrize(
    ("listener", "parent", "more", "taken"),
    [
        ("", "name: gate, namespace: edge", "", False),  # "Same" is the default
        (", allowedRoutes: {namespaces: {from: All}}", "name: gate, namespace: edge", "", True),
        (", allowedRoutes: {namespaces: {from: Same}}", "name: gate, namespace: edge", "", False),
        (", allowedRoutes: {namespaces: {from: None}}", "name: gate, namespace: edge", "", False),
        (", allowedRoutes: {namespaces: {from: All}}", "name: gate, namespace: edge, sectionName: web", "", True),
        (", allowedRoutes: {namespaces: {from: All}}", "name: gate, namespace: edge, sectionName: tls", "", False),
        (", allowedRoutes: {namespaces: {from: All}}", "name: gate, namespace: edge, port: 443", "", False),
        (", allowedRoutes: {namespaces: {from: All}, kinds: [{kind: GRPCRoute}]}", "name: gate, namespace: edge", "",
         False),
        (", allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {team: a}}}}",
         "name: gate, namespace: edge", SPACE, True),
        (", allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {team: b}}}}",
         "name: gate, namespace: edge", SPACE, False),
        (", allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {team: b}}}}",
         "name: gate, namespace: edge", "", True),  # what labels the namespace has is not known
        (f", allowedRoutes: {{namespaces: {{from: Selector, selector: {ANY_TEAM}}}}}",
         "name: gate, namespace: edge", SPACE, True),
        ("", "name: gate", "", True),  # of shop, and not in the input
        ("", "name: gate, namespace: edge, kind: ListenerSet", "", True),
    ],
)  # fmt: skip
def test_a_gateway_takes_the_routes_that_a_listener_allows(listener: str, parent: str, more: str, taken: bool) -> None:
    cluster = _with_gateway(listener, parent, more)
    assert bool(_backends(cluster)) is taken
    if not taken:
        (finding,) = cluster.findings
        assert (finding.code, finding.excludes) == ("RF055", False)
        assert finding.message == (
            "no listener of Gateway edge/gate takes it, by its namespace or its kind, so it leads nowhere"
        )


@pytest.mark.parametrize(
    ("host", "code", "message", "remedy"),
    [
        ("a.example.org", "RF052", "an alias for a.example.org outside: no pod is behind it",
         "nothing, if that is meant"),
        ("db.data.svc.cluster.local", "RF054", "an alias for Service data/db, which is not followed",
         "ask about data/svc/db by itself"),
        ("db.data.svc", "RF054", "an alias for Service data/db, which is not followed",
         "ask about data/svc/db by itself"),
    ],
)  # fmt: skip
def test_an_alias_is_not_followed(host: str, code: str, message: str, remedy: str) -> None:
    cluster = _read(f"""
        apiVersion: v1
        kind: Service
        metadata: {{name: alias, namespace: shop}}
        spec: {{type: ExternalName, externalName: {host}}}
        ---
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: {{name: in, namespace: shop}}
        spec: {{defaultBackend: {{service: {{name: alias, port: {{number: 80}}}}}}}}
        """)
    (finding,) = cluster.findings
    assert (finding.code, finding.remedy) == (code, remedy)
    assert finding.message == f"leads to Service shop/alias, {message}"
    assert finding.excludes is (code == "RF054")


def test_nulls_are_absent() -> None:
    """S4, S5: also in the lists of a route."""
    cluster = _read("""
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata: {name: g, namespace: shop}
        spec: {listeners: [null, {allowedRoutes: {namespaces: null}}]}
        ---
        apiVersion: gateway.networking.k8s.io/v1
        kind: HTTPRoute
        metadata: {name: r, namespace: shop}
        spec:
          parentRefs: [null, {name: g}]
          rules: [null, {backendRefs: [{name: web, port: 80, weight: 0}], filters: [null, {}]}]
        ---
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: {name: in, namespace: shop}
        spec: {defaultBackend: null, rules: [null, {http: {paths: [null]}}]}
        """)
    assert _backends(cluster) == [("shop/web", 80, "TCP", False)]
    assert cluster.findings == ()


@pytest.mark.parametrize(
    ("family", "listed", "said"), [("IPv4", "10.0.0.1", "TCP 8443"), ("IPv6", "fd00::1", "No Connections")]
)
def test_a_slice_lets_in_by_the_family_that_it_lists(family: str, listed: str, said: str) -> None:
    """S78: of the pod's two addresses the controller and the load balancer know one; a rule admits all of IPv4."""
    text = f"""
        apiVersion: v1
        kind: Pod
        metadata: {{name: both, namespace: shop}}
        spec: {{containers: [{{name: web, image: web}}]}}
        status: {{podIPs: [{{ip: 10.0.0.1}}, {{ip: "fd00::1"}}]}}
        ---
        apiVersion: v1
        kind: Service
        metadata: {{name: bare, namespace: shop}}
        spec: {{type: LoadBalancer, externalTrafficPolicy: Local, ports: [{{port: 80, name: http}}]}}
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {{name: bare-1, namespace: shop, labels: {{kubernetes.io/service-name: bare}}}}
        addressType: {family}
        ports: [{{name: http, port: 8443}}]
        endpoints: [{{addresses: ["{listed}"]}}]
        ---
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: {{name: in, namespace: shop}}
        spec: {{defaultBackend: {{service: {{name: bare, port: {{name: http}}}}}}}}
        ---
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {{name: four, namespace: shop}}
        spec: {{podSelector: {{}}, ingress: [{{from: [{{ipBlock: {{cidr: 0.0.0.0/0}}}}]}}]}}
        """
    cluster = _read(text)
    assert cluster.findings == ()
    rows = {row[0].name: str(grammar(row[2].allowed)) for row in Entrances(Reachability(cluster)).rows()}
    assert len(rows) == 2
    assert set(rows.values()) == {said}
    assert {decided(cluster, way).verdict for way in ways(cluster)} == {
        Verdict.ALLOWED if family == "IPv4" else Verdict.DENIED
    }


def test_a_slice_says_what_is_behind_a_service_without_selector() -> None:
    text = """
        apiVersion: v1
        kind: Service
        metadata: {name: bare, namespace: shop}
        spec: {ports: [{port: 80, name: http}]}
        ---
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: bare-1, namespace: shop, labels: {kubernetes.io/service-name: bare}}
        addressType: IPv4
        ports: [{name: http, port: 8443}]
        endpoints: [{addresses: [203.0.113.9]}]
        ---
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: {name: in, namespace: shop}
        spec: {defaultBackend: {service: {name: bare, port: {name: http}}}}
        """
    cluster = _read(text)
    assert cluster.findings == ()
    (row,) = Entrances(Reachability(cluster)).rows()
    assert (end_id(row[1]), str(grammar(row[2].allowed))) == ("203.0.113.9-203.0.113.9[External]", "TCP 8443")
