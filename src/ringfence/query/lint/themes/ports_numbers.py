"""2xx, ports by number: whether anybody listens there, and how many more are opened than somebody means."""

from __future__ import annotations

from collections.abc import Iterator

from ringfence.intents.parties import is_expected
from ringfence.model.objects import Workload
from ringfence.model.policies import Direction, Peer, Policy, PortMatch, Rule
from ringfence.model.ports import MAX_PORT, PROTOCOLS, ConnectionSet
from ringfence.query.lint.check import NOTE, WARNING, Found, check
from ringfence.query.lint.linting import Linting, names, numbers, rules

_WIDE = 1000
"""A range of more ports than this is more than anyone means to serve."""
_SENSITIVE = (22, 23, 25, 445, 1433, 2379, 2380, 3306, 3389, 5432, 6379, 9200, 10250, 10255, 11211, 27017)
_EVERYWHERE = ("0.0.0.0/0", "::/0")


@check(
    "RF206", "protocol-mismatch", WARNING,
    title="a port under another protocol",
    wrong="The pods use this port with another protocol than the rule, most often UDP or SCTP against the default, "
    "which is TCP.",
    fix="add the protocol; for HTTP/3 allow both TCP and UDP",
    origin="the API's default of protocol; cyclonus PortMissingProtocol",
)  # fmt: skip
def protocol_mismatch(lint: Linting) -> Iterator[Found]:
    """A number at which the receiving pods listen, and never with the item's protocol nor with one that is admitted."""
    for policy, rule, path, item, ends in _by_number(lint):
        if item.end_port is not None or not isinstance(item.port, int):
            continue
        spoken = [p for p in PROTOCOLS if any(lint.listens(one).allows(p, item.port) for one in ends)]
        if spoken and item.protocol not in spoken and not any(numbers(rule).allows(p, item.port) for p in spoken):
            having = [one for one in ends if any(lint.listens(one).allows(p, item.port) for p in spoken)]
            yield Found(policy, path, f"{names(having)} listens on {item.port} with {spoken[0]}, and this entry is for "
                        f"{item.protocol}", effect=f"{spoken[0]} {item.port} is not admitted by this rule",
                        remedy=f"write protocol: {spoken[0]}")  # fmt: skip


@check(
    "RF208", "ports-empty-item", NOTE,
    title="an empty item in ports",
    wrong="ports: [{}] is every TCP port, while a missing or empty ports is every port of every protocol; the two look "
    "alike.",
    fix="remove ports for everything, or name what is meant",
    origin="the defaults of NetworkPolicyPort in the API; the cyclonus port cases",
)  # fmt: skip
def ports_empty_item(lint: Linting) -> Iterator[Found]:
    """An item in which neither port nor protocol is written."""
    for policy in lint.policies:
        for _, rule in rules(policy):
            for index, item in enumerate(rule.ports):
                if item.port is None and item.protocol == "TCP" and not _says_protocol(lint, policy, rule, index):
                    yield Found(policy, f"{rule.path}.ports[{index}]",
                                "admits every TCP port, and none of UDP or SCTP")  # fmt: skip


@check(
    "RF209", "port-undeclared", NOTE,
    title="a port on which no receiving pod listens",
    wrong="The rule opens a number that no selected pod declares and no Service leads to: a slip, or a port that "
    "should be declared.",
    fix="correct the number, or declare the container port",
    origin="k8sgpt-ai/k8sgpt#157; ports that are not declared are legal, hence a note",
)  # fmt: skip
def port_undeclared(lint: Linting) -> Iterator[Found]:
    """A number or a range where nobody listens, though all receiving pods declare ports; no case of RF201 or RF206."""
    for policy, _, path, item, ends in _by_number(lint):
        if not isinstance(item.port, int) or any(not pod.ports for one in ends for pod in one.pods):
            continue
        asked = [(item.port, item.end_port or item.port)]
        wanted = ConnectionSet.of(TCP=asked, UDP=asked, SCTP=asked)
        if any(lint.listens(one) & wanted for one in ends) or _of_service(lint, ends, item):
            continue
        there = sorted({port.number for one in ends for pod in one.pods for port in pod.ports})
        listed = ", ".join(map(str, there[:4])) + (" and others" if len(there) > 4 else "")
        yield Found(policy, path, f"no pod of {names(ends)} declares {_range(item)}; declared: {listed}")


@check(
    "RF210", "all-ports-open", NOTE,
    title="every port for a chosen peer",
    wrong="A rule with a specific peer and no ports opens every port of every protocol to it.",
    fix="list the ports that the destination declares",
    origin="kube-netpol KNP-012, KNP-015; the kubernetes targets of Otterize do so by design",
)  # fmt: skip
def all_ports_open(lint: Linting) -> Iterator[Found]:
    """No ports, peers that were all chosen by labels of pods, and receiving pods that declare ports."""
    for policy in lint.policies:
        for direction, rule in rules(policy):
            if rule.ports or not rule.peers or not all(p.pods is not None and p.pods.requirements for p in rule.peers):
                continue
            ends = lint.receivers(policy, direction, rule)
            there = sorted({port.number for one in ends for pod in one.pods for port in pod.ports})
            if there:
                listed = ", ".join(map(str, there[:4])) + (" and others" if len(there) > 4 else "")
                yield Found(policy, rule.path, f"opens every port of {names(ends)}, which declares {listed}")


