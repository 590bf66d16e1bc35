"""Every code of a finding about what a NetworkPolicy cannot say: what it means and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ringfence.manifests.checks.codes import Code
from ringfence.model.findings import Finding, Severity
from ringfence.model.intents import Intent
from ringfence.model.sources import Source

ERROR, WARNING = Severity.ERROR, Severity.WARNING

_TABLE: Final = (
    Code("RF085", ERROR, "pods that no labels single out", "give them a label of their own, or mean all that wear it"),
    Code("RF086", ERROR, "an end that has its node's network", "write the addresses of the nodes"),
    Code("RF087", ERROR, "a port whose number differs, between pods that cannot be told apart", "say --named-ports"),
    Code("RF088", ERROR, "a name outside the cluster, and no choice of how to hold it", "choose one of the ways"),
    Code("RF089", ERROR, "an exception that is for some of the pods", "make it for all pods of the namespace"),
    Code("RF090", WARNING, "pods of a protected namespace that no policy guards", "run them in the pods' network"),
)

CODES: Final = {code.code: code for code in _TABLE}
"""Each code by name."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something cannot be written, before it is known for which intent."""

    code: str
    message: str
    remedy: str = ""

    def of(self, intent: Intent) -> Finding:
        """The finding about *intent*."""
        return about(self.code, f'"{intent}": {self.message}', intent, self.remedy)


def about(code: str, message: str, intent: Intent, remedy: str = "") -> Finding:
    """The finding *code* about *intent*."""
    return finding(code, message, source=intent.source, path=intent.path, remedy=remedy)


def finding(code: str, message: str, *, source: Source, path: str, remedy: str = "") -> Finding:
    """The finding *code* about the field at *path* of the document that came from *source*."""
    entry = CODES[code]
    line, column = source.at(path)
    return Finding(
        code, entry.severity, message, "Intents", "", path, source.file, line, column, remedy or entry.remedy
    )
