"""Directories to files: which may hold manifests, and what else was found that the answers will not cover."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from ringfence.errors import InputError
from ringfence.manifests.checks.problems import Problem
from ringfence.manifests.text import charts, kustomize
from ringfence.manifests.text.charts import Chart
from ringfence.manifests.text.globs import Globs
from ringfence.manifests.text.kustomize import Kustomization, Tree

SUFFIXES: Final = (
    ".yaml", ".yml", ".json", ".jsonl", ".ndjson",
    ".yaml.gz", ".yml.gz", ".json.gz", ".jsonl.gz", ".ndjson.gz",
)  # fmt: skip
"""How the names of manifests end."""
MAX_ENTRIES: Final = 2_000_000
"""Files and folders that are looked at below the directories of one run."""
MAX_FILES: Final = 200_000
"""Files that may be manifests, of the directories of one run."""
NO_FOLDERS: Final = ("node_modules", "__pycache__")
"""Folders that other programs fill, which are not entered."""
NO_MANIFESTS: Final = (
    "package.json", "package-lock.json", "npm-shrinkwrap.json", "composer.json", "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    "tsconfig*.json", "jsconfig*.json", "angular.json", "lerna.json", "nx.json", "renovate.json", "devcontainer.json",
    "docker-compose*.yaml", "docker-compose*.yml", "compose.yaml", "compose.yml", "mkdocs.yaml", "mkdocs.yml",
    "codecov.yaml", "codecov.yml", "appveyor.yml", "azure-pipelines*.yml", "azure-pipelines*.yaml",
    "bitbucket-pipelines.yml", "buildspec.yml", "buildspec.yaml",
)  # fmt: skip
"""Names that another program has given a meaning: such files in a directory hold no manifests and are not read."""
_OF_OTHERS: Final = re.compile("|".join(map(fnmatch.translate, NO_MANIFESTS)))

Role = Literal["plain", "templates", "subcharts"]


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder to look into: its name, the same from the directory on that was named, and the chart it is part of."""

    name: str
    relative: str
    chart: Chart | None
    role: Role


@dataclass(slots=True)
class _Content:
    """What one folder holds, by name, in order; whether it is a chart, and whether templates were left out of it."""

    files: list[str] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    is_chart: bool = False
    left_out: bool = False


