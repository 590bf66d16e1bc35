"""5xx, who is called by the cluster: webhooks and aggregated APIs by the API server, metrics by a scraper."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from ringfence.manifests.clues.asking import api_calls, service_scrapes
from ringfence.manifests.text.documents import Item
from ringfence.model.addresses import AddressSet
from ringfence.model.clues import Scrape
from ringfence.model.cluster import Other
from ringfence.model.objects import Service, Workload
from ringfence.model.policies import Direction, Peer, Policy, Rule
from ringfence.query.lint.check import ERROR, NOTE, WARNING, Found, Thing, check
from ringfence.query.lint.linting import Linting, names, peer_path
from ringfence.query.lint.outline import mapping, members
from ringfence.query.lint.themes.platform.written import (
    behind,
    others_may_decide,
    ways_in,
)

_HTTPS: Final = 443
_TUNNELS: Final = ("konnectivity", "tunnel")
"""Parts of the labels of agents through which a hosted control plane calls: they are pods."""
_HOST_NAMESPACE: Final = "policy-group.network.openshift.io/host-network"
_HOSTED: Final = ("azure", "gke-dataplane-v2")
"""Profiles of clusters where the API server may call through an agent in kube-system."""
_SCRAPERS: Final = (("app.kubernetes.io/name", "prometheus"), ("app", "prometheus"))


@dataclass(frozen=True, slots=True)
class _Call:
    """A Service that the API server calls, and the object that says so at *path*."""

    by: Other
    path: str
    what: str
    namespace: str
    service: str
    port: int


def _call(by: Other, path: str, what: str, wanted: Any) -> Iterator[_Call]:
    found = mapping(wanted)
    namespace, name, port = found.get("namespace"), found.get("name"), found.get("port", _HTTPS)
    if isinstance(namespace, str) and isinstance(name, str) and isinstance(port, int):
        yield _Call(by, path, what, namespace, name, port)


def _webhooks(lint: Linting) -> Iterator[_Call]:
    """Admission webhooks, and the conversion webhooks of CustomResourceDefinitions."""
    for other in lint.cluster.others:
        if other.group == "admissionregistration.k8s.io" and other.kind.endswith("WebhookConfiguration"):
            for index, one in members(mapping(other.source.value()).get("webhooks")):
                path = f"webhooks[{index}].clientConfig.service"
                yield from _call(other, path, f"webhook {one.get('name')}", mapping(one.get("clientConfig")).get(
                    "service"))  # fmt: skip
        elif other.group == "apiextensions.k8s.io" and other.kind == "CustomResourceDefinition":
            spec = mapping(mapping(other.source.value()).get("spec"))
            webhook = mapping(mapping(spec.get("conversion")).get("webhook"))
            path = "spec.conversion.webhook.clientConfig.service"
            yield from _call(other, path, "conversion webhook", mapping(webhook.get("clientConfig")).get("service"))


def _served(lint: Linting, call: _Call) -> Iterator[tuple[Workload, int]]:
    """The workloads behind the Service of *call* that are isolated for ingress, and the port of the pods."""
    for service in lint.cluster.services:
        if (service.namespace, service.name) != (call.namespace, call.service):
            continue
        for workload in behind(lint, service) if service.selector else ():
            if not lint.isolated(workload, Direction.INGRESS):
                continue
            for entry in service.ports:
                if entry.port == call.port and entry.protocol == "TCP":
                    for number in sorted(lint.targets(workload, entry.target, "TCP")):
                        yield workload, number


def _callers(lint: Linting) -> AddressSet:
    """The addresses the API server may call from; none when nobody said."""
    return lint.facts.node_cidrs | AddressSet.of(*(cidr for cidr, _ in lint.facts.api_server))


def _lets_api_server(lint: Linting, peer: Peer) -> bool:
    """Whether *peer* may be the API server: a block that holds it, an agent of it, the namespace OVN has for hosts."""
    if peer.block is not None:
        callers = _callers(lint)
        return bool(callers & peer.block.addresses) if callers else True
    for selector in (peer.pods, peer.namespaces):
        for one in selector.requirements if selector is not None else ():
            if one.key == _HOST_NAMESPACE or any(word in value for value in one.values for word in _TUNNELS):
                return True
    return False


def _shut(lint: Linting, workload: Workload, number: int) -> list[tuple[Policy, Rule]] | None:
    """The rules that admit *number* from others than the API server; None where it may come in."""
    found = ways_in(lint, workload, number)
    open_to = any(not rule.peers or any(_lets_api_server(lint, peer) for peer in rule.peers) for _, rule in found)
    return None if open_to else found


@check(
    "RF504", "webhook-ingress-missing", ERROR,
    title="a webhook that the API server cannot call",
    wrong="The API server must call an admission or conversion webhook, and the policies of its pods do not admit "
    "that; creating objects then fails or hangs in the whole cluster.",
    fix="admit the pods' port from anywhere, or from the addresses of the API server",
    origin="przemekhys/homeassistant-operator#170, kubeflow/community-distribution#3342; otterize/intents-operator has "
    "a controller for it",
)  # fmt: skip
def webhook_ingress_missing(lint: Linting) -> Iterator[Found]:
    """A webhook whose pods are isolated for ingress and admit its port from nobody, or from other addresses alone."""
    for call in _webhooks(lint):
        for workload, number in _served(lint, call):
            rules = _shut(lint, workload, number)
            if rules is None or any(peer.block is None for _, rule in rules for peer in rule.peers):
                continue
            policy = lint.selecting(workload, Direction.INGRESS)[0]
            unsure = others_may_decide(lint, workload.namespace)
            yield Found(
                call.by, call.path,
                f"{call.what} is served by {names([workload])} on {number}, which no policy lets the API server reach",
                effect="requests that it must see fail or hang",
                remedy=f"admit TCP {number} to {names([workload])} without from, or from the API server's addresses",
                severity=NOTE if unsure else None,
                related=((policy, "spec.podSelector", "isolates the pods"),),
            )  # fmt: skip


@check(
    "RF505", "webhook-source-by-selector", ERROR,
    title="a webhook's port for pods alone",
    wrong="The port of a webhook is admitted from namespaces or pods only; the API server calls from the address of a "
    "node, which no selector matches.",
    fix="drop the peers for that port",
    origin="nmstate/kubernetes-nmstate#1555, open-cluster-management-io/ocm#1634, stolostron/search-v2-operator#781",
)  # fmt: skip
def webhook_source_by_selector(lint: Linting) -> Iterator[Found]:
    """A webhook whose port is admitted, and by selectors alone."""
    for call in _webhooks(lint):
        for workload, number in _served(lint, call):
            for policy, rule in _shut(lint, workload, number) or ():
                index = next((n for n, peer in enumerate(rule.peers) if peer.block is None), None)
                if index is None:
                    continue
                special = lint.profile.traits.hostnet_peer.startswith("special") and rule.peers[index].pods is not None
                hosted = lint.profile.name in _HOSTED
                unsure = others_may_decide(lint, workload.namespace)
                yield Found(
                    policy, peer_path(Direction.INGRESS, rule, index),
                    f"admits {number}, the port of {call.what}, from pods alone; the API server is none",
                    effect=f"the API server cannot call {names([workload])}",
                    severity=NOTE if unsure else WARNING if special or hosted else None,
                    related=((call.by, call.path, "is called by the API server"),),
                )  # fmt: skip


@check(
    "RF506", "aggregated-api-ingress", WARNING,
    title="an aggregated API that the API server cannot call",
    wrong="Pods behind an APIService are called by the API server, from an address that may be translated to one of a "
    "node or of the pod range; their policies admit neither.",
    fix="admit the pods' port from anywhere",
    origin="defenseunicorns/uds-core PR 148 and issue 139",
)  # fmt: skip
def aggregated_api_ingress(lint: Linting) -> Iterator[Found]:
    """An APIService whose pods are isolated for ingress and admit its port from no address that may be the server's."""
    for other in lint.cluster.others:
        if other.group != "apiregistration.k8s.io" or other.kind != "APIService":
            continue
        wanted = mapping(mapping(other.source.value()).get("spec")).get("service")
        for call in _call(other, "spec.service", "", wanted):
            for workload, number in _served(lint, call):
                rules = _shut(lint, workload, number)
                if rules is None:
                    continue
                alone = "admits only from selectors or other addresses" if rules else "admits from nobody"
                policy = rules[0][0] if rules else lint.selecting(workload, Direction.INGRESS)[0]
                yield Found(
                    call.by, call.path,
                    f"the API is served by {names([workload])} on {number}, which policy {policy.id} {alone}",
                    effect=f"{other.name} is unavailable on some nodes or all",
                    severity=NOTE if others_may_decide(lint, workload.namespace) else None,
                    related=((policy, rules[0][1].path if rules else "spec.podSelector", "isolates the pods"),),
                )  # fmt: skip


