"""Rules about names, to be asked of every dialect; and what servers accept of the documents that come back."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import yaml
from conftest import ROOT
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from strategies import hosts, object_names, selectors

from ringfence.generate.dialects.asked import DnsPeer, NameAsked, NamesRule
from ringfence.model.hostnames import Form, HostName
from ringfence.model.policies import Peer, PortMatch
from ringfence.model.ports import PROTOCOLS
from ringfence.model.selectors import Selector

CRDS: Final = ROOT / "tests" / "data" / "crds"
TASK_API: Final = Selector.of({"app": "task-api"})
HTTPS: Final = (PortMatch("TCP", 443),)
KUBE_DNS: Final = DnsPeer(
    Peer(Selector.of({"k8s-app": "kube-dns"}), Selector.of({"kubernetes.io/metadata.name": "kube-system"}))
)


def asked(host: str, *ports: PortMatch, admitted: bool = True) -> NameAsked:
    """A name with its ports, 443 unless others are given."""
    return NameAsked(HostName.parse(host), ports or HTTPS, admitted)


def rule(*names: NameAsked, **more: Any) -> NamesRule:
    """The rule of the task API, unless *more* says otherwise."""
    given: dict[str, Any] = {"namespace": "tasks", "subject": TASK_API, "subject_name": "task-api", "dns": (KUBE_DNS,)}
    return NamesRule(names=names, **(given | more))


numbers = st.builds(
    lambda protocol, low, high: PortMatch(protocol, min(low, high), max(low, high) if low != high else None),
    st.sampled_from(PROTOCOLS), st.integers(1, 65535), st.integers(1, 65535),
)  # fmt: skip
"""Single ports and ranges, of every protocol."""
single = st.builds(PortMatch, st.sampled_from(("TCP", "UDP")), st.integers(1, 65535))
"""Single ports of the protocols that every dialect knows."""
names = st.builds(HostName, hosts, st.sampled_from((Form.EXACT, Form.SUBDOMAINS)))


@st.composite
def rules(draw: st.DrawFn, ports: st.SearchStrategy[PortMatch] = single) -> NamesRule:
    """Rules of any subject, with names of both forms on several ports."""
    found = draw(st.lists(st.tuples(names, st.lists(ports, min_size=1, max_size=4)), min_size=1, max_size=5))
    wanted = tuple(NameAsked(host, tuple(dict.fromkeys(listed)), True) for host, listed in found)
    name = draw(object_names)
    return NamesRule("tasks", draw(selectors), name, wanted, (KUBE_DNS,), (("ringfence.dev/intent", name),))


def faults(dialect: str, document: Any) -> list[str]:
    """What the schema of *dialect* has against *document*, each with its place."""
    found = Draft202012Validator(_schema(dialect)).iter_errors(document)
    return [f"{'.'.join(map(str, fault.path))}: {fault.message}" for fault in found]


@cache
def _schema(dialect: str) -> Any:
    read = yaml.safe_load((CRDS / f"{dialect}.yaml").read_text())
    if read.get("kind") == "CustomResourceDefinition":
        read = read["spec"]["versions"][-1]["schema"]["openAPIV3Schema"]
    # What metadata holds is the same for every kind, and no definition says it.
    known = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}
    properties = {**known, **read["properties"]}
    properties["metadata"] = {**properties["metadata"], "additionalProperties": True}
    return strict({**read, "properties": properties})


def strict(schema: Any) -> Any:
    """*schema* with unknown fields forbidden, as a server with strict field validation has it."""
    if not isinstance(schema, dict):
        return schema
    made = dict(schema)
    if "properties" in made:
        made["properties"] = {key: strict(inner) for key, inner in made["properties"].items()}
        if not made.get("x-kubernetes-preserve-unknown-fields"):
            made.setdefault("additionalProperties", False)
    for key in ("items", "additionalProperties"):
        if key in made:
            made[key] = strict(made[key])
    if made.get("x-kubernetes-int-or-string"):
        made["type"] = ["integer", "string"]
    if made.get("x-kubernetes-list-type") == "set":
        made["uniqueItems"] = True
    return made