class Trees:
    """The directories of one run. Lists their files, and collects what must be told of the rest."""

    def __init__(
        self, exclude: Sequence[str] = (), rendered: Iterable[str] = (), *, may_be_empty: bool = False
    ) -> None:
        self._may_be_empty = may_be_empty
        self.globs = Globs(exclude)
        self.charts: dict[str, Chart] = {}
        self.passed: list[str] = []
        """Files that are known to hold no manifest, and folders that were not entered."""
        self._rendered = {os.path.realpath(path) for path in rendered}
        self._kustomizations: dict[str, Kustomization] = {}
        self._links: list[str] = []
        self._tops: list[str] = []
        self._unlisted: list[Problem] = []
        self._entries = self._files = 0

    def files(self, top: str) -> list[str]:
        """The files below the directory *top* that may be manifests, each folder's own before those of its folders.

        Raises: InputError when there are too many, or, unless there may be none, none and nothing else to be told.
        """
        before = self._noted()
        self._tops.append(os.path.realpath(top))
        chart = self._named_chart(top)
        stack = [_Folder(top.rstrip("/") or "/", "", chart, "templates" if chart else "plain")]
        found: list[str] = []
        while stack:
            folder = stack.pop()
            content = self._content(folder, top)
            inner, files = self._sorted_out(folder, content)
            found += files
            stack += reversed(inner)
        if not found and self._noted() == before and not self._may_be_empty:
            raise InputError(
                f"{top}: no manifest in this directory; files end in {', '.join(SUFFIXES[:5])}, packed as .gz or not"
            )
        return self._without_patches(found)

    def _noted(self) -> tuple[int, ...]:
        """How much there is to tell so far."""
        kept = (self.charts, self.passed, self._kustomizations, self._links, self._unlisted, self.globs.used())
        return tuple(map(len, kept))

    def excluded(self, file: str) -> bool:
        """Whether *file*, which was named, is left out all the same."""
        return self.globs.match(file, os.path.basename(file))

    def trees(self) -> list[Tree]:
        """The kustomizations that were found, put together by where they take objects from."""
        return kustomize.trees(self._kustomizations)

    def problems(self) -> Iterator[Problem]:
        """What is to be told of the directories, but for kustomizations."""
        yield from self._unlisted
        for chart in self.charts.values():
            if not (chart.left_out and not chart.templates) and os.path.realpath(chart.folder) not in self._rendered:
                yield chart.problem()
        away = [link for link in self._links if not self._inside(os.path.realpath(link))]
        if away:
            shown = ", ".join(away[:3]) + (" …" if len(away) > 3 else "")
            what = (
                "a link to a directory, which is" if len(away) == 1 else f"{len(away)} links to directories, which are"
            )
            yield Problem("RF048", f"{what} not followed: {shown}", remedy="name it as a path to read it too")
        for text in self.globs.unused():
            yield Problem("RF049", f"--exclude {text!r} matches nothing")

    # -- one folder -------------------------------------------------------------------------------------------------

    def _named_chart(self, top: str) -> Chart | None:
        """The chart in whose templates the directory *top*, which was named, lies."""
        folder = charts.around(top)
        return None if folder is None else self.charts.setdefault(folder, Chart(folder, named=True))

    def _content(self, folder: _Folder, top: str) -> _Content:
        """The files and folders in *folder* that matter; hidden ones do not."""
        found = _Content()
        try:
            with os.scandir(folder.name) as entries:
                for entry in entries:
                    if not entry.name.startswith("."):
                        self._place(entry, folder, found)
                    self._count(top, len(found.files))
        except OSError as problem:
            what = f"cannot be listed: {problem.strerror or problem}"
            self._unlisted.append(Problem("RF001", what, file=folder.name, remedy="make the directory readable"))
        self._files += len(found.files)
        found.files.sort()
        found.folders.sort()
        return found

    def _count(self, top: str, files: int) -> None:
        """Counts one entry of a folder that has shown *files* so far. Raises: InputError when there are too many."""
        self._entries += 1
        if self._entries > MAX_ENTRIES:
            raise InputError(
                f"{top}: holds more than {MAX_ENTRIES} files and folders; name a smaller directory, or leave some out "
                "with --exclude"
            )
        if self._files + files > MAX_FILES:
            raise InputError(
                f"{top}: holds more than {MAX_FILES} files that may be manifests; name a smaller directory, leave some "
                "out with --exclude, or join them into a dump"
            )

    def _place(self, entry: os.DirEntry[str], folder: _Folder, found: _Content) -> None:
        """Puts *entry* where it belongs in *found*, if it matters at all."""
        name = entry.name
        is_folder = entry.is_dir(follow_symlinks=False)
        linked = not is_folder and entry.is_symlink() and os.path.isdir(entry.path)
        matters = name.endswith(SUFFIXES) or name in kustomize.NAMES
        if not (is_folder or linked or matters):
            return
        found.is_chart = found.is_chart or name == charts.MARK
        path = _join(folder.name, name)
        if self.globs.match(path, _join(folder.relative, name), folder=is_folder or linked):
            found.left_out = found.left_out or folder.role == "templates" or name == "templates"
        elif linked:
            self._links.append(path)
        elif not is_folder:
            found.files.append(name)
        elif name in NO_FOLDERS:
            self.passed.append(path)
        else:
            found.folders.append(name)

    def _sorted_out(self, folder: _Folder, content: _Content) -> tuple[list[_Folder], list[str]]:
        """The folders to look into next, and the files of *folder* to read; charts and kustomizations are noted."""
        chart, is_top = folder.chart, not folder.relative
        # A chart among another's charts is rendered with that one, and one in its templates is a template.
        if content.is_chart and folder.role == "plain":
            chart = self.charts.setdefault(_plain(folder.name), Chart(_plain(folder.name)))
            chart.named = chart.named or is_top
        if chart is not None:
            chart.left_out = chart.left_out or content.left_out
        inner = [
            _Folder(_join(folder.name, name), _join(folder.relative, name), chart, _role(folder, name, content))
            for name in content.folders
        ]
        if folder.role == "templates" and chart is not None:
            chart.templates += len(content.files)
            return inner, []
        return inner, [path for name in content.files if (path := self._wanted(folder, name, content)) is not None]

    def _wanted(self, folder: _Folder, name: str, content: _Content) -> str | None:
        """The path of the file *name* if it is to be read."""
        path = _join(folder.name, name)
        in_chart = content.is_chart or folder.chart is not None
        settings = in_chart and charts.is_settings(name, beside=content.is_chart)
        if settings or _OF_OTHERS.match(name):
            self.passed.append(path)
            return None
        if name in kustomize.NAMES:
            found = kustomize.read(_plain(folder.name), path)
            if found is not None:
                self._kustomizations[found.folder] = found
                self.passed.append(path)
                return None
        return path

    def _without_patches(self, files: list[str]) -> list[str]:
        """*files* but for those that a kustomization takes as patches or settings, and none as objects."""
        objects = {file for one in self._kustomizations.values() for file in one.files}
        aside = {file for one in self._kustomizations.values() for file in one.aside} - objects
        if not aside:
            return files
        self.passed += [file for file in files if _plain(file) in aside]
        return [file for file in files if _plain(file) not in aside]

    def _inside(self, real: str) -> bool:
        """Whether the directory *real* lies in one that is read."""
        return any(real == top or real.startswith(f"{top.rstrip('/')}/") for top in self._tops)


def _role(folder: _Folder, name: str, content: _Content) -> Role:
    """What the folder *name* in *folder* is to a chart."""
    if folder.role == "templates":
        return "templates"
    if content.is_chart and name == "templates":
        return "templates"
    if (content.is_chart and name == "charts") or (folder.role == "subcharts" and not content.is_chart):
        return "subcharts"
    return "plain"


def _join(folder: str, name: str) -> str:
    """The path of *name* in *folder*; the directory in which we are is not repeated in each."""
    return name if folder in ("", ".") else os.path.join(folder, name)


def _plain(path: str) -> str:
    return os.path.normpath(path)
