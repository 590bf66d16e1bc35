"""One object at a time: dispatch by kind, names checked, what could not be used told and kept as a gap."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from ringfence.manifests.checks import names
from ringfence.manifests.checks.problems import Problem
from ringfence.manifests.checks.strict import wrong_type
from ringfence.manifests.kinds import CLUSTER_SCOPED, OLD, SERVED, NoKind, Reach, no_kind, unmodelled
from ringfence.manifests.objects import by_shape, core, inside, policy, workloads
from ringfence.manifests.objects.shapes import AnyObject, Metadata
from ringfence.manifests.objects.workloads import Live, Maker
from ringfence.manifests.text.documents import Item, source, twice_in, twice_problem, unreadable
from ringfence.manifests.text.places import Unreadable
from ringfence.manifests.ways_in.entrances import READERS as ENTRANCES
from ringfence.manifests.ways_in.entrances import Grant
from ringfence.manifests.ways_in.gateways import Gateway, GatewayRoute
from ringfence.model.cluster import Gap, Other
from ringfence.model.entrances import Entrance
from ringfence.model.findings import Finding
from ringfence.model.flows import Note
from ringfence.model.intents import GROUP, KIND, Intents
from ringfence.model.objects import EndpointSlice, Namespace, Node, Service
from ringfence.model.policies import Policy
from ringfence.model.selectors import Selector

Value = (
    Namespace
    | Node
    | Service
    | EndpointSlice
    | Policy
    | Live
    | Maker
    | Entrance
    | GatewayRoute
    | Gateway
    | Grant
    | Intents
)
Reader = Callable[[Item, str, str, list[Problem]], Value | None]
Key = tuple[str, str, str, str]


@dataclass(slots=True)
class Record:
    """One object of a kind that is read. ``value`` is None when it had to be left out; ``gap`` is what is missing."""

    item: Item
    kind: str
    namespace: str
    name: str
    value: Value | None
    gap: Gap | None
    findings: list[Finding] = field(default_factory=list)

    @property
    def key(self) -> Key:
        """What tells objects apart: group, kind, namespace, name (S9)."""
        return (OLD.get((self.item.group, self.kind), (self.item.group, ""))[0], self.kind, self.namespace, self.name)

    @property
    def id(self) -> str:
        """``namespace/name``, or the name alone."""
        return f"{self.namespace}/{self.name}" if self.namespace and self.name else self.name

    @property
    def place(self) -> str:
        """``file:line``."""
        return source(self.item).place("")

    def tell(self, problem: Problem) -> None:
        """Add the finding of *problem*."""
        self.findings.append(problem.finding(kind=self.kind, name=self.id, source=source(self.item)))


@dataclass(frozen=True, slots=True)
class Aside:
    """An object that is not read: its kind, and what that means for the answers, if anything.

    ``makes`` names the workload it would make, when it has a template of pods; ``leads`` the Service whose Endpoints it
    is; ``holds`` the objects inside it. All matter only when nothing that is read says the same.
    """

    kind: str
    finding: Finding | None = None
    gap: Gap | None = None
    makes: tuple[str, str, str] | None = None
    leads: tuple[str, str] | None = None
    holds: tuple[inside.Held, ...] = ()


_READERS: Final[dict[str, Reader]] = {
    "Namespace": lambda item, _, name, problems: core.namespace(item, name, problems),
    "Node": lambda item, _, name, problems: core.node(item, name, problems),
    "Service": core.service,
    "EndpointSlice": core.endpoint_slice,
    "Pod": workloads.pod,
}


_OTHER_TEMPLATES: Final = frozenset({("", "PodTemplate"), ("argoproj.io", "ApplicationSet")})
"""Kinds with a template that makes no pods."""


def record(item: Item, default_namespace: str, *, keep_bad_names: bool = False) -> Record | Aside:
    """What *item* is.

    *default_namespace* is for namespaced objects without one (S8). *keep_bad_names* takes objects whose names and
    labels the API server would refuse, as the np-guard profile does (S29).
    Raises: Unreadable when not even its name can be read.
    """
    group = OLD.get((item.group, item.kind), (item.group, item.kind))[0]
    if item.kind == "NetworkPolicy" and item.group == "extensions":
        return _read(item, default_namespace, keep_bad_names)
    if (item.group, item.kind) == (GROUP, KIND):
        from ringfence.manifests.intents.read import intents  # noqa: PLC0415 (few inputs hold one)

        return _read(item, default_namespace, keep_bad_names, intents)
    if (item.group, item.kind) in ENTRANCES:
        return _read(item, default_namespace, keep_bad_names, ENTRANCES[item.group, item.kind])
    if (group, item.kind) not in SERVED:
        if by_shape.may_make_pods(item) and by_shape.templates(item):
            return _read(item, default_namespace, keep_bad_names, by_shape.maker)
        return _aside(item, default_namespace)
    return _read(item, default_namespace, keep_bad_names)


def _read(item: Item, default_namespace: str, keep_bad_names: bool, reader: Reader | None = None) -> Record:
    problems: list[Problem] = []
    namespace, name = _identity(item, default_namespace, problems)
    value: Value | None = None
    selector: Selector | None = None
    try:
        if item.kind == "NetworkPolicy":
            value, selector = _policy(item, namespace, name, problems)
        elif name:
            value = (reader or _READERS.get(item.kind, workloads.maker))(item, namespace, name, problems)
        problems += [twice_problem(one) for one in _twice(item)]
    except Unreadable as fault:
        problems.append(unreadable(item.file, fault))
    served = SERVED.get((item.group, item.kind), "" if reader is None else item.version)
    if (item.version != served or item.group == "extensions") and item.kind != "NetworkPolicy":
        now = "/".join(filter(None, (OLD.get((item.group, item.kind), (item.group,))[0], "v1")))
        problems.append(Problem("RF018", f"{item.api_version} is no longer served", "apiVersion", f"write {now}"))
    kept = ("RF014", "RF017") if keep_bad_names else ()
    told = [problem for problem in problems if problem.code not in kept]
    if not name or any(problem.leaves_out_object for problem in told):
        value = None
    found = Record(item, item.kind, namespace, name, value, _gap(item, namespace, name, selector))
    for problem in told:
        found.tell(problem)
    return found


def _twice(item: Item) -> Any:
    """Keys that stand twice: in YAML those of every kind; in JSON those of policies, which are read strictly."""
    return twice_in(item) if item.kind == "NetworkPolicy" else item.twice


def _metadata(item: Item) -> Mapping[str, Any]:
    """The metadata, also when something in it is of the wrong type."""
    try:
        return item.document.read(item.metadata, Metadata) or {}
    except msgspec.ValidationError:
        plain = item.document.value().get("metadata")
        return plain if isinstance(plain, dict) else {}


def _identity(item: Item, default_namespace: str, problems: list[Problem]) -> tuple[str, str]:
    """Namespace and name; the name is empty when there is none that can be used."""
    metadata = _metadata(item)
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if name is not None and not isinstance(name, str):
        problems.append(wrong_type("metadata.name", "text", name))
        name = ""
    elif not name:
        what = "has generateName, so its name is not known" if metadata.get("generateName") else "has no name"
        problems.append(Problem("RF014", what, "metadata.name", "give it a name"))
        name = ""
    elif names.subdomain(name):
        problems.append(Problem("RF014", f"the name {name!r} {names.subdomain(name)}", "metadata.name", "rename it"))
    if item.kind in CLUSTER_SCOPED:
        if namespace:  # S8
            problems.append(Problem("RF015", f"a {item.kind} belongs to no namespace; ignored", "metadata.namespace"))
        return "", name
    if not isinstance(namespace, str) or not namespace:
        return default_namespace, name
    if names.subdomain(namespace):
        wrong = f"the namespace {namespace!r} {names.subdomain(namespace)}"
        problems.append(Problem("RF014", wrong, "metadata.namespace", "name a namespace"))
    return namespace, name


def _policy(item: Item, namespace: str, name: str, problems: list[Problem]) -> tuple[Policy | None, Selector | None]:
    """The policy, and the pods it selects as far as that can be read."""
    if (item.group, item.version) != ("networking.k8s.io", "v1"):  # S2
        remedy = "write apiVersion: networking.k8s.io/v1"
        problems.append(Problem("RF038", f"NetworkPolicy of {item.api_version} is not served", "apiVersion", remedy))
        return None, None
    decoded = policy.decode(item.document.value())
    problems += decoded.problems
    if any(problem.leaves_out_object for problem in decoded.problems):
        return None, decoded.selector
    return policy.build(namespace, name, decoded.spec, source(item)), decoded.selector


def _gap(item: Item, namespace: str, name: str, selector: Selector | None) -> Gap | None:
    """What answers lack without the object: what a policy selects, what a namespace's labels decide (S30)."""
    if item.kind == "NetworkPolicy":
        return Gap(Note.INCOMPLETE_INPUT, f"NetworkPolicy {namespace}/{name}", namespace, selector, source(item))
    if item.kind == "Namespace":
        return Gap(Note.INCOMPLETE_INPUT, f"Namespace {name}", name or None, None, source(item))
    return None


