"""What a snapshot keeps of each kind: the fields that answers rest on, and nothing that is not named here.

No environment, no command, no arguments, no volume but whether a token is mounted, no annotation but ours and those
that ask for something, no certificate of a Route. Policies of dialects keep their ``spec`` only where it is looked at,
without what it says of the content of requests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypedDict

import msgspec

from ringfence.live.server.server import Json

ANNOTATIONS: Final = ("helm.sh/hook", "prometheus.io/port", "prometheus.io/scrape")
OURS: Final = "ringfence.dev/"
"""Beside those, annotations that begin so are kept."""

Form = Mapping[str, Any]
"""Fields that are kept, each with its type: a form for a mapping, in brackets for a list of them."""
_TEXT: Final = str | None
_NUMBER: Final = int | None
_FLAG: Final = bool | None
_TEXTS: Final = list[str | None] | None
_EITHER: Final = int | str | None
_MAP: Final = dict[str, str | None] | None

_OWNER: Final[Form] = {"apiVersion": _TEXT, "kind": _TEXT, "name": _TEXT, "controller": _FLAG}
METADATA: Final[Form] = {
    "name": _TEXT, "namespace": _TEXT, "labels": _MAP, "annotations": _MAP, "ownerReferences": [_OWNER],
}  # fmt: skip
_CONDITIONS: Final[list[Form]] = [{"type": _TEXT, "status": _TEXT}]

_PROBE: Final[Form] = {name: {"port": _EITHER} for name in ("httpGet", "tcpSocket", "grpc")}
_CONTAINER: Final[Form] = {
    "name": _TEXT, "image": _TEXT, "restartPolicy": _TEXT,
    "ports": [{"name": _TEXT, "containerPort": _NUMBER, "hostPort": _NUMBER, "protocol": _TEXT}],
    "livenessProbe": _PROBE, "readinessProbe": _PROBE, "startupProbe": _PROBE,
}  # fmt: skip
_POD: Final[Form] = {
    "nodeName": _TEXT, "nodeSelector": _MAP, "hostNetwork": _FLAG, "dnsPolicy": _TEXT, "serviceAccountName": _TEXT,
    "automountServiceAccountToken": _FLAG, "containers": [_CONTAINER], "initContainers": [_CONTAINER],
    "volumes": [{"projected": {"sources": [{"serviceAccountToken": {}}]}}],
}  # fmt: skip
_POD_STATUS: Final[Form] = {
    "phase": _TEXT, "podIP": _TEXT, "podIPs": [{"ip": _TEXT}], "hostIP": _TEXT, "conditions": _CONDITIONS,
}  # fmt: skip
_TEMPLATE: Final[Form] = {"metadata": METADATA, "spec": _POD}
_SELECTOR: Final[Form] = {
    "matchLabels": _MAP, "matchExpressions": [{"key": _TEXT, "operator": _TEXT, "values": _TEXTS}],
}  # fmt: skip
_JOB: Final[Form] = {"metadata": METADATA, "spec": {"parallelism": _NUMBER, "template": _TEMPLATE}}
_MAKER: Final[Form] = {
    "spec": {"replicas": _NUMBER, "parallelism": _NUMBER, "template": _TEMPLATE, "jobTemplate": _JOB},
    "status": {"desiredNumberScheduled": _NUMBER, "conditions": _CONDITIONS},
}  # fmt: skip

_NODE: Final[Form] = {
    "spec": {"podCIDR": _TEXT, "podCIDRs": _TEXTS},
    "status": {"addresses": [{"type": _TEXT, "address": _TEXT}]},
}
_SERVICE: Final[Form] = {
    "spec": {
        "type": _TEXT, "selector": _MAP, "clusterIP": _TEXT, "clusterIPs": _TEXTS, "externalIPs": _TEXTS,
        "externalName": _TEXT, "externalTrafficPolicy": _TEXT, "ipFamilies": _TEXTS, "ipFamilyPolicy": _TEXT,
        "loadBalancerIP": _TEXT, "loadBalancerSourceRanges": _TEXTS, "publishNotReadyAddresses": _FLAG,
        "ports": [{"name": _TEXT, "protocol": _TEXT, "port": _NUMBER, "targetPort": _EITHER, "nodePort": _NUMBER}],
    },
    "status": {"loadBalancer": {"ingress": [{"ip": _TEXT}]}},
}  # fmt: skip
_SLICE: Final[Form] = {
    "addressType": _TEXT,
    "ports": [{"name": _TEXT, "protocol": _TEXT, "port": _NUMBER}],
    "endpoints": [{
        "addresses": _TEXTS, "conditions": {"ready": _FLAG, "serving": _FLAG, "terminating": _FLAG},
        "targetRef": {"kind": _TEXT, "name": _TEXT, "namespace": _TEXT},
    }],
}  # fmt: skip

_BACKEND: Final[Form] = {
    "service": {"name": _TEXT, "port": {"number": _NUMBER, "name": _TEXT}}, "resource": {"kind": _TEXT},
}  # fmt: skip
_INGRESS: Final[Form] = {"spec": {
    "ingressClassName": _TEXT, "defaultBackend": _BACKEND,
    "rules": [{"host": _TEXT, "http": {"paths": [{"backend": _BACKEND}]}}],
}}  # fmt: skip
_TARGET: Final[Form] = {"kind": _TEXT, "name": _TEXT}
_ROUTE: Final[Form] = {"spec": {"to": _TARGET, "alternateBackends": [_TARGET], "port": {"targetPort": _EITHER}}}
_REFERENCE: Final[Form] = {
    "group": _TEXT, "kind": _TEXT, "name": _TEXT, "namespace": _TEXT, "sectionName": _TEXT, "port": _NUMBER,
}  # fmt: skip
_FILTERS: Final[list[Form]] = [{"type": _TEXT, "requestMirror": {"backendRef": _REFERENCE}}]
_GATEWAY_ROUTE: Final[Form] = {"spec": {
    "parentRefs": [_REFERENCE],
    "rules": [{"backendRefs": [{**_REFERENCE, "filters": _FILTERS}], "filters": _FILTERS}],
}}  # fmt: skip
_ALLOWED: Final[Form] = {"namespaces": {"from": _TEXT, "selector": _SELECTOR}, "kinds": [_REFERENCE]}
_GATEWAY: Final[Form] = {"spec": {
    "gatewayClassName": _TEXT,
    "listeners": [{"name": _TEXT, "port": _NUMBER, "protocol": _TEXT, "allowedRoutes": _ALLOWED}],
}}  # fmt: skip
_GRANT: Final[Form] = {"spec": {"from": [_REFERENCE], "to": [_REFERENCE]}}
_BARE: Final[Form] = {}
_POLICY: Final[Form] = {"spec": Any, "specs": Any}

_API: Final = "gateway.networking.k8s.io"
FORMS: Final[Mapping[tuple[str, str], Form]] = {
    ("", "Namespace"): _BARE,
    ("", "Node"): _NODE,
    ("", "Pod"): {"spec": _POD, "status": _POD_STATUS},
    ("", "Service"): _SERVICE,
    ("", "ReplicationController"): _MAKER,
    **{("apps", kind): _MAKER for kind in ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")},
    **{("batch", kind): _MAKER for kind in ("CronJob", "Job")},
    ("discovery.k8s.io", "EndpointSlice"): _SLICE,
    ("networking.k8s.io", "Ingress"): _INGRESS,
    ("networking.k8s.io", "NetworkPolicy"): _POLICY,
    ("route.openshift.io", "Route"): _ROUTE,
    (_API, "Gateway"): _GATEWAY,
    (_API, "ReferenceGrant"): _GRANT,
    **{(_API, f"{kind}Route"): _GATEWAY_ROUTE for kind in ("GRPC", "HTTP", "TCP", "TLS", "UDP")},
}
_READ_DIALECTS: Final = frozenset({
    "cilium.io", "crd.antrea.io", "crd.projectcalico.org", "networking.gke.io", "networking.k8s.aws",
    "policy.networking.k8s.io", "projectcalico.org",
})  # fmt: skip
"""Groups whose policies some check looks into; of others only that they are there matters."""
_OF_CONTENT: Final = frozenset({
    "headerMatches", "headers", "http", "kafka", "l7", "l7Protocols", "l7proto", "listener", "originatingTLS",
    "terminatingTLS",
})  # fmt: skip


def decoder(group: str, kind: str) -> Callable[[Any], Json]:
    """What reads an object of this kind from JSON; raises msgspec.ValidationError for one that is not of its form."""
    form = FORMS.get((group, kind), _POLICY if group in _READ_DIALECTS else _BARE)
    read = msgspec.json.Decoder(_type({"metadata": METADATA, **form})).decode
    is_pod, makes_pods = (group, kind) == ("", "Pod"), form is _MAKER

    def one(data: Any) -> Json:
        found: Json = read(data) or {}
        _trim(found.get("metadata"))
        if is_pod:
            _trim_volumes(found.get("spec"))
        elif makes_pods:
            _trim_templates(found.get("spec") or {})
        return _without_content(found) if group in _READ_DIALECTS else found

    return one


def _type(form: Any) -> Any:
    """*form* as a type that msgspec reads into plain data; a null is an absent field."""
    if isinstance(form, list):
        return list.__class_getitem__(_type(form[0])) | None
    if isinstance(form, Mapping):
        fields = {key: _type(inner) for key, inner in form.items()}
        return TypedDict("Kept", fields, total=False) | None  # type: ignore[operator]
    return form


def _trim_templates(spec: Json) -> None:
    job = spec.get("jobTemplate") or {}
    for one in (spec.get("template"), job, (job.get("spec") or {}).get("template")):
        _trim((one or {}).get("metadata"))
        _trim_volumes((one or {}).get("spec"))


def _trim_volumes(spec: Json | None) -> None:
    """Drop the volumes of *spec* of which nothing is kept."""
    if spec and "volumes" in spec:
        kept = [one for one in spec.pop("volumes") or () if one]
        if kept:
            spec["volumes"] = kept


def _trim(metadata: Json | None) -> None:
    """Drop the annotations of *metadata* that nobody reads."""
    if metadata and "annotations" in metadata:
        written = metadata.pop("annotations") or {}
        kept = {key: value for key, value in written.items() if key in ANNOTATIONS or key.startswith(OURS)}
        if kept:
            metadata["annotations"] = kept


def _without_content(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_content(inner) for key, inner in value.items() if key not in _OF_CONTENT}
    return [_without_content(inner) for inner in value] if isinstance(value, list) else value
