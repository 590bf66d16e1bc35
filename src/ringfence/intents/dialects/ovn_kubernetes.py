"""OVN-Kubernetes' EgressFirewall, read: it binds every pod of its namespace, and the first rule to match decides."""

from __future__ import annotations

from typing import Final

from ringfence.intents.dialects.found import NamedPorts, Names
from ringfence.intents.dialects.plain import Fields, host, ports
from ringfence.intents.dialects.rules import block_of
from ringfence.intents.dialects.table import Dialect
from ringfence.model.addresses import IpBlock
from ringfence.model.hostnames import Form
from ringfence.model.policies import PortMatch

_EVERY: Final = ("0.0.0.0/0", "::/0")


def read(dialect: Dialect, namespace: str | None, spec: Fields) -> Names:
    """The names of an EgressFirewall. Blocks that it allows open nothing: a NetworkPolicy must open them too."""
    names: list[NamedPorts] = []
    blocks: list[tuple[IpBlock, tuple[PortMatch, ...]]] = []
    closed = set()
    for rule in spec.each("egress"):
        to = rule.inner("to")
        allows = rule.take("type", str) == "Allow"
        name, cidr = to.take("dnsName", str), to.take("cidrSelector", str)
        whole = not rule.has("ports")
        opened = ports(rule)
        if not allows and cidr in _EVERY and whole:
            closed.add(cidr)
        elif not allows:
            rule.odd("", "denies something else than all the rest")
        elif closed:
            rule.odd("", "stands behind a rule that denies")
        elif name is not None and (found := host(to, "dnsName", name, {"*.": Form.ONE_LABEL})):
            names.append(NamedPorts(found, opened))
        elif name is None and cidr is None:
            rule.odd("to", "is neither a name nor a block")
        elif cidr is not None and (found_block := block_of(to, "cidrSelector", cidr)):
            blocks.append((found_block, opened))
        to.close()
        rule.close()
    spec.close()
    return Names(dialect, namespace, names=tuple(names), blocks=tuple(blocks), unread=tuple(spec.unread),
                 cuts_outside=bool(closed))  # fmt: skip
