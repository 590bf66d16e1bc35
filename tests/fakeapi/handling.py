"""From one request to one answer: paths, verbs, rights, objects."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml

from fakeapi import answers, fields, selecting
from fakeapi.answers import Answer, Json, Refusal
from fakeapi.checks import checked, unknown_fields
from fakeapi.kinds import Kind
from fakeapi.rights import Asked
from fakeapi.store import generation, now

if TYPE_CHECKING:
    from fakeapi.api import FakeApi

_PATH: Final = re.compile(
    r"/(?:api/(?P<core>v1)|apis/(?P<group>[^/]+)/(?P<version>[^/]+))"
    r"(?:/namespaces/(?P<namespace>[^/]+)(?=/[^/]+))?/(?P<plural>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<sub>[^/]+))?)?"
)
_VERBS: Final = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    user: str


@dataclass(frozen=True, slots=True)
class Target:
    """What a path means."""

    kind: Kind
    namespace: str
    name: str
    sub: str


class Handling:
    def __init__(self, api: FakeApi) -> None:
        self.api = api
        self.store = api.store

    def __call__(self, request: Request) -> tuple[Answer, Asked | None]:
        asked: Asked | None = None
        try:
            if (told := self._about(request)) is not None:
                return told, None
            target = self._target(request.path)
            asked = self._asked(request, target)
            if not self.api.rights.allow(asked):
                raise answers.forbidden(request.user, asked.verb, asked.resource, asked.group,
                                        asked.namespace, asked.name)  # fmt: skip
            with self.store.lock:
                return self._do(request, target, asked.verb), asked
        except Refusal as refusal:
            return refusal.answer, asked

    # -- what is asked ----------------------------------------------------------------------------------------------

    def _about(self, request: Request) -> Answer | None:
        """Discovery, and questions about rights."""
        path = request.path.rstrip("/")
        if path == "/version":
            return Answer(200, self.api.version)
        if path in ("/healthz", "/readyz", "/livez"):
            return Answer(200, "ok")
        if path == "/api":
            return Answer(200, {"kind": "APIVersions", "versions": ["v1"]})
        if path == "/apis":
            at_once = self.api.aggregated and "APIGroupDiscoveryList" in request.headers.get("accept", "")
            return Answer(200, self.api.kinds.at_once() if at_once else self.api.kinds.groups())
        parts = path.strip("/").split("/")
        if parts == ["api", "v1"] or (parts[0] == "apis" and len(parts) == 3):
            found = self.api.kinds.resources(parts[1] if len(parts) == 3 else "", parts[-1])
            if found is None:
                raise answers.no_such_path()
            return Answer(200, found)
        if path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" and request.method == "POST":
            return self._review(request)
        return None

    def _review(self, request: Request) -> Answer:
        body = _decoded(request)
        wanted = body.get("spec", {}).get("resourceAttributes") or {}
        resource = "/".join(part for part in (wanted.get("resource", ""), wanted.get("subresource", "")) if part)
        asked = Asked(request.user, wanted.get("verb", ""), wanted.get("group", ""), resource,
                      wanted.get("namespace", ""), wanted.get("name", ""))  # fmt: skip
        return Answer(201, body | {"status": {"allowed": self.api.rights.allow(asked)}})

    def _target(self, path: str) -> Target:
        match = _PATH.fullmatch(path)
        if match is None:
            raise answers.no_such_path()
        group, version = match["group"] or "", match["core"] or match["version"]
        kind = self.api.kinds.find(group, version, match["plural"])
        if kind is None and self.api.kinds.resources(group, version):
            raise answers.no_such_kind()
        if kind is None or (match["namespace"] and not kind.namespaced):
            raise answers.no_such_path()
        return Target(kind, match["namespace"] or "", match["name"] or "", match["sub"] or "")

    def _asked(self, request: Request, target: Target) -> Asked:
        verb = _VERBS[request.method]
        if not target.name:
            verb = {"get": "list", "delete": "deletecollection"}.get(verb, verb)
        resource = f"{target.kind.plural}/{target.sub}" if target.sub else target.kind.plural
        namespace = target.namespace or (target.name if target.kind.kind == "Namespace" else "")
        return Asked(request.user, verb, target.kind.group, resource, namespace, target.name)

    # -- what is done -----------------------------------------------------------------------------------------------

    def _do(self, request: Request, target: Target, verb: str) -> Answer:
        if target.sub:
            return self._sub(request, target)
        if verb == "list":
            return self._list(request, target)
        if verb == "get":
            return Answer(200, self._found(target))
        if verb == "create":
            return self._create(request, target)
        if verb == "delete":
            return self._delete(request, target)
        if verb == "deletecollection":
            return self._delete_all(request, target)
        if verb == "update":
            return self._replace(request, target)
        if "apply-patch" in request.headers.get("content-type", ""):
            return self._apply(request, target)
        return self._merge(request, target)

    def _found(self, target: Target) -> Json:
        found = self.store.get(target.kind, target.namespace, target.name)
        if found is None:
            raise answers.not_found(target.kind.plural, target.kind.group, target.name)
        return found

    def _list(self, request: Request, target: Target) -> Answer:
        labels, wanted = request.query.get("labelSelector", ""), request.query.get("fieldSelector", "")
        found, metadata = self.store.page(
            target.kind, target.namespace,
            lambda body: (not labels or selecting.by_labels(labels, body))
            and (not wanted or selecting.by_fields(wanted, body)),
            int(request.query.get("limit") or 0), request.query.get("continue", ""), bool(labels or wanted),
        )  # fmt: skip
        items = [{key: value for key, value in one.items() if key not in ("apiVersion", "kind")} for one in found]
        return Answer(200, {"kind": f"{target.kind.kind}List", "apiVersion": target.kind.api_version,
                            "metadata": metadata, "items": items})  # fmt: skip

    def _create(self, request: Request, target: Target) -> Answer:
        body = _decoded(request)
        metadata = dict(body.get("metadata") or {})
        if metadata.get("generateName") and not metadata.get("name"):
            metadata["name"] = f"{metadata['generateName']}{int(self.store.version):05x}"
        body = body | {"metadata": self._placed(target, metadata)}
        body = checked(target.kind, body, request.query.get("fieldValidation", ""))
        if self.store.get(target.kind, target.namespace, metadata["name"]) is not None:
            raise answers.exists(target.kind.plural, target.kind.group, metadata["name"])
        owners = fields.updated(None, body, _manager(request), target.kind.api_version)
        return Answer(201, self._stored(request, target.kind, fields.with_owners(None, body, owners, now())))

    def _placed(self, target: Target, metadata: Json) -> Json:
        """*metadata* with its namespace, which has to be there. Raises: Refusal."""
        if not target.kind.namespaced:
            return metadata
        if metadata.get("namespace", target.namespace) != target.namespace:
            raise answers.bad("the namespace of the provided object does not match the namespace sent on the request")
        if self.api.namespace(target.namespace) is None:
            raise answers.not_found("namespaces", "", target.namespace)
        return metadata | {"namespace": target.namespace}

    def _apply(self, request: Request, target: Target) -> Answer:
        patch = yaml.safe_load(request.body)
        before = self.store.get(target.kind, target.namespace, target.name)
        if not request.query.get("fieldManager"):
            raise answers.no_manager()
        metadata = dict(patch.get("metadata") or {})
        if "managedFields" in metadata:
            raise answers.bad("metadata.managedFields must be nil")
        if metadata.get("name", target.name) != target.name:
            raise answers.bad(f"the name of the object ({metadata['name']}) does not match the name on the URL "
                              f"({target.name})")  # fmt: skip
        self._precondition(target, before, metadata)
        patch["metadata"] = self._placed(target, metadata)
        if target.kind.kind == "NetworkPolicy" and (unknown := unknown_fields(patch)):
            where = f"{target.namespace}/{target.name}"
            raise answers.undeclared(where, target.kind.api_version, target.kind.kind, unknown[0])
        checked(target.kind, patch, request.query.get("fieldValidation", ""))
        after, owners = fields.applied(before, patch, _manager(request), target.kind.api_version,
                                       force=request.query.get("force") == "true")  # fmt: skip
        after = fields.with_owners(before, checked(target.kind, after, "Ignore"), owners, now())
        if before is not None and _same(before, after):
            return Answer(200, before)
        return Answer(200 if before else 201, self._stored(request, target.kind, after))

    def _precondition(self, target: Target, before: Json | None, metadata: Json) -> None:
        """Raises: Refusal when *metadata* names another version or another object."""
        plural, group = target.kind.plural, target.kind.group
        uid, version = metadata.get("uid"), metadata.get("resourceVersion")
        if before is None:
            if uid:
                why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
                raise answers.changed(plural, group, target.name, why)
            return
        here = before["metadata"]
        if uid and here["uid"] != uid:
            why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {here['uid']}"
            raise answers.changed(plural, group, target.name, why)
        if version and here["resourceVersion"] != version:
            raise answers.changed(plural, group, target.name)

    def _merge(self, request: Request, target: Target) -> Answer:
        before = self._found(target)
        patch = _decoded(request)
        self._precondition(target, before, patch.get("metadata") or {})
        after = fields.merged(before, patch)
        given = (patch.get("metadata") or {}).get("managedFields")
        if given:  # who says whose the fields are is believed, and owns what the patch changes beside
            here = {**before, "metadata": before["metadata"] | {"managedFields": given}}
            changed = self._changed(request, target, here, after)
            return Answer(200, self._stored(request, target.kind, changed) if changed is here else changed)
        return Answer(200, self._changed(request, target, before, after))

    def _replace(self, request: Request, target: Target) -> Answer:
        before = self._found(target)
        body = _decoded(request)
        metadata = self._placed(target, dict(body.get("metadata") or {}))
        self._precondition(target, before, metadata)
        kept = {key: before["metadata"][key] for key in ("uid", "creationTimestamp", "managedFields")
                if key in before["metadata"]}  # fmt: skip
        after = {**body, "metadata": metadata | kept}
        if "status" in before:
            after["status"] = before["status"]
        return Answer(200, self._changed(request, target, before, after))

    def _changed(self, request: Request, target: Target, before: Json, after: Json) -> Json:
        after = checked(target.kind, after, request.query.get("fieldValidation", ""))
        owners = fields.updated(before, after, _manager(request), target.kind.api_version)
        after = fields.with_owners(before, after, owners, now())
        return before if _same(before, after) else self._stored(request, target.kind, after)

    def _stored(self, request: Request, kind: Kind, body: Json) -> Json:
        if request.query.get("dryRun") == "All":
            name = body["metadata"]["name"]
            here = self.store.get(kind, body["metadata"].get("namespace", ""), name)
            extra = {"uid": "dry-run", "creationTimestamp": now()} if here is None else {}
            extra |= generation(kind, here, body)
            return {"apiVersion": kind.api_version, "kind": kind.kind, **body, "metadata": body["metadata"] | extra}
        kept = self.store.put(kind, body)
        if kind.kind == "CustomResourceDefinition":
            self.api.kinds.define(kept)
        return kept

    # -- deleting ---------------------------------------------------------------------------------------------------

    def _delete(self, request: Request, target: Target) -> Answer:
        options = _decoded(request) if request.body else {}
        found = self._found(target)
        wanted = options.get("preconditions") or {}
        uid = found["metadata"]["uid"]
        if wanted.get("uid", uid) != uid:
            why = (
                f"the UID in the precondition ({wanted['uid']}) does not match the UID in record ({uid}). The object "
                "might have been deleted and then recreated"
            )
            raise answers.changed(target.kind.kind, target.kind.group, target.name, why)
        self._precondition(target, found, wanted)
        dry = request.query.get("dryRun") == "All" or options.get("dryRun") == ["All"]
        if not dry:
            self.store.drop(target.kind, target.namespace, target.name)
        if target.kind.kind == "Pod":
            return Answer(200, found | {"metadata": found["metadata"] | {"deletionTimestamp": now()}})
        if target.kind.kind == "Namespace":
            metadata = found["metadata"] | {"deletionTimestamp": now()}
            return Answer(200, found | {"metadata": metadata, "status": {"phase": "Terminating"}})
        details = {"name": target.name, "group": target.kind.group, "kind": target.kind.plural, "uid": uid}
        told = {key: value for key, value in details.items() if value}
        return Answer(200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
                            "details": told})  # fmt: skip

    def _delete_all(self, request: Request, target: Target) -> Answer:
        listed = self._list(request, target)
        assert isinstance(listed.body, dict)
        if request.query.get("dryRun") != "All":
            for one in listed.body["items"]:
                metadata = one["metadata"]
                self.store.drop(target.kind, metadata.get("namespace", ""), metadata["name"])
        return listed

    # -- subresources -----------------------------------------------------------------------------------------------

    def _sub(self, request: Request, target: Target) -> Answer:
        found = self._found(target)
        if target.sub == "log" and target.kind.kind == "Pod":
            return self._log(request, target, found)
        if target.sub == "status" and request.method in ("PATCH", "PUT"):
            patch = _decoded(request)
            after = fields.merged(found, {"status": patch.get("status"), "metadata": patch.get("metadata") or {}})
            return Answer(200, self._stored(request, target.kind, after))
        if target.sub == "status" and request.method == "GET":
            return Answer(200, found)
        raise answers.no_such_path()

    def _log(self, request: Request, target: Target, pod: Json) -> Answer:
        names = [one["name"] for one in pod.get("spec", {}).get("containers") or ()]
        container = request.query.get("container") or (names[0] if len(names) == 1 else "")
        if not container:
            raise answers.bad(f"a container name must be specified for pod {target.name}, choose one of: {names}")
        if container not in names:
            raise answers.bad(f"container {container} is not valid for pod {target.name}")
        if (pod.get("status") or {}).get("phase", "Pending") == "Pending":
            raise answers.bad(f'container "{container}" in pod "{target.name}" is waiting to start: ContainerCreating')
        text = self.api.logs.get((target.namespace, target.name, container)) or self.api.logs.get(
            (target.namespace, target.name, ""), ""
        )
        if (lines := request.query.get("tailLines")) is not None:
            text = "".join(text.splitlines(keepends=True)[-int(lines) :])
        return Answer(200, text.encode())


def _decoded(request: Request) -> Json:
    try:
        found: Any = json.loads(request.body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise answers.bad("the object provided is unrecognized (must be of type Json)")
    return found


def _manager(request: Request) -> str:
    return request.query.get("fieldManager") or request.headers.get("user-agent", "unknown").split("/")[0]


def _same(before: Json, after: Json) -> bool:
    def bare(body: Json) -> Json:
        metadata = {key: value for key, value in body["metadata"].items() if key not in ("managedFields", "generation")}
        owners = sorted((o.manager, o.operation, tuple(sorted(o.paths))) for o in fields.owners_of(body))
        return {**body, "metadata": metadata, "owners": owners}

    return bare(before) == bare(after)
