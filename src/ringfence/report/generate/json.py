"""Generated policies as one List in JSON, as kubectl applies it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ringfence.generate.dialects.asked import Companion
from ringfence.generate.parts import Document
from ringfence.report.generate.objects import plain


def text(documents: Iterable[Document], companions: Iterable[Companion] = ()) -> str:
    """*documents* and their *companions* as one List."""
    import msgspec  # noqa: PLC0415

    items = [*map(plain, documents), *(one.document for one in companions)]
    made: dict[str, Any] = {"apiVersion": "v1", "kind": "List", "items": items}
    return msgspec.json.format(msgspec.json.encode(made), indent=2).decode() + "\n"
