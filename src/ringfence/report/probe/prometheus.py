"""What twins saw as numbers for Prometheus: whether it agrees, how many connections do, and each arrow that is wanted.

No pod is named: names of pods come and go, and each would be a number that nobody looks at again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ringfence.report import prometheus
from ringfence.report.prometheus import Family, by, one
from ringfence.workflow.judging import Agreement
from ringfence.workflow.probing.results import Probed

WORDS: Final = ("agrees", "disagrees", "unmeasured")


def lines(probed: Probed) -> Iterator[str]:
    """The text for *probed*."""
    yield from prometheus.lines(_families(probed))


def _families(probed: Probed) -> Iterator[Family]:
    yield prometheus.info(verb="probe", profile=probed.profile)
    yield by("ringfence_probe_state", "Whether the cluster does as predicted and wanted: 1 for the answer, else 0.",
             "state", {word: word == probed.word for word in WORDS})  # fmt: skip
    counts = {str(agreement): len(probed.of(agreement)) for agreement in Agreement}
    yield by("ringfence_probe_connections", "Connections that were asked about, by how they stand to the prediction.",
             "agreement", counts)  # fmt: skip
    yield one("ringfence_probe_wrong", "Connections that are not as predicted, or not as wanted.", len(probed.wrong))
    yield by("ringfence_probe_arrow_kept", "Whether all that was measured of an arrow is as wanted: 1, or 0.", "arrow",
             dict(sorted(_arrows(probed).items())))  # fmt: skip
    yield one("ringfence_probe_left_out", "What was not asked.", sum(probed.left_out.values()))
    yield one("ringfence_probe_left_behind", "Objects of the run that could not be removed.", len(probed.left))


def _arrows(probed: Probed) -> dict[str, float]:
    """Each arrow of which something was measured."""
    found: dict[str, float] = {}
    for cell in probed.cells:
        if cell.kept is not None:
            found[cell.asked.because] = min(found.get(cell.asked.because, 1), cell.kept)
    return found
