"""What the tests of this folder share: a repository with a pull request, and jobs that are run in it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import within
from conftest import ROOT
from repositories import Repository

from ci.code_host import CodeHost
from tools import review

PODS = "".join(
    f"---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: shop, labels: {{app: {name}}}}}\n"
    for name in ("web", "api", "db")
)
PODS += """\
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
"""
DATABASE: Final = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  policyTypes: [Ingress]
  ingress: [{from: [{podSelector: {matchLabels: {app: api}}}], ports: [{port: 5432}]}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  podSelector: {matchLabels: {app: api}}
  policyTypes: [Egress]
  egress: [{to: [{podSelector: {matchLabels: {app: db}}}], ports: [{port: 5432}]}]
"""
WIDER: Final = DATABASE.replace("{matchLabels: {app: api}}", "{matchExpressions: [{key: app, operator: Exists}]}")
"""Lets web to the database too."""
INTENTS: Final = """\
apiVersion: ringfence.dev/v1alpha1
kind: Intents
metadata: {name: shop, namespace: shop}
spec: {protect: [shop], dns: none, allow: ["api -> db:5432"]}
"""


def plain() -> dict[str, str]:
    """The variables of whoever runs the tests, without those that a CI system sets."""
    ours = ("GITHUB_", "RINGFENCE_", "CI_", "GITLAB_", "RUNNER_", "GIT_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    return {**kept, "PYTHONPATH": str(ROOT / "src"), "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


@dataclass
class Job:
    """A job of GitHub for pull request 7 of shop/apps, in the folder *top*."""

    top: Path
    scratch: Path
    host: CodeHost | None = None
    event: dict[str, object] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """What the runner sets."""
        self.scratch.mkdir(exist_ok=True)
        (self.scratch / "event.json").write_text(json.dumps(self.event))
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=self.top, capture_output=True, text=True, check=True)
        return {
            **plain(),
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.host.address if self.host else "http://127.0.0.1:9",
            "GITHUB_EVENT_PATH": str(self.scratch / "event.json"),
            "GITHUB_OUTPUT": str(self.scratch / "output"),
            "GITHUB_REPOSITORY": "shop/apps",
            "GITHUB_SHA": head.stdout.strip(),
            "GITHUB_STEP_SUMMARY": str(self.scratch / "summary.md"),
            "GITHUB_TOKEN": "secret",
            "RINGFENCE_OUT": str(self.scratch / "report"),
        }

    def run(self, **variables: str) -> subprocess.CompletedProcess[str]:
        """Review, with *variables* such as ``fail_on``."""
        told = {f"RINGFENCE_{key.upper()}": value for key, value in variables.items()}
        return reviewed(self.top, {**self.environment(), **told})

    def outputs(self) -> dict[str, str]:
        """What the last of the runs gave to other steps."""
        rows = (self.scratch / "output").read_text().splitlines()
        return dict(row.split("=", 1) for row in rows)


def script(top: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the script in *top*, as a process of its own that starts others."""
    return subprocess.run(
        [sys.executable, "-P", str(ROOT / "tools" / "review.py")], cwd=top, env=environment, capture_output=True,
        text=True, check=False, timeout=120,
    )  # fmt: skip


def reviewed(top: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What the script gives in *top*: it and the runs of ringfence that it asks for go on within this process."""
    out, err = io.StringIO(), io.StringIO()
    with (
        chdir(top),
        patch.dict(os.environ, environment, clear=True),
        patch.object(review, "subprocess", Within),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        status = review.main()
    return subprocess.CompletedProcess([], status, out.getvalue(), err.getvalue())


class Within:
    """Stands for the module ``subprocess``: ringfence is not started but called, other programs are started."""

    DEVNULL: Final = subprocess.DEVNULL
    RINGFENCE: Final = [sys.executable, "-P", "-m", "ringfence"]

    @classmethod
    def run(cls, words: list[str], **more: Any) -> subprocess.CompletedProcess[str]:
        if words[:4] == cls.RINGFENCE:
            return within.ringfence(*words[4:])
        done: subprocess.CompletedProcess[str] = subprocess.run(words, **more)
        return done


def pull_request(where: Path, *, before: str = DATABASE, after: str = WIDER, intents: str | None = None) -> Repository:
    """A repository whose branch ``change`` turns *before* into *after*, and which has it merged, as GitHub does."""
    made = Repository(where / "apps")
    made.top.mkdir()
    made.git("init", "-q", "-b", "main")
    files = {"manifests__pods_yaml": PODS, "manifests__db_yaml": before}
    made.commit(**files, **({"manifests__intents_yaml": intents} if intents else {}))
    made.git("checkout", "-q", "-b", "change")
    made.commit(manifests__db_yaml=after)
    made.git("checkout", "-q", "main")
    made.commit(notes="what happened on main meanwhile\n")
    made.git("checkout", "-q", "--detach", "main")
    made.git("merge", "-q", "--no-ff", "-m", "Merge change into main", "change")
    return made


def job(made: Repository, host: CodeHost | None = None, top: Path | None = None) -> Job:
    """The job of the pull request of *made*; the event names a base that main has left behind since."""
    pull = {"number": 7, "base": {"sha": made.git("rev-parse", "main~1")}}
    return Job(top or made.top, made.top.parent / "runner", host, {"pull_request": pull})
