"""Random documents of intents about a cluster, of every form that an arrow has."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Final

from ringfence.intents.meaning import meaning
from ringfence.intents.wishes import Meaning
from ringfence.model.arrows import parse
from ringfence.model.cluster import Cluster
from ringfence.model.intents import Companion, Dns, Helper, Intent, Intents

BLOCKS: Final = (
    "10.0.0.0/8", "10.0.0.0/24", "0.0.0.0/0", "203.0.113.0/24", "203.0.113.7", "172.18.0.0/24", "[2001:db8::/32]",
    "[::/0]", "128.0.0.0/1",
)  # fmt: skip
PORTS: Final = ("", ":80", ":8080", ":53/UDP", ":8000-8010", ":443,80", ":1-65535", ":5432/SCTP,http", ":http", ":9090")


def allow(*arrows: str, protect: tuple[str, ...] = (), deny: tuple[str, ...] = (), dns: Dns = Dns.NONE,
          companions: tuple[Companion, ...] = ()) -> Intents:  # fmt: skip
    """A document of these arrows."""
    wanted = tuple(Intent(parse(text), text, "", f"spec.allow[{n}]") for n, text in enumerate(arrows))
    banned = tuple(Intent(parse(text), text, "", f"spec.deny[{n}]") for n, text in enumerate(deny))
    return Intents("intents", protect, wanted, banned, companions, dns)


def meant(cluster: Cluster, *documents: Intents) -> Meaning:
    """What *documents* come to in *cluster*."""
    return meaning(replace(cluster, intents=documents))


def random_meaning(rng: Random, cluster: Cluster) -> Meaning:
    """What some arrows come to, without those that cannot be meant."""
    namespaces = sorted({one.namespace for one in cluster.workloads})
    protect = tuple(rng.sample(namespaces, rng.randint(1, len(namespaces))))
    arrows = [f"{_end(rng, cluster)} -> {_end(rng, cluster)}{rng.choice(PORTS)}" for _ in range(rng.randint(0, 6))]
    bans = [f"{_end(rng, cluster)} -x {_end(rng, cluster)}{rng.choice(PORTS)}" for _ in range(rng.randint(0, 2))]
    kept, denied = _possible(cluster, arrows), _possible(cluster, bans)
    companions = (Companion(Helper.CLOUD_METADATA),) if rng.random() < 0.3 else ()
    document = allow(
        *kept,
        protect=protect,
        deny=tuple(denied),
        companions=companions,
        dns=rng.choice((Dns.NONE, Dns.TIGHT, Dns.NODE_LOCAL)),
    )
    found = meant(cluster, document)
    if any(one.code == "RF072" for one in found.findings):
        found = meant(cluster, replace(document, deny=(), companions=()))
    return found


def _possible(cluster: Cluster, arrows: list[str]) -> list[str]:
    """The arrows that mean something here."""
    found = []
    for text in arrows:
        document = allow(text) if "->" in text else allow(deny=(text,))
        if not any(one.severity == "error" for one in meant(cluster, document).findings):
            found.append(text)
    return found


def _end(rng: Random, cluster: Cluster) -> str:
    workload = rng.choice(cluster.workloads)
    pod = rng.choice(workload.pods)
    labels = sorted(pod.labels.items())
    match rng.randint(0, 6):
        case 0 | 1:
            return f"{workload.namespace}/{workload.name}"
        case 2:
            return f"{workload.namespace}/*"
        case 3 if labels:
            key, value = rng.choice(labels)
            return f"{workload.namespace}/[{key}={value}]"
        case 4:
            return rng.choice(BLOCKS)
        case 5 if cluster.services:
            service = rng.choice(cluster.services)
            return f"{service.namespace}/svc/{service.name}"
        case 6 if rng.random() < 0.3:
            return "*"
        case _:
            return f"{pod.namespace}/pod/{pod.name}" if not pod.template else f"{workload.namespace}/{workload.name}"
