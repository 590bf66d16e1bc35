"""Git repositories that tests make: commits of a few files, and how the program compares their revisions."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import within


@dataclass
class Repository:
    """A git repository of a test, and how it and the program are run in it."""

    top: Path

    def git(self, *words: str) -> str:
        quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "HOME": str(self.top)}
        who = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "protocol.file.allow=always"]
        done = subprocess.run(
            ["git", *who, *words], cwd=self.top, check=True, capture_output=True, text=True,
            env={"PATH": os.environ["PATH"], **quiet},
        )  # fmt: skip
        return done.stdout.strip()

    def commit(self, **files: str | bytes | None) -> str:
        """Write *files* (``__`` for a slash), delete those that are None, and commit; the commit's name."""
        for name, content in files.items():
            path = self.top / name.replace("__", "/").replace("_yaml", ".yaml")
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "change")
        return self.git("rev-parse", "HEAD")

    def diff(self, *words: str, where: str = ".") -> subprocess.CompletedProcess[str]:
        return within.ringfence("diff", *words, where=self.top / where)

    def state(self) -> tuple[str, bytes]:
        """What must stay as it is: the work tree, and the index to the byte."""
        return self.git("status", "--porcelain"), (self.top / ".git" / "index").read_bytes()
