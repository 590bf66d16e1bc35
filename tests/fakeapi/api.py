"""The fake API server itself: real HTTP and TLS on a loopback port, for as long as a ``with`` lasts.

::

    with FakeApi() as api:
        api.add(*objects)                      # or through the front door, as anybody
        api.kubeconfig(tmp_path / "config")    # a file that logs in
        api.start_pods()                       # created pods run, and get an address
        api.faults.add(Fault(method="PATCH", nth=2, drop="after"))
        api.rights.forbid("list", "pods", "cluster")
"""

from __future__ import annotations

import base64
import copy
import itertools
import json
import ssl
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from fakeapi.answers import Answer, Json, unauthorized
from fakeapi.certificates import Authority, Pair
from fakeapi.faults import Fault, Faults
from fakeapi.handling import Handling, Request
from fakeapi.kinds import Kind, Kinds
from fakeapi.rights import Asked, Rights
from fakeapi.store import Store, now

TOKEN: Final = "planted-token-0f3a"  # noqa: S105
USER: Final = "tester"


@cache
def _authority() -> Authority:
    """One for all servers of a run: keys take more time than most tests."""
    return Authority()


@cache
def _serving(names: tuple[str, ...]) -> Pair:
    return _authority().server(*names)


@dataclass(frozen=True, slots=True)
class Seen:
    """One request that came: what rights see of it (None for discovery), and the status it was answered with."""

    method: str
    path: str
    query: dict[str, str]
    asked: Asked | None
    status: int
    body: bytes

    @property
    def line(self) -> str:
        return f"{self.method} {self.path}"


class FakeApi:
    def __init__(self, *, names: tuple[str, ...] = ("127.0.0.1", "localhost")) -> None:
        self.store = Store()
        self.kinds = Kinds()
        self.faults = Faults()
        self.rights = Rights()
        self.logs: dict[tuple[str, str, str], str] = {}
        """By namespace, pod and container; an empty container stands for any."""
        self.tokens: dict[str, str] = {TOKEN: USER}
        """Which tokens log in, and as whom."""
        self.version: Json = {"major": "1", "minor": "34", "gitVersion": "v1.34.0-fake", "platform": "linux/amd64"}
        self.aggregated = True
        """Whether it tells all its kinds at once, as servers do from 1.30 on."""
        self.authority = _authority()
        self.seen: list[Seen] = []
        self._names = names
        self._addresses = itertools.count(10)
        for name in ("default", "kube-system", "kube-public", "kube-node-lease"):
            self.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def __enter__(self) -> Self:
        self._http = _Http(self)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(10)

    # -- what a test sets -------------------------------------------------------------------------------------------

    def add(self, *objects: Json) -> None:
        """Put *objects* there as they are, their status too, asked by nobody."""
        from fakeapi.checks import checked

        for body in objects:
            kind = self._kind(body)
            metadata = {**({"namespace": "default"} if kind.namespaced else {}), **body["metadata"]}
            if kind.namespaced and self.namespace(metadata["namespace"]) is None:
                self.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": metadata["namespace"]}})
            with self.store.lock:
                self.store.put(kind, checked(kind, {**copy.deepcopy(body), "metadata": metadata}, "Ignore"))
            if kind.kind == "CustomResourceDefinition":
                self.kinds.define(body)

    def _kind(self, body: Json) -> Kind:
        group, _, version = body["apiVersion"].rpartition("/")
        found = [k for k in self.kinds.kinds if (k.group, k.version, k.kind) == (group, version, body["kind"])]
        if not found:
            raise ValueError(f"the fake server has no {body['apiVersion']} {body['kind']}: add it to api.kinds")
        return found[0]

    def get(self, api_version: str, plural: str, namespace: str, name: str) -> Json | None:
        """An object as it is now."""
        group, _, version = api_version.rpartition("/")
        return self.store.get(Kind(group, version, plural, ""), namespace, name)

    def namespace(self, name: str) -> Json | None:
        return self.get("v1", "namespaces", "", name)

    def objects(self, kind: str = "") -> list[Json]:
        """All objects, or those of a kind, in the order they came."""
        found = [one for one in self.store.all() if kind in ("", one["kind"])]
        return sorted(found, key=lambda one: int(one["metadata"]["resourceVersion"]))

    def start_pods(
        self, log: Callable[[Json], str] | None = None, *, delay: float = 0.0, phase: str = "Running"
    ) -> None:
        """Give pods that are created an address and *phase*, as a kubelet would, and what *log* says they wrote."""

        def start(event: str, pod: Json) -> None:
            if event == "created" and pod["kind"] == "Pod" and "podIP" not in (pod.get("status") or {}):
                if delay:
                    threading.Timer(delay, self.run_pod, (pod, phase, log)).start()
                else:
                    self.run_pod(pod, phase, log)

        self.store.hooks.append(start)

    def run_pod(self, pod: Json, phase: str = "Running", log: Callable[[Json], str] | None = None) -> None:
        metadata = pod["metadata"]
        kind = Kind("", "v1", "pods", "Pod")
        with self.store.lock:
            here = self.store.get(kind, metadata["namespace"], metadata["name"])
            if here is None:
                return
            number = next(self._addresses)
            address = f"10.244.{number // 250}.{number % 250 + 1}"
            names = [one["name"] for one in here["spec"].get("containers") or ()]
            state = {"running": {"startedAt": now()}} if phase == "Running" else {"terminated": {"exitCode": 0}}
            status = {
                "phase": phase, "podIP": address, "podIPs": [{"ip": address}], "hostIP": "192.0.2.1",
                "startTime": now(),
                "containerStatuses": [{"name": name, "ready": False, "state": state} for name in names],
            }  # fmt: skip
            spec = {"nodeName": "node-1", **here["spec"]}
            self.store.put(kind, {**here, "spec": spec, "status": status})
        if log is not None:
            self.logs[metadata["namespace"], metadata["name"], ""] = log({**here, "spec": spec, "status": status})

    def asked(self) -> set[tuple[str, str]]:
        """Every verb and resource that was asked for: ``("list", "networkpolicies.networking.k8s.io")``."""
        found = set()
        for one in self.seen:
            if one.asked is not None:
                resource, _, sub = one.asked.resource.partition("/")
                name = f"{resource}.{one.asked.group}" if one.asked.group else resource
                found.add((one.asked.verb, f"{name}/{sub}" if sub else name))
        return found

    # -- how to log in ----------------------------------------------------------------------------------------------

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self._http.server_address[1]}"

    def login(self, **user: Any) -> Json:
        """A kubeconfig; *user* is its user's entry, a token where nothing is given."""
        authority = base64.b64encode(self.authority.certificate.encode()).decode()
        return {
            "apiVersion": "v1", "kind": "Config", "current-context": "fake",
            "clusters": [{"name": "fake", "cluster": {"server": self.address,
                                                      "certificate-authority-data": authority}}],
            "users": [{"name": "tester", "user": user or {"token": TOKEN}}],
            "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "tester", "namespace": "default"}}],
        }  # fmt: skip

    def kubeconfig(self, path: Path, **user: Any) -> Path:
        """Write ``login`` to *path*."""
        path.write_text(json.dumps(self.login(**user)))  # JSON is YAML
        return path

    # -- one request ------------------------------------------------------------------------------------------------

    def answer(self, request: Request) -> Answer:
        if not request.user:
            found, asked = unauthorized().answer, None
        else:
            found, asked = Handling(self)(request)
        self.note(request, found, asked)
        return found

    def note(self, request: Request, answer: Answer, asked: Asked | None) -> None:
        self.seen.append(Seen(request.method, request.path, dict(request.query), asked, answer.status, request.body))


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, api: FakeApi) -> None:
        super().__init__(("127.0.0.1", 0), type("Bound", (_Handler,), {"api": api}))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        _load(context, _serving(api._names))
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(cadata=api.authority.certificate)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who breaks a connection, or does not trust the certificate, is no fault of the server's."""


