"""Somebody who may do what a role says and nothing else: a service account, and a kubeconfig with its token."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from ringfence.live.runs import new_id
from ringfence.live.server.connecting import connect
from ringfence.live.server.resources import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, Resource
from ringfence.live.server.server import Server

ACCOUNTS: Final = Resource("", "v1", "serviceaccounts", "ServiceAccount")
REVIEWS: Final = Resource("authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", False)
GROUP: Final = "rbac.authorization.k8s.io"
Rule = dict[str, Any]


@dataclass
class Accounts:
    """Makes accounts in *namespace*, and takes all of it away again."""

    server: Server
    admin: Path
    namespace: str
    directory: Path
    made: list[str] = field(default_factory=list)

    def with_rules(self, rules: Sequence[Rule]) -> Path:
        """A kubeconfig of an account that may do what *rules* say, in every namespace."""
        name = f"ringfence-test-{new_id()}"
        self.made.append(name)
        self.server.create(ACCOUNTS, {"apiVersion": "v1", "kind": "ServiceAccount",
                                      "metadata": {"name": name, "namespace": self.namespace}})  # fmt: skip
        self.server.create(CLUSTER_ROLES, {"apiVersion": f"{GROUP}/v1", "kind": "ClusterRole",
                                           "metadata": {"name": name}, "rules": list(rules)})  # fmt: skip
        self.server.create(CLUSTER_ROLE_BINDINGS, {
            "apiVersion": f"{GROUP}/v1", "kind": "ClusterRoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": self.namespace}],
        })  # fmt: skip
        asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
        answer = self.server.send("POST", ACCOUNTS.path(self.namespace, name, "token"), body=asked)
        path = self._kubeconfig(name, json.loads(answer)["status"]["token"])
        self._wait(path, rules)
        return path

    def _kubeconfig(self, name: str, token: str) -> Path:
        """The administrator's file with another user in it."""
        config = yaml.safe_load(self.admin.read_text())
        config["users"] = [{**one, "user": {"token": token}} for one in config["users"]]
        path = self.directory / f"{name}.kubeconfig"
        path.write_text(json.dumps(config))
        path.chmod(0o600)
        return path

    def _wait(self, path: Path, rules: Sequence[Rule]) -> None:
        """Until the server goes by the role: it hears of new ones within a moment."""
        asker = connect(str(path))
        attributes = [_first_of(rule) for rule in rules if "resources" in rule]
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if all(self._may(asker, one) for one in attributes):
                return
            time.sleep(0.05)
        raise AssertionError(f"{path.stem} was not given what its role says")

    @staticmethod
    def _may(asker: Server, attributes: dict[str, str]) -> bool:
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": attributes}}  # fmt: skip
        return bool(json.loads(asker.send("POST", REVIEWS.path(), body=body))["status"]["allowed"])

    def remove(self) -> None:
        """Take all of it away."""
        for name in self.made:
            self.server.delete(CLUSTER_ROLE_BINDINGS, name)
            self.server.delete(CLUSTER_ROLES, name)
            self.server.delete(ACCOUNTS, name, self.namespace)


def _first_of(rule: Rule) -> dict[str, str]:
    """One thing that *rule* allows."""
    resource, _, sub = rule["resources"][0].partition("/")
    name = (rule.get("resourceNames") or [""])[0]
    return {
        "verb": rule["verbs"][0],
        "group": rule["apiGroups"][0],
        "resource": resource,
        "subresource": sub,
        "name": name,
    }


@contextlib.contextmanager
def accounts(server: Server, admin: Path, namespace: str, directory: Path) -> Iterator[Accounts]:
    """Accounts that are there as long as the ``with`` lasts."""
    made = Accounts(server, admin, namespace, directory)
    try:
        yield made
    finally:
        made.remove()
