"""The canary's pods as the server has them: whether they run, at which addresses, on which nodes, and why not."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ringfence.live import runs
from ringfence.live.doctor.canary import objects
from ringfence.live.doctor.canary.course import PORTS, SERVERS, Role, Wire
from ringfence.live.doctor.canary.log import family, plain
from ringfence.live.doctor.canary.verdict import ACROSS, SAME, UNPLACED, Placement
from ringfence.live.server.resources import DEPLOYMENTS, PODS
from ringfence.live.server.server import Json, Server

CLIENTS: Final = (Role.CLIENT, Role.WITNESS)
"""Who tries."""


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod that runs. ``restarts`` of its container and ``uid`` tell whether it is still the same later."""

    name: str
    uid: str
    node: str
    addresses: tuple[str, ...]
    restarts: int


def running(server: Server, where: str, run: str) -> dict[Role, Pod]:
    """The pods of *run* that run, their container too, and have an address. Raises: Refused; Unreachable."""
    found: dict[Role, Pod] = {}
    for item in server.list(PODS, where, labels=f"{runs.RUN}={run}"):
        metadata, status = item["metadata"], item.get("status") or {}
        addresses = [str(one.get("ip")) for one in status.get("podIPs") or () if one.get("ip")]
        addresses = addresses or [str(status["podIP"])] if status.get("podIP") else addresses
        started = all("running" in (one.get("state") or {}) for one in status.get("containerStatuses") or ())
        if status.get("phase") != "Running" or not (started and addresses) or metadata.get("deletionTimestamp"):
            continue
        role = Role(metadata["labels"][objects.ROLE])
        restarts = sum(int(one.get("restartCount") or 0) for one in status.get("containerStatuses") or ())
        node = str((item.get("spec") or {}).get("nodeName") or "")
        found[role] = Pod(
            metadata["name"], str(metadata.get("uid") or ""), node, tuple(map(plain, addresses)), restarts
        )
    return found


def missing(server: Server, where: str, run: str, roles: Collection[Role]) -> str:
    """Why the pods of *roles* do not run, as far as the server says. Raises: Refused; Unreachable."""
    label = f"{runs.RUN}={run}"
    items = [*server.list(PODS, where, labels=label), *server.list(DEPLOYMENTS, where, labels=label)]
    reasons = dict.fromkeys(
        reason for item in items if (item["metadata"].get("labels") or {}).get(objects.ROLE) in set(roles)
        for reason in (_of_pod(item) if item["kind"] == PODS.kind else _of_deployment(item))
    )  # fmt: skip
    return "; ".join(reasons) or "no reason is given (is the image slow to come?); give them more time with --timeout"


def _of_pod(item: Json) -> Iterator[str]:
    status = item.get("status") or {}
    for one in status.get("containerStatuses") or ():
        waiting = (one.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") not in (None, "ContainerCreating"):
            yield f"{waiting['reason']}: {_short(waiting.get('message'))}"
    for one in status.get("conditions") or ():
        if one.get("type") == "PodScheduled" and one.get("status") == "False":
            yield f"{one.get('reason')}: {_short(one.get('message'))}"


def _of_deployment(item: Json) -> Iterator[str]:
    for one in (item.get("status") or {}).get("conditions") or ():
        if one.get("type") == "ReplicaFailure" and one.get("status") == "True":
            yield f"{one.get('reason')}: {_short(one.get('message'))}"


def _short(text: object) -> str:
    return " ".join(str(text or "no more is said").split())[:300]


def wires(pods: Mapping[Role, Pod]) -> tuple[Wire, ...]:
    """Every wire from clients to servers; the family that the cluster prefers comes first."""
    families = dict.fromkeys(family(address) for role in _servers(pods) for address in pods[role].addresses)
    return tuple(
        Wire(client, role, kind, port)
        for kind in families
        for client in CLIENTS
        for role in _servers(pods)
        if kind in map(family, pods[role].addresses)
        for port in _ports(role)
    )


def targets(pods: Mapping[Role, Pod]) -> list[tuple[str, int]]:
    """What each client has to try."""
    return [(address, port) for role in _servers(pods) for address in pods[role].addresses for port in _ports(role)]


def known(pods: Mapping[Role, Pod]) -> dict[str, tuple[Role, str]]:
    """Whose each address is."""
    return {address: (role, family(address)) for role in _servers(pods) for address in pods[role].addresses}


def placement(pods: Mapping[Role, Pod]) -> Placement:
    """Which clients and servers share a node."""

    def where(one: Pod, other: Pod) -> str:
        return UNPLACED if not one.node or not other.node else SAME if one.node == other.node else ACROSS

    return {(client, role): where(pods[client], pods[role]) for client in CLIENTS for role in _servers(pods)}


def disturbed(before: Mapping[Role, Pod], after: Mapping[Role, Pod]) -> str:
    """What happened to a pod meanwhile that would make its silence mean nothing; empty when nothing did."""
    for role, pod in before.items():
        now = after.get(role)
        if now is None or now.uid != pod.uid:
            return f"the pod of the {role} went away during the run"
        if now.restarts != pod.restarts:
            return f"the container of the {role} was started again during the run"
    return ""


def _servers(pods: Iterable[Role]) -> list[Role]:
    return [role for role in (*SERVERS, Role.CONTROL) if role in set(pods)]


def _ports(role: Role) -> tuple[int, ...]:
    return PORTS if role in SERVERS else PORTS[:1]
