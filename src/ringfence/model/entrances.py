"""Ways in from outside the cluster: what a controller leads to, and who stands at the door.

An Ingress, a Route or a Gateway's route says only which Services a controller leads to; the controller's pods open the
connections. A Service of type NodePort or LoadBalancer is a way in by itself, and so is one with ``externalIPs``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from ringfence.model.objects import Pod, Service, Workload
from ringfence.model.sources import NOWHERE, Source
from ringfence.model.values import light

CONTROLLER: Final = "{ingress-controller}"
"""What the controller is called whose pods nobody has named. No namespace is spelled so: no policy is in it."""
OUTSIDE: Final = "{outside}"
"""The namespace, so to say, of who comes in by a Service."""


@dataclass(frozen=True, slots=True)
class EntranceBackend:
    """One Service that an entrance leads to.

    ``port`` is the number or the name of a port of the Service; None means all of them. With ``target`` a number is the
    port of the pods instead, as a Route has it. ``at`` is the field that says so.
    """

    namespace: str
    service: str
    port: int | str | None = None
    protocol: str = "TCP"
    target: bool = False
    at: str = field(default="", compare=False)

    @property
    def id(self) -> str:
        """``namespace/service``."""
        return f"{self.namespace}/{self.service}"


@dataclass(frozen=True, slots=True)
class Entrance:
    """An Ingress, a Route or a route of a Gateway, with the Services that the controller leads to (S88)."""

    kind: str
    namespace: str
    name: str
    backends: tuple[EntranceBackend, ...] = ()
    source: Source = field(default=NOWHERE, compare=False, repr=False)

    @property
    def id(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"


@light(frozen=True, slots=True)
class Door(Workload):
    """Who comes in, as one end: the controller that nobody has named, or the outside by one ``service``.

    The controller is one pod without labels in a namespace that is not known. The outside has no pods.
    """

    service: Service | None = None

    @property
    def id(self) -> str:
        """``{ingress-controller}``, or ``namespace/name[Service]``."""
        return CONTROLLER if self.service is None else f"{self.service.id}[Service]"

    @property
    def title(self) -> str:
        """What a person calls it."""
        return CONTROLLER if self.service is None else f"outside by svc {self.service.id}"


def controller() -> Door:
    """The controller whose pods are not known: one pod without labels in an unknown namespace (S88, S139)."""
    return Door(CONTROLLER, "", "IngressController", (Pod(CONTROLLER, ""),))


def front(service: Service) -> Door:
    """The outside that comes in by *service*."""
    return Door(OUTSIDE, service.id, "Service", (), False, service.source, service)
