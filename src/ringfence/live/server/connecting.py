"""From a kubeconfig, or the service account of the pod that this runs in, to a server.

The Kubernetes client library reads the configuration and logs in: client certificates, tokens, programs that give
tokens. Its model of objects is not used: answers are handed on as bytes.
"""

from __future__ import annotations

import contextlib
import logging
import os
import ssl
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ringfence.errors import LiveError
from ringfence.live.server.errors import Unreachable
from ringfence.live.server.login import Login, bounded, login
from ringfence.live.server.server import TIMEOUT, Reply, Server

HOME: Final = "~/.kube/config"
"""Where the configuration lies when nobody says otherwise."""
ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds its service account."""
IN_CLUSTER: Final = "in-cluster"
"""The name of the context that a pod's own service account stands for."""
_DEFAULT: Final = "default"
"""The namespace of a context that names none."""


def connect(kubeconfig: str | None = None, context: str | None = None) -> Server:
    """The server that *context* of *kubeconfig* names; nothing is sent yet.

    Without *kubeconfig*: the files of ``KUBECONFIG``, the one in the home directory, or the service account of the pod
    that this runs in. Raises: LiveError when there is none of these, no such context, or nothing to log in with.
    """
    files = _files(kubeconfig)
    if _is_in_cluster(files, context):
        return _in_cluster()
    if not files:
        raise LiveError(
            f"no kubeconfig: {_where(kubeconfig)} is not there; name one with --kubeconfig, or set KUBECONFIG"
        )
    return _by_file(os.pathsep.join(files), context)


def namespace(kubeconfig: str | None = None, context: str | None = None) -> str:
    """The namespace of that server, before anybody logs in; where nothing says it, the default one.

    What is wrong with the configuration is told by connecting.
    """
    files = _files(kubeconfig)
    if _is_in_cluster(files, context):
        return _own_namespace()
    with contextlib.suppress(LiveError):
        return _namespace(_context(os.pathsep.join(files), context)[1]) if files else _DEFAULT
    return _DEFAULT


def _is_in_cluster(files: list[str], context: str | None) -> bool:
    alone = not files and not context
    return alone and bool(os.environ.get("KUBERNETES_SERVICE_HOST")) and (ACCOUNT / "token").is_file()


def _files(kubeconfig: str | None) -> list[str]:
    named = kubeconfig or os.environ.get("KUBECONFIG") or HOME
    paths = [os.path.expanduser(one) for one in named.split(os.pathsep) if one]
    return [path for path in paths if Path(path).is_file()]


def _where(kubeconfig: str | None) -> str:
    return kubeconfig or os.environ.get("KUBECONFIG") or HOME


def _by_file(files: str, context: str | None) -> Server:
    from kubernetes.client import Configuration  # noqa: PLC0415 (half a second, for verbs that talk to a cluster)
    from kubernetes.config import kube_config  # noqa: PLC0415

    wanted, about = _context(files, context)
    configuration = Configuration()
    config = kube_config.KubeConfigMerger(files).config
    how = login(_user(config, about.get("user")))

    def load() -> None:
        with _no_words_of_its_own(wanted, how):
            kube_config.load_kube_config(files, wanted, configuration, persist_config=False)

    load()
    if proxy := _proxy(config, about.get("cluster")):
        configuration.proxy = proxy
    address = _shown(str(configuration.host))
    return Server(wanted, address, _namespace(about), _Pool(wanted, configuration, load, how))


def _context(files: str, context: str | None) -> tuple[str, dict[str, Any]]:
    """The name of *context*, or of the current one, and what it says. Raises: LiveError."""
    from kubernetes.config import kube_config  # noqa: PLC0415

    try:
        contexts, current = kube_config.list_kube_config_contexts(files)
    except OSError as problem:
        raise LiveError(f"{files}: cannot be read ({problem.strerror}); name another file with --kubeconfig") from None
    except Exception as problem:  # noqa: BLE001 (whatever the library says of a file may quote a line of it)
        raise LiveError(
            f"{files}: is no kubeconfig ({type(problem).__name__}); look at it with kubectl config view"
        ) from None
    wanted = context or (current or {}).get("name") or ""
    chosen = next((one for one in contexts or () if one.get("name") == wanted), None)
    if chosen is None:
        raise LiveError(f"{files}: {_no_context(wanted, sorted(str(one.get('name')) for one in contexts or ()))}")
    return wanted, chosen.get("context") or {}


def _namespace(about: dict[str, Any]) -> str:
    return str(about.get("namespace") or _DEFAULT)


def _no_context(wanted: str, known: list[str]) -> str:
    """That there is no such context, or no current one, and what to name."""
    import difflib  # noqa: PLC0415 (a mistake is rare)

    what = f"no context {wanted}" if wanted else "no current context"
    near = difflib.get_close_matches(wanted, known, 3)
    if near:
        return f"{what}; did you mean {' or '.join(near)}?"
    listed = ", ".join(known[:10]) + (", …" if len(known) > 10 else "")
    return f"{what}; it has {listed}; name one with --context" if known else f"{what}; it has none"


