"""From objects to the plugins that they show, with every sign as a string, and the profile that follows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ringfence.live.doctor.evidence import PLATFORMS, TABLE, THERE, NodeSign, Row, Sign, Where
from ringfence.live.doctor.nouns import Candidate
from ringfence.live.doctor.reading import SYSTEM, Seen
from ringfence.live.server.server import Json

ABSENT: Final = "absent"
"""What a sign reads that is there or not, when its place was read and it is not there."""
_UNREAD: Final[Mapping[Where, str]] = {
    Where.CONFIG: "configmap {name}",
    Where.ROLE: "clusterroles",
    Where.NODE_ARGUMENT: "nodes",
}


@dataclass(frozen=True, slots=True)
class _Match:
    """A row and the workload that shows it; none for what only nodes or definitions show."""

    row: Row
    workload: Json | None
    by: tuple[str, ...]


def candidates(seen: Seen) -> tuple[Candidate, ...]:
    """Every plugin that *seen* shows, in the order of the table; what shows no pod only where it says something."""
    matches = [match for workload in seen.daemonsets if (match := _of_workload(workload))]
    matches += _without_pods(seen)
    found = {id(match): _candidate(match, seen) for match in matches}
    enforcing = {match.row.plugin for match in matches if match.workload and found[id(match)].enforcing}
    enforcing |= {match.row.plugin for match in matches if match.row.crds and found[id(match)].enforcing}
    plugins = {match.row.plugin for match in matches}
    order = {row.plugin: number for number, row in enumerate(TABLE)}
    kept = [match for match in matches if not _moot(match.row, plugins, enforcing)]
    return tuple(found[id(match)] for match in sorted(kept, key=lambda match: order[match.row.plugin]))


def profile(found: Sequence[Candidate]) -> str:
    """The profile that *found* mean; empty where they mean none, or several.

    Where plugins are chained only those that are set to enforce count: the others carry packets.
    """
    for enforcing in (True, None, False):
        profiles = {one.profile for one in found if one.enforcing is enforcing and one.profile}
        if profiles:
            return profiles.pop() if len(profiles) == 1 else ""
    return ""


def platform(seen: Seen) -> str:
    """Where the cluster runs; empty when nothing tells."""
    for name, signs in PLATFORMS.items():
        if any(_on_node(sign, node) for node in seen.nodes for sign in signs):
            return name
    return "OpenShift" if "config.openshift.io" in seen.groups else ""


def full_name(workload: Json) -> str:
    """``DaemonSet kube-system/cilium``."""
    metadata = workload.get("metadata") or {}
    return f"{workload.get('kind')} {metadata.get('namespace')}/{metadata.get('name')}"


def containers(workload: Json) -> list[Json]:
    """The containers of a workload, the ones that only start it included."""
    spec = ((workload.get("spec") or {}).get("template") or {}).get("spec") or {}
    return [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]


def is_known(workload: Json) -> bool:
    """Whether a row of the table matches *workload*."""
    return _of_workload(workload) is not None


# -- matching -------------------------------------------------------------------------------------------------------


def _of_workload(workload: Json) -> _Match | None:
    """The row of *workload*: by its name, then by its images, most of them first, then by its labels."""
    metadata = workload.get("metadata") or {}
    name, namespace = metadata.get("name"), metadata.get("namespace")
    images = [str(one.get("image") or "") for one in containers(workload)]
    labels = metadata.get("labels") or {}
    by_name = [row for row in TABLE if name in row.workloads]
    by_name = [row for row in by_name if namespace in row.namespaces] or by_name
    by_image = [row for row in TABLE if row.images and _all_in(row.images, images)]
    by_image.sort(key=lambda row: -len(row.images))
    by_label = [row for row in TABLE if namespace in row.namespaces and set(row.labels) & set(labels.items())]
    for rows in (by_name, by_image, by_label):
        if rows:
            row = rows[0]
            told = [full_name(workload)]
            told += [f"label {key}={value}" for key, value in row.labels if labels.get(key) == value]
            told += [f"image {image}" for image in _matching(row.images, images)]
            return _Match(row, workload, tuple(told))
    return None


def _all_in(parts: Sequence[str], images: Sequence[str]) -> bool:
    return all(any(part in image for image in images) for part in parts)


def _matching(parts: Sequence[str], images: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(image for part in parts for image in images if part in image))


def _without_pods(seen: Seen) -> Iterator[_Match]:
    """Rows that nodes or definitions alone show."""
    for row in TABLE:
        if row.nodes:
            hits = [(sign, node) for sign in row.nodes for node in seen.nodes if _on_node(sign, node)]
            if hits:
                sign, node = hits[0]
                count = len({node["metadata"]["name"] for _, node in hits})
                more = f" and {count - 1} more" if count > 1 else ""
                yield _Match(row, None, (f"node {node['metadata']['name']}{more}: {_shown(sign, node)}",))
        elif row.crds and set(row.crds) <= seen.crds:
            yield _Match(row, None, tuple(f"CRD {name}" for name in row.crds))


def _on_node(sign: NodeSign, node: Json) -> bool:
    return bool(_shown(sign, node))


def _shown(sign: NodeSign, node: Json) -> str:
    """What of *node* the sign matches, as it is told; empty when nothing does."""
    metadata = node.get("metadata") or {}
    if sign.what == "name":
        return "its name" if str(metadata.get("name") or "").startswith(sign.text) else ""
    if sign.what == "label":
        return next((f"label {key}" for key in sorted(metadata.get("labels") or {}) if key.startswith(sign.text)), "")
    if sign.what == "kubelet":
        version = str(((node.get("status") or {}).get("nodeInfo") or {}).get("kubeletVersion") or "")
        return f"kubelet {version}" if sign.text in version else ""
    provider = str((node.get("spec") or {}).get("providerID") or "")
    return f"provider {sign.text}" if provider.startswith(sign.text) else ""


def _moot(row: Row, plugins: set[str], enforcing: set[str]) -> bool:
    """Whether other plugins leave nothing to say for *row*."""
    return bool(plugins & set(row.unless)) or ("*" in row.unless and bool(enforcing - {row.plugin}))


# -- what a match says ----------------------------------------------------------------------------------------------


def _candidate(match: _Match, seen: Seen) -> Candidate:
    row, told = match.row, list(match.by)
    told += [f"API group {group}" for group in row.groups if group in seen.groups]
    enforcing, unread = row.enforces, False
    on = off = False
    for sign in row.signs:
        value = _value(sign, match, seen)
        if value is None:
            unread = unread or (bool(sign.on or sign.off) and _place(sign) in seen.unread)
            continue
        on, off = on or value in sign.on, off or value in sign.off
        if value != ABSENT or sign.on:
            told.append(_told(sign, value))
    if off:
        enforcing = False
    elif on:
        enforcing = True
    elif unread:
        enforcing = None
    name = full_name(match.workload) if match.workload else ""
    return Candidate(row.plugin, row.profile, enforcing, tuple(told), _version(match, seen), name, row.remark)


def _place(sign: Sign) -> str:
    """What must be readable for *sign* to be."""
    return _UNREAD.get(sign.where, "").format(name=sign.name)


def _told(sign: Sign, value: str) -> str:
    match sign.where:
        case Where.CONFIG:
            return f"ConfigMap {SYSTEM}/{sign.name}" + (f": {sign.key}={value}" if sign.key else "")
        case Where.CONTAINER:
            return f"container {sign.name}: {value}"
        case Where.ROLE:
            verb = "may" if value == THERE else "may not"
            return f"ClusterRole {sign.name} {verb} list and watch {sign.key}"
        case Where.ARGUMENT:
            return f"argument {sign.key}" if value == THERE else f"argument {sign.key}={value}"
        case Where.NODE_ARGUMENT:
            return f"annotation {sign.name}: {sign.key}={value}"
        case Where.VARIABLE:
            return f"variable {sign.key}={value}"
        case Where.FIELD:
            return f"{sign.name}: {sign.key}={value}"


def _value(sign: Sign, match: _Match, seen: Seen) -> str | None:
    """What *sign* reads; None where it is not to be seen."""
    workload = match.workload or {}
    match sign.where:
        case Where.CONFIG:
            if not sign.key:
                return THERE if sign.name in seen.configs else None
            value = seen.configs.get(sign.name, {}).get(sign.key)
            return None if value is None else value.strip().strip('"').lower()
        case Where.CONTAINER:
            return THERE if _with_image(workload, sign.name) else ABSENT
        case Where.ARGUMENT:
            words = [word for one in _with_image(workload, sign.name) for word in _words(one)]
            return argument(words, sign.key)
        case Where.NODE_ARGUMENT:
            return _node_argument(seen.nodes, sign)
        case Where.ROLE:
            return _role(seen.roles, sign)
        case Where.VARIABLE:
            given = [v for one in _with_image(workload, sign.name) for v in one.get("env") or ()]
            value = next((str(v.get("value") or "") for v in given if v.get("name") == sign.key), "")
            return value if value in sign.told else None
        case Where.FIELD:
            return seen.fields.get((sign.name, sign.key))


def _with_image(workload: Json, part: str) -> list[Json]:
    return [one for one in containers(workload) if part in str(one.get("image") or "")]


def _words(container: Json) -> list[str]:
    return [str(word) for word in [*(container.get("command") or ()), *(container.get("args") or ())]]


def argument(words: Sequence[str], name: str) -> str | None:
    """The value of an option among *words*, in lower case; "true" for one that stands alone, None for none.

    >>> argument(["server", "--disable-network-policy", "true"], "--disable-network-policy")
    'true'
    """
    found: str | None = None
    for at, word in enumerate(words):
        if word == name:
            behind = words[at + 1] if at + 1 < len(words) else "-"
            found = "true" if behind.startswith("-") or not name.startswith("-") else behind.lower()
            found = found if name.startswith("-") else THERE
        elif word.startswith(f"{name}="):
            found = word.partition("=")[2].lower()
    return found


def _node_argument(nodes: Sequence[Json], sign: Sign) -> str | None:
    """The option on nodes: one that turns it off counts for all, since servers have it and agents have not."""
    found: str | None = None
    for node in nodes:
        text = ((node.get("metadata") or {}).get("annotations") or {}).get(sign.name)
        try:
            words = json.loads(text) if text else []
        except ValueError:
            continue
        value = argument([str(word) for word in words] if isinstance(words, list) else [], sign.key)
        found = value if value in sign.off or found is None else found
    return found


def _role(roles: Sequence[Json], sign: Sign) -> str | None:
    for role in roles:
        if role["metadata"]["name"] == sign.name:
            return THERE if may_watch(role, sign.key) else ABSENT
    return None


def may_watch(role: Json, resource: str = "networkpolicies", *, broadly: bool = False) -> bool:
    """Whether *role* may list and watch *resource* of ``networking.k8s.io``, by its name; *broadly*: also by a star."""
    verbs: set[Any] = set()
    for rule in role.get("rules") or ():
        groups, kinds = set(rule.get("apiGroups") or ()), set(rule.get("resources") or ())
        if groups & {"networking.k8s.io", "*"} and (resource in kinds or (broadly and "*" in kinds)):
            verbs |= set(rule.get("verbs") or ())
    return "*" in verbs or {"list", "watch"} <= verbs


def _version(match: _Match, seen: Seen) -> str:
    """The version by the image's tag, or by the kubelet where the plugin is inside of it."""
    images = [str(one.get("image") or "") for one in containers(match.workload or {})]
    parts = match.row.images or match.row.workloads
    for image in [*_matching(parts, images), *images]:
        _, _, tag = image.partition("@")[0].rpartition("/")[2].partition(":")
        if tag:
            return tag if re.fullmatch(r"[\w.+-]{1,64}", tag) else ""
    if match.row.plugin in ("k3s", "RKE2") and seen.nodes:
        return str(((seen.nodes[0].get("status") or {}).get("nodeInfo") or {}).get("kubeletVersion") or "")
    return ""
