"""Arrows that no program's strings tell: what leads in from outside, and who scrapes or calls by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ringfence.errors import RingfenceError
from ringfence.infer import evidence
from ringfence.infer.arrows import HIGH, MEDIUM, Arrows, checked
from ringfence.infer.naming import Names
from ringfence.infer.nouns import Confidence, Evidence, Suggestion
from ringfence.model.arrows import parse_end
from ringfence.model.clues import Clues, Scrape, Webhook
from ringfence.model.cluster import Cluster
from ringfence.model.ends import AddressEnd, Arrow, ArrowEnd, ControllerEnd, PortSpec
from ringfence.model.entrances import EntranceBackend
from ringfence.model.objects import Service, ServicePort, Workload

_FACING: Final = {"LoadBalancer": HIGH, "NodePort": MEDIUM}
_NOT_PROMETHEUS: Final = (
    "operator",
    "exporter",
    "adapter",
    "alertmanager",
    "pushgateway",
    "blackbox",
    "grafana",
    "msteams",
)


class WaysIn:
    """Adds to *arrows* what leads in."""

    def __init__(self, cluster: Cluster, known: Names, arrows: Arrows, controllers: Sequence[ArrowEnd]) -> None:
        self._cluster = cluster
        self._names = known
        self._arrows = arrows
        self._controllers = controllers or [ControllerEnd()]

    def entrances(self) -> None:
        """The controller to each backend of an Ingress, a Route or a route of a Gateway."""
        for entrance in self._cluster.entrances:
            for backend in entrance.backends:
                service = self._names.service(backend.namespace, backend.service)
                if service is None or service.external_name is not None:
                    continue
                told = evidence.at(entrance.kind, entrance.id, entrance.source, _name_field(entrance.kind, backend),
                                   backend.service)  # fmt: skip
                for port in _backend_ports(backend, service):
                    for controller in self._controllers:
                        self._in(controller, service, port, HIGH, told, "")

    def facing(self, clues: Clues) -> None:
        """The outside to each Service of type LoadBalancer or NodePort."""
        for service in self._cluster.services:
            if not service.faces_outside:
                continue
            sure = _FACING.get(service.type, MEDIUM)
            by = (
                ("spec.type", service.type)
                if service.type in _FACING
                else ("spec.externalIPs", service.external_ips[0])
            )
            own = [one for one in clues.ranges if (one.namespace, one.service) == (service.namespace, service.name)]
            blocks = [(one.cidr, evidence.at("Service", service.id, one.source, one.at, one.cidr)) for one in own]
            told = evidence.at("Service", service.id, service.source, *by)
            for cidr, place in blocks or [("0.0.0.0/0", told)]:
                reason = (
                    ""
                    if sure is HIGH
                    else f"{' '.join(by).removeprefix('spec.')}: if the nodes can be reached from outside"
                )
                end = _block(cidr)
                for port in service.ports if end else ():
                    self._in(end or AddressEnd(cidr), service, port, sure, place, reason)

    def _in(
        self, src: ArrowEnd, service: Service, port: ServicePort, sure: Confidence, told: Evidence, reason: str
    ) -> None:
        spec = PortSpec(port.protocol, port.port, port.port)
        if not self._names.behind(service) and not reason:
            reason = "no pod of the input is behind the Service"
        arrow = Arrow(src, self._arrows.end(service, spec), (spec,))
        self._arrows.found.add(*checked(arrow, sure, reason, [told]))

    # -- monitors and webhooks --------------------------------------------------------------------------------------

    def companions(self, clues: Clues) -> Iterator[Suggestion]:
        """What the API server, a scraper and the cloud's metadata have to do with the input."""
        found = self._arrows.found
        if found.api_server:
            yield Suggestion("kube-apiserver", "the API server is called", True, tuple(dict.fromkeys(found.api_server)))
        scraped = [(one, self._scraped(one)) for one in clues.scrapes]
        told = [_asked(one) for one, targets in scraped if targets]
        prometheus = self._prometheus()
        if told and prometheus is not None:
            for one, targets in scraped:
                for workload, spec in targets:
                    if workload is not prometheus:
                        arrow = Arrow(self._arrows.source(prometheus), self._arrows.end(workload, spec), (spec,))
                        self._arrows.found.add(*checked(arrow, MEDIUM, f"scraped: {one.by}", [_asked(one)]))
        elif told:
            what = "its pods scrape what is asked for: write where they are"
            end = "NAMESPACE/[app.kubernetes.io/name=prometheus]"
            yield Suggestion("prometheus", what, False, tuple(dict.fromkeys(told)), end)
        called = [one for one in clues.webhooks if self._names.service(one.namespace, one.service)]
        if called:
            yield Suggestion("webhooks", "the API server calls a webhook of the input", True,
                             tuple(_called(one)
                                   for one in called))  # fmt: skip
        if found.metadata:
            yield Suggestion("cloud-metadata", "the cloud's metadata address is called; the companion denies it", False,
                             tuple(dict.fromkeys(found.metadata)))  # fmt: skip

    def _prometheus(self) -> Workload | None:
        """The one workload that is a Prometheus by its name."""
        found = [one for one in self._cluster.workloads
                 if "prometheus" in one.name and not any(word in one.name for word in _NOT_PROMETHEUS)]  # fmt: skip
        return found[0] if len(found) == 1 else None

    def _scraped(self, one: Scrape) -> list[tuple[Workload, PortSpec]]:
        """The workloads that *one* scrapes, with the ports of their pods: a scraper dials pods, not the Service."""
        service = self._names.service(one.namespace, one.name) if one.of_service else None
        workloads = self._names.behind(service) if service else self._names.workloads(one.namespace, one.name)
        wanted: set[int | str | None] = {one.port}
        if service is not None and not one.of_pods:
            wanted = {port.target for port in service.ports if one.port in (None, port.name)}
        found: list[tuple[Workload, PortSpec]] = []
        for workload in workloads:
            numbers = {want for want in wanted if isinstance(want, int)}
            numbers |= {
                port.number for port in workload.pods[0].ports if port.name in wanted - {None} or None in wanted
            }
            found += [(workload, PortSpec("TCP", number, number)) for number in sorted(numbers)]
        return found


def _asked(one: Scrape) -> Evidence:
    sort, _, name = one.by.partition(" ")
    return evidence.at(sort, name, one.source, one.at, "" if one.port is None else str(one.port))


def _block(cidr: str) -> AddressEnd | None:
    """*cidr* as an end; None when it is none."""
    try:
        end = parse_end(cidr)
    except RingfenceError:
        return None
    return end if isinstance(end, AddressEnd) else None


def _called(one: Webhook) -> Evidence:
    sort, _, name = one.by.partition(" ")
    return evidence.at(sort, name, one.source, one.at, one.service)


def _name_field(kind: str, backend: EntranceBackend) -> str:
    return backend.at if kind == "Ingress" and not backend.at.endswith(".service") else f"{backend.at}.name"


def _backend_ports(backend: EntranceBackend, service: Service) -> list[ServicePort]:
    """The ports of *service* that *backend* means."""
    if backend.port is None:
        return [port for port in service.ports if port.protocol == backend.protocol]
    if backend.target:
        return [port for port in service.ports if backend.port in (port.target, port.port)]
    return [port for port in service.ports
            if backend.port in (port.name, port.port) and port.protocol == backend.protocol]  # fmt: skip
