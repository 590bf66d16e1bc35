"""The manifests that run ringfence in a cluster: whole, restricted, with no rights but those that the verb needs."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar, Final

import pytest
from conftest import ROOT, Run

from ringfence.cli.main import parser
from shipping.containerfile import parse
from shipping.kustomizing import Json, built, pods

DEPLOY: Final = ROOT / "deploy"
OBJECTS: Final = built(DEPLOY)
VERBS: Final = ("check", "probe")


def _one(kind: str, name: str) -> Json:
    (found,) = (one for one in OBJECTS if (one["kind"], one["metadata"]["name"]) == (kind, name))
    return found


def _pod(verb: str) -> Json:
    pod: Json = _one("CronJob", f"ringfence-{verb}")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return pod


def test_these_are_the_objects() -> None:
    assert sorted((one["kind"], one["metadata"]["name"]) for one in OBJECTS) == [
        *(("ClusterRole", f"ringfence-{verb}") for verb in VERBS),
        *(("ClusterRoleBinding", f"ringfence-{verb}") for verb in VERBS),
        ("ConfigMap", "ringfence-intents"),
        *(("CronJob", f"ringfence-{verb}") for verb in VERBS),
        ("Namespace", "ringfence"),
        ("NetworkPolicy", "nobody-in"),
        *(("ServiceAccount", f"ringfence-{verb}") for verb in VERBS),
    ]


def test_all_of_it_is_in_one_namespace() -> None:
    assert {one["metadata"].get("namespace", "") for one in OBJECTS} == {"", "ringfence"}


@pytest.mark.parametrize("verb", VERBS)
def test_the_rights_are_those_that_the_verb_asks_for(verb: str, run: Run, request: pytest.FixtureRequest) -> None:
    printed = run("rbac", verb, "--service-account", f"ringfence/ringfence-{verb}").out
    if request.config.getoption("--golden"):
        (DEPLOY / verb / "rights.yaml").write_text(printed)
    assert (DEPLOY / verb / "rights.yaml").read_text() == printed


def test_check_may_read_and_nothing_else() -> None:
    assert {word for rule in _one("ClusterRole", "ringfence-check")["rules"] for word in rule["verbs"]} <= {
        "get",
        "list",
    }


def test_nobody_may_read_secrets() -> None:
    for verb in VERBS:
        for rule in _one("ClusterRole", f"ringfence-{verb}")["rules"]:
            assert not {"secrets", "*"} & {*rule.get("resources", ())}
            assert "*" not in rule["verbs"]


@pytest.mark.parametrize("verb", VERBS)
def test_account_role_and_job_belong_together(verb: str) -> None:
    binding = _one("ClusterRoleBinding", f"ringfence-{verb}")
    assert binding["roleRef"] == {
        "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": f"ringfence-{verb}",
    }  # fmt: skip
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": f"ringfence-{verb}", "namespace": "ringfence"}]
    assert _pod(verb)["serviceAccountName"] == _one("ServiceAccount", f"ringfence-{verb}")["metadata"]["name"]


@pytest.mark.parametrize("verb", VERBS)
def test_the_pod_is_restricted_and_writes_nowhere_but_to_its_scratch(verb: str) -> None:
    pod = _pod(verb)
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert not {"hostNetwork", "hostPID", "hostIPC"} & {*pod}
    assert {volume["name"]: {*volume} - {"name"} for volume in pod["volumes"]} == {
        "intents": {"configMap"}, "scratch": {"emptyDir"},
    }  # fmt: skip
    assert {mount["name"] for mount in container["volumeMounts"]} == {"intents", "scratch"}
    assert set(container["resources"]) == {"requests", "limits"}


def test_the_user_is_that_of_the_image() -> None:
    (user,) = (one.text for one in parse((ROOT / "Containerfile").read_text()) if one.word == "USER")
    for pod in pods(OBJECTS):
        context = pod["securityContext"]
        assert f"{context['runAsUser']}:{context['runAsGroup']}" == user


@pytest.mark.parametrize("verb", VERBS)
def test_the_command_line_is_one(verb: str) -> None:
    (container,) = _pod(verb)["containers"]
    assert container["command"] == ["ringfence"]
    args = parser(verb).parse_args(container["args"])
    assert args.verb == verb
    named = [word for word in container["args"] if word.startswith("/")]
    assert named == ["/etc/ringfence/intents.yaml"]
    assert set(_one("ConfigMap", "ringfence-intents")["data"]) == {"intents.yaml"}


@pytest.mark.parametrize("verb", VERBS)
def test_runs_do_not_overlap_and_are_not_repeated(verb: str) -> None:
    spec = _one("CronJob", f"ringfence-{verb}")["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["jobTemplate"]["spec"]["backoffLimit"] == 0
    assert _pod(verb)["restartPolicy"] == "Never"


def test_the_intents_are_those_of_the_example(run: Run) -> None:
    manifests = [
        str(path) for path in sorted((ROOT / "examples" / "task-api").glob("*.yaml")) if path.name != "intents.yaml"
    ]
    assert run("check", str(DEPLOY / "intents.yaml"), *manifests).status == 0


# -- results for a push gateway ---------------------------------------------------------------------------------------


class Gateway(BaseHTTPRequestHandler):
    """Keeps what is pushed."""

    pushed: ClassVar[list[tuple[str, str, bytes]]] = []

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.pushed.append((self.command, self.path, body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def gateway() -> Iterator[str]:
    Gateway.pushed.clear()
    with HTTPServer(("127.0.0.1", 0), Gateway) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _script(verb: str) -> str:
    objects = built(DEPLOY, "pushgateway")
    (job,) = (one for one in objects if one["metadata"]["name"] == f"ringfence-{verb}" and one["kind"] == "CronJob")
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["sh", "-c"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert [one["name"] for one in container["env"]] == ["PUSHGATEWAY"]
    (script,) = container["args"]
    assert isinstance(script, str)
    return script


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("status", [0, 1, 3])
def test_what_came_out_is_pushed_and_the_status_stays(verb: str, status: int, gateway: str, tmp_path: Path) -> None:
    """A run that ends with 3 has written nothing, and nothing is pushed that would look like a result."""
    said = "echo 'ringfence_x 1' > \"$out\"" if status != 3 else "true"
    (tmp_path / "ringfence").write_text(
        f'#!/bin/sh\nfor out; do :; done\necho "$@" > {tmp_path}/words\n{said}\nexit {status}\n'
    )
    (tmp_path / "ringfence").chmod(0o755)
    (tmp_path / "python").symlink_to(sys.executable)
    script = _script(verb).replace("/tmp/result", str(tmp_path / "result"))  # noqa: S108 (the pod's own)
    done = subprocess.run(
        ["sh", "-c", script], env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "PUSHGATEWAY": gateway},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (status, "")
    assert Gateway.pushed == ([("PUT", f"/metrics/job/ringfence_{verb}", b"ringfence_x 1\n")] if status != 3 else [])
    words = (tmp_path / "words").read_text().split()
    (container,) = _pod(verb)["containers"]
    assert words == [*container["args"], "--format", "prometheus", "-o", str(tmp_path / "result")]
