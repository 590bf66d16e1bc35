"""OVN-Kubernetes' EgressFirewall, read: it binds every pod of its namespace, and the first rule to match decides."""

from __future__ import annotations

from typing import Final

from ringfence.intents.dialects.found import NamedPorts, Names
from ringfence.intents.dialects.plain import Fields, host, ports
from ringfence.intents.dialects.table import Dialect
from ringfence.model.hostnames import Form

_EVERY: Final = ("0.0.0.0/0", "::/0")


def read(dialect: Dialect, namespace: str | None, spec: Fields) -> Names:
    """The names of an EgressFirewall. Blocks that it allows open nothing: a NetworkPolicy must open them too."""
    names: list[NamedPorts] = []
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
        to.close()
        rule.close()
    spec.close()
    cuts = bool(closed)
    return Names(dialect, namespace, names=tuple(names), unread=tuple(spec.unread), cuts_outside=cuts)
