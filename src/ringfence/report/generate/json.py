"""Generated policies as one List in JSON, as kubectl applies it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ringfence.generate.parts import Document
from ringfence.report.generate.objects import plain


def text(documents: Iterable[Document]) -> str:
    """*documents* as one List."""
    import msgspec  # noqa: PLC0415

    made: dict[str, Any] = {"apiVersion": "v1", "kind": "List", "items": [plain(one) for one in documents]}
    return msgspec.json.format(msgspec.json.encode(made), indent=2).decode() + "\n"
