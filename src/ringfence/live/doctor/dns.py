"""Who serves DNS in this cluster, on which port, and what stands in between on each node."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ringfence.live.doctor.detect import containers, full_name
from ringfence.live.doctor.nouns import Dns
from ringfence.live.doctor.reading import Seen
from ringfence.live.server.server import Json

SERVICES: Final = (
    ("kube-system", "kube-dns"), ("openshift-dns", "dns-default"), ("kube-system", "rke2-coredns-rke2-coredns"),
    ("kube-system", "coredns"),
)  # fmt: skip
"""The Services of the DNS, as clusters name them."""
CACHE: Final = "node-local-dns"
"""The DaemonSet of the cache on each node."""
OPENSHIFT: Final = "openshift-dns"


def dns(seen: Seen) -> Dns:
    """What *seen* tells of the DNS; empty where it tells nothing."""
    by_name = {(one["metadata"].get("namespace"), one["metadata"]["name"]): one for one in seen.services}
    key = next((key for key in SERVICES if key in by_name), None)
    cache, link_local = _cache(seen)
    if key is None:
        auto = "eks.amazonaws.com" in seen.groups and "services" not in seen.unread
        return Dns(cache=cache or ("a service of each node (EKS Auto Mode)" if auto else ""), link_local=link_local,
                   option="node-local" if cache else "")  # fmt: skip
    spec = by_name[key].get("spec") or {}
    slices = [one for one in seen.slices if _service(one) == key]
    addresses = [
        address for address in spec.get("clusterIPs") or [spec.get("clusterIP")] if address not in (None, "None")
    ]
    option = (
        "openshift" if key[0] == OPENSHIFT else "node-local" if cache else "tight" if _usual(key, spec, slices) else ""
    )
    return Dns(
        "/".join(key), tuple(addresses), tuple(sorted((spec.get("selector") or {}).items())), _pods(slices),
        _ports(slices or [{"ports": [_of_service(port) for port in spec.get("ports") or ()]}]), cache, link_local,
        option,
    )  # fmt: skip


def _usual(key: tuple[str, str], spec: Json, slices: list[Json]) -> bool:
    """Whether the usual rule admits it: pods ``k8s-app=kube-dns`` of ``kube-system``, port 53."""
    numbers = {port.get("port") for one in slices for port in one.get("ports") or () if _is_dns(port)}
    return key[0] == "kube-system" and (spec.get("selector") or {}).get("k8s-app") == "kube-dns" and numbers <= {53}


def _service(one: Json) -> tuple[str | None, str | None]:
    metadata = one.get("metadata") or {}
    return metadata.get("namespace"), (metadata.get("labels") or {}).get("kubernetes.io/service-name")


def _pods(slices: Iterable[Json]) -> tuple[str, ...]:
    ends = [end for one in slices for end in one.get("endpoints") or ()]
    # A slice lists pods too that are not ready, and get no question.
    targets = [end.get("targetRef") or {} for end in ends if (end.get("conditions") or {}).get("ready") is not False]
    return tuple(sorted({f"{ref.get('namespace')}/{ref['name']}" for ref in targets if ref.get("kind") == "Pod"}))


def _of_service(port: Json) -> Json:
    return {"name": port.get("name"), "protocol": port.get("protocol"), "port": port.get("targetPort")}


def _is_dns(port: Json) -> bool:
    return "metrics" not in str(port.get("name") or "")


def _ports(slices: Iterable[Json]) -> tuple[str, ...]:
    """``TCP 53``: where the pods listen, which may be elsewhere than the Service."""
    told = [port for one in slices for port in one.get("ports") or () if _is_dns(port)]
    found = {(str(port.get("protocol") or "TCP"), str(port.get("port"))) for port in told}
    return tuple(f"{protocol} {port}" for protocol, port in sorted(found))


def _cache(seen: Seen) -> tuple[str, tuple[str, ...]]:
    """The cache on each node and the addresses on which it listens."""
    for one in seen.daemonsets:
        if CACHE in one["metadata"]["name"]:
            words = [str(word) for container in containers(one) for word in container.get("args") or ()]
            given = [words[at + 1] for at, word in enumerate(words[:-1]) if word in ("-localip", "--localip")]
            given += [word.partition("=")[2] for word in words if word.startswith(("-localip=", "--localip="))]
            addresses = dict.fromkeys(address for text in given for address in text.split(",") if address)
            return full_name(one), tuple(addresses)
    return "", ()
