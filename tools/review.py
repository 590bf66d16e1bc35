"""Reviews a change in CI: diff, exposure, lint and check, as one report, on GitHub as a comment kept up to date.

The GitHub Action and the GitLab template run this file; on one's own machine it runs the same way. It runs in the
repository that is reviewed, is told what to do by variables of the environment, and needs the standard library and an
importable ringfence alone. docs/how-to/use-in-ci.md describes the variables.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

LONGEST: Final = 65_000
"""Characters of a comment; GitHub takes 65,536."""
NO_INTENTS: Final = "no Intents document in the input"
"""What ``ringfence check`` says where nobody wrote intents; tests/ci holds it to that."""
NOTHING: Final = "0" * 40
"""How the event of a push names the commit before a new branch."""
EMPTY: Final = '{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}'
"""What every cluster has: an input in which nothing runs, as one without any object is refused."""
PAGE: Final = 100
HEAD: Final = 4_000
"""Characters that are kept of a part of the report that is too long for a comment."""
MOST: Final = 100
"""Rows of exposure that are listed."""


class CannotReviewError(Exception):
    """What keeps the review from being made, in one sentence."""


@dataclass(frozen=True)
class Settings:
    """What is to be done."""

    paths: tuple[str, ...]
    profile: str
    base: str
    fail_on: str
    check: str
    comment: bool
    render: str
    name: str
    out: Path

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Settings:
        """The settings in the variables *env*; empty ones are as if they were not there."""

        def chosen(key: str, *values: str) -> str:
            value = env.get(f"RINGFENCE_{key}") or values[0]
            if value not in values:
                raise CannotReviewError(f"RINGFENCE_{key} is {value!r}, and must be one of {', '.join(values)}")
            return value

        render = env.get("RINGFENCE_RENDER", "").strip()
        try:
            paths = tuple(shlex.split(env.get("RINGFENCE_PATHS", "")))
        except ValueError as problem:
            raise CannotReviewError(f"RINGFENCE_PATHS cannot be split into paths: {problem}") from problem
        if wrong := [path for path in paths if path.startswith("-")]:
            raise CannotReviewError(f"RINGFENCE_PATHS has {wrong[0]!r}, which is no path; options go to ringfence.toml")
        name = env.get("RINGFENCE_NAME") or "ringfence"
        if not re.fullmatch(r"[\w .]+(-[\w .]+)*", name):
            raise CannotReviewError(
                f"RINGFENCE_NAME is {name!r}; a name has letters, digits, blanks, dots and single dashes"
            )
        return cls(
            paths=paths or (() if render else (".",)),
            profile=env.get("RINGFENCE_PROFILE", ""),
            base=env.get("RINGFENCE_BASE", "").strip(),
            fail_on=chosen("FAIL_ON", "error", "warning", "never"),
            check=chosen("CHECK", "auto", "true", "false"),
            comment=chosen("COMMENT", "true", "false") == "true",
            render=render,
            name=name,
            out=Path(env.get("RINGFENCE_OUT") or ".ringfence"),
        )


@dataclass(frozen=True)
class Pull:
    """The pull request that an event is about, and the commits it names."""

    number: int | None = None
    base: str = ""

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Pull:
        """What GitHub or GitLab say of the change."""
        if path := env.get("GITHUB_EVENT_PATH"):
            try:
                event = json.loads(Path(path).read_text(encoding="utf-8"))
            except (OSError, ValueError) as problem:
                raise CannotReviewError(f"the event {path} cannot be read: {problem}") from problem
            if pull := event.get("pull_request"):
                return cls(pull["number"], pull["base"]["sha"])
            before = event.get("before") or ""
            return cls(base="" if before == NOTHING else before)
        return cls(base=env.get("CI_MERGE_REQUEST_DIFF_BASE_SHA", ""))


# The revision to compare with.


def git(*words: str, where: str | None = None) -> str | None:
    """What git prints, or None when it fails."""
    done = subprocess.run(["git", *words], capture_output=True, text=True, check=False, cwd=where)
    return done.stdout.strip() if done.returncode == 0 else None


def _commit(name: str) -> str | None:
    return git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")


def there(name: str) -> str:
    """The commit *name*, fetched from where the repository came from if it is not here."""
    if name.startswith("-"):
        raise CannotReviewError(f"the base {name!r} is no revision")
    if found := _commit(name):
        return found
    if git("fetch", "--quiet", "--no-tags", "--depth=1", "origin", name) is not None and (
        found := _commit("FETCH_HEAD")
    ):
        return found
    raise CannotReviewError(
        f"the base {name!r} is neither here nor at the remote 'origin'; check out with fetch-depth: 0"
    )


def base(settings: Settings, pull: Pull, env: Mapping[str, str]) -> str | None:
    """The commit that the change began at; None where there is nothing to compare with.

    GitHub checks out a merge of the pull request with its base: then the base is its first parent, and exactly what
    the merge changes is compared. In all other cases it is where the two parted, for which history is needed.
    """
    if not settings.base and pull.number is not None:
        head = git("cat-file", "commit", "HEAD") or ""
        parents = re.findall(r"^parent (\w+)$", head.partition("\n\n")[0], re.MULTILINE)
        if len(parents) > 1 and _commit("HEAD") == env.get("GITHUB_SHA"):
            return there(parents[0])
    name = settings.base or pull.base
    if not name:
        return None
    start = there(name)
    if git("rev-parse", "--is-shallow-repository") == "true":
        git("fetch", "--quiet", "--no-tags", "--unshallow", "origin")
    return git("merge-base", start, "HEAD") or start


# What is run.


@dataclass(frozen=True)
class Answer:
    """What one run of ringfence gave."""

    status: int
    out: str
    err: str


def ringfence(verb: str, *words: str, settings: Settings) -> Answer:
    """Run ``ringfence verb``; nothing that lies in the repository is imported."""
    profile = ["--profile", settings.profile] if settings.profile else []
    command = [sys.executable, "-P", "-m", "ringfence", verb, *profile, "--color", "never", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return Answer(done.returncode, done.stdout, done.stderr)


def rendered(command: str, where: str | None, into: Path) -> str:
    """Run *command* in the folder *where*, and keep what it prints in the file *into*."""
    # What the command runs may be the change's own; it does not get the token.
    kept = {key: value for key, value in os.environ.items() if key != "GITHUB_TOKEN"}
    bash = ["bash", "-euo", "pipefail", "-c", command]
    done = subprocess.run(bash, cwd=where, capture_output=True, check=False, stdin=subprocess.DEVNULL, env=kept)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise CannotReviewError(f"RINGFENCE_RENDER ended with status {done.returncode}: {said or 'it said nothing'}")
    into.write_bytes(done.stdout)
    return str(into)


@contextlib.contextmanager
def checked_out(commit: str) -> Iterator[str]:
    """A folder with the files of *commit*, which is taken away again."""
    with tempfile.TemporaryDirectory(prefix="ringfence-") as scratch:
        folder = f"{scratch}/base"
        if git("-c", "core.hooksPath=/dev/null", "worktree", "add", "--quiet", "--detach", folder, commit) is None:
            raise CannotReviewError(f"the base {commit} cannot be checked out beside the work tree")
        try:
            yield folder
        finally:
            git("worktree", "remove", "--force", folder)


@dataclass(frozen=True)
class Difference:
    """The difference of the two revisions, and as Markdown what of it concerns the outside and pods yet to come."""

    answer: Answer
    facing: str


def compared(settings: Settings, start: str, after: str | None) -> Difference:
    """The difference between *start* and what is checked out; *after* is the file of what was rendered from that."""
    words, short = ["--format", "md", "--exit-code"], git("rev-parse", "--short=12", start) or start
    with checked_out(start) as folder:
        old = [str(Path(folder) / path) for path in settings.paths if (Path(folder) / path).exists()]
        new = [*settings.paths, *([after] if after else [])]
        if after is None:
            found = ringfence("diff", *words, "--git", f"{short}..HEAD", *settings.paths, settings=settings)
        else:
            before, note = rendered_before(settings, folder, short)
            old.append(before)
            sides = [*(f"--old={one}" for one in old), *(f"--new={one}" for one in new)]
            found = ringfence("diff", *words, *sides, settings=settings)
            # Places are named as git names them, as by diff --git.
            out, err = (text.replace(f"{folder}/", f"{short}:") for text in (found.out, found.err))
            found = Answer(found.status, out, note + err)
        return Difference(found, exposed(settings, old, new) if found.out else "")


def rendered_before(settings: Settings, folder: str, short: str) -> tuple[str, str]:
    """The file of what is rendered from the base in *folder*, and what is to be told of that."""
    before, note = settings.out / "before.yaml", ""
    try:
        rendered(settings.render, folder, before)
    except CannotReviewError as problem:
        # What is new cannot be rendered from before it was there; then all that it makes counts as opened.
        note = f"at {short}, {problem}; compared with nothing rendered\n"
    if note or not before.read_bytes().strip():
        before.write_text(EMPTY, encoding="utf-8")
    return str(before), note


def exposed(settings: Settings, old: Sequence[str], new: Sequence[str]) -> str:
    """What is open to the outside, and to pods yet to come, in *new* and was not in *old*, and the other way round."""

    def asked(form: str) -> list[str]:
        words = ["--quiet", "--format", form]
        return [ringfence("exposure", *words, *side, settings=settings).out if side else "" for side in (old, new)]

    texts = asked("md")
    if texts[0] == texts[1]:
        return ""
    was, now = (re.findall(r"^- (.*)$", text, re.MULTILINE) for text in texts)
    said = [f"- {text}" for text in now] + [f"- Before: {text}" for text in was if text not in now]
    before, after = ({tuple(row) for row in csv.reader(text.splitlines()[1:])} for text in asked("csv"))
    return "\n".join(["### What faces the outside", "", *said, *differing(before, after)])


def differing(before: Set[tuple[str, ...]], after: Set[tuple[str, ...]]) -> list[str]:
    """The rows of exposure that *after* alone has and that *before* alone has, as a table that is folded."""
    rows = sorted([(row, "before") for row in before - after] + [(row, "now") for row in after - before])
    if not rows:
        return []
    many = len({row[0] for row, _ in rows})
    title = f"Exposure of {many} workload{'' if many == 1 else 's'} differs"
    said = ["", f"<details><summary>{title}</summary>", "", "| | workload | open | ports |", "|---|---|---|---|"]
    for (workload, _, _, party, ports), word in rows[:MOST]:
        cells = (re.sub(r"([\\`*_|<>\[\]#~])", r"\\\1", text) for text in (workload, party, ports))
        said.append(f"| {word} | {' | '.join(cells)} |")
    said += ["", f"and {len(rows) - MOST} more; `ringfence exposure` lists them"] if len(rows) > MOST else []
    return [*said, "", "</details>"]


def linted(settings: Settings, paths: Sequence[str], env: Mapping[str, str]) -> Answer:
    """The findings as Markdown; and in the forms that the service at hand shows beside the lines."""
    fail_on = "error" if settings.fail_on == "never" else settings.fail_on
    words = ["--fail-on", fail_on, *paths]
    reports: dict[str, str] = {}
    if env.get("GITHUB_ACTIONS"):
        reports = {"lint.sarif": "sarif"}
    elif env.get("GITLAB_CI"):
        reports = {"gl-code-quality-report.json": "gitlab", "lint.junit.xml": "junit"}
    for name, form in reports.items():
        ringfence("lint", "--quiet", "--format", form, "-o", str(settings.out / name), *words, settings=settings)
    if env.get("GITHUB_ACTIONS"):
        print(ringfence("lint", "--quiet", "--format", "github", *words, settings=settings).out, end="")
    return ringfence("lint", "--format", "md", *words, settings=settings)


@dataclass(frozen=True)
class Review:
    """The parts of a report, and what it comes to."""

    parts: tuple[str, ...]
    status: int
    changed: str
    """``true``, ``false``, or ``unknown`` where nothing could be compared whole."""
    facing: bool = False
    """Whether the exposure differs, as it may where no connection of the input does."""

    @property
    def quiet(self) -> bool:
        """Whether there is nothing to see: no comment is begun for that."""
        return self.status == 0 and self.changed == "false" and not self.facing


def review(settings: Settings, start: str | None, env: Mapping[str, str]) -> Review:
    """Ask ringfence all three questions."""
    after = rendered(settings.render, None, settings.out / "after.yaml") if settings.render else None
    paths = [*settings.paths, *([after] if after else [])]
    answers = {"lint": linted(settings, paths, env)}
    if settings.check != "false":
        asked = ringfence("check", "--format", "md", *paths, settings=settings)
        if settings.check == "true" or not (asked.status == 2 and NO_INTENTS in asked.err):
            answers["check"] = asked
    failing = [one.status for one in answers.values() if one.status > (settings.fail_on == "never")]
    changed, outside = "unknown", ""
    if start is not None:
        difference = compared(settings, start, after)
        answers, outside = {"diff": difference.answer, **answers}, difference.facing
        changed = {0: "false", 1: "true"}.get(difference.answer.status, "unknown")
        # An older side that cannot be read whole is what a change may mend; of the newer one lint has told.
        if difference.answer.status > 2 or not difference.answer.out.strip():
            failing.append(difference.answer.status or 70)
    parts: list[str] = []
    for verb, one in answers.items():
        parts += [one.out.strip(), outside if verb == "diff" else "", told(verb, one.err)]
    return Review(tuple(filter(None, parts)), max(failing, default=0), changed, bool(outside))


# What is shown.


def told(verb: str, err: str) -> str:
    """What a run said beside its answer, folded; nothing in it is read as Markdown."""
    if not err.strip():
        return ""
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", err) or [""]))
    return f"<details><summary>Told by {verb}</summary>\n\n{fence}text\n{err.strip()}\n{fence}\n\n</details>"


def marker(name: str) -> str:
    """The line, unseen by readers, by which the comment is found again."""
    return f"<!-- ringfence review: {name} -->"


def body(settings: Settings, parts: Sequence[str], limit: int | None = None) -> str:
    """The report; where it is longer than *limit*, the longest parts lose all that is folded or stands in a table."""
    left = list(parts)
    while True:
        text = "\n\n".join([marker(settings.name), f"## {settings.name}: network policy", *left]) + "\n"
        if limit is None or len(text) <= limit:
            return text
        longest = max(range(len(left)), key=lambda one: len(left[one]))
        short = f"{_head(left[longest])}\n\n_The rest is too long for a comment; it is in the report of the job._"
        if len(short) >= len(left[longest]):
            return text[:limit]
        left[longest] = short


def _head(part: str) -> str:
    """The lines of *part* above what is folded and above tables, as far as there are not too many of them."""
    first, _, more = re.sub(r"</?(details|summary)>", "", re.split(r"\n<details|\n\|", part)[0]).partition("\n")
    lines = f"{first[:500]}\n{more}".strip()
    return lines if len(lines) <= HEAD else lines[:HEAD].rpartition("\n")[0]


def log(text: str, env: Mapping[str, str]) -> None:
    """Print *text*, of which nothing is a command to GitHub's runner: it holds names that others chose."""
    if env.get("GITHUB_ACTIONS"):
        word = uuid.uuid4().hex
        text = f"::stop-commands::{word}\n{text}\n::{word}::"
    print(text, flush=True)


