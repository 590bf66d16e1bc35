"""GKE's FQDNNetworkPolicy, read."""

from __future__ import annotations

from ringfence.intents.dialects.found import NamedPorts, Names
from ringfence.intents.dialects.plain import Fields, host, ports, selector
from ringfence.intents.dialects.table import Dialect
from ringfence.model.hostnames import Form


def read(dialect: Dialect, namespace: str | None, spec: Fields) -> Names:
    """The names of an FQDNNetworkPolicy."""
    pods = selector(spec.inner("podSelector"))
    names: list[NamedPorts] = []
    for rule in spec.each("egress"):
        hosts = []
        listed = list(rule.each("matches"))
        if not listed:
            rule.odd("matches", "is missing, which may mean everybody")
        for one in listed:
            key = "pattern" if one.has("pattern") else "name"
            text = one.take(key, str)
            stars = {"*.": Form.ONE_LABEL} if key == "pattern" else {}
            if text is not None and (found := host(one, key, text, stars)):
                hosts.append(found)
            one.close()
        opened = ports(rule, absent="ALL")
        rule.close()
        names += [NamedPorts(found, opened) for found in hosts]
    spec.close()
    return Names(dialect, namespace, pods, tuple(names), (), tuple(spec.unread), isolates=dialect.isolates)
