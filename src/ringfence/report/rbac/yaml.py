"""Roles as YAML, with what a person should know in comments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import yaml

from ringfence.live.rights import READING, Right, beyond, within

_API: Final = "rbac.authorization.k8s.io"
_ORDER: Final = ("get", "list", "create", "patch", "delete")
_LABELS: Final = {"app.kubernetes.io/name": "ringfence"}


def lines(verb: str, rights: Sequence[Right], namespace: str | None, account: tuple[str, str] | None) -> Iterator[str]:
    """The role for *verb*, in *namespace* alone where that is given, and its binding to the ServiceAccount *account*.

    *rights* are those of the whole cluster.
    """
    name = f"ringfence-{verb}"
    yield f"# The least that 'ringfence {verb}' asks for{f' in namespace {namespace}' if namespace else ''}."
    if namespace is not None:
        yield "# Answers are incomplete: who may come from other namespaces depends on what cannot be seen there."
        if missing := beyond(rights):
            yield f"# No role in a namespace can give: {', '.join(missing)}."
        rights = list(within(rights, namespace))
    if verb == "apply":
        yield "# For policies of other kinds give the same verbs on those; for --intents, 'ringfence rbac probe' too."
    if verb in READING:
        yield "# It only reads, and no Secret."
    kind = "Role" if namespace else "ClusterRole"
    place = {"namespace": namespace} if namespace else {}
    metadata = {"name": name, **place, "labels": _LABELS}
    yield from _document({"apiVersion": f"{_API}/v1", "kind": kind, "metadata": metadata, "rules": rules(rights)})
    if account is None:
        yield f"# A binding for a ServiceAccount: ringfence rbac {verb} --service-account NAMESPACE/NAME"
        return
    yield "---"
    yield from _document({
        "apiVersion": f"{_API}/v1", "kind": f"{kind}Binding", "metadata": metadata,
        "roleRef": {"apiGroup": _API, "kind": kind, "name": name},
        "subjects": [{"kind": "ServiceAccount", "namespace": account[0], "name": account[1]}],
    })  # fmt: skip


def rules(rights: Iterable[Right]) -> list[dict[str, Any]]:
    """*rights* as rules, those with the same verbs in one; what a resource has several times is joined."""
    joined: dict[tuple[str, str, tuple[str, ...]], set[str]] = {}
    for one in rights:
        joined.setdefault((one.resource.group, one.called, one.names), set()).update(one.verbs)
    grouped: dict[tuple[str, tuple[str, ...], tuple[str, ...]], set[str]] = {}
    for (group, called, names), verbs in joined.items():
        if names and verbs <= joined.get((group, called, ()), set()):
            continue  # all objects of the kind are allowed anyhow
        ordered = tuple(sorted(verbs, key=_ORDER.index))
        grouped.setdefault((group, ordered, names), set()).add(called)
    return [
        {"apiGroups": [group], "resources": sorted(resources), "verbs": [*verbs]}
        | ({"resourceNames": [*names]} if names else {})
        for (group, verbs, names), resources in sorted(grouped.items())
    ]


def _document(body: dict[str, Any]) -> Iterator[str]:
    yield from yaml.safe_dump(body, sort_keys=False, default_flow_style=None, width=110).splitlines()
