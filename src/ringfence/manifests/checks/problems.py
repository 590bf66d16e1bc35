"""What reading has to say, before it is known of which object it speaks."""

from __future__ import annotations

from dataclasses import dataclass

from ringfence.manifests.checks.codes import CODES
from ringfence.model.findings import Finding, Severity
from ringfence.model.sources import Source


@dataclass(frozen=True, slots=True)
class Problem:
    """A code, a sentence, and the place as far as it is known.

    ``field`` is a path in the object, and ``at`` a longer one where that tells the line better. ``line`` and ``column``
    count from 1; 0 means that the path says where. ``text`` is that line, where no object has it.
    """

    code: str
    message: str
    field: str = ""
    remedy: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    at: str = ""
    text: str = ""

    @property
    def refuses(self) -> bool:
        """Whether the API server would refuse the object for it."""
        return CODES[self.code].severity is Severity.ERROR

    @property
    def leaves_out_object(self) -> bool:
        """Whether the whole object has to be left out of the answers for it (S29, S30)."""
        return CODES[self.code].leaves_out == "object"

    def finding(self, *, kind: str = "", name: str = "", source: Source | None = None) -> Finding:
        """The finding about the object called *name* that came from *source*."""
        code = CODES[self.code]
        file, line, column, text = self.file, self.line, self.column, self.text
        if source is not None:
            file = file or source.file
            if not line:
                line, column = source.at(self.at or self.field)
            text = text or source.text(line)
        return Finding(
            code.code, code.severity, self.message, kind, name, self.field, file, line, column,
            self.remedy or code.remedy, bool(code.leaves_out), text=text,
        )  # fmt: skip
