"""From what is asked to companion documents, or to everything that stands against it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from ringfence.errors import UnsupportedNames
from ringfence.generate.dialects import antrea, cilium, clusternetworkpolicy, eks_auto, gke, ovn_kubernetes
from ringfence.generate.dialects.asked import Choice, Companion, Lack, NamesRule
from ringfence.intents.dialects.table import Dialect

Rules = Sequence[NamesRule]
Write = Callable[[Dialect, Rules, Choice], Iterator[Companion]]
Against = Callable[[Rules, Choice], Iterator[Lack]]
_DIALECTS: Final[Mapping[str, tuple[Write, Against]]] = {
    "cilium": (cilium.write, cilium.lacks),
    "clusternetworkpolicy": (clusternetworkpolicy.write, clusternetworkpolicy.lacks),
    "antrea": (antrea.write, antrea.lacks),
    "gke": (gke.write, gke.lacks),
    "eks-auto": (eks_auto.write, eks_auto.lacks),
    "ovn-kubernetes": (ovn_kubernetes.write, ovn_kubernetes.lacks),
}


def companions(dialect: Dialect, rules: Rules, choice: Choice = Choice()) -> tuple[Companion, ...]:  # noqa: B008 (frozen)
    """The documents that carry the names of *rules*, those of one namespace and subject in one rule.

    Raises: UnsupportedNames, with every reason, and then there is no document at all.
    """
    against = lacks(dialect, rules, choice)
    if against:
        raise UnsupportedNames(tuple(map(str, against)))
    write, _ = _DIALECTS[_module(dialect)]
    made = tuple(write(dialect, rules, choice))
    identities = [(one.document["metadata"].get("namespace"), one.document["metadata"]["name"]) for one in made]
    if len(set(identities)) < len(identities):
        raise ValueError("two rules have one subject_name in one namespace: join them, or name them apart")
    return made


def lacks(dialect: Dialect, rules: Rules, choice: Choice = Choice()) -> tuple[Lack, ...]:  # noqa: B008 (frozen)
    """Everything in *rules* that *dialect* cannot say, or would read differently."""
    found = [lack for rule in rules for lack in _of_names(dialect, rule, choice)]
    if rules and not dialect.schema and not choice.unverified:
        reason = f"{dialect.title} has no public schema, so that nothing tests what is written for it"
        remedy = "look the document over and write --unverified, or choose another dialect"
        found.append(Lack(rules[0], None, reason, remedy))
    _, against = _DIALECTS[_module(dialect)]
    return (*found, *against(rules, choice))


def _module(dialect: Dialect) -> str:
    return dialect.name.partition(":")[0]


def _of_names(dialect: Dialect, rule: NamesRule, choice: Choice) -> Iterator[Lack]:
    for asked in rule.names:
        if not asked.ports or any(port.port is None for port in asked.ports):
            yield Lack(rule, asked.host, "has no port: a name says where, not what", "write the port, as in :443")
        if any(isinstance(port.port, str) for port in asked.ports):
            reason = "has a port's name, which only pods can give a number"
            yield Lack(rule, asked.host, reason, "write the number, as in :443")
        if asked.host.wild and not dialect.subdomains and not choice.one_label:
            reason = f"{dialect.title} reads *. as one label, and the intent holds names with more"
            remedy = "name the hosts, or write --fqdn-depth one-label for names with one label in front alone"
            yield Lack(rule, asked.host, reason, remedy)
