"""How sets of ports, ends and verdicts are written, for people and in the line grammar of np-guard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from ringfence.model.entrances import Door
from ringfence.model.flows import End, Note, Outside, Reason, Verdict
from ringfence.model.objects import Namespace, Node, Pod, Service
from ringfence.model.ports import ConnectionSet, PortSet

VERDICT_STYLE: Final[Mapping[Verdict, str]] = {
    Verdict.ALLOWED: "green",
    Verdict.DENIED: "red",
    Verdict.MIXED: "yellow",
    Verdict.NO_ENDPOINTS: "yellow",
    Verdict.IMPLEMENTATION_DEFINED: "yellow",
}

NOTE_TEXT: Final[Mapping[Note, str]] = {
    Note.NAMESPACE_INVENTED: "a selector asks for labels of a namespace that has no Namespace object in the input",
    Note.INCOMPLETE_INPUT: "something in the input could not be read or known, and may change this answer",
    Note.PLACEMENT_UNKNOWN: "the input does not say on which node the pod runs; a pod's own node always reaches it",
    Note.NO_REPLICAS: "the workload asks for no replicas; one stands in for the question",
    Note.UNMODELLED_POLICY: "a policy of a kind that is not modelled may touch this pair",
    Note.PLUGIN_DEPENDENT: "allowed by an ipBlock that covers a pod or node; some plugins match neither by address",
    Note.CONTROLLER_UNKNOWN: "the ingress controller's pods were not named (--ingress-controller), so a policy that "
    "names them is taken not to match",
    Note.NO_COMMON_FAMILY: "one end has only IPv4 addresses and the other only IPv6 ones",
}
NOT_TRIED: Final = "Ingress objects and routes are not tried by themselves; the pods of a controller are, like others."
REASON_TEXT: Final[Mapping[Reason, str]] = {
    Reason.POD_IP_UNKNOWN: "an ipBlock may hold the pod, whose address is not in the input (--pod-cidr may decide it)",
    Reason.ICMP: "network policies say nothing about protocols other than TCP, UDP and SCTP",
    Reason.OWN_NODE_EGRESS: "a pod to its own node: network plugins differ",
    Reason.SERVICE_HAIRPIN: "a pod to itself through a Service: network plugins differ",
    Reason.SOURCE_REWRITTEN: "the source may be rewritten to a node's address on the way",
    Reason.SERVICE_TO_EXTERNAL: "the Service's address is rewritten to an outside one on the way",
    Reason.EXISTING_CONNECTION: "whether a change of policy cuts connections already open is not defined",
}


def ports_text(ports: PortSet) -> str:
    """``53,8000-8010``."""
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in ports)


def human(ports: ConnectionSet) -> str:
    """``TCP 53,5353, UDP 53``; "every port" for all; a whole protocol is "every TCP port"."""
    if ports == ConnectionSet.ALL:
        return "every port"
    if not ports:
        return "nothing"
    return ", ".join(
        f"every {protocol} port" if part == PortSet.ALL else f"{protocol} {ports_text(part)}"
        for protocol, part in ports.items()
    )


def grammar(ports: ConnectionSet) -> str:
    """The ``conn`` of np-guard's line grammar (S132): protocols in alphabetical order, no blank after a comma."""
    if ports == ConnectionSet.ALL:
        return "All Connections"
    if not ports:
        return "No Connections"
    return ",".join(f"{protocol} {ports_text(part)}" for protocol, part in sorted(ports.items()))


def as_json(ports: ConnectionSet) -> dict[str, list[list[int]]]:
    """``{"TCP": [[8000, 8000]]}``."""
    return {protocol: [[low, high] for low, high in part] for protocol, part in ports.items()}


def end_id(end: End | Service | Namespace) -> str:
    """``ns/name[Kind]``, ``name[Namespace]``, or ``low-high[External]``."""
    if isinstance(end, Node | Namespace):
        return f"{end.name}[{type(end).__name__}]"
    if isinstance(end, Pod):
        return f"{end.id}[Pod]" if end.name else end.id
    if isinstance(end, Service):
        return f"{end.id}[Service]"
    return end.id


def end_name(end: End | Service | Namespace) -> str:
    """What a person calls it: ``ns/name``, ``ns/*`` for all of a namespace, CIDRs, or "outside" for all of IPv4."""
    if isinstance(end, Outside):
        cidrs = list(end.addresses.cidrs())
        if cidrs in (["0.0.0.0/0"], ["::/0"]):
            return f"outside ({cidrs[0]})"
        return f"outside ({', '.join(cidrs) if len(cidrs) <= 3 else next(end.addresses.ranges())})"
    if isinstance(end, Node):
        return f"node/{end.name}"
    if isinstance(end, Namespace):
        return f"{end.name}/*"
    if isinstance(end, Door):
        return end.title
    return f"{end.namespace}/{end.name}" if end.name else end.namespace


class Names:
    """What ends are called, each worked out once: an end stands in many connections."""

    def __init__(self, say: Callable[[End | Namespace], str]) -> None:
        self._say = say
        self._known: dict[int, tuple[End | Namespace, str]] = {}  # by identity, with what keeps it from changing hands

    def __call__(self, end: End | Namespace) -> str:
        """What *end* is called."""
        found = self._known.get(id(end))
        if found is None:
            found = self._known[id(end)] = (end, self._say(end))
        return found[1]

    def ends(self) -> list[End | Namespace]:
        """All that were named, in the order in which they came."""
        return [end for end, _ in self._known.values()]


def some(names: list[str]) -> str:
    """The first of *names*, and how many more there are."""
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