def _proxy(config: Any, cluster: Any) -> str:
    """The proxy that *config* names for *cluster*, which the library passes over; empty without one."""
    found = config["clusters"].get_with_name(cluster, safe=True)
    return str((found and found["cluster"].safe_get("proxy-url")) or "")


def _user(config: Any, user: Any) -> Any:
    """What *config* says of *user*; None where it says nothing, which loading it tells."""
    found = config["users"].get_with_name(user, safe=True)
    return found and found["user"].value


def _in_cluster() -> Server:
    from kubernetes.client import Configuration  # noqa: PLC0415
    from kubernetes.config.incluster_config import InClusterConfigLoader  # noqa: PLC0415

    configuration = Configuration()

    def load() -> None:
        with _no_words_of_its_own(IN_CLUSTER, Login()):
            InClusterConfigLoader(str(ACCOUNT / "token"), str(ACCOUNT / "ca.crt")).load_and_set(configuration)

    load()
    address = _shown(str(configuration.host))
    return Server(IN_CLUSTER, address, _own_namespace(), _Pool(IN_CLUSTER, configuration, load, Login()))


def _own_namespace() -> str:
    """The namespace of the pod that this runs in."""
    try:
        return (ACCOUNT / "namespace").read_text(encoding="utf-8").strip()
    except OSError:
        return _DEFAULT


@contextlib.contextmanager
def _no_words_of_its_own(context: str, how: Login) -> Iterator[None]:
    """Let the library load a configuration in silence; what it would have logged may hold a token, and is an error.

    Raises: LiveError.
    """
    said: list[str] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    root = logging.getLogger()
    before, root.handlers = root.handlers, [handler]
    try:
        with bounded(how):
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
    if how.hung:
        raise LiveError(
            f"context {context}: {how.hung}, which gives its token, was not done after {how.seconds:g} seconds and was "
            f"stopped; log in with it by itself, and see whether kubectl --context {context} version works"
        )
    if said:  # of a program that gives a token alone
        missing = any(line.startswith("[Errno 2]") for line in said)
        raise LiveError(
            f"context {context}: the program that gives its token {'is not there' if missing else 'failed'}; "
            f"see whether kubectl --context {context} version works, and log in again"
        )


class _Pool:
    """Carries requests by the library's pool of connections; logs in again, once, when a token has expired."""

    def __init__(self, context: str, configuration: Any, load: Callable[[], None], how: Login) -> None:
        self.context = context
        self.how = how
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
        with _no_words_of_its_own(self.context, self.how):  # it may run the program again
            token = str(self.configuration.get_api_key_with_prefix("authorization") or "").strip()
        login = {"Authorization": token} if token else {}
        try:
            answer = self._pool.request(
                method, host + path, headers={**headers, **login}, body=body, retries=False, redirect=False,
                timeout=urllib3.Timeout(connect=TIMEOUT[0], read=TIMEOUT[1]),
            )  # fmt: skip
        except urllib3.exceptions.HTTPError as problem:
            raise _unreachable(_shown(host), problem) from None
        except ValueError:  # names the header, and so the token
            raise LiveError(
                f"context {self.context}: its token or address has characters that no request may have; log in again"
            ) from None
        return Reply(answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.data)


def _manager(configuration: Any) -> Any:
    """The library's pool of connections for *configuration*. Raises: LiveError for certificates it cannot use."""
    import urllib3  # noqa: PLC0415
    from kubernetes.client.rest import RESTClientObject  # noqa: PLC0415

    urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # who set insecure-skip-tls-verify knows it
    try:
        trying = ssl.create_default_context(cafile=configuration.ssl_ca_cert or None)
        if configuration.cert_file:
            trying.load_cert_chain(configuration.cert_file, configuration.key_file)
        return RESTClientObject(configuration).pool_manager
    except (OSError, ValueError):  # which would be told of as if the server were at fault
        raise LiveError(
            f"{_shown(str(configuration.host))}: a certificate or key of the kubeconfig cannot be used; is each of "
            "them PEM, and the key that of the certificate?"
        ) from None


def _shown(address: str) -> str:
    """*address* without a name and a password that stand in it."""
    scheme, slashes, rest = address.partition("//")
    host, slash, path = rest.partition("/")
    return f"{scheme}{slashes}{host.rpartition('@')[2]}{slash}{path}"


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
        return Unreachable(f"{host}: its name cannot be resolved; is the VPN up, and the context the right one?",
                           reached=False)  # fmt: skip
    if "refused" in text:
        return Unreachable(f"{host}: nobody listens there; is the cluster running?", reached=False)
    if "ConnectTimeout" in type(problem).__name__:
        return Unreachable(f"{host}: no connection within the time; is the VPN up, and the context the right one?",
                           reached=False)  # fmt: skip
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