def _scrapes(lint: Linting) -> Iterator[tuple[Thing, Scrape]]:
    """Whatever asks for a scrape, and the object that says so."""
    for other in lint.cluster.others:
        if other.group == "monitoring.coreos.com" and other.kind in ("ServiceMonitor", "PodMonitor"):
            item = Item(f"{other.group}/{other.version}", other.kind, other.source.file, other.source.document)  # type: ignore[arg-type]
            value = mapping(other.source.value())
            for found in api_calls(lint.cluster, item, other.namespace, other.name, value):
                if isinstance(found, Scrape):
                    yield other, found
    by_name = {(one.namespace, one.name): one for one in lint.cluster.services}
    for scrape in service_scrapes(lint.cluster):
        yield by_name[scrape.namespace, scrape.name], scrape
    for workload in lint.cluster.workloads:
        if lint.isolated(workload, Direction.INGRESS):
            yield from ((workload, scrape) for outline in lint.outlines(workload) for scrape in outline.scrapes)


def _scraped(lint: Linting, scrape: Scrape) -> Iterator[tuple[Workload, int]]:
    """The workloads that *scrape* means, isolated for ingress, each with the port; of all ports none."""
    for workload in lint.within(scrape.namespace):
        if not lint.isolated(workload, Direction.INGRESS):
            continue
        services = [one for one in lint.services_of(workload) if one.name == scrape.name] if scrape.of_service else []
        if not services and (scrape.of_service or workload.name != scrape.name):
            continue
        yield from ((workload, number) for number in sorted(_ports(lint, scrape, workload, services)))


