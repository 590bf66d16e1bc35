"""What can go wrong between here and an API server, as exceptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ringfence.errors import LiveError


class Unreachable(LiveError):
    """No answer came: the address, the network, or the trust in the server's certificate.

    ``passing`` says whether it may be otherwise in a moment; ``reached`` whether the request can have arrived.
    """

    def __init__(self, sentence: str, *, passing: bool = True, reached: bool = True) -> None:
        self.passing = passing
        self.reached = reached
        super().__init__(sentence)


class Refused(LiveError):
    """The server answered, and not with what was asked for.

    ``status`` is the HTTP status; ``reason`` and ``message`` are the server's own words, ``causes`` what it says of
    single fields: pairs of a field's path and a sentence.
    """

    def __init__(self, what: str, status: int, body: Mapping[str, Any]) -> None:
        self.status = status
        self.reason = str(body.get("reason") or "")
        self.message = str(body.get("message") or "")
        details = body.get("details")
        told = details.get("causes") if isinstance(details, Mapping) else None
        self.causes = tuple(
            (str(one.get("field") or ""), str(one.get("message") or ""))
            for one in (told if isinstance(told, list) else ())
            if isinstance(one, Mapping)
        )
        super().__init__(f"{what}: {self.message or f'the server answered {status}'}{self._remedy()}")

    def _remedy(self) -> str:
        if self.status == 401:
            return "; the login is not accepted or has expired: log in again, or name another context with --context"
        if self.forbidden:
            return "; 'ringfence rbac VERB' prints the rights that a verb needs"
        return ""

    @property
    def forbidden(self) -> bool:
        """No right to do it."""
        return self.status == 403

    @property
    def not_found(self) -> bool:
        """No such object, or no such kind."""
        return self.status == 404

    @property
    def conflict(self) -> bool:
        """Somebody else has it, or changed it, or an object of that name exists."""
        return self.status == 409

    @property
    def expired(self) -> bool:
        """What was asked for is too old to be had: the list has to begin again."""
        return self.status == 410

    @property
    def invalid(self) -> bool:
        """The object is not one that the server takes."""
        return self.status in (400, 422) or self.undeclared

    @property
    def undeclared(self) -> bool:
        """A field that there is not: of server-side apply a server says so as if it were its own fault."""
        return self.status == 500 and "field not declared in schema" in self.message
