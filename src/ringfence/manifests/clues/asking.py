"""Objects that ask for connections by themselves: monitors that scrape, webhooks, blocks that may come in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from ringfence.manifests.checks.paths import child
from ringfence.manifests.text.documents import Item, source
from ringfence.model.clues import Owner, Scrape, SourceRange, Webhook
from ringfence.model.cluster import Cluster
from ringfence.model.sources import Source

_MONITORS: Final = {"ServiceMonitor": "endpoints", "PodMonitor": "podMetricsEndpoints"}
_WEBHOOKS: Final = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
_SCRAPE: Final = "prometheus.io/scrape"
_PORT: Final = "prometheus.io/port"
_HTTPS: Final = 443


def api_calls(
    cluster: Cluster, item: Item, space: str, name: str, value: Mapping[str, Any]
) -> Iterator[Scrape | Webhook]:
    """What the monitor or webhook configuration in *item* asks for."""
    if item.kind in _MONITORS and item.group == "monitoring.coreos.com":
        yield from _monitor(cluster, item, space, name, value)
    elif item.kind in _WEBHOOKS:
        for index, one in enumerate(_list(value.get("webhooks"))):
            wanted = _mapping(_mapping(_mapping(one).get("clientConfig")).get("service"))
            if isinstance(wanted.get("name"), str):
                port = wanted.get("port")
                yield Webhook(f"{item.kind} {name}", str(wanted.get("namespace")), wanted["name"],
                              port if isinstance(port, int) else _HTTPS,
                              f"webhooks[{index}].clientConfig.service.name", source(item))  # fmt: skip


def _monitor(cluster: Cluster, item: Item, space: str, name: str, value: Mapping[str, Any]) -> Iterator[Scrape]:
    spec = _mapping(value.get("spec"))
    where = _mapping(spec.get("namespaceSelector"))
    names = [str(one) for one in _list(where.get("matchNames"))]
    spaces = None if where.get("any") is True else set(names or [space])
    key, of_pods = _MONITORS[item.kind], item.kind == "PodMonitor"
    selector = _mapping(spec.get("selector"))
    meant = [pair for pair in _candidates(cluster, of_pods) if spaces is None or pair[0] in spaces]
    chosen = list(dict.fromkeys((at, called) for at, called, worn in meant if _selects(selector, worn)))
    for index, one in enumerate(_list(spec.get(key))):
        endpoint = _mapping(one)
        by_number = endpoint.get("port") is None
        field = f"spec.{key}[{index}].{'targetPort' if by_number else 'port'}"
        port = endpoint.get("targetPort") if by_number else endpoint.get("port")
        if not isinstance(port, int | str):
            continue
        for at, called in chosen:
            yield Scrape(f"{item.kind} {space}/{name}", at, called, not of_pods, port, of_pods or by_number,
                         field, source(item))  # fmt: skip


def _candidates(cluster: Cluster, of_pods: bool) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Namespace, name and labels of what a monitor may select: pods, by their workload, or Services."""
    if of_pods:
        for workload in cluster.workloads:
            for pod in workload.pods:
                yield workload.namespace, workload.name, pod.labels
        return
    for service in cluster.services:
        written = _mapping(service.source.value())
        worn = _mapping(_mapping(written.get("metadata")).get("labels"))
        yield service.namespace, service.name, {str(key): str(value) for key, value in worn.items()}


def _selects(selector: Mapping[str, Any], worn: Mapping[str, str]) -> bool:
    """Whether the label selector, as written, takes these labels (S49)."""
    if any(worn.get(key) != value for key, value in _mapping(selector.get("matchLabels")).items()):
        return False
    for one in _list(selector.get("matchExpressions")):
        found = _mapping(one)
        key, values = found.get("key"), _list(found.get("values"))
        held = {"In": worn.get(str(key)) in values, "NotIn": worn.get(str(key)) not in values,
                "Exists": key in worn, "DoesNotExist": key not in worn}  # fmt: skip
        if not held.get(str(found.get("operator")), False):
            return False
    return True


def scrapes(owner: Owner, path: str, value: Mapping[str, Any], origin: Source) -> Iterator[Scrape]:
    """The old way to ask for a scrape: annotations of the pods."""
    yield from _annotated(owner.namespace, owner.name, path, value, origin)


def _annotated(namespace: str, name: str, path: str, value: Mapping[str, Any], origin: Source) -> Iterator[Scrape]:
    asked = _mapping(_mapping(value.get("metadata")).get("annotations"))
    if str(asked.get(_SCRAPE)).lower() == "true":
        port = str(asked.get(_PORT) or "")
        field = child(child(path, "metadata") + ".annotations", _PORT if port else _SCRAPE)
        number = int(port) if port.isdigit() else None
        yield Scrape(f"annotation {_SCRAPE}", namespace, name, False, number, True, field, origin)


def service_scrapes(cluster: Cluster) -> Iterator[Scrape]:
    """The same annotations on a Service: the pods behind it are scraped, on one port or all that it leads to."""
    for service in cluster.services:
        value = _mapping(service.source.value())
        for one in _annotated(service.namespace, service.name, "", value, service.source):
            yield replace(one, of_service=True, of_pods=one.port is not None)


def ranges(cluster: Cluster) -> Iterator[SourceRange]:
    """The blocks that Services of type LoadBalancer let in, where they say so."""
    for service in cluster.services:
        if service.type == "LoadBalancer":
            spec = _mapping(_mapping(service.source.value()).get("spec"))
            for index, cidr in enumerate(_list(spec.get("loadBalancerSourceRanges"))):
                yield SourceRange(service.namespace, service.name, str(cidr).strip(),
                                  f"spec.loadBalancerSourceRanges[{index}]", service.source)  # fmt: skip


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