def _ports(lint: Linting, scrape: Scrape, workload: Workload, services: list[Service]) -> set[int]:
    if scrape.port is None:
        return set()
    if scrape.of_pods:
        return lint.targets(workload, scrape.port, "TCP")
    entries = [entry for one in services for entry in one.ports if scrape.port in (entry.name, entry.port)]
    return {number for entry in entries for number in lint.targets(workload, entry.target, "TCP")}


def called_ports(lint: Linting) -> dict[int, set[int]]:
    """The ports that are scraped or that the API server calls, of each isolated workload, by its ``id()``."""
    found: dict[int, set[int]] = {}
    pairs = [pair for _, scrape in _scrapes(lint) for pair in _scraped(lint, scrape)]
    pairs += [pair for call in _webhooks(lint) for pair in _served(lint, call)]
    for workload, number in pairs:
        found.setdefault(id(workload), set()).add(number)
    return found


@check(
    "RF507", "metrics-scrape-blocked", WARNING,
    title="metrics that nobody can scrape",
    wrong="Monitoring is set up for the pods, but their policies do not admit the scraper.",
    fix="admit the metrics port from the namespace of the monitoring",
    origin="codecentric/helm-charts#546, argoproj/argo-cd#6407, dragonflydb/dragonfly-operator#495, "
    "bitnami/sealed-secrets#1469",
)  # fmt: skip
def metrics_scrape_blocked(lint: Linting) -> Iterator[Found]:
    """A port that is to be scraped, which the scrapers of the input, or without one nobody, may reach."""
    scrapers = [
        one for one in lint.cluster.workloads
        if any(pod.labels.get(key) == value for pod in one.pods for key, value in _SCRAPERS)
    ]  # fmt: skip
    for thing, scrape in _scrapes(lint):
        for workload, number in _scraped(lint, scrape):
            if _may_scrape(lint, scrapers, workload, number):
                continue
            policy = lint.selecting(workload, Direction.INGRESS)[0]
            who = names(scrapers) if scrapers else "anybody"
            yield Found(
                thing, scrape.at,
                f"{names([workload])} is to be scraped on {number}, and no policy lets {who} in there",
                effect=f"metrics of {names([workload])} are missing",
                severity=NOTE if others_may_decide(lint, workload.namespace) else None,
                related=((policy, "spec.podSelector", "isolates the pods"),),
            )  # fmt: skip


def _may_scrape(lint: Linting, scrapers: list[Workload], workload: Workload, number: int) -> bool:
    """Whether a scraper of the input may come in; without one, whether any rule admits the port."""
    if not scrapers:
        return bool(ways_in(lint, workload, number))
    for scraper in scrapers:
        answer = lint.lets_in(scraper, workload)
        if (answer.possible | answer.undecided).allows("TCP", number):
            return True
    return any(not rule.peers for _, rule in ways_in(lint, workload, number))
