"""Whom a pod asks for names, as its template says: cluster DNS, or name servers of its own."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

from ringfence.model.objects import Workload
from ringfence.query.lint.mentions import pod_specs

CLUSTER: Final = "ClusterFirst"


@dataclass(frozen=True, slots=True)
class Resolver:
    """``policy`` is the template's ``dnsPolicy``; ``servers`` are the addresses of ``dnsConfig``; ``path`` its spec."""

    policy: str = CLUSTER
    servers: tuple[str, ...] = ()
    path: str = "spec"

    @property
    def own(self) -> bool:
        """Whether cluster DNS is not asked at all."""
        return self.policy in ("None", "Default")


def resolver(workload: Workload) -> Resolver:
    """Whom the pods of *workload* ask."""
    for path, spec in pod_specs(workload.source.value()):
        config = spec.get("dnsConfig")
        given = config.get("nameservers") if isinstance(config, dict) else None
        servers = (
            tuple(one for one in given if isinstance(one, str) and _is_address(one)) if isinstance(given, list) else ()
        )
        return Resolver(str(spec.get("dnsPolicy") or CLUSTER), servers, path)
    return Resolver()


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
