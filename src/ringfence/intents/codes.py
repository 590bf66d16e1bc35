"""Every code of a finding about intents in a cluster: what it means and what to do."""

from __future__ import annotations

from typing import Final

from ringfence.manifests.checks.codes import Code
from ringfence.model.findings import Finding, Severity
from ringfence.model.sources import Source

ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE

_TABLE: Final = (
    Code("RF070", ERROR, "an end of an arrow that is not in the input", "mend the name, or add its manifests", "part"),
    Code("RF071", ERROR, "a port on which nobody listens", "write a port that the pods declare", "part"),
    Code("RF072", ERROR, "an arrow that is wanted and forbidden", "remove one of the two", "part"),
    Code(
        "RF073", ERROR, "a protected namespace that is not in the input", "mend the name, or add its manifests", "part"
    ),
    Code("RF074", ERROR, "an end that cannot be meant in an intent", "name pods, a Service or addresses", "part"),
    Code("RF075", WARNING, "labels that nobody in the input wears", "mend them, unless the pods come later"),
    Code("RF076", WARNING, "an arrow without a port, which opens every port", "say the port, as in shop/db:5432"),
    Code("RF077", ERROR, "a companion that lacks a fact", "give the fact", "part"),
    Code("RF078", NOTE, "what a companion or the DNS rests on", "look whether it holds for your cluster"),
    Code("RF079", WARNING, "an arrow between namespaces of which none is protected", "protect one of them"),
    Code("RF080", ERROR, "documents that say otherwise of one namespace's DNS", "say the same, or give --dns", "part"),
)

CODES: Final = {code.code: code for code in _TABLE}
"""Each code by name."""


def finding(code: str, message: str, *, source: Source, path: str, remedy: str = "", name: str = "") -> Finding:
    """The finding *code* about the field at *path* of the document called *name* that came from *source*."""
    entry = CODES[code]
    line, column = source.at(path)
    return Finding(code, entry.severity, message, "Intents", name, path, source.file, line, column,
                   remedy or entry.remedy, bool(entry.leaves_out))  # fmt: skip
