"""What goes wrong, and when: planted by a test, told in the words of requests.

::

    api.faults.add(Fault(method="PATCH", path="networkpolicies", nth=2, status=500))
    api.faults.add(Fault(drop="after"))            # the first request is done, and its answer never comes
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from typing import Literal

from fakeapi.answers import Answer, Json, status


@dataclass
class Fault:
    """``path`` is searched in the request's path and query. The ``nth`` match and ``times - 1`` more go wrong.

    With ``body`` or ``text`` the answer is that; else a Status of ``status``. ``drop`` breaks the connection
    ``before`` the request is done, or ``after``, or ``within`` the answer. ``delay`` is in seconds.
    """

    method: str = ""
    path: str = ""
    nth: int = 1
    times: int = 1
    status: int = 0
    retry_after: int | str | None = None
    drop: Literal["", "before", "after", "within"] = ""
    delay: float = 0.0
    body: Json | None = None
    text: str | None = None
    seen: int = field(default=0, init=False)

    def matches(self, method: str, path: str) -> bool:
        return self.method in ("", method) and re.search(self.path, path) is not None

    def answer(self) -> Answer | None:
        if not self.status:
            return None
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        if self.text is not None:
            return Answer(self.status, self.text, headers)
        if self.body is not None:
            return Answer(self.status, self.body, headers)
        reason, message = _WORDS.get(self.status, ("", "planted"))
        return status(self.status, reason, message, headers=headers).answer


_WORDS = {
    401: ("Unauthorized", "Unauthorized"),
    409: ("Conflict", "planted"),
    410: ("Expired", "The provided continue parameter is too old to display a consistent list result."),
    429: ("TooManyRequests", "Too many requests, please try again later."),
    500: ("InternalError", "Internal error occurred: planted"),
    503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
    504: ("Timeout", "request did not complete within the allotted timeout"),
}


class Faults:
    def __init__(self) -> None:
        self._planted: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, *faults: Fault) -> None:
        with self._lock:
            self._planted += faults

    def clear(self) -> None:
        with self._lock:
            self._planted.clear()

    def due(self, method: str, path: str) -> Fault | None:
        """The fault that strikes this request; every planted one counts it."""
        with self._lock:
            struck = None
            for fault in self._planted:
                if fault.matches(method, path):
                    fault.seen += 1
                    if fault.nth <= fault.seen < fault.nth + fault.times:
                        struck = struck or fault
            return struck
