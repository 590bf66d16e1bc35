"""From a kubeconfig, or the service account of the pod that this runs in, to a server.

The Kubernetes client library reads the configuration and logs in: client certificates, tokens, programs that give
tokens. Its model of objects is not used: answers are handed on as bytes.
"""

from __future__ import annotations

import contextlib
import logging
import os
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ringfence.errors import LiveError
from ringfence.live.server.errors import Unreachable
from ringfence.live.server.server import TIMEOUT, Reply, Server

HOME: Final = "~/.kube/config"
"""Where the configuration lies when nobody says otherwise."""
ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds its service account."""
IN_CLUSTER: Final = "in-cluster"
"""The name of the context that a pod's own service account stands for."""


def connect(kubeconfig: str | None = None, context: str | None = None) -> Server:
    """The server that *context* of *kubeconfig* names; nothing is sent yet.

    Without *kubeconfig*: the files of ``KUBECONFIG``, the one in the home directory, or the service account of the pod
    that this runs in. Raises: LiveError when there is none of these, no such context, or nothing to log in with.
    """
    files = _files(kubeconfig)
    if not files and not context and os.environ.get("KUBERNETES_SERVICE_HOST") and (ACCOUNT / "token").is_file():
        return _in_cluster()
    if not files:
        raise LiveError(
            f"no kubeconfig: {_where(kubeconfig)} is not there; name one with --kubeconfig, or set KUBECONFIG"
        )
    return _by_file(os.pathsep.join(files), context)


def _files(kubeconfig: str | None) -> list[str]:
    named = kubeconfig or os.environ.get("KUBECONFIG") or HOME
    paths = [os.path.expanduser(one) for one in named.split(os.pathsep) if one]
    return [path for path in paths if Path(path).is_file()]


def _where(kubeconfig: str | None) -> str:
    return kubeconfig or os.environ.get("KUBECONFIG") or HOME


def _by_file(files: str, context: str | None) -> Server:
    from kubernetes.client import Configuration  # noqa: PLC0415 (half a second, for verbs that talk to a cluster)
    from kubernetes.config import kube_config  # noqa: PLC0415

    try:
        contexts, current = kube_config.list_kube_config_contexts(files)
    except Exception as problem:  # noqa: BLE001 (whatever the library says of a file may quote a line of it)
        raise LiveError(
            f"{files}: is no kubeconfig ({type(problem).__name__}); look at it with kubectl config view"
        ) from None
    wanted = context or (current or {}).get("name") or ""
    chosen = next((one for one in contexts or () if one.get("name") == wanted), None)
    if chosen is None:
        known = ", ".join(sorted(str(one.get("name")) for one in contexts or ())[:10])
        raise LiveError(
            f"{files}: {f'no context {wanted}' if wanted else 'no current context'}; "
            f"{f'it has {known}; name one with --context' if known else 'it has none'}"
        )
    configuration = Configuration()

    def load() -> None:
        with _no_words_of_its_own(wanted):
            kube_config.load_kube_config(files, wanted, configuration, persist_config=False)

    load()
    namespace = str(chosen.get("context", {}).get("namespace") or "default")
    return Server(wanted, str(configuration.host), namespace, _Pool(configuration, load))


def _in_cluster() -> Server:
    from kubernetes.client import Configuration  # noqa: PLC0415
    from kubernetes.config import load_incluster_config  # noqa: PLC0415

    configuration = Configuration()

    def load() -> None:
        with _no_words_of_its_own(IN_CLUSTER):
            load_incluster_config(configuration)

    load()
    try:
        namespace = (ACCOUNT / "namespace").read_text(encoding="utf-8").strip()
    except OSError:
        namespace = "default"
    return Server(IN_CLUSTER, str(configuration.host), namespace, _Pool(configuration, load))


