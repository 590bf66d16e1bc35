"""Intents for tests: documents in a few words, random ones, and what they come to, computed by the plainest means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from builders import cluster as made
from builders import namespace, pod, service, workload

from ringfence.engine.compiler.reachability import Reachability, compile
from ringfence.generate.parts import Generated
from ringfence.generate.policies import Options, generate
from ringfence.intents.meaning import meaning
from ringfence.intents.parties import Party
from ringfence.intents.wishes import Meaning, Wish
from ringfence.manifests import load
from ringfence.model.addresses import AddressSet
from ringfence.model.arrows import parse, parse_end
from ringfence.model.cluster import Cluster
from ringfence.model.findings import Severity
from ringfence.model.flows import End, Outside
from ringfence.model.intents import Companion, Dns, Helper, Intent, Intents
from ringfence.model.objects import Pod, Workload
from ringfence.model.policies import Policy
from ringfence.model.ports import ConnectionSet

OUTSIDE = ("203.0.113.0/24", "203.0.113.0/25", "198.51.100.7/32", "203.0.113.128/25")
"""Blocks for arrows: some lie in each other, and no pod has such an address."""
PROBES = ("203.0.113.5", "203.0.113.200", "198.51.100.7", "192.0.2.9")
"""An address of each kind that these blocks tell apart."""


def intents(
    *allow: str, protect: str | Iterable[str], deny: Iterable[str] = (), dns: str = "tight", inside: str | None = None,
    companions: Iterable[str] = (), name: str = "shop",
) -> Intents:  # fmt: skip
    """A document of arrows, each with a comment behind ``#`` where it has one."""
    asked = [one.partition(":") for one in companions]
    return Intents(
        name,
        (protect,) if isinstance(protect, str) else tuple(protect),
        tuple(_intent(text, f"spec.allow[{n}]") for n, text in enumerate(allow)),
        tuple(_intent(text, f"spec.deny[{n}]") for n, text in enumerate(deny)),
        tuple(Companion(Helper(who), (parse_end(end),) if end else (), "spec.companions[0]") for who, _, end in asked),
        Dns(dns),
        inside,
    )


def _intent(text: str, path: str) -> Intent:
    written, _, comment = (part.strip() for part in text.partition("#"))
    return Intent(parse(written), written, comment, path)


def meant(cluster: Cluster, *documents: Intents) -> Meaning:
    """What *documents* come to in *cluster*; no error is among the findings."""
    found = meaning(replace(cluster, intents=documents))
    assert not [one.message for one in found.findings if one.severity is Severity.ERROR]
    return found


PLAIN = Options()


def generated(cluster: Cluster, *documents: Intents, options: Options = PLAIN) -> Generated:
    """The policies for *documents*; nothing was refused."""
    found = generate(meant(cluster, *documents), options)
    assert not [one.message for one in found.refusals]
    return found


def refused(cluster: Cluster, *documents: Intents, options: Options = PLAIN) -> list[str]:
    """What is refused, each with its remedy."""
    found = generate(meant(cluster, *documents), options)
    return [f"{one.code} {one.message}; {one.remedy}" for one in found.refusals]


# -- what is wanted, by the plainest means ---------------------------------------------------------------------------


def wanted(found: Meaning, src: End, dst: End) -> ConnectionSet:
    """What *src* may open to *dst*: all where nobody guards the two, else what wishes say."""
    sides = [end.namespace in found.protect for end in (src, dst) if isinstance(end, Pod)]
    if not any(sides):
        return ConnectionSet.ALL
    ports = ConnectionSet.NONE
    for wish in found.wishes:
        ports = ports | _of(wish, src, dst)
    return ports


def _of(wish: Wish, src: End, dst: End) -> ConnectionSet:
    ports = ConnectionSet.NONE
    if _is_among(src, wish.src):
        for end, some in wish.into:
            if _is(dst, end):
                ports = ports | some
    return ports


def _is_among(end: End, party: Party) -> bool:
    return any(_is(end, one) for one in party.ends)


def _is(end: End, other: End) -> bool:
    if isinstance(end, Outside) or isinstance(other, Outside):
        return isinstance(end, Outside) and isinstance(other, Outside) and end.addresses <= other.addresses
    return end is other or (isinstance(other, Workload) and any(end is pod for pod in other.pods))


def pairs(cluster: Cluster) -> Iterator[tuple[Pod | Outside, Pod | Outside]]:
    """Every pair of pods, and of pods with addresses outside, both ways."""
    outside = [Outside(AddressSet.of(one)) for one in PROBES]
    for one in cluster.pods:
        for other in cluster.pods:
            if one is not other or one.replicas > 1:  # a pod always reaches itself (S70)
                yield one, other
        for address in outside:
            yield one, address
            yield address, one


def reached(cluster: Cluster, policies: Sequence[Policy]) -> Reachability:
    """What *policies*, and no others, let through."""
    return compile(replace(cluster, policies=tuple(policies)))


def differences(found: Meaning, policies: Sequence[Policy]) -> list[str]:
    """Where *policies* let through more or less than *found* wants."""
    engine = reached(found.cluster, policies)
    wrong = []
    for src, dst in pairs(found.cluster):
        answer, meant_ = engine.answer(src, dst), wanted(found, src, dst)
        if answer.possible != meant_ or answer.open or (answer.possible and answer.mixed):
            wrong.append(f"{src.id} -> {dst.id}: wanted {meant_}, possible {answer.possible}, open {answer.open}")
    return wrong


# -- random ones -----------------------------------------------------------------------------------------------------

_PORTS = ("http:8080", "http:8081", "metrics:9090", "53/UDP", "sip:5060/SCTP", "grpc:50051", "http:8080/UDP")
_KEYS = ("app", "app.kubernetes.io/name", "tier", "team", "helm.sh/chart", "app.kubernetes.io/version", "zone")


