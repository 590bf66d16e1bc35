"""What a server answers when it does not give what was asked for: the Status objects of a real one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass
class Answer:
    """One answer: ``body`` is an object, or text; ``headers`` come on top of the usual ones."""

    status: int
    body: Json | str | bytes
    headers: dict[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """Raised wherever a request is refused."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(answer.body)


def qualified(plural: str, group: str) -> str:
    return f"{plural}.{group}" if group else plural


def status(
    code: int, reason: str, message: str, *, name: str = "", group: str = "", kind: str = "", uid: str = "",
    causes: Sequence[Json] = (), headers: dict[str, str] | None = None, metadata: Json | None = None,
) -> Refusal:  # fmt: skip
    told = {"name": name, "group": group, "kind": kind, "uid": uid, "causes": list(causes)}
    details = {key: value for key, value in told.items() if value}
    body: Json = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": metadata or {},
        "status": "Failure",
        "message": message,
    }
    if reason:
        body["reason"] = reason
    if details or reason in ("NotFound", "Forbidden", "Invalid"):
        body["details"] = details
    return Refusal(Answer(code, body | {"code": code}, headers or {}))


def no_such_path() -> Refusal:
    return Refusal(Answer(404, "404 page not found\n"))


def no_such_kind() -> Refusal:
    return status(404, "NotFound", "the server could not find the requested resource")


def not_found(plural: str, group: str, name: str) -> Refusal:
    what = f'{qualified(plural, group)} "{name}" not found'
    return status(404, "NotFound", what, name=name, group=group, kind=plural)


def exists(plural: str, group: str, name: str) -> Refusal:
    what = f'{qualified(plural, group)} "{name}" already exists'
    return status(409, "AlreadyExists", what, name=name, group=group, kind=plural)


def changed(plural: str, group: str, name: str, why: str = "") -> Refusal:
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    what = f'Operation cannot be fulfilled on {qualified(plural, group)} "{name}": {why}'
    return status(409, "Conflict", what, name=name, group=group, kind=plural)


def owned(conflicts: Sequence[tuple[str, str, str]]) -> Refusal:
    """*conflicts* are a manager, the API version it wrote with unless it applied, and a field."""
    named = [
        (f'"{manager}" using {version}' if version else f'"{manager}"', path) for manager, version, path in conflicts
    ]
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {who}", "field": path} for who, path in named
    ]
    if len(named) == 1:
        who, path = named[0]
        what = f"Apply failed with 1 conflict: conflict with {who}: {path}"
    else:
        by: dict[str, list[str]] = {}
        for who, path in named:
            by.setdefault(who, []).append(path)
        what = f"Apply failed with {len(named)} conflicts: " + "\n".join(
            f"conflicts with {who}:\n" + "\n".join(f"- {path}" for path in paths) for who, paths in by.items()
        )
    return status(409, "Conflict", what, causes=causes)


def forbidden(user: str, verb: str, plural: str, group: str, namespace: str, name: str, why: str = "") -> Refusal:
    bare = plural.split("/", maxsplit=1)[0]
    what = f'{qualified(bare, group)} "{name}"' if name else qualified(bare, group)
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    told = why or f'User "{user}" cannot {verb} resource "{plural}" in API group "{group}" {where}'
    return status(403, "Forbidden", f"{what} is forbidden: {told}", name=name, group=group, kind=bare)


def unauthorized() -> Refusal:
    return status(401, "Unauthorized", "Unauthorized")


def bad(message: str) -> Refusal:
    return status(400, "BadRequest", message)


def no_manager() -> Refusal:
    """Server-side apply without ``fieldManager``."""
    problem = ("fieldManager", "FieldValueRequired", "Required value: is required for apply patch")
    return invalid("PatchOptions", "meta.k8s.io", "", [problem])


def undeclared(where: str, version: str, kind: str, path: str) -> Refusal:
    """Server-side apply of a field that there is not."""
    what = (
        f"failed to create typed patch object ({where}; {version}, Kind={kind}): .{path}: field not declared in schema"
    )
    return status(500, "", what)


def invalid(kind: str, group: str, name: str, problems: Sequence[tuple[str, str, str]]) -> Refusal:
    """*problems* are a field, the reason's name, and a sentence."""
    causes = [{"reason": reason, "message": message, "field": path} for path, reason, message in problems]
    told = [f"{path}: {message}" for path, _, message in problems]
    listed = told[0] if len(told) == 1 else f"[{', '.join(told)}]"
    what = f'{qualified(kind, group)} "{name}" is invalid: {listed}'
    return status(422, "Invalid", what, name=name, group=group, kind=kind, causes=causes)


def expired(token: str) -> Refusal:
    what = (
        "The provided continue parameter is too old to display a consistent list result. You can start a new list "
        "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
        "results. Continuing with the provided token results in an inconsistent list - objects that were created, "
        "modified, or deleted between the time the first chunk was returned and now may show up in the list."
    )
    return status(410, "Expired", what, metadata={"continue": token})