def as_other(item: Item, default_namespace: str) -> Other:
    """*item* as an object that no answer rests on."""
    try:
        metadata = item.document.decode(AnyObject).get("metadata") or {}
    except msgspec.ValidationError:
        metadata = {}
    namespace, name = metadata.get("namespace"), metadata.get("name")
    if item.kind in CLUSTER_SCOPED or item.kind in _CLUSTER_WIDE:
        namespace = ""
    elif not isinstance(namespace, str) or not namespace:
        namespace = default_namespace
    return Other(item.group, item.version, item.kind, namespace, name if isinstance(name, str) else "", source(item))


_CLUSTER_WIDE: Final = frozenset({
    "APIService", "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "CustomResourceDefinition",
    "ClusterRole", "ClusterRoleBinding", "ClusterNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy",
    "CiliumClusterwideNetworkPolicy", "GlobalNetworkPolicy", "StagedGlobalNetworkPolicy", "GlobalNetworkSet", "Tier",
    "HostEndpoint", "GatewayClass", "IngressClass", "StorageClass", "PersistentVolume", "PriorityClass",
})  # fmt: skip
"""Other kinds of no namespace that lint looks at or often meets."""


def _aside(item: Item, default_namespace: str) -> Aside:
    try:
        found = item.document.decode(AnyObject)
    except msgspec.ValidationError:
        found = {}
    metadata = found.get("metadata") or {}
    namespace, name = metadata.get("namespace") or "", metadata.get("name") or ""
    kind = f"{item.kind} ({item.group})" if item.group else item.kind
    wrong = no_kind(item.api_version, item.kind)
    if wrong is not None and not inside.is_template(item):
        return _misspelt(item, kind, wrong, namespace or default_namespace, name)
    if item.kind == "Status" and (failure := _failure(item)):
        problem = Problem("RF025", f"is the failure of a server, which holds no object: {failure}")
        gap = Gap(Note.INCOMPLETE_INPUT, "what a server refused to give", source=source(item))
        return Aside(kind, problem.finding(kind="Status", source=source(item)), gap)
    reach = unmodelled(item.group, item.kind, namespace)
    if reach is not None:
        place = (namespace or default_namespace) if reach is Reach.NAMESPACE else None
        where = f"the namespace {place}" if place else "the whole cluster"
        problem = Problem("RF039", f"policies of {item.api_version} are not modelled; answers about {where} are noted")
        full = f"{place}/{name}" if place else name
        gap = Gap(Note.UNMODELLED_POLICY, f"{item.kind} {full}", place, None, source(item))
        return Aside(kind, problem.finding(kind=item.kind, name=full, source=source(item)), gap)
    if (item.group, item.kind) == ("", "Endpoints"):
        place = namespace or default_namespace
        problem = Problem("RF023", "Endpoints are not read; the Service of that name has no endpoints without them")
        finding = problem.finding(kind=item.kind, name=f"{place}/{name}", source=source(item))
        return Aside(kind, finding, leads=(place, name))
    return _holder(item, kind, namespace or default_namespace, name)


