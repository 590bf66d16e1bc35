"""Documents of intents in a cluster: every arrow looked up, with a finding for each that means nothing there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from ringfence.errors import AmbiguousEndpoint, HostNameError, RingfenceError
from ringfence.intents import companions
from ringfence.intents import dns as dns_ways
from ringfence.intents.codes import finding
from ringfence.intents.contradictions import contradicting
from ringfence.intents.parties import EXPECTED, Party, addressed, behind, every, in_pod_network, missing, party
from ringfence.intents.ports import Into, asked_of, declared, gathered, in_no_reading, is_heard, through
from ringfence.intents.wishes import Ban, Meaning, NameWish, Origin, Wish
from ringfence.model.cluster import Cluster
from ringfence.model.ends import (
    AddressEnd,
    Arrow,
    ArrowEnd,
    ControllerEnd,
    EveryEnd,
    HostEnd,
    LabelEnd,
    NameEnd,
    PortSpec,
)
from ringfence.model.findings import Finding
from ringfence.model.flows import End
from ringfence.model.hostnames import HostName
from ringfence.model.intents import Dns, Helper, Intent, Intents
from ringfence.model.lookup import nearest_labels, sources, spelled, targets
from ringfence.model.objects import Node, Pod, Service, Workload
from ringfence.model.ports import ConnectionSet


def meaning(cluster: Cluster, *, namespace: str | None = None, dns: Dns | None = None) -> Meaning:
    """What the documents of *cluster* come to.

    *namespace* is looked in for names without one, where a document does not say; *dns* stands for what they say of it.
    What means nothing in the cluster is a finding with its place, and missing from the rest.
    """
    furnished = _furnish(cluster, namespace, dns)
    found = Meaning(furnished, cluster.intents)
    parts = [_Looking(furnished, one, one.namespace or namespace, dns or one.dns) for one in cluster.intents]
    for part in parts:
        part.look()
    protect = {name: place for part in parts for name, place in part.protect.items()}
    found = replace(
        found,
        protect=protect,
        wishes=tuple(_once(one for part in parts for one in part.wishes)),
        names=tuple(one for part in parts for one in part.names),
        bans=tuple(one for part in parts for one in part.bans),
        findings=tuple(one for part in parts for one in part.findings),
    )
    against = contradicting(found.wishes, found.bans)
    return replace(found, findings=(*found.findings, *_torn(parts), *against, *_beside(found)))


def _torn(parts: Sequence[_Looking]) -> Iterator[Finding]:
    """What is said of a namespace that two documents protect, with the DNS in two ways."""
    first: dict[str, _Looking] = {}
    for part in parts:
        for name, (document, path) in part.protect.items():
            other = first.setdefault(name, part)
            if other.dns is not part.dns:
                place = f"{other.document.name} ({other.document.source.file})"
                what = f"the DNS of {name} is {part.dns} here, and {other.dns} in {place}"
                yield finding("RF080", what, source=document.source, path=path, name=document.name)


def _once(wishes: Iterable[Wish]) -> Iterator[Wish]:
    """*wishes*, the DNS of a namespace once, though several documents protect it."""
    seen = set()
    for wish in wishes:
        way = (wish.src.namespace, wish.dst.namespace, wish.dst.title)
        if wish.origin is not Origin.DNS or way not in seen:
            yield wish
        if wish.origin is Origin.DNS:
            seen.add(way)


def _furnish(cluster: Cluster, namespace: str | None, dns: Dns | None) -> Cluster:
    """*cluster* with stand-ins for those whom its documents speak of and who are not there."""
    made: dict[tuple[str, str, tuple[tuple[str, str], ...]], Workload] = {}
    for document in cluster.intents:
        inside = document.namespace or namespace
        found = missing(cluster, document, list(_label_ends(document)), inside)
        if document.protect:
            found += dns_ways.stand_in(cluster, dns or document.dns)
        for one in found:
            made.setdefault((one.namespace, one.name, tuple(sorted(one.pods[0].labels.items()))), one)
    taken = {(one.namespace, one.name) for one in cluster.workloads}
    named = []
    for one in made.values():
        name = one.name
        while (one.namespace, name) in taken:
            name = f"{name}-expected"
        taken.add((one.namespace, name))
        named.append(one if name == one.name else replace(one, name=name, pods=(replace(one.pods[0], name=name),)))
    return replace(cluster, workloads=cluster.workloads + tuple(named)) if named else cluster


def _label_ends(document: Intents) -> Iterator[tuple[LabelEnd, str]]:
    """The ends of *document* that are labels, each with its path."""
    for intent in (*document.allow, *document.deny):
        for end in (intent.arrow.src, intent.arrow.dst):
            if isinstance(end, LabelEnd):
                yield end, intent.path
    for companion in document.companions:
        ends: Sequence[ArrowEnd] = companion.ends
        if companion.helper is Helper.PROMETHEUS and not ends:
            ends = (companions.SCRAPER,)
        for end in ends:
            if isinstance(end, LabelEnd):
                yield end, companion.path


def _beside(found: Meaning) -> Iterator[Finding]:
    """What is said of connections that nothing here would guard: neither of their ends is protected."""
    wanted: list[Wish | Ban] = [*found.wishes, *found.bans]
    for one in wanted:
        ends = {one.src.namespace, one.dst.namespace}
        loose = None in ends and not (one.src.cidr or one.dst.cidr)
        if not loose and not ends & found.protect.keys() and one.intent.path.startswith(("spec.allow", "spec.deny")):
            what = f'"{one.intent}" leads between namespaces of which none is protected, so nothing guards it'
            yield finding("RF079", what, source=one.intent.source, path=one.intent.path)
    for name in found.names:
        if name.src.namespace is not None and name.src.namespace not in found.protect:
            what = f'"{name.intent}" starts in a namespace that is not protected, so nothing guards it'
            yield finding("RF079", what, source=name.intent.source, path=name.intent.path)


@dataclass
class _Looking:
    """One document being looked up."""

    cluster: Cluster
    document: Intents
    inside: str | None
    dns: Dns
    wishes: list[Wish] = field(default_factory=list)
    names: list[NameWish] = field(default_factory=list)
    bans: list[Ban] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    protect: dict[str, tuple[Intents, str]] = field(default_factory=dict)

    def look(self) -> None:
        """Everything in the document."""
        self._protected()
        for intent in self.document.allow:
            self._arrow(intent)
        for intent in self.document.deny:
            self._ban(intent)
        self._names_looked_up()
        for companion in self.document.companions:
            self._companion(companions.Asked(companion, self.document, self.cluster, tuple(self.protect), self._who))

    def tell(self, code: str, message: str, path: str, remedy: str = "") -> None:
        """Add a finding about the field at *path*."""
        source, name = self.document.source, self.document.name
        self.findings.append(finding(code, message, source=source, path=path, remedy=remedy, name=name))

    def _protected(self) -> None:
        known = self.cluster.inhabited
        for index, name in enumerate(self.document.protect):
            path = f"spec.protect[{index}]"
            if name in known:
                self.protect[name] = (self.document, path)
                continue
            near = difflib.get_close_matches(name, sorted(known), 3)
            remedy = f"did you mean {' or '.join(near)}?" if near else ""
            self.tell("RF073", f"the namespace {name} is not in the input", path, remedy)

    # -- ends ------------------------------------------------------------------------------------------------------

    def _who(self, end: ArrowEnd, path: str, *, source: bool = True) -> Party | None:
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

    # -- arrows ----------------------------------------------------------------------------------------------------

    def _arrow(self, intent: Intent) -> None:
        arrow = intent.arrow
        if isinstance(arrow.dst, HostEnd):
            self._name(intent, arrow.dst)
            return
        src = self._who(arrow.src, intent.path)
        found = self._where(intent)
        if src is None or found is None:
            return
        dst, into, ports, service = found
        if not arrow.ports and service is None:
            there = declared(end for end, _ in into) if isinstance(arrow.dst, NameEnd) else ()
            hint = f"say the port, as in {arrow.dst}:{there[0].removesuffix('/TCP')}" if there else ""
            self.tell("RF076", f'"{intent}" names no port, so every port of {dst.title} is opened', intent.path, hint)
        if self._both_outside(intent, src, dst):
            return
        self.wishes.append(Wish(intent, src, dst, into, ports, service))

    def _ban(self, intent: Intent) -> None:
        src, found = self._who(intent.arrow.src, intent.path), None
        if isinstance(intent.arrow.dst, HostEnd):
            remedy = "write the addresses, or leave it out: a protected namespace reaches no name that nobody allowed"
            self.tell("RF074", f"{intent.arrow.dst}: a name cannot be forbidden", intent.path, remedy)
            return
        found = self._where(intent)
        if src is not None and found is not None:
            dst, into, _, _ = found
            if self._both_outside(intent, src, dst):
                return
            self.bans.append(Ban(intent, src, dst, into))

    def _both_outside(self, intent: Intent, src: Party, dst: Party) -> bool:
        if src.cidr is None or dst.cidr is None:
            return False
        self.tell("RF074", f'"{intent}" has addresses at both ends, and a policy is about pods', intent.path)
        return True

    def _name(self, intent: Intent, host: HostEnd) -> None:
        try:
            HostName.parse(host.host)
        except HostNameError as refused:
            self.tell("RF074", f"{host}: {refused.wrong}", intent.path, refused.remedy)
            return
        if not intent.arrow.ports:
            self.tell(
                "RF074", f"{host}: a name says where, and not what", intent.path, f"add the port, as in {host}:443"
            )
        elif any(spec.name is not None for spec in intent.arrow.ports):
            what = f'"{intent}": nobody outside has names for ports'
            self.tell("RF074", what, intent.path, "write the number, as in :443")
        elif (src := self._who(intent.arrow.src, intent.path)) is not None:
            self.names.append(NameWish(intent, src, host, intent.arrow.ports))

    def _where(self, intent: Intent) -> tuple[Party, Into, tuple[PortSpec, ...], Service | None] | None:
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

    # -- what is implied -------------------------------------------------------------------------------------------

    def _names_looked_up(self) -> None:
        """The DNS, for every pod of each protected namespace; and to it, where its own namespace is protected."""
        for way in dns_ways.servers(self.cluster, self.dns) if self.protect else ():
            if not way.found:
                what = f"the input has no DNS pods; they are taken to be {way.party.namespace}/[{way.party.selector}]"
                self.tell("RF078", what, "spec.protect[0]", "add them, or say dns: openshift, node-local or none")
            for namespace, (document, path) in self.protect.items():
                self._dns_of(every(self.cluster, namespace), way, f"the DNS of {namespace}", document, path)
            if way.party.namespace in self.protect:
                document, path = self.protect[way.party.namespace]
                self._dns_of(every(self.cluster, None), way, "the DNS of everyone", document, path)

    def _dns_of(self, src: Party, way: dns_ways.Servers, what: str, document: Intents, path: str) -> None:
        src = replace(src, ends=in_pod_network(src.ends))
        far = AddressEnd(way.party.cidr) if way.party.cidr else EveryEnd(way.party.namespace)
        intent = Intent(Arrow(EveryEnd(src.namespace), far, way.ports), what, "", path, document.source)
        self.wishes.append(Wish(intent, src, way.party, way.into, way.ports, way.service, Origin.DNS))

    def _companion(self, asked: companions.Asked) -> None:
        for one in companions.found(asked):
            if isinstance(one, Wish):
                self.wishes.append(one)
            elif isinstance(one, Ban):
                self.bans.append(one)
            else:
                self.findings.append(one)


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
