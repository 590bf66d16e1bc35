"""Who may do what: everything by default, or just what given roles allow, less what is forbidden by kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as rights see it. ``resource`` has its subresource: ``pods/log``."""

    user: str
    verb: str
    group: str
    resource: str
    namespace: str
    name: str


class Rights:
    def __init__(self) -> None:
        self._roles: list[tuple[str, list[dict[str, Any]]]] | None = None
        self._forbidden: list[tuple[str, str, str]] = []
        self.strangers: set[str] = set()
        """Users without any rights."""

    def only(self, *objects: dict[str, Any]) -> None:
        """From now on just what ClusterRoles (everywhere) and Roles (in their namespace) among *objects* allow."""
        self._roles = [
            (one["metadata"].get("namespace", "") if one["kind"] == "Role" else "", one.get("rules") or [])
            for one in objects
            if one["kind"] in ("Role", "ClusterRole")
        ]

    def everything(self) -> None:
        self._roles = None
        self._forbidden.clear()

    def forbid(self, verb: str, resource: str, where: str = "*") -> None:
        """Refuse *verb* (or ``*``) on *resource*. *where*: a namespace, ``cluster`` for requests across all of them,
        or ``*`` for both.
        """
        self._forbidden.append((verb, resource, where))

    def allow(self, asked: Asked) -> bool:
        if asked.user in self.strangers:
            return False
        for verb, resource, where in self._forbidden:
            at = where == "*" or (asked.namespace or "cluster") == where
            if verb in ("*", asked.verb) and resource in ("*", asked.resource) and at:
                return False
        if self._roles is None:
            return True
        return any(
            namespace in ("", asked.namespace) and any(_allows(rule, asked) for rule in rules)
            for namespace, rules in self._roles
        )


def _allows(rule: dict[str, Any], asked: Asked) -> bool:
    def has(key: str, value: str) -> bool:
        return value in rule.get(key, ()) or "*" in rule.get(key, ())

    names = rule.get("resourceNames")
    return (
        has("verbs", asked.verb)
        and has("apiGroups", asked.group)
        and has("resources", asked.resource)
        and (not names or asked.name in names)
    )