def _load(context: ssl.SSLContext, pair: Pair) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "server.pem")
        path.write_text(pair.certificate + pair.key)
        context.load_cert_chain(path)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 30
    api: FakeApi

    def setup(self) -> None:
        self.request.settimeout(self.timeout)
        self.request.do_handshake()
        super().setup()

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 (the names that the library asks for)

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        size = int(self.headers.get("content-length") or 0)
        request = Request(
            self.command, unquote(parts.path), dict(parse_qsl(parts.query, keep_blank_values=True)),
            {key.lower(): value for key, value in self.headers.items()}, self.rfile.read(size), self._user(),
        )  # fmt: skip
        fault = self.api.faults.due(self.command, unquote(self.path))
        if fault is None:
            self._send(self.api.answer(request))
            return
        self._fail(fault, request)

    def _fail(self, fault: Fault, request: Request) -> None:
        if fault.delay:
            time.sleep(fault.delay)
        planted = fault.answer()
        if planted is not None or fault.drop == "before":
            answer = planted or Answer(0, "")
            self.api.note(request, answer, None)
        else:
            answer = self.api.answer(request)
        if fault.drop in ("before", "after"):
            self._break()
        else:
            self._send(answer, cut=fault.drop == "within")

    def _break(self) -> None:
        self.close_connection = True
        self.connection.close()

    def _user(self) -> str:
        """Who asks, by certificate or token; empty for nobody."""
        certificate = self.connection.getpeercert()
        if certificate:
            return str(dict(part[0] for part in certificate["subject"]).get("commonName", ""))
        how, _, token = (self.headers.get("authorization") or "").partition(" ")
        return self.api.tokens.get(token.strip(), "") if how.lower() == "bearer" else ""

    def _send(self, answer: Answer, *, cut: bool = False) -> None:
        data, kind = _bytes(answer)
        self.send_response(answer.status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for key, value in answer.headers.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if cut else data)
        self.wfile.flush()
        if cut:
            self._break()


def _bytes(answer: Answer) -> tuple[bytes, str]:
    if isinstance(answer.body, dict):
        return json.dumps(answer.body, separators=(",", ":")).encode() + b"\n", "application/json"
    if isinstance(answer.body, str):
        return answer.body.encode(), "text/plain; charset=utf-8"
    return answer.body, "text/plain"
