"""What the names of a cluster mean: the records of Services and pods, as Kubernetes' DNS specification 1.1.0 has them.

Where the specification leaves room, CoreDNS with the settings of kubeadm is followed.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ringfence.lab.plan.services import Endpoint, addresses_of, backends_of, endpoints_of
from ringfence.lab.plan.snapshot import Snapshot
from ringfence.model.addresses import Address, is_address
from ringfence.model.objects import Service

DOMAIN: Final = "cluster.local"
TTL: Final = 30
SPECIFICATION: Final = "1.1.0"
_NAME: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a name: its type, and its value as a zone file writes it."""

    kind: str
    value: str


def of_address(address: Address) -> Record:
    """The record that leads to *address*."""
    return Record("A" if address.family == 4 else "AAAA", str(address))


def reverse(address: Address) -> str:
    """The name under which *address* is asked for its own name."""
    return ipaddress.ip_address(str(address)).reverse_pointer


def start_of_authority(zone: str) -> Record:
    """What a zone says of itself, and what goes with the news that a name or a type is not there."""
    return Record("SOA", f"ns.dns.{DOMAIN}. hostmaster.{zone or DOMAIN}. 1 7200 1800 86400 {TTL}")


class Zone:
    """Every name of a cluster, in lower case and without the last dot, and its records."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._records: dict[str, dict[Record, None]] = {}
        self._above: set[str] = set()
        cluster = snapshot.cluster
        self.namespaces = {
            *cluster.namespaces, *(pod.namespace for pod in cluster.pods), *(s.namespace for s in cluster.services)
        }  # fmt: skip
        self._cluster()
        for service in cluster.services:
            self._service(service)
        for service in cluster.services:  # an address of a Service is never an endpoint's: theirs come after
            self._reverse_endpoints(service)

    def find(self, name: str) -> list[Record] | None:
        """The records of *name*; empty when there are only names below it, None when there is no such name."""
        if name in self._records:
            return list(self._records[name])
        return [] if name in self._above else _pod_records(name, self.namespaces)

    def has_service(self, name: str, namespace: str) -> bool:
        """Whether *namespace* has a Service called *name* that resolves."""
        return self.find(f"{name}.{namespace}.svc.{DOMAIN}") is not None

    def _add(self, name: str, *records: Record) -> None:
        """Give *name* more records; what no name can be is left out, as no such object could exist."""
        if not _NAME.fullmatch(name):
            return
        self._records.setdefault(name, {}).update(dict.fromkeys(records))
        while "." in name:
            name = name.partition(".")[2]
            self._above.add(name)

    def _cluster(self) -> None:
        self._add(DOMAIN, start_of_authority(DOMAIN), Record("NS", f"ns.dns.{DOMAIN}."))
        self._add(f"ns.dns.{DOMAIN}", *map(of_address, self._snapshot.dns_addresses))
        self._add(f"dns-version.{DOMAIN}", Record("TXT", f'"{SPECIFICATION}"'))
        self._above |= {f"{kind}.{DOMAIN}" for kind in ("svc", "pod")}
        self._above |= {f"{namespace}.{kind}.{DOMAIN}" for namespace in self.namespaces for kind in ("svc", "pod")}

    def _service(self, service: Service) -> None:
        name = f"{service.name}.{service.namespace}.svc.{DOMAIN}"
        if service.external_name is not None:
            target = service.external_name.lower().removesuffix(".")
            if _NAME.fullmatch(target) and not is_address(target):
                self._add(name, Record("CNAME", f"{target}."))
            return
        behind = endpoints_of(self._snapshot, service)
        for endpoint in behind:
            for label in _labels(service, endpoint):
                self._add(f"{label}.{name}", of_address(endpoint.address))
        if service.headless:
            self._headless(service, name, behind)
            return
        own = addresses_of(service)
        self._add(name, *map(of_address, own))
        for address in own:
            self._add(reverse(address), Record("PTR", f"{name}."))
        for entry in service.ports:
            self._ways(name, entry.name, entry.protocol, [(entry.port, name)])

    def _headless(self, service: Service, name: str, behind: list[Endpoint]) -> None:
        # "If there are no ready endpoints for the headless Service, the answer should be NXDOMAIN": no record, no name.
        if not behind:
            return
        self._add(name, *(of_address(endpoint.address) for endpoint in behind))
        labels = {endpoint.address: _labels(service, endpoint)[0] for endpoint in behind}
        for entry in service.ports:
            ways = [
                (backend.port, f"{labels[backend.address]}.{name}")
                for backend in backends_of(self._snapshot, service, entry)
                if backend.address in labels
            ]
            self._ways(name, entry.name, entry.protocol, list(dict.fromkeys(ways)))

    def _ways(self, name: str, port_name: str | None, protocol: str, ways: list[tuple[int, str]]) -> None:
        """SRV records for one port: at the port's own name where it has one, and at the Service's."""
        found = [
            Record("SRV", f"0 {max(100 // len(ways), 1)} {port} {target}.")
            for port, target in ways
            if _NAME.fullmatch(target)
        ]
        if found:
            self._add(name, *found)
        if found and port_name:
            self._add(f"_{port_name.lower()}._{protocol.lower()}.{name}", *found)

    def _reverse_endpoints(self, service: Service) -> None:
        for endpoint in endpoints_of(self._snapshot, service):
            name = f"{_labels(service, endpoint)[0]}.{service.name}.{service.namespace}.svc.{DOMAIN}"
            if _NAME.fullmatch(name):
                self._add(reverse(endpoint.address), Record("PTR", f"{name}."))


def _labels(service: Service, endpoint: Endpoint) -> list[str]:
    """What an endpoint is called below its Service: first the name that SRV and PTR records use.

    That is the pod's name for a StatefulSet's, whose pods have it as their host name, and the address for all others.
    """
    dashed = str(endpoint.address).replace(".", "-").replace(":", "-")
    pod = endpoint.pod
    if pod is None:
        return [dashed]
    if pod.controller is not None and pod.controller.kind == "StatefulSet":
        return [pod.name, dashed]
    return [dashed, pod.name] if service.headless else [dashed]


def _pod_records(name: str, namespaces: set[str]) -> list[Record] | None:
    """The address that a pod's name spells, in any namespace that exists: nobody checks that such a pod runs."""
    label, _, rest = name.partition(".")
    namespace = rest.removesuffix(f".pod.{DOMAIN}")
    if namespace == rest or namespace not in namespaces:
        return None
    for sign in _signs(label):
        try:
            return [of_address(Address.parse(label.replace("-", sign)))]
        except ValueError:
            continue
    return None


def _signs(label: str) -> Iterator[str]:
    if label.count("-") == 3 and "--" not in label:
        yield "."
    yield ":"