def _holder(item: Item, kind: str, namespace: str, name: str) -> Aside:
    """An object of a kind that is not known, by what it may bring into the cluster: pods, or whole objects."""
    full = f"{namespace}/{name}"
    held = inside.held(item, namespace)
    gap = None
    if any(one.is_policy for one in held):
        gap = Gap(Note.INCOMPLETE_INPUT, f"the policies inside {item.kind} {full}", source=source(item))
    if by_shape.may_make_pods(item) and by_shape.unclear(item):
        what = "seems to make pods, and its kind is not read; such pods are missing from the answers"
        finding = Problem("RF019", what).finding(kind=item.kind, name=full, source=source(item))
        return Aside(kind, finding, gap, makes=(namespace, item.kind, name), holds=held)
    if held:
        remedy = "print them first: oc process --local -f FILE -o json | ringfence matrix -"
        count = f"{len(held)} object{'' if len(held) == 1 else 's'}"
        what = f"has {count} inside that {'is' if len(held) == 1 else 'are'} not read: {inside.named(held)}"
        problem = Problem("RF057", what, remedy=remedy if inside.is_template(item) else "")
        return Aside(kind, problem.finding(kind=item.kind, name=full, source=source(item)), gap, holds=held)
    return Aside(kind)


def _misspelt(item: Item, kind: str, wrong: NoKind, namespace: str, name: str) -> Aside:
    """An object of a kind that no server has; what it was meant to be is missing from the answers."""
    remedy = "" if not wrong.meant else f"did you mean {wrong.meant}?"
    if wrong.meant == item.kind:
        remedy = f"write apiVersion: {wrong.version}"
    full = name if wrong.meant in CLUSTER_SCOPED else f"{namespace}/{name}"
    problem = Problem("RF024", f"{item.api_version} has no kind {item.kind}", "kind", remedy)
    finding = problem.finding(kind=item.kind, name=full, source=source(item))
    gap = None
    if wrong.meant == "NetworkPolicy" or (not wrong.meant and item.group == "networking.k8s.io"):
        selector = policy.decode(item.document.value()).selector if wrong.meant else None
        gap = Gap(Note.INCOMPLETE_INPUT, f"{item.kind} {full}", namespace, selector, source(item))
    elif wrong.meant == "Namespace":
        gap = Gap(Note.INCOMPLETE_INPUT, f"{item.kind} {name}", name or None, None, source(item))
    return Aside(kind, finding, gap)


def _failure(item: Item) -> str:
    """What the server said, when *item* is its answer to a request that failed; else empty."""
    said = item.document.value()
    failed = item.api_version == "v1" and said.get("status") == "Failure"
    return str(said.get("message") or said.get("reason") or "no reason given") if failed else ""
