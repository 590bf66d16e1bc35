"""Objects as they travel: what of them is content, who owns it, and whether two say the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ringfence.live.runs import MANAGED, RUN
from ringfence.live.server.server import MANAGER, Json

_KEPT: Final = ("labels", "annotations")
_LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
"""kubectl's own note of what it sent; it is no content."""


def content(body: Mapping[str, Any]) -> Json:
    """*body* without what the server keeps of it: its metadata down to names, labels and annotations; no status."""
    metadata = body.get("metadata") or {}
    kept = {key: metadata[key] for key in ("name", "namespace") if metadata.get(key)}
    for key in _KEPT:
        worn = {name: value for name, value in (metadata.get(key) or {}).items() if name != _LAST_APPLIED}
        if worn:
            kept[key] = worn
    rest = {key: value for key, value in body.items() if key not in ("metadata", "status")}
    return {**rest, "metadata": kept}


def marked(body: Json) -> Json:
    """*body* with the label of what is ours, unless it says already whose it is."""
    metadata = body["metadata"]
    worn = {MANAGED[0]: MANAGED[1], **(metadata.get("labels") or {})}
    return {**body, "metadata": {**metadata, "labels": worn}}


def own(body: Mapping[str, Any]) -> bool:
    """Whether we put it there: it carries our label, and the server has it under our name."""
    worn = (body.get("metadata") or {}).get("labels") or {}
    return worn.get(MANAGED[0]) == MANAGED[1] and applied(body)


def applied(body: Mapping[str, Any]) -> bool:
    """Whether the server knows something of *body* as applied by us."""
    return _entry(body) is not None


def temporary(body: Mapping[str, Any], prefix: str) -> bool:
    """Whether it is a temporary policy of some run."""
    metadata = body.get("metadata") or {}
    return RUN in (metadata.get("labels") or {}) and str(metadata.get("name") or "").startswith(prefix)


def owners(body: Mapping[str, Any]) -> list[str]:
    """Who manages fields of *body*, but for us; ``unknown`` when the server does not say."""
    found = {str(one.get("manager") or "unknown") for one in _managed(body)} - {MANAGER}
    return sorted(found) or ["unknown"]


def managers(body: Mapping[str, Any]) -> tuple[Json, ...]:
    """Who manages which fields of *body*."""
    return tuple(dict(one) for one in _managed(body))


def given_back(now: Mapping[str, Any], before: Iterable[Json]) -> list[Json] | None:
    """Who is to manage the fields of *now* so that it is as *before*; None where it is, or nobody knows who did.

    Who came in the meantime stays.
    """
    known = {_who(one): one for one in before}
    if not known:
        return None
    there = {_who(one): one for one in _managed(now)}
    ours = (MANAGER, "Apply", "")
    wanted = known | {who: dict(one) for who, one in there.items() if who not in known and who != ours}
    same = wanted.keys() == there.keys() and all(
        one.get("fieldsV1") == there[who].get("fieldsV1") for who, one in wanted.items()
    )
    return None if same else list(wanted.values())


def _who(one: Mapping[str, Any]) -> tuple[str, str, str]:
    return str(one.get("manager")), str(one.get("operation")), str(one.get("subresource") or "")


def restoring(before: Json, after: Json) -> Json:
    """What has to be applied so that *before* is there again where *after* was put over it.

    Labels and annotations that others put there are left to them.
    """
    kept = content(before)
    fields = ((_entry(before) or {}).get("fieldsV1") or {}).get("f:metadata") or {}
    metadata = {key: value for key, value in kept["metadata"].items() if key not in _KEPT}
    for key in _KEPT:
        changed = (after.get("metadata") or {}).get(key) or {}
        there = kept["metadata"].get(key) or {}
        ours = {name[2:] for name in fields.get(f"f:{key}") or {}}
        again = {k: v for k, v in there.items() if k in ours or changed.get(k, v) != v}
        if again:
            metadata[key] = again
    return {**kept, "metadata": metadata}


def same(body: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two objects of the server have the same content."""
    return content(body) == content(other)


def says(body: Any, wanted: Any) -> bool:
    """Whether *body* holds all that *wanted* says; the server may have filled in more."""
    if isinstance(wanted, dict):
        return isinstance(body, dict) and all(
            says(body.get(key), value) or (value in ({}, [], None) and not body.get(key))
            for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        alike = isinstance(body, list) and len(body) == len(wanted)
        return alike and all(map(says, body, wanted))
    return bool(body == wanted)


def _entry(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What the server knows of *body* as applied by us."""
    ours = (one for one in _managed(body) if (one.get("manager"), one.get("operation")) == (MANAGER, "Apply"))
    return next(ours, None)


def _managed(body: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    entries: Iterable[Mapping[str, Any]] = (body.get("metadata") or {}).get("managedFields") or ()
    return entries