@check(
    "RF211", "wide-port-range", NOTE,
    title="a wide range of ports",
    wrong=f"A range of more than {_WIDE} ports opens more than anyone means to serve.",
    fix="narrow the range; for passive FTP or RTP write that of the server's configuration",
    origin="kube-netpol KNP-024",
)  # fmt: skip
def wide_port_range(lint: Linting) -> Iterator[Found]:
    """A range that is wide and not yet every port."""
    for policy in lint.policies:
        for _, rule in rules(policy):
            for index, item in enumerate(rule.ports):
                if isinstance(item.port, int) and item.end_port is not None and item.end_port - item.port > _WIDE:
                    count = item.end_port - item.port + 1
                    most = "every port" if count == MAX_PORT else f"{count} ports"
                    yield Found(policy, f"{rule.path}.ports[{index}]", f"admits {most} of {item.protocol}")


@check(
    "RF212", "sensitive-port-exposed", WARNING,
    title="an administration or data port open to everybody",
    wrong="An administration or data-store port is open to every pod, or to every address.",
    fix="name the client pods",
    origin="kube-netpol KNP-021",
)  # fmt: skip
def sensitive_port_exposed(lint: Linting) -> Iterator[Found]:
    """An ingress rule with a broad peer, and pods that listen on such a port which it admits."""
    for policy in lint.policies:
        for rule in policy.ingress if Direction.INGRESS in policy.directions else ():
            broad = next((peer for peer in rule.peers if _is_broad(peer)), None)
            if rule.peers and broad is None:
                continue
            for number in _SENSITIVE:
                ends = [one for one in lint.subjects(policy)
                        if lint.listens(one).allows("TCP", number) and _admits(rule, one, number)]  # fmt: skip
                if ends:
                    index = next((i for i, item in enumerate(rule.ports) if _item_admits(item, ends[0], number)), None)
                    path = rule.path if index is None else f"{rule.path}.ports[{index}]"
                    who = "everybody" if broad is None or broad.block is not None else "every pod of every namespace"
                    yield Found(policy, path, f"opens TCP {number} to {who}",
                                effect=f"{names(ends)} can be reached there by {who}")  # fmt: skip


def _by_number(lint: Linting) -> Iterator[tuple[Policy, Rule, str, PortMatch, tuple[Workload, ...]]]:
    """Each item with a number, its path, and the workloads whose ports are meant, where all of them are known."""
    for policy in lint.policies:
        for direction, rule in rules(policy):
            ends = lint.receivers(policy, direction, rule) if rule.ports else ()
            if not ends or any(map(is_expected, ends)):
                continue
            for index, item in enumerate(rule.ports):
                if isinstance(item.port, int):
                    yield policy, rule, f"{rule.path}.ports[{index}].port", item, ends


def _says_protocol(lint: Linting, policy: Policy, rule: Rule, index: int) -> bool:
    """Whether the item is written with its protocol."""
    section, _, number = rule.path.removeprefix("spec.").rstrip("]").partition("[")
    try:
        item = lint.written(policy)[section][int(number)]["ports"][index]
    except (KeyError, IndexError, TypeError, ValueError):
        return True
    return isinstance(item, dict) and "protocol" in item


def _of_service(lint: Linting, ends: tuple[Workload, ...], item: PortMatch) -> bool:
    """Whether *item* is the port of a Service before *ends*: the case of RF201."""
    return any((port.port, port.protocol) == (item.port, item.protocol)
               for one in ends for service in lint.services_of(one) for port in service.ports)  # fmt: skip


def _range(item: PortMatch) -> str:
    return f"{item.port}" if item.end_port is None else f"any of {item.port}-{item.end_port}"


def _is_broad(peer: Peer) -> bool:
    """Whether *peer* is every pod of every namespace, or every address."""
    if peer.block is not None:
        return peer.block.cidr in _EVERYWHERE
    unbound = peer.pods is None or not peer.pods.requirements
    return peer.namespaces is not None and not peer.namespaces.requirements and unbound


def _admits(rule: Rule, workload: Workload, number: int) -> bool:
    return not rule.ports or any(_item_admits(item, workload, number) for item in rule.ports)


def _item_admits(item: PortMatch, workload: Workload, number: int) -> bool:
    """Whether *item* admits TCP *number* at *workload*."""
    if item.protocol != "TCP":
        return False
    if item.port is None:
        return True
    if isinstance(item.port, int):
        return item.port <= number <= (item.end_port or item.port)
    return any(port.name == item.port and port.number == number for pod in workload.pods for port in pod.ports)