@contextlib.contextmanager
def _no_words_of_its_own(context: str) -> Iterator[None]:
    """Let the library load a configuration in silence; what it would have logged may hold a token, and is an error.

    Raises: LiveError.
    """
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    root = logging.getLogger()
    before, propagating = root.handlers, root.level
    root.handlers = [handler]
    try:
        yield
    except LiveError:
        raise
    except Exception as problem:  # noqa: BLE001 (the library raises its own, and those of files, JSON and YAML)
        raise LiveError(
            f"context {context}: its credentials cannot be loaded ({type(problem).__name__}); "
            f"see whether kubectl --context {context} version works"
        ) from None
    finally:
        root.handlers = before
        root.setLevel(propagating)
    if any(line.startswith("exec:") for line in said):
        raise LiveError(
            f"context {context}: the program that gives its token failed; "
            f"see whether kubectl --context {context} version works, and log in again"
        )


class _Pool:
    """Carries requests by the library's pool of connections; logs in again, once, when a token has expired."""

    def __init__(self, configuration: Any, load: Any) -> None:
        self.configuration = configuration
        self.load = load
        self._pool = _manager(configuration)

    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        reply = self._once(method, path, headers, body)
        if reply.status == 401:
            self.load()
            self._pool = _manager(self.configuration)
            reply = self._once(method, path, headers, body)
        return reply

    def _once(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        import urllib3  # noqa: PLC0415 (comes with the library)

        host = str(self.configuration.host).rstrip("/")
        token = self.configuration.get_api_key_with_prefix("authorization")
        login = {"Authorization": token} if token else {}
        try:
            answer = self._pool.request(
                method, host + path, headers={**headers, **login}, body=body, retries=False, redirect=False,
                timeout=urllib3.Timeout(connect=TIMEOUT[0], read=TIMEOUT[1]),
            )  # fmt: skip
        except urllib3.exceptions.HTTPError as problem:
            raise _unreachable(host, problem) from None
        return Reply(answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.data)


def _manager(configuration: Any) -> Any:
    """The library's pool of connections for *configuration*. Raises: LiveError for certificates it cannot use."""
    from kubernetes.client.rest import RESTClientObject  # noqa: PLC0415

    try:
        return RESTClientObject(configuration).pool_manager
    except (OSError, ValueError) as problem:
        raise LiveError(f"{configuration.host}: its certificates cannot be used ({type(problem).__name__})") from None


def _unreachable(host: str, problem: BaseException) -> Unreachable:
    """One sentence for whatever kept an answer from coming; never the request, which carries the login."""
    text, cause = str(problem), _cause(problem)
    if isinstance(cause, ssl.SSLCertVerificationError):
        why = cause.verify_message or "verification failed"
        return Unreachable(
            f"{host}: its certificate is not trusted ({why}); is certificate-authority of the kubeconfig that of this "
            "cluster?", passing=False,
        )  # fmt: skip
    if isinstance(cause, ssl.SSLError):
        return Unreachable(
            f"{host}: no TLS connection ({cause.reason or 'failed'}); is it an API server?", passing=False
        )
    if "Name or service not known" in text or "getaddrinfo" in text or "NameResolution" in type(problem).__name__:
        return Unreachable(f"{host}: its name cannot be resolved; is the VPN up, and the context the right one?")
    if "refused" in text:
        return Unreachable(f"{host}: nobody listens there; is the cluster running?")
    if "timed out" in text.lower():
        return Unreachable(f"{host}: no answer within the time; is the cluster reachable from here?")
    return Unreachable(f"{host}: the connection broke ({type(cause).__name__}); is the cluster reachable from here?")


def _cause(problem: BaseException) -> BaseException:
    """The innermost reason of *problem*, as far as the library kept it."""
    seen = problem
    for _ in range(5):
        inner = seen.__cause__ or seen.__context__ or next((a for a in seen.args if isinstance(a, BaseException)), None)
        if inner is None:
            return seen
        seen = inner
    return seen
