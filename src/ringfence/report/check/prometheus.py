"""A check as numbers for Prometheus: whether it is clean, each arrow, each protected namespace, and the score."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ringfence.query.check.against import Difference
from ringfence.query.check.result import Checked, Standing
from ringfence.report import prometheus
from ringfence.report.check import words
from ringfence.report.prometheus import Family, Labels, by, one

CLEAN: Final = "Whether the check is clean: 1, or 0 when anything is missing, in excess, unprotected or in doubt."


def lines(checked: Checked) -> Iterator[str]:
    """The text for *checked*."""
    yield from prometheus.lines(_families(checked))


def _families(checked: Checked) -> Iterator[Family]:
    yield prometheus.info(verb="check", profile=checked.profile.name)
    yield one("ringfence_check_clean", CLEAN, checked.clean and not checked.left_out)
    counts, kept = _arrows(checked)
    yield Family("ringfence_check_arrows", "Arrows of the intents, by what became of them.", counts)
    yield Family(
        "ringfence_check_arrow_kept", "Whether an arrow is kept for certain: 1, or 0 when not or unsure.", kept
    )
    yield one(
        "ringfence_check_excess_pairs", "Pairs of ends that may connect and should not.", words.pairs(checked.excess)
    )
    exposed = {one.namespace for one in checked.exposed}
    yield by("ringfence_check_namespace_protected", "Whether policies restrict every pod of a protected namespace.",
             "namespace", {name: name not in exposed for name in sorted(checked.meaning.protect)})  # fmt: skip
    yield one("ringfence_check_doubts", "Things the input lacks that could hide an opening.", len(checked.doubts))
    yield one("ringfence_check_left_out", "Objects of the input that could not be read or are not in force.",
              len(checked.left_out))  # fmt: skip
    yield one("ringfence_check_names_lacking", "Arrows to names outside that no companion document holds.",
              sum(bool(name.lacking) for name in checked.names))  # fmt: skip
    yield one("ringfence_check_names_strange", "Names outside that a companion document holds and no arrow wants.",
              len(checked.strange))  # fmt: skip
    yield one("ringfence_check_intended_ratio", "How much of what is possible is intended, from 0 to 1.",
              checked.score.share)  # fmt: skip
    yield one("ringfence_check_fulfilled_ratio", "How much of what is intended is possible, from 0 to 1.",
              checked.score.fulfilled)  # fmt: skip


def _arrows(checked: Checked) -> tuple[dict[Labels, float], dict[Labels, float]]:
    """How many arrows stand how, each number given also where it is 0; and for each arrow whether it is kept.

    Two documents may hold one arrow. It has one number then, and is kept when both are.
    """
    counts: dict[Labels, float] = {
        (("kind", kind), ("standing", str(standing))): 0 for kind in ("forbidden", "wanted") for standing in Standing
    }
    kept: dict[Labels, float] = {}
    told = [("wanted", words.title(one.wish), one.standing) for one in checked.wanted]
    told += [("forbidden", words.title(one.ban), one.standing) for one in checked.forbidden]
    for kind, arrow, standing in told:
        counts[("kind", kind), ("standing", str(standing))] += 1
        key = (("arrow", arrow), ("kind", kind))
        kept[key] = min(kept.get(key, 1), standing is Standing.KEPT)
    return counts, dict(sorted(kept.items()))


def against(found: Difference) -> Iterator[str]:
    """The text for a comparison with a stored matrix."""
    changes = found.changes
    counts = {
        "added": sum(bool(change.added) for change in changes), "gone": sum(bool(change.gone) for change in changes),
        "noted": sum(bool(change.notes) for change in changes), "surer": sum(bool(change.surer) for change in changes),
    }  # fmt: skip
    yield from prometheus.lines((
        prometheus.info(verb="check"),
        one("ringfence_check_clean", "Whether the matrix is the stored one: 1, or 0 when a pair differs.", found.clean),
        one("ringfence_check_pairs", "Pairs of ends that may connect.", found.pairs),
        by("ringfence_check_changed_pairs", "Pairs that differ from the stored matrix, by how; one may do so twice.",
           "change", counts),
    ))  # fmt: skip
