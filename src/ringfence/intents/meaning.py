"""Documents of intents in a cluster: every arrow looked up, with a finding for each that means nothing there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from ringfence.errors import HostNameError
from ringfence.intents import companions
from ringfence.intents import dns as dns_ways
from ringfence.intents.codes import finding
from ringfence.intents.contradictions import contradicting
from ringfence.intents.ends import Ends
from ringfence.intents.parties import Party, every, in_pod_network, missing
from ringfence.intents.ports import declared
from ringfence.intents.wishes import Ban, Meaning, NameWish, Origin, Wish
from ringfence.model.cluster import Cluster
from ringfence.model.ends import (
    AddressEnd,
    Arrow,
    ArrowEnd,
    EveryEnd,
    HostEnd,
    LabelEnd,
    NameEnd,
)
from ringfence.model.findings import Finding
from ringfence.model.hostnames import HostName
from ringfence.model.intents import Dns, Helper, Intent, Intents
from ringfence.model.objects import Workload


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
class _Looking(Ends):
    """One document being looked up."""

    dns: Dns
    wishes: list[Wish] = field(default_factory=list)
    names: list[NameWish] = field(default_factory=list)
    bans: list[Ban] = field(default_factory=list)
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
            self._companion(companions.Asked(companion, self.document, self.cluster, tuple(self.protect), self.who))

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

    # -- arrows ----------------------------------------------------------------------------------------------------

    def _arrow(self, intent: Intent) -> None:
        arrow = intent.arrow
        if isinstance(arrow.dst, HostEnd):
            self._name(intent, arrow.dst)
            return
        src = self.who(arrow.src, intent.path)
        found = self.where(intent)
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
        src, found = self.who(intent.arrow.src, intent.path), None
        if isinstance(intent.arrow.dst, HostEnd):
            remedy = "write the addresses, or leave it out: a protected namespace reaches no name that nobody allowed"
            self.tell("RF074", f"{intent.arrow.dst}: a name cannot be forbidden", intent.path, remedy)
            return
        found = self.where(intent)
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
        elif (src := self.who(intent.arrow.src, intent.path)) is not None:
            self.names.append(NameWish(intent, src, host, intent.arrow.ports))

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