@dataclass(frozen=True)
class Case:
    """A cluster, and a document of intents for it."""

    cluster: Cluster
    document: Intents


def random_case(rng: Random) -> Case:
    """A cluster of a few workloads, some alike, with Services; and arrows of every kind between them."""
    spaces = [f"n{number}" for number in range(rng.randint(1, 3))]
    items: list[Workload] = []
    for number in range(rng.randint(2, 7)):
        place, name = rng.choice(spaces), f"w{number}"
        worn = {
            "app": rng.choice((name, name, name, "shared")),
            **{key: rng.choice("ab") for key in _KEYS if rng.random() < 0.3},
        }
        if rng.random() < 0.2:
            del worn["app"]
        ports = rng.sample(_PORTS, rng.randint(1, 3))
        if rng.random() < 0.3:
            items.append(workload(f"{place}/{name}", *_live(rng, f"{place}/{name}", worn, number)))
            continue
        one = pod(f"{place}/{name}", worn, ports=ports, template=True, replicas=2, generated=["pod-template-hash"])
        items.append(workload(f"{place}/{name}", one))
    if rng.random() < 0.7:
        dns = pod(
            "kube-system/coredns", "k8s-app=kube-dns", ports=["dns:53/UDP", "dns-tcp:53"], template=True, replicas=2
        )
        items.append(workload("kube-system/coredns", dns))
    services = [
        service(f"{one.namespace}/s{number}", _some(rng, one.pods[0]), ports=[_service_port(rng, one.pods[0])])
        for number, one in enumerate(items)
        if rng.random() < 0.5 and "app" in one.pods[0].labels
    ]
    cluster = made(*items, *services, *map(namespace, spaces), pod_cidr="10.0.0.0/8", node_cidr="172.18.0.0/16")
    lived = sorted({one.namespace for one in items if one.namespace != "kube-system"})
    protect = rng.sample(lived, rng.randint(1, len(lived)))
    ends = _Ends(rng, cluster, lived)
    arrows = tuple(dict.fromkeys(ends.arrow() for _ in range(rng.randint(0, 6))))
    return Case(cluster, intents(*arrows, protect=protect, dns=rng.choice(("tight", "tight", "namespace", "none"))))


def _live(rng: Random, where: str, worn: dict[str, str], number: int) -> list[Pod]:
    """Pods of one owner with addresses; some differ in a label, or in their ports."""
    own = {**worn, "pod-template-hash": "6d4cf56db6"}
    ports = rng.sample(_PORTS, 2)
    return [
        pod(f"{where}-{n}", {**own, "role": rng.choice("ab")} if rng.random() < 0.3 else own, ip=f"10.0.{number}.{n}",
            ports=rng.sample(_PORTS, 2) if rng.random() < 0.3 else ports)
        for n in range(rng.randint(2, 3))
    ]  # fmt: skip


def _some(rng: Random, one: Pod) -> dict[str, str]:
    return dict(one.labels) if rng.random() < 0.5 else {"app": one.labels["app"]}


def _service_port(rng: Random, one: Pod) -> str:
    port = rng.choice(one.ports)
    target = port.name if port.name and rng.random() < 0.5 else port.number
    return f"main:{rng.choice((80, 443, port.number))}->{target}/{port.protocol}"


class _Ends:
    """Ends of arrows in a cluster."""

    def __init__(self, rng: Random, cluster: Cluster, spaces: list[str]) -> None:
        self.rng, self.cluster, self.spaces = rng, cluster, spaces

    def arrow(self) -> str:
        """An arrow, with its ports: by number, range, name or protocol, or none."""
        rng = self.rng
        kind = rng.random()
        if kind < 0.15:
            return f"{self.pods()} -> {rng.choice(OUTSIDE)}:{self.ports()}"
        if kind < 0.3:
            return f"{rng.choice(OUTSIDE)} -> {self.goal()}"
        return f"{self.pods()} -> {self.goal()}"

    def pods(self) -> str:
        """A workload, a namespace or labels."""
        rng, one = self.rng, self.rng.choice(self.cluster.workloads)
        kind = rng.random()
        if kind < 0.6:
            return f"{one.namespace}/deploy/{one.name}"
        if kind < 0.75:
            return f"{rng.choice(self.spaces)}/*"
        if kind < 0.8:
            return "*"
        if kind < 0.85:
            return f"[app={one.pods[0].labels.get('app', one.name)}]"
        key, value = rng.choice([*one.pods[0].labels.items()] or [("app", "x")])
        return f"{one.namespace}/[{key}={value}]"

    def goal(self) -> str:
        """A destination with its ports."""
        rng = self.rng
        if self.cluster.services and rng.random() < 0.3:
            one = rng.choice(self.cluster.services)
            return f"{one.id.replace('/', '/svc/')}:{one.ports[0].port}/{one.ports[0].protocol}"
        end = self.pods()
        namespace_, _, name = end.partition("/deploy/")
        ports = [p for w in self.cluster.workloads if name in ("", w.name) and namespace_ in (w.namespace, "*")
                 for p in w.pods[0].ports if name]  # fmt: skip
        if ports and rng.random() < 0.8:
            port = rng.choice(ports)
            said = port.name if port.name and rng.random() < 0.5 else port.number
            return f"{end}:{said}/{port.protocol}"
        return f"{end}:{self.ports()}" if not name else end

    def ports(self) -> str:
        """Ports by number, by range, of each protocol."""
        one = ("8080", "8080-8090", "443", "53/UDP", "9090", "8080,8443", "5060/SCTP", "8080/UDP")
        return self.rng.choice(one)


def read(paths: Sequence[str]) -> Cluster:
    """The cluster of *paths*."""
    return load(paths)
