"""Reads the text that Prometheus reads, strictly: what its page on the format only tolerates is wrong here."""

from __future__ import annotations

import re
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

NAME: Final = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL: Final = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\\\|\\"|\\n)*"'
SAMPLE: Final = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?[0-9.]+(?:e[-+]?[0-9]+)?)")
"""A number and nothing behind it: what the node exporter reads from a file may have no time."""
PAIR: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
ESCAPES: Final = {r"\\": "\\", r"\"": '"', r"\n": "\n"}

Numbers = dict[tuple[str, frozenset[tuple[str, str]]], float]


def numbers(text: str) -> Numbers:
    """Every number of *text* by its name and labels. Raises: AssertionError where the text is not as it should be."""
    assert text.endswith("\n"), "the last line has no end"
    found: Numbers = {}
    helped: set[str] = set()
    family = ""
    rows = iter(text[:-1].split("\n"))
    for row in rows:
        if row.startswith("#"):
            about = re.fullmatch(rf"# HELP ({NAME}) (?:[^\\]|\\\\|\\n)+", row)
            assert about, row
            family = about[1]
            assert family not in helped, f"{family} stands in two places"
            helped.add(family)
            assert next(rows) == f"# TYPE {family} gauge"
            continue
        sample = SAMPLE.fullmatch(row)
        assert sample, row
        assert sample[1] == family, f"{row} stands under {family}"
        key = sample[1], frozenset(_labels(sample[2] or ""))
        assert key not in found, f"{row} has two values"
        found[key] = float(sample[3])
    assert {name for name, _ in found} == helped, "a family has no number"
    assert found == _as_the_client_reads(text)
    return found


def _labels(text: str) -> list[tuple[str, str]]:
    found = [(name, re.sub(r"\\.", lambda one: ESCAPES[one[0]], value)) for name, value in PAIR.findall(text)]
    assert len({name for name, _ in found}) == len(found), f"a label stands twice: {text}"
    return found


def _as_the_client_reads(text: str) -> Numbers:
    """What Prometheus's own library for Python makes of *text*."""
    return {
        (sample.name, frozenset(sample.labels.items())): float(sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
