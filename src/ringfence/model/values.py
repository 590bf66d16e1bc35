"""Data classes of which a large cluster has hundreds of thousands."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["light"]

T = TypeVar("T")

if TYPE_CHECKING:
    from dataclasses import dataclass as light
else:

    def light(*, frozen: bool, **options: Any) -> Callable[[type[T]], type[T]]:
        """``dataclass(frozen=True)`` in the eyes of the type checker, which lets nobody change one.

        At run time nothing guards it: with the guard each would take four times as long to make.
        """
        assert frozen
        return dataclasses.dataclass(unsafe_hash=True, **options)
