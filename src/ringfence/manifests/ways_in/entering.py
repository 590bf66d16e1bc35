"""What ways in lead to, once everything is read: backends that count, and what is told of the others (S88)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from ringfence.manifests.checks.problems import Problem
from ringfence.manifests.ways_in.entrances import Grant
from ringfence.manifests.ways_in.gateways import Gateway, GatewayRoute, taken
from ringfence.model.entrances import Entrance, EntranceBackend
from ringfence.model.findings import Finding
from ringfence.model.objects import EndpointSlice, Namespace, Pod, Service, ServicePort, Workload


def settle(
    entrances: Sequence[Entrance],
    routes: Sequence[GatewayRoute],
    gateways: Sequence[Gateway],
    grants: Sequence[Grant],
    namespaces: Mapping[str, Namespace],
    services: Sequence[Service],
    workloads: Sequence[Workload],
    slices: Sequence[EndpointSlice],
) -> tuple[tuple[Entrance, ...], list[Finding]]:
    """The *entrances* with the backends that a controller takes, and findings about those that lead nowhere."""
    known = {service.id: service for service in services}
    look = _Look(workloads, slices)
    made: list[Entrance] = []
    told: list[Finding] = []
    by_name = {(one.namespace, one.name): one for one in gateways}
    ways = list(entrances)
    for route in routes:
        if not route.entrance.backends or taken(route, by_name, namespaces):
            ways.append(route.entrance)
        else:
            told.append(_refused(route))
    for entrance in sorted(ways, key=lambda one: (one.kind, one.id)):
        kept, said = [], set[tuple[str, str]]()
        for backend in entrance.backends:
            problem = _ungranted(entrance, backend, grants) or _wrong(backend, known, look)
            if (
                problem is not None and (problem.code, problem.message) not in said
            ):  # once, though many paths lead there
                said.add((problem.code, problem.message))
                told.append(problem.finding(kind=entrance.kind, name=entrance.id, source=entrance.source))
            if problem is None or problem.code != "RF053":
                kept.append(backend)
        made.append(replace(entrance, backends=tuple(kept)))
    return tuple(made), list(dict.fromkeys(told))


def _refused(route: GatewayRoute) -> Finding:
    named = ", ".join(f"{parent.namespace}/{parent.name}" for parent in route.parents if parent.kind == "Gateway")
    what = f"no listener of Gateway {named} takes it, by its namespace or its kind, so it leads nowhere"
    entrance, remedy = route.entrance, "allow it in spec.listeners[].allowedRoutes of the Gateway"
    problem = Problem("RF055", what, "spec.parentRefs", remedy)
    return problem.finding(kind=entrance.kind, name=entrance.id, source=entrance.source)


def _ungranted(entrance: Entrance, backend: EntranceBackend, grants: Iterable[Grant]) -> Problem | None:
    """A backend in another namespace, which has to allow it."""
    if backend.namespace == entrance.namespace:
        return None
    for grant in grants:
        allowed = (entrance.kind, entrance.namespace) in grant.sources and grant.services & {None, backend.service}
        if grant.namespace == backend.namespace and allowed:
            return None
    what = f"no ReferenceGrant in {backend.namespace} lets any {entrance.kind} of {entrance.namespace} lead to "
    return Problem("RF053", f"{what}Service {backend.id}, so the backend is refused", f"{backend.at}.namespace")


def _wrong(backend: EntranceBackend, known: Mapping[str, Service], look: _Look) -> Problem | None:
    service = known.get(backend.id)
    if service is None:
        what = (
            f"leads to Service {backend.id}, which is not in the input: what is behind it is missing from the answers"
        )
        return Problem("RF050", what, backend.at)
    if service.external_name is not None:
        return _alias(backend, service.external_name)
    ports = [port for port in service.ports if _meant(backend, port)]
    if not ports and not (backend.target and look.any_named(service)):
        has = ", ".join(f"{port.protocol} {port.port}" + (f" ({port.name})" if port.name else "")
                        for port in service.ports) or "none"  # fmt: skip
        wanted = "port of the pods" if backend.target else "port"
        what = f"Service {backend.id} leads to no {backend.protocol} {wanted} {backend.port} (it has: {has})"
        return Problem("RF051", what, backend.at)
    return look.empty(service, backend.at)


def _alias(backend: EntranceBackend, host: str) -> Problem:
    """What is to be told of a Service that is another name for *host*: one of the cluster's own may be behind it."""
    name, _, rest = host.rstrip(".").partition(".")
    if ".svc" in f".{rest}":
        namespace = rest.partition(".")[0]
        what = f"leads to Service {backend.id}, an alias for Service {namespace}/{name}, which is not followed"
        return Problem("RF054", what, backend.at, f"ask about {namespace}/svc/{name} by itself")
    what = f"leads to Service {backend.id}, an alias for {host} outside: no pod is behind it"
    return Problem("RF052", what, backend.at, "nothing, if that is meant")


def _meant(backend: EntranceBackend, port: ServicePort) -> bool:
    if port.protocol != backend.protocol:
        return False
    if backend.target:
        return port.target == backend.port
    return backend.port in (None, port.name, port.port)


class _Look:
    """Which Services have somebody behind them."""

    def __init__(self, workloads: Iterable[Workload], slices: Iterable[EndpointSlice]) -> None:
        self._pods: dict[str, list[Pod]] = {}
        for workload in workloads:
            self._pods.setdefault(workload.namespace, []).extend(workload.pods)
        self._sliced = {(piece.namespace, piece.service, piece.derived) for piece in slices if piece.endpoints}

    def any_named(self, service: Service) -> bool:
        """Whether a port of *service* goes by the pods' own names, or by slices: its numbers are found there."""
        return service.selector is None or any(isinstance(port.target, str) for port in service.ports)

    def empty(self, service: Service, at: str) -> Problem | None:
        """What is to be told when nothing is behind *service*."""
        if any(self._behind(service)):
            return None
        return Problem("RF052", f"leads nowhere: Service {service.id} has no pod in the input behind it", at)

    def _behind(self, service: Service) -> Iterator[bool]:
        yield (service.namespace, service.name, False) in self._sliced
        if service.selector is None:
            yield (service.namespace, service.name, True) in self._sliced
            return
        wanted = service.selector.items()
        for pod in self._pods.get(service.namespace, ()):
            yield wanted <= pod.labels.items()
