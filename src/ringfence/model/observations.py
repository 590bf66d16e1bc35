"""What a probe saw: facts from the wire, in the lab as on a live cluster."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """What became of one attempt to connect.

    ``open``: the server answered, or was seen to be reached. ``silent``: nothing came back, which means denied only
    where an allowed attempt is known to be answered. ``refused``: something on the way or at the end said no, which
    is no denial unless the network plugin is known to deny that way. ``error``: the attempt itself failed, which is
    never agreement.
    """

    OPEN = "open"
    SILENT = "silent"
    REFUSED = "refused"
    ERROR = "error"
