"""Logging in as a kubeconfig says, and one sentence for everything that keeps it from working, without a secret."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT, Run
from fakeapi import TOKEN, FakeApi, Fault, kind
from fakeapi.certificates import Authority

from ringfence.errors import LiveError
from ringfence.live.server import connecting
from ringfence.live.server.connecting import connect
from ringfence.live.server.errors import Refused, Unreachable
from ringfence.live.server.resources import PODS
from ringfence.live.server.server import Server

V1, BETA = "client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"
OTHER = "planted-other-token"


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No configuration of whoever runs the tests."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


def user_of(api: FakeApi, server: Server) -> str:
    """As whom *server* is asked."""
    server.sleep = lambda seconds: None
    server.list(PODS)
    asked = api.seen[-1].asked
    assert asked is not None
    return asked.user


def program(folder: Path, text: str) -> str:
    """A program that gives tokens."""
    path = folder / "login"
    path.write_text(f"#!{sys.executable}\nimport json, os, sys\n{text}\n")
    path.chmod(0o755)
    return str(path)


def credential(version: str, **status: str) -> str:
    return f"print(json.dumps({{'apiVersion': {version!r}, 'kind': 'ExecCredential', 'status': {status!r}}}))"


def changed(path: Path, **cluster: Any) -> str:
    """The kubeconfig at *path* with its cluster changed."""
    config = json.loads(path.read_text())
    config["clusters"][0]["cluster"] |= cluster
    path.write_text(json.dumps(config))
    return str(path)


# -- ways to log in -------------------------------------------------------------------------------------------------


def test_a_token_and_a_certificate_log_in(api: FakeApi, tmp_path: Path) -> None:
    assert user_of(api, connect(str(api.kubeconfig(tmp_path / "a")))) == "tester"
    pair = api.authority.client("jane", "devs")
    (tmp_path / "jane.crt").write_text(pair.certificate)
    (tmp_path / "jane.key").write_text(pair.key)
    by_name = {"client-certificate": "jane.crt", "client-key": "jane.key"}
    assert user_of(api, connect(str(api.kubeconfig(tmp_path / "b", **by_name)))) == "jane"
    import base64

    by_data = {
        "client-certificate-data": base64.b64encode(pair.certificate.encode()).decode(),
        "client-key-data": base64.b64encode(pair.key.encode()).decode(),
    }
    assert user_of(api, connect(str(api.kubeconfig(tmp_path / "c", **by_data)))) == "jane"


def test_names_of_files_are_taken_from_where_the_kubeconfig_lies(
    api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "some" / "where"
    folder.mkdir(parents=True)
    (folder / "ca.crt").write_text(api.authority.certificate)
    (folder / "token").write_text(f"{TOKEN}\n")
    config = api.login(tokenFile="token")
    config["clusters"][0]["cluster"] = {"server": api.address, "certificate-authority": "ca.crt"}
    (folder / "config").write_text(yaml.safe_dump(config))
    monkeypatch.chdir(tmp_path)
    assert user_of(api, connect("some/where/config")) == "tester"


@pytest.mark.parametrize("version", [V1, BETA])
def test_a_program_gives_a_token(api: FakeApi, tmp_path: Path, version: str) -> None:
    text = "assert json.loads(os.environ['KUBERNETES_EXEC_INFO'])['kind'] == 'ExecCredential'\n"
    text += "assert sys.argv[1:] == ['a', 'b'] and os.environ['WHO'] == 'me'\n" + credential(version, token=TOKEN)
    login = {"apiVersion": version, "command": program(tmp_path, text), "args": ["a", "b"],
             "env": [{"name": "WHO", "value": "me"}], "interactiveMode": "Never"}  # fmt: skip
    assert user_of(api, connect(str(api.kubeconfig(tmp_path / "config", exec=login)))) == "tester"


def test_a_program_gives_a_certificate(api: FakeApi, tmp_path: Path) -> None:
    pair = api.authority.client("robot")
    text = credential(V1, clientCertificateData=pair.certificate, clientKeyData=pair.key)
    login = {"apiVersion": V1, "command": program(tmp_path, text), "interactiveMode": "Never"}
    assert user_of(api, connect(str(api.kubeconfig(tmp_path / "config", exec=login)))) == "robot"


def test_a_token_that_expired_is_asked_for_anew_once(api: FakeApi, tmp_path: Path) -> None:
    told = tmp_path / "token"
    told.write_text("planted-expired")
    text = f"open({str(tmp_path / 'runs')!r}, 'a').write('x')\nsaid = open({str(told)!r}).read()\n"
    text += credential(V1, token="@").replace("'@'", "said")  # noqa: S106
    login = {"apiVersion": V1, "command": program(tmp_path, text), "interactiveMode": "Never"}
    server = connect(str(api.kubeconfig(tmp_path / "config", exec=login)))
    told.write_text(TOKEN)
    assert user_of(api, server) == "tester"
    assert (tmp_path / "runs").read_text() == "xx"
    api.tokens.clear()
    with pytest.raises(Refused, match="context fake: Unauthorized; the login is not accepted or has expired"):
        server.list(PODS)
    assert (tmp_path / "runs").read_text() == "xxx"


def test_a_token_file_that_was_written_anew_is_read_again(api: FakeApi, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    server = connect(str(api.kubeconfig(tmp_path / "config", tokenFile="token")))
    assert user_of(api, server) == "tester"
    api.tokens = {OTHER: "later"}
    (tmp_path / "token").write_text(OTHER)
    assert user_of(api, server) == "later"


def test_a_pod_uses_its_own_service_account(api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text(TOKEN + "\n")
    (tmp_path / "ca.crt").write_text(api.authority.certificate)
    (tmp_path / "namespace").write_text("team\n")
    monkeypatch.setattr(connecting, "ACCOUNT", tmp_path)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", api.address.rpartition(":")[2])
    server = connect()
    assert (server.context, server.namespace) == ("in-cluster", "team")
    assert user_of(api, server) == "tester"


def test_several_files_are_one_configuration(api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = api.login()
    (tmp_path / "a").write_text(json.dumps({"current-context": "fake", "contexts": whole["contexts"]}))
    (tmp_path / "b").write_text(json.dumps({"clusters": whole["clusters"], "users": whole["users"]}))
    monkeypatch.setenv(
        "KUBECONFIG", os.pathsep.join([str(tmp_path / "a"), str(tmp_path / "gone"), str(tmp_path / "b")])
    )
    assert user_of(api, connect()) == "tester"


def test_the_context_says_the_namespace(api: FakeApi, tmp_path: Path) -> None:
    config = api.login()
    config["contexts"].append({"name": "two", "context": {"cluster": "fake", "user": "tester", "namespace": "team"}})
    (tmp_path / "config").write_text(json.dumps(config))
    assert connect(str(tmp_path / "config")).namespace == "default"
    assert connect(str(tmp_path / "config"), "two").namespace == "team"


def test_a_certificate_that_is_not_checked_is_not_warned_of(api: FakeApi, tmp_path: Path, run: Run) -> None:
    config = api.login()
    config["clusters"][0]["cluster"] = {"server": api.address, "insecure-skip-tls-verify": True}
    (tmp_path / "config").write_text(json.dumps(config))
    found = run("matrix", "--live", "--kubeconfig", str(tmp_path / "config"))
    assert "nsecure" not in found.err
    assert found.status == 0


def test_a_proxy_of_the_kubeconfig_is_used(api: FakeApi, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)
        path = api.kubeconfig(tmp_path / "config")
        server = connect(changed(path, **{"proxy-url": f"http://127.0.0.1:{listening.getsockname()[1]}"}))
        server.sleep = lambda seconds: None

        seen: list[bytes] = []

        def once() -> None:
            connection, _ = listening.accept()
            with connection:
                seen.append(connection.recv(100))

        thread = threading.Thread(target=once)
        thread.start()
        with pytest.raises(Unreachable):
            server.create(PODS, {"metadata": {"name": "x", "namespace": "default"}})
        thread.join(10)
    assert seen[0].startswith(b"CONNECT 127.0.0.1:")


# -- what goes wrong ------------------------------------------------------------------------------------------------


def fails(run: Run, *words: str) -> str:
    """The one sentence that a verb ends with."""
    found = run("matrix", "--live", *words)
    assert found.status == 3
    assert found.out == ""
    assert found.err.startswith("ringfence: ")
    assert found.err.count("\n") == 1
    assert "planted" not in found.err
    return found.err


def test_without_a_kubeconfig(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no kubeconfig: ~/.kube/config is not there; name one with --kubeconfig" in fails(run)
    missing = str(tmp_path / "none")
    assert f"no kubeconfig: {missing} is not there" in fails(run, "--kubeconfig", missing)
    monkeypatch.setenv("KUBECONFIG", missing)
    assert f"no kubeconfig: {missing} is not there" in fails(run)


def test_a_kubeconfig_that_is_none(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "config"
    for text in (f"token: {{{OTHER}", "[]", "", f"- {OTHER}"):
        path.write_text(text)
        assert "config: " in fails(run, "--kubeconfig", str(path))


def test_an_unknown_context_is_told_with_the_nearest(api: FakeApi, config: str, run: Run) -> None:
    assert "no context fak; did you mean fake?" in fails(run, "--kubeconfig", config, "--context", "fak")
    assert "no context zzz; it has fake; name one" in fails(run, "--kubeconfig", config, "--context", "zzz")


def test_a_context_without_its_user_or_cluster(api: FakeApi, run: Run, tmp_path: Path) -> None:
    for missing in ("users", "clusters"):
        path = api.kubeconfig(tmp_path / "config")
        path.write_text(json.dumps(json.loads(path.read_text()) | {missing: []}))
        fails(run, "--kubeconfig", str(path))


def test_nobody_listens(api: FakeApi, run: Run, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    path = changed(api.kubeconfig(tmp_path / "config"), server=f"https://127.0.0.1:{port}")
    assert "nobody listens there; is the cluster running?" in fails(run, "--kubeconfig", path)


def test_a_name_that_is_none(api: FakeApi, run: Run, tmp_path: Path) -> None:
    path = changed(api.kubeconfig(tmp_path / "config"), server="https://api.invalid:6443")
    assert "its name cannot be resolved; is the VPN up" in fails(run, "--kubeconfig", path)


def test_a_certificate_that_is_not_trusted(api: FakeApi, run: Run, tmp_path: Path) -> None:
    import base64

    other = base64.b64encode(Authority("another").certificate.encode()).decode()
    path = changed(api.kubeconfig(tmp_path / "config"), **{"certificate-authority-data": other})
    told = fails(run, "--kubeconfig", path)
    assert "its certificate is not trusted" in told
    assert "is certificate-authority of the kubeconfig that of this cluster?" in told


def test_a_certificate_for_another_name(run: Run, tmp_path: Path) -> None:
    with FakeApi(names=("elsewhere.example",)) as api:
        told = fails(run, "--kubeconfig", str(api.kubeconfig(tmp_path / "config")))
        assert "its certificate is not trusted" in told
        path = changed(tmp_path / "config", **{"tls-server-name": "elsewhere.example"})
        assert run("matrix", "--live", "--kubeconfig", path).status == 0


def test_no_tls_at_all(run: Run, api: FakeApi, tmp_path: Path) -> None:
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from threading import Thread

    class Silent(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Silent) as plain:
        thread = Thread(target=plain.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        path = changed(api.kubeconfig(tmp_path / "config"), server=f"https://127.0.0.1:{plain.server_port}")
        told = fails(run, "--kubeconfig", path)
        plain.shutdown()
        thread.join(10)
    assert "no TLS connection" in told


def test_an_expired_token(api: FakeApi, run: Run, tmp_path: Path) -> None:
    path = str(api.kubeconfig(tmp_path / "config", token=OTHER))
    assert "context fake: Unauthorized; the login is not accepted or has expired: log in again" in fails(
        run, "--kubeconfig", path
    )


def test_a_token_that_no_header_may_hold(api: FakeApi, run: Run, tmp_path: Path) -> None:
    path = str(api.kubeconfig(tmp_path / "config", token=f"{OTHER}\nplanted-rest"))
    assert "its token or address has characters that no request may have" in fails(run, "--kubeconfig", path)


def test_a_key_that_is_none(api: FakeApi, run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("planted-key")
    user = {"client-certificate": "x.pem", "client-key": "x.pem"}
    assert "a certificate or key of the kubeconfig cannot be used; is each of them PEM" in fails(
        run, "--kubeconfig", str(api.kubeconfig(tmp_path / "config", **user))
    )
    user = {"client-certificate": "gone.pem", "client-key": "gone.pem"}
    assert "its credentials cannot be loaded" in fails(
        run, "--kubeconfig", str(api.kubeconfig(tmp_path / "config", **user))
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"sys.stderr.write('no session: {OTHER}'); sys.exit(1)", "failed"),
        (f"print('{OTHER}')", "failed"),
        (credential(V1), "failed"),
        (credential(BETA, token=OTHER), "failed"),
        (credential(V1, clientCertificateData=OTHER), "failed"),
    ],
    ids=["exit status", "no JSON", "no token", "another version", "half a certificate"],
)
def test_a_program_that_fails(api: FakeApi, run: Run, tmp_path: Path, text: str, why: str) -> None:
    login = {"apiVersion": V1, "command": program(tmp_path, text), "interactiveMode": "Never"}
    path = str(api.kubeconfig(tmp_path / "config", exec=login))
    told = fails(run, "--kubeconfig", path)
    assert f"the program that gives its token {why}; see whether kubectl --context fake version works" in told


def test_a_program_that_is_not_there(api: FakeApi, run: Run, tmp_path: Path) -> None:
    login = {"apiVersion": V1, "command": str(tmp_path / "gone"), "interactiveMode": "Never"}
    path = str(api.kubeconfig(tmp_path / "config", exec=login))
    assert "the program that gives its token is not there" in fails(run, "--kubeconfig", path)


@pytest.mark.parametrize("mode", ["Never", "IfAvailable"])
def test_a_program_that_hangs_is_stopped_with_what_it_started(
    api: FakeApi, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr("ringfence.live.server.login.SECONDS", 1.5)
    child = tmp_path / "child"
    text = "import subprocess\nmade = subprocess.Popen(['sleep', '300'])\n"
    text += f"open({str(child)!r}, 'w').write(str(made.pid))\nmade.wait()"
    command = program(tmp_path, text)
    login = {"apiVersion": V1, "command": command, "args": [OTHER], "interactiveMode": mode}
    began = time.monotonic()
    told = fails(run, "--kubeconfig", str(api.kubeconfig(tmp_path / "config", exec=login)))
    assert time.monotonic() - began < 30
    assert f"context fake: {command}, which gives its token, was not done after 1.5 seconds and was stopped" in told
    assert "see whether kubectl --context fake version works" in told
    assert _gone(int(child.read_text()))


def _gone(pid: int) -> bool:
    """Whether a process ends soon; one that nobody waits for has ended too."""
    for _ in range(100):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
            os.kill(pid, 0)
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("mode", "terminal", "asks"),
    [("Never", True, False), ("IfAvailable", True, True), ("Always", True, True), (None, True, True),
     ("IfAvailable", False, False)],
)  # fmt: skip
def test_a_program_has_longer_where_it_can_ask_somebody(
    mode: str | None, terminal: bool, asks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ringfence.live.server import login

    monkeypatch.setattr("sys.stdin", type("Terminal", (), {"isatty": lambda self: terminal})())
    found = login.login({"exec": {"command": "x", "interactiveMode": mode}})
    assert (found.asks, found.seconds) == (asks, login.ASKING if asks else login.SECONDS)
    assert login.ASKING > login.SECONDS


def test_a_program_that_hangs_ends_by_ctrl_c(api: FakeApi, tmp_path: Path) -> None:
    there = tmp_path / "pid"
    text = f"import time\nopen({str(there)!r}, 'w').write(str(os.getpid()))\ntime.sleep(300)"
    login = {"apiVersion": V1, "command": program(tmp_path, text), "interactiveMode": "Never"}
    path = str(api.kubeconfig(tmp_path / "config", exec=login))
    words = [sys.executable, "-P", "-m", "ringfence", "doctor", "--kubeconfig", path]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as ours:
        for _ in range(400):
            if there.exists() and there.read_text():
                break
            time.sleep(0.05)
        ours.send_signal(signal.SIGINT)
        _, err = ours.communicate(timeout=20)
    assert ours.returncode == 130
    assert b"Traceback" not in err
    assert _gone(int(there.read_text()))


def test_what_answers_is_no_api_server(api: FakeApi, config: str, run: Run) -> None:
    api.faults.add(Fault(status=200, text=f"<html>sign in, {OTHER}</html>", times=99))
    assert "is it an API server?" in fails(run, "--kubeconfig", config)


def test_a_server_that_is_slow(api: FakeApi, config: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "TIMEOUT", (5.0, 0.2))
    monkeypatch.setattr("ringfence.live.server.server.WAIT", (0.0, 0.0))
    api.faults.add(Fault(delay=0.6, times=2))
    assert run("matrix", "--live", "--kubeconfig", config).status == 0
    api.faults.add(Fault(delay=0.6, times=99))
    assert "no answer within the time" in fails(run, "--kubeconfig", config)


def test_a_server_that_stays_busy(api: FakeApi, config: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringfence.live.server.server.WAIT", (0.0, 0.0))
    api.faults.add(Fault(status=503, times=99))
    assert "the server is currently unable to handle the request" in fails(run, "--kubeconfig", config)


def test_a_server_that_goes_away_is_waited_for(api: FakeApi, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.list(PODS)
    waits: list[float] = []
    server.sleep = waits.append
    reply = server.transport
    left = [2]

    def gone(*words: Any) -> Any:
        left[0] -= 1
        if left[0] >= 0:
            raise Unreachable("nobody listens there", reached=False)
        return reply(*words)

    monkeypatch.setattr(server, "transport", gone)
    server.create(PODS, {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "namespace": "default"}})
    assert len(waits) == 2


def test_the_library_says_nothing_by_itself(api: FakeApi, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    login = {"apiVersion": V1, "command": program(tmp_path, f"print('{OTHER}')"), "interactiveMode": "Never"}
    with pytest.raises(LiveError):
        connect(str(api.kubeconfig(tmp_path / "config", exec=login)))
    assert caplog.text == ""


def test_no_key_is_left_behind(api: FakeApi, tmp_path: Path) -> None:
    import base64

    pair = api.authority.client("jane")
    user = {"client-certificate-data": base64.b64encode(pair.certificate.encode()).decode(),
            "client-key-data": base64.b64encode(pair.key.encode()).decode()}  # fmt: skip
    path = api.kubeconfig(tmp_path / "config", **user)
    (tmp_path / "tmp").mkdir()
    done = subprocess.run(
        [sys.executable, "-P", "-m", "ringfence", "matrix", "--live", "--kubeconfig", str(path)],
        env={**os.environ, "TMPDIR": str(tmp_path / "tmp"), "PYTHONPATH": str(ROOT / "src")},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "tmp").iterdir()) == []
    assert stat.S_IMODE(path.stat().st_mode) & 0o600


@pytest.mark.usefixtures("orders_heard")
@pytest.mark.parametrize("order", [signal.SIGTERM, signal.SIGHUP])
def test_no_key_is_left_behind_by_an_order_to_end(api: FakeApi, tmp_path: Path, order: signal.Signals) -> None:
    import base64

    pair = api.authority.client("jane")
    user = {"client-certificate-data": base64.b64encode(pair.certificate.encode()).decode(),
            "client-key-data": base64.b64encode(pair.key.encode()).decode()}  # fmt: skip
    path, folder = api.kubeconfig(tmp_path / "config", **user), tmp_path / "tmp"
    folder.mkdir()
    api.faults.add(Fault(path="/api/v1/pods", delay=10))
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "ringfence", "matrix", "--live", "--kubeconfig", str(path)],
        env={**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as running:  # fmt: skip
        while not list(folder.iterdir()) or not api.seen:
            assert running.poll() is None
            time.sleep(0.1)
        running.send_signal(order)
        assert running.wait(30) == 130
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("text", ["<html>log in</html>", "{}"])
def test_a_list_of_groups_that_is_none_is_no_server_without_kinds(server: Server, api: FakeApi, text: str) -> None:
    from ringfence.live.server.discovery import discover

    api.faults.add(Fault(path="^/apis", status=200, text=text))
    with pytest.raises(Unreachable, match="no list of groups"):
        discover(server)


@pytest.mark.parametrize("text", ["<html>log in</html>", "{}"])
def test_a_group_whose_answer_is_no_list_of_kinds_is_told(server: Server, api: FakeApi, text: str) -> None:
    from ringfence.live.server.discovery import discover

    api.aggregated = False
    api.kinds.add(kind("example.com/v1", "widgets", "Widget"))
    api.faults.add(Fault(path="^/apis/example.com", status=200, text=text))
    assert discover(server).silent == ("example.com",)


def test_a_password_in_an_address_is_told_to_nobody(api: FakeApi, tmp_path: Path) -> None:
    config = api.login()
    at = config["clusters"][0]["cluster"]
    path = tmp_path / "config"
    at["server"] = api.address.replace("https://", "https://bob:planted-password@")
    path.write_text(json.dumps(config))
    assert connect(str(path)).address == api.address
    at["server"] = "https://bob:planted-password@127.0.0.1:1"
    path.write_text(json.dumps(config))
    with pytest.raises(Unreachable, match=r"^https://127\.0\.0\.1:1: nobody listens there"):
        connect(str(path)).version()
