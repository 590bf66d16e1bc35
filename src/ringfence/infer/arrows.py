"""Mentions to arrows: the Service that a name leads to, the port that is dialled, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from ringfence.errors import ArrowError, RingfenceError
from ringfence.infer import evidence, names
from ringfence.infer.naming import Names, Target, Where
from ringfence.infer.nouns import Confidence, Evidence, Inferred, Missing
from ringfence.infer.reading import Said
from ringfence.manifests.clues import forms
from ringfence.model.arrows import parse
from ringfence.model.clues import ClueSort
from ringfence.model.cluster import Cluster
from ringfence.model.ends import SCHEME_PORTS, AddressEnd, Arrow, ControllerEnd, HostEnd, NameEnd, PortSpec
from ringfence.model.lookup import resolve
from ringfence.model.objects import Service, ServicePort, Workload

HIGH, MEDIUM, LOW = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW
_ORDER: Final = (HIGH, MEDIUM, LOW)


@dataclass(slots=True)
class Found:
    """What came of all mentions so far."""

    arrows: dict[str, Inferred] = field(default_factory=dict)
    missing: dict[tuple[str, str, int | None], Missing] = field(default_factory=dict)
    api_server: list[Evidence] = field(default_factory=list)
    metadata: list[Evidence] = field(default_factory=list)

    def add(self, arrow: Arrow, confidence: Confidence, told: Iterable[Evidence], reason: str = "") -> None:
        """One more sign of *arrow*: the surest one decides, and all places are kept."""
        known = self.arrows.get(str(arrow))
        places = tuple(dict.fromkeys([*(known.evidence if known else ()), *told]))
        if known is not None and _ORDER.index(known.confidence) <= _ORDER.index(confidence):
            confidence, reason = known.confidence, known.reason
        elif known is not None:
            places = tuple(dict.fromkeys([*told, *known.evidence]))
        self.arrows[str(arrow)] = Inferred(arrow, confidence, places, reason)


class Arrows:
    """Turns mentions into arrows of one cluster."""

    def __init__(self, cluster: Cluster, known: Names) -> None:
        self._names = known
        self._workloads = {(one.namespace, one.kind, one.name): one for one in cluster.workloads}
        self.found = Found()

    def take(self, said: Said) -> None:
        """What *said* means for the draft."""
        owner = said.row.clue.owner
        source = self._workloads.get((owner.namespace, owner.kind, owner.name))
        target = self._names.target(said.mention.host, owner.namespace)
        if source is None or target.where in (Where.SELF, Where.NOTHING):
            return
        if target.where is Where.API_SERVER:
            self.found.api_server += evidence.of(said)[:1]
        elif target.where is Where.METADATA:
            self.found.metadata += evidence.of(said)[:1]
        elif target.where is Where.SERVICE and target.service is not None:
            self._to_service(said, source, target.service)
        elif target.where is Where.POD and target.workload is not None:
            self._to_pod(said, source, target, target.workload)
        elif target.where is Where.MISSING:
            self._missing(said, source, target)
        else:
            self._outside(said, source, target)

    # -- inside -----------------------------------------------------------------------------------------------------

    def _to_service(self, said: Said, source: Workload, service: Service) -> None:
        behind = self._names.behind(service)
        if source in behind and not (service.headless and said.mention.form == "name.svc"):
            return  # its own Service: where it listens, or how it calls itself
        sure, reason = self._how_sure(said)
        if said.mention.form == "user@host:port":
            sure = MEDIUM
        ports = _dialled(said, service)
        if not ports:
            if service.headless:
                ports = [(said.mention.protocol, said.mention.port or 0)] if said.mention.port else []
            if not ports:
                self._no_port(said, service, sure)
                return
        if len(ports) > 1 and said.mention.port is None:
            sure, reason = _least(sure, MEDIUM), f"which of the {len(ports)} ports is not said"
        sure, reason = self._qualified(source, behind, sure, reason)
        for protocol, port in ports:
            spec = PortSpec(protocol, port, port)
            alone = behind[0] if service.headless and len(behind) == 1 else None
            self._write(source, self.end(alone or service, spec), spec, sure, evidence.of(said), reason)

    def _to_pod(self, said: Said, source: Workload, target: Target, workload: Workload) -> None:
        port = said.mention.port
        if port is None and target.service is not None and len(target.service.ports) == 1:
            port = target.service.ports[0].port
        if port is None or (source is workload and workload.replicas < 2):
            return
        sure, reason = self._how_sure(said)
        if source is workload:
            sure, reason = _least(sure, MEDIUM), "its pods among themselves"
        spec = PortSpec(said.mention.protocol, port, port)
        self._write(source, self.end(workload, spec), spec, sure, evidence.of(said), reason)

    def _how_sure(self, said: Said) -> tuple[Confidence, str]:
        """How sure a mention is of which the name is there, by its form and by what the setting is called."""
        row, form = said.row, said.mention.form
        sure, reason = HIGH, ""
        if form == "command":
            sure, reason = MEDIUM, "in a command"
        elif form == "name":
            hostlike = names.is_host(row.key)
            if not hostlike:
                sure, reason = LOW, f"{row.key} may hold the name for another purpose"
            elif row.clue.sort is ClueSort.FILE and said.beside is None:
                sure, reason = MEDIUM, "a name alone, in a file"
        if row.clue.loose:
            sure, reason = sure.less, "in a ConfigMap that no container mounts"
        return sure, reason

    def _qualified(
        self, source: Workload, behind: tuple[Workload, ...], sure: Confidence, reason: str
    ) -> tuple[Confidence, str]:
        """*sure* and *reason*, where the ends themselves give a doubt."""
        if source in behind:
            return _least(sure, MEDIUM), "its pods among themselves"
        if not behind:
            return sure, reason or "no pod of the input is behind the Service"
        return sure, reason

    def _no_port(self, said: Said, service: Service, sure: Confidence) -> None:
        has = ", ".join(f"{one.port}" + ("" if one.protocol == "TCP" else f"/{one.protocol}") for one in service.ports)
        why = f"Service {service.id} has no port {said.mention.port} (it has: {has or 'none'})"
        if sure is not LOW:
            self._lost(said, service.id, why)

    # -- outside, and nowhere ---------------------------------------------------------------------------------------

    def _outside(self, said: Said, source: Workload, target: Target) -> None:
        one, row = said.mention, said.row
        hostlike = names.is_host(row.key) or one.form in ("DSN", "JDBC")
        web_in_file = row.clue.sort is ClueSort.FILE and not hostlike
        if web_in_file or (one.form == "URL" and one.scheme not in forms.PORTS) or one.form == "user@host:port":
            return
        if one.form != "URL" and not hostlike:
            return
        address = target.where is Where.ADDRESS
        scheme = f"{one.scheme}://" if one.form == "URL" and one.scheme in SCHEME_PORTS and not address else ""
        host = f"[{target.host}]" if ":" in target.host else target.host
        sure, reason = MEDIUM, ""
        if target.service is not None:
            reason = f"Service {target.service.id} is another name for it"
        if one.port is None:
            sure, reason = LOW, "no port is said"
        elif one.srv:
            sure, reason = LOW, "the name is of a service record: the hosts behind it have other names"
        elif names.is_own(row.key):
            sure, reason = LOW, f"{row.key} may be the program's own address"
        sure = sure.less if row.clue.loose else sure
        port = "" if one.port is None else f":{one.port}" + ("" if one.protocol == "TCP" else f"/{one.protocol}")
        try:
            arrow = parse(f"{self.source(source)} -> {scheme}{host}{port}")
        except ArrowError:
            return
        if isinstance(arrow.dst, HostEnd | AddressEnd):
            self._keep(arrow, source, sure, evidence.of(said), reason)

    def _missing(self, said: Said, source: Workload, target: Target) -> None:
        """A name that leads nowhere; a single word is one only where a host is asked for."""
        one = said.mention
        hostlike = names.is_host(said.row.key) and not names.is_something_else(said.row.key)
        known_url = one.form in ("URL", "JDBC") and one.scheme in forms.PORTS
        strong = known_url or one.form in ("DSN", "command") or (hostlike and one.form != "user@host:port")
        if one.form == "name" and one.port is None and not target.sure:
            strong = strong and said.row.clue.sort is ClueSort.ENV and names.words(said.row.key)[-1] not in _VAGUE
        if target.sure or strong:
            if target.workload is source:
                return
            why = "no such Service in the input" + (f"; {target.hint}" if target.hint else "")
            self._lost(said, target.host, why)
            if target.workload is not None and one.port is not None:
                spec = PortSpec(one.protocol, one.port, one.port)
                reason = "there is no Service of that name, only a workload, and its port may be another one"
                self._write(source, self.end(target.workload, spec), spec, LOW, evidence.of(said), reason)

    def _lost(self, said: Said, name: str, why: str) -> None:
        owner = said.row.clue.owner
        key = (owner.id, name, said.mention.port)
        if key not in self.found.missing:
            self.found.missing[key] = Missing(owner.id, name, said.mention.port, why, evidence.of(said)[0])

    # -- writing ----------------------------------------------------------------------------------------------------

    def source(self, workload: Workload) -> NameEnd:
        """The one spelling of *workload* as a source that means nothing else."""
        rivals = self._names.workloads(workload.namespace, workload.name)
        return NameEnd(workload.name, workload.namespace, workload.kind if len(rivals) > 1 else None)

    def end(self, found: Workload | Service, spec: PortSpec) -> NameEnd:
        """The shortest spelling of *found* as a destination for *spec* that means nothing else."""
        plain = NameEnd(found.name, found.namespace)
        try:
            meant = resolve(self._names.within(found.namespace), Arrow(AddressEnd("0.0.0.0/0"), plain, (spec,)))
        except RingfenceError:
            meant = []
        if len(meant) == 1 and (meant[0].dst is found or isinstance(found, Service)):
            return plain
        kind = "Service" if isinstance(found, Service) else found.kind
        return NameEnd(found.name, found.namespace, kind)

    def _write(
        self, source: Workload, dst: NameEnd, spec: PortSpec, sure: Confidence, told: Iterable[Evidence], reason: str
    ) -> None:
        self._keep(Arrow(self.source(source), dst, (spec,)), source, sure, told, reason)

    def _keep(self, arrow: Arrow, source: Workload, sure: Confidence, told: Iterable[Evidence], reason: str) -> None:
        if any(pod.host_network for pod in source.pods):
            sure, reason = LOW, f"{source.namespace}/{source.name} is on the node's network, which no policy governs"
        self.found.add(*checked(arrow, sure, reason, told))


def checked(
    arrow: Arrow, sure: Confidence, reason: str, told: Iterable[Evidence]
) -> tuple[Arrow, Confidence, Iterable[Evidence], str]:
    """The arrow as low where it cannot be written so that it is read as meant: a namespace that is called as a kind."""
    try:
        same = parse(str(arrow)) == arrow or isinstance(arrow.src, ControllerEnd)
    except ArrowError:
        same = False
    return (
        (arrow, sure, told, reason)
        if same
        else (arrow, LOW, told, "its namespace is called as a kind is: write it by hand")
    )


_VAGUE: Final = frozenset({"service", "services", "server", "backend", "target", "peer", "seed", "proxy"})


def _least(one: Confidence, other: Confidence) -> Confidence:
    return max(one, other, key=_ORDER.index)


def _dialled(said: Said, service: Service) -> list[tuple[str, int]]:
    """The ports of *service* that the mention dials; all of them when it says none."""
    one = said.mention
    if one.port is not None:
        fit = [port for port in service.ports if port.port == one.port]
        exact = [port for port in fit if port.protocol == one.protocol] or fit
        return [(port.protocol, port.port) for port in exact]
    some: list[ServicePort] = list(service.ports)
    if len(some) > 1 and one.scheme:
        some = [port for port in some if port.name == one.scheme] or some
    return [(port.protocol, port.port) for port in some]
