"""Helm charts in a directory: folders with a Chart.yaml, whose templates are no manifests before they are rendered."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ringfence.manifests.checks.problems import Problem

MARK: Final = "Chart.yaml"
"""The file that makes a folder a chart."""


@dataclass(slots=True)
class Chart:
    """A chart: its folder, how many templates it was seen to have, whether it was named itself, and whether all that
    it would make was left out on purpose.
    """

    folder: str
    templates: int = 0
    named: bool = False
    left_out: bool = False

    def problem(self) -> Problem:
        """That it was not rendered: what it would make is missing from the answers."""
        name = shlex.quote(self.folder)
        count = f"{self.templates} template{'' if self.templates == 1 else 's'}"
        what = f"is a Helm chart, {count} not read" if self.templates else "is a Helm chart, which was not rendered"
        remedy = f"render it first: helm template {name} | ringfence matrix -, or --helm {name}"
        return Problem("RF046" if self.named else "RF045", what, remedy=remedy, file=self.folder)


def is_settings(name: str, *, beside: bool) -> bool:
    """Whether the file *name*, which lies in a chart, is the chart's own and no object: values wherever they lie, and
    more *beside* the Chart.yaml.
    """
    if beside and name in (MARK, "Chart.lock", "requirements.yaml", "values.schema.json"):
        return True
    stem, _, suffix = name.rpartition(".")
    return suffix in ("yaml", "yml", "json") and (stem.endswith("values") or (beside and stem.startswith("values")))


def around(path: str) -> str | None:
    """The folder of the chart whose ``templates`` hold the directory *path*, as it would be called from there."""
    here = Path(os.path.abspath(path))
    for up, parent in enumerate(here.parents, 1):
        if here.parts[-up] == "templates" and (parent / MARK).is_file():
            return os.path.normpath(os.path.join(path, *[".."] * up))
    return None


def template_problems(files: Iterable[str], charts: dict[str, Chart]) -> Iterator[Problem]:
    """What is to be said of *files*, which are templates: they count to the chart that they lie in, and where there is
    none they are told once for each folder. Call it before the charts are told.
    """
    folders: dict[str, list[str]] = {}
    for file in dict.fromkeys(files):
        chart = next(
            (charts[str(folder)] for folder in Path(os.path.normpath(file)).parents if str(folder) in charts), None
        )
        if chart is None:
            folders.setdefault(os.path.dirname(file), []).append(os.path.basename(file))
        else:
            chart.templates += 1
    for folder, names in folders.items():
        if len(names) == 1:
            what, place = "is a template, which holds no object before it is rendered", os.path.join(folder, names[0])
        else:
            shown = ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
            what = f"holds {len(names)} templates, which hold no object before they are rendered ({shown})"
            place = folder or "."
        them = "it" if len(names) == 1 else "them"
        yield Problem("RF046", what, remedy=f"render {them} first, or leave {them} out with --exclude", file=place)