def _append(path: str | None, text: str) -> None:
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)


# The comment.


def _asked(method: str, url: str, token: str, said: Mapping[str, str] | None = None) -> Any:
    request = urllib.request.Request(url, method=method, data=json.dumps(said).encode() if said else None)  # noqa: S310
    request.add_header("Authorization", f"Bearer {token}")
    request.add_header("Accept", "application/vnd.github+json")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 (the address is GitHub's own variable)
        return json.loads(answer.read())


def comments(url: str, token: str) -> Iterator[dict[str, Any]]:
    """The comments of a pull request, page by page."""
    page = 1
    while found := _asked("GET", f"{url}?per_page={PAGE}&page={page}", token):
        yield from found
        if len(found) < PAGE:
            return
        page += 1


def post(settings: Settings, made: Review, pull: Pull, env: Mapping[str, str]) -> str:
    """Put the report where the last one stood, or begin a comment; what was done, in words."""
    text = body(settings, made.parts, LONGEST)
    top = f"{env.get('GITHUB_API_URL', 'https://api.github.com')}/repos/{env['GITHUB_REPOSITORY']}/issues"
    token = env["GITHUB_TOKEN"]
    for one in comments(f"{top}/{pull.number}/comments", token):
        if not (one.get("body") or "").startswith(marker(settings.name)):
            continue
        try:
            _asked("PATCH", f"{top}/comments/{one['id']}", token, {"body": text})
        except urllib.error.HTTPError as problem:
            if problem.code not in (403, 404):
                raise
            continue  # somebody else's, who quotes ours
        return "the comment is up to date"
    if made.quiet:
        return "nothing to comment on"
    _asked("POST", f"{top}/{pull.number}/comments", token, {"body": text})
    return "a comment was written"


def publish(settings: Settings, made: Review, pull: Pull, env: Mapping[str, str]) -> None:
    """Write the report down, show it, and comment."""
    report = settings.out / "review.md"
    text = body(settings, made.parts)
    report.write_text(text, encoding="utf-8")
    log("\n\n".join(made.parts), env)
    _append(env.get("GITHUB_STEP_SUMMARY"), body(settings, made.parts, 1_000_000))
    outputs = {"changed": made.changed, "report": report, "sarif": settings.out / "lint.sarif", "status": made.status}
    _append(env.get("GITHUB_OUTPUT"), "".join(f"{key}={value}\n" for key, value in outputs.items()))
    if not (settings.comment and pull.number is not None and env.get("GITHUB_TOKEN") and env.get("GITHUB_REPOSITORY")):
        return
    try:
        log(f"review: {post(settings, made, pull, env)}", env)
    except (OSError, ValueError) as problem:
        # A pull request from a fork has a token that may not write; the report is in the summary all the same.
        log(f"review: no comment was written ({problem}); it needs the permission pull-requests: write", env)


def main(env: Mapping[str, str] = os.environ) -> int:
    """Review, publish, and return the exit status."""
    try:
        settings, pull = Settings.read(env), Pull.read(env)
        # git names paths from its top, and annotations do too.
        if git("rev-parse", "--is-inside-work-tree") != "true":
            raise CannotReviewError("this is no work tree of git; run it in the repository that is reviewed")
        settings.out.mkdir(parents=True, exist_ok=True)
        (settings.out / ".gitignore").write_text("*\n", encoding="utf-8")
        made = review(settings, base(settings, pull, env), env)
        publish(settings, made, pull, env)
    except CannotReviewError as problem:
        log(f"review: {problem}", env)
        return 2
    return made.status


if __name__ == "__main__":
    sys.exit(main())
