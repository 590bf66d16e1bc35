"""The ends of arrows looked up in a cluster: whom each names, and the ports of its pods; what means nothing is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ringfence.errors import AmbiguousEndpoint, RingfenceError
from ringfence.intents.codes import finding
from ringfence.intents.parties import EXPECTED, Party, addressed, behind, every, party
from ringfence.intents.ports import Into, asked_of, declared, gathered, in_no_reading, is_heard, through
from ringfence.model.cluster import Cluster
from ringfence.model.ends import Arrow, ArrowEnd, ControllerEnd, EveryEnd, HostEnd, LabelEnd, PortSpec
from ringfence.model.findings import Finding
from ringfence.model.flows import End
from ringfence.model.intents import Intent, Intents
from ringfence.model.lookup import nearest_labels, sources, spelled, targets
from ringfence.model.objects import Node, Pod, Service, Workload
from ringfence.model.ports import ConnectionSet


@dataclass
class Ends:
    """The ends in one document. ``inside`` is looked in for names without a namespace; None looks everywhere."""

    cluster: Cluster
    document: Intents
    inside: str | None
    findings: list[Finding] = field(default_factory=list, kw_only=True)

    def tell(self, code: str, message: str, path: str, remedy: str = "") -> None:
        """Add a finding about the field at *path*."""
        source, name = self.document.source, self.document.name
        self.findings.append(finding(code, message, source=source, path=path, remedy=remedy, name=name))

    def who(self, end: ArrowEnd, path: str, *, source: bool = True) -> Party | None:
        """The party of an end that connections start at, or a companion is about."""
        refused = _refused(end, source=source)
        if refused:
            self.tell("RF074", f"{end}: {refused[0]}", path, refused[1])
            return None
        block = addressed(end)
        if block is not None:
            return block
        if isinstance(end, LabelEnd):
            self._remark_labels(end, path)
        if isinstance(end, EveryEnd) and self._is_empty(end):
            return every(self.cluster, end.namespace)
        try:
            return party(end, tuple(sources(self.cluster, end, self.inside)), self.inside)
        except RingfenceError as problem:
            self._unknown(problem, path)
            return None

    def _is_empty(self, end: EveryEnd) -> bool:
        """Whether *end* is a namespace of the input in which nothing runs yet."""
        name = end.namespace or self.inside
        return name in self.cluster.namespaces and all(one.namespace != name for one in self.cluster.workloads)

    def _unknown(self, problem: RingfenceError, path: str) -> None:
        what, _, remedy = str(problem).rpartition("; ")
        self.tell("RF070", what or remedy, path, remedy if what else "")

    def _remark_labels(self, end: LabelEnd, path: str) -> None:
        """Say that nobody in the input wears labels; a stand-in does."""
        inside = end.namespace or self.inside
        worn = [one for one in self.cluster.workloads if inside in (None, one.namespace)]
        labels = set(end.labels)
        real = any(labels <= set(p.labels.items()) for one in worn if one.kind != EXPECTED for p in one.pods)
        if not real and inside is not None:
            near = nearest_labels(self.cluster, end)
            hint = [one for one in near if one != f"[{','.join(f'{k}={v}' for k, v in end.labels)}]"]
            remedy = f"did you mean {' or '.join(hint)}? it is taken for pods that come later" if hint else ""
            self.tell("RF075", f"{end}: no pod of the input wears these labels", path, remedy)

    def where(self, intent: Intent) -> tuple[Party, Into, tuple[PortSpec, ...], Service | None] | None:
        """Where *intent* leads: the party, its ends with the ports of their pods, the same ports in words."""
        arrow = intent.arrow
        refused = _refused(arrow.dst, source=False)
        if refused:
            self.tell("RF074", f"{arrow.dst}: {refused[0]}", intent.path, refused[1])
            return None
        if isinstance(arrow.dst, LabelEnd):
            self._remark_labels(arrow.dst, intent.path)
        block = addressed(arrow.dst)
        if block is not None:
            numbers = _numbers(arrow)
            if numbers is None:
                self.tell("RF074", f'"{intent}": only pods and Services have names for ports', intent.path)
                return None
            return block, tuple((end, numbers) for end in block.ends), arrow.ports, None
        if isinstance(arrow.dst, EveryEnd) and self._is_empty(arrow.dst):
            return every(self.cluster, arrow.dst.namespace), (), arrow.ports, None
        try:
            found = targets(self.cluster, arrow, self.inside)
        except AmbiguousEndpoint as problem:
            self._ambiguous(intent, problem)
            return None
        except RingfenceError as problem:
            self._unknown(problem, intent.path)
            return None
        if any(isinstance(end, Node) for end, _ in found):
            self.tell("RF074", f"{arrow.dst}: a node is no pod", intent.path, "write its addresses, as in 10.0.0.7")
            return None
        (first, dialled), *others = found
        if isinstance(first, Service) and not others:
            return self._service(intent, first, dialled)
        ends = [(end, ports) for end, ports in found if not isinstance(end, Service)]
        return self._pods(intent, ends)

    def _pods(
        self, intent: Intent, found: Sequence[tuple[End, ConnectionSet | None]]
    ) -> tuple[Party, Into, tuple[PortSpec, ...], None] | None:
        arrow = intent.arrow
        by_pod = [
            (pod, ConnectionSet.ALL if ports is None else ports)
            for end, ports in found
            for pod in (end.pods if isinstance(end, Workload) else (end,))
            if isinstance(pod, Pod)
        ]
        into = gathered(self.cluster, by_pod)
        checked = arrow.ports and not arrow.deny and not isinstance(arrow.dst, EveryEnd)
        if checked and not self._heard(intent, into):  # who forbids a port wants nobody to listen there either
            return None
        return (
            party(arrow.dst, tuple(end for end, _ in into), self.inside)
            if isinstance(arrow.dst, EveryEnd | LabelEnd)
            else _named(into),
            into,
            arrow.ports,
            None,
        )

    def _ambiguous(self, intent: Intent, problem: AmbiguousEndpoint) -> None:
        """Offer the readings of a name, unless the port that is wanted is in none of them."""
        there = in_no_reading(self.cluster, intent.arrow, problem.spellings, self.inside)
        if not there:
            self._unknown(problem, intent.path)
            return
        said = ",".join(map(str, intent.arrow.ports))
        what = f'"{intent}": {intent.arrow.dst} has no port {said}, neither its pods nor its Service; there is '
        what += ", ".join(there)
        self.tell("RF071", what, intent.path, "write one of those, or declare the port as containerPort")

    def _heard(self, intent: Intent, into: Into) -> bool:
        """Whether somebody listens there; it is told when nobody does."""
        if is_heard(into):
            return True
        there = ", ".join(declared([into[0][0]]))
        said = ",".join(map(str, intent.arrow.ports))
        what = f'"{intent}": {intent.arrow.dst} declares no port {said}; it has {there}'
        self.tell("RF071", what, intent.path, "write one of those, or declare the port as containerPort")
        return False

    def _service(
        self, intent: Intent, service: Service, dialled: ConnectionSet | None
    ) -> tuple[Party, Into, tuple[PortSpec, ...], Service] | None:
        name = spelled(service)
        if service.external_name is not None:
            remedy = f"write https://{service.external_name}, or the port that is meant"
            self.tell("RF074", f"{name}: stands for the name {service.external_name} outside", intent.path, remedy)
            return None
        if not service.selector:
            self.tell("RF074", f"{name}: has no selector, so it selects no pods", intent.path, "write the addresses")
            return None
        strange = [spec for spec in intent.arrow.ports if spec.name is None and not asked_of(service, spec.ports)]
        if strange or not asked_of(service, dialled):
            there = ", ".join(f"{p.port}/{p.protocol}" for p in service.ports)
            said = ",".join(map(str, strange or intent.arrow.ports)) if service.ports else ""
            what = f'"{intent}": the Service {service.id} has no port{f" {said}" if said else ""}'
            self.tell("RF071", what, intent.path, f"it has {there}" if there else "name its pods")
            return None
        into, specs = through(self.cluster, service, dialled)
        if not into:
            what = f'"{intent}": no pod of the input is behind the Service {service.id} on that port'
            self.tell("RF070", what, intent.path, "add its pods, or mend the Service's selector")
            return None
        return behind(service, tuple(end for end, _ in into)), into, specs, service


def _named(into: Into) -> Party:
    """The party of the one workload, or of pods of it, that *into* are."""
    ends = tuple(end for end, _ in into)
    first = ends[0]
    assert isinstance(first, Workload | Pod)
    return Party(first.name, first.namespace, ends)


def _refused(end: ArrowEnd, *, source: bool) -> tuple[str, str] | None:
    """Why an end cannot be meant in an intent, and what to write."""
    if isinstance(end, ControllerEnd):
        remedy = (
            "write them into the arrow, as in ingress-nginx/[app.kubernetes.io/name=ingress-nginx]; "
            "or give --ingress-controller, when they are in the input"
        )
        return "nothing says which pods the ingress controller has", remedy
    if isinstance(end, HostEnd) and source:
        return "a connection starts at pods or addresses, not at a name", "write the addresses"
    return None


def _numbers(arrow: Arrow) -> ConnectionSet | None:
    """The ports of *arrow* by number: all when none was said; None when one has a name."""
    if not arrow.ports:
        return ConnectionSet.ALL
    found = ConnectionSet.NONE
    for spec in arrow.ports:
        if spec.name is not None:
            return None
        found = found | spec.ports
    return found
