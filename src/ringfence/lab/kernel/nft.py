"""Packet rules by libnftables, in this process: no program is started, and the rules never stand in a file."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import socket
from pathlib import Path
from typing import Final

SONAME: Final = "libnftables.so.1"
_JSON: Final = 1 << 4
_STATELESS: Final = 1 << 1


class NftError(Exception):
    """The kernel or the library refused a batch of rules; the text is the library's own."""


def load() -> ctypes.CDLL:
    """The library. Raises: OSError when the machine does not have it."""
    library = ctypes.CDLL(SONAME)
    library.nft_ctx_new.restype = ctypes.c_void_p
    library.nft_ctx_new.argtypes = [ctypes.c_uint32]
    for name in ("nft_ctx_buffer_output", "nft_ctx_buffer_error", "nft_ctx_free"):
        getattr(library, name).argtypes = [ctypes.c_void_p]
    for name in ("nft_ctx_get_output_buffer", "nft_ctx_get_error_buffer"):
        getattr(library, name).argtypes = [ctypes.c_void_p]
        getattr(library, name).restype = ctypes.c_char_p
    library.nft_run_cmd_from_buffer.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    library.nft_ctx_output_set_flags.argtypes = [ctypes.c_void_p, ctypes.c_uint]
    return library


class Nft:
    """The rules of the network namespace in which this object was made.

    The library asks for a large send buffer in a way that a user without rights over the whole machine may not, so the
    buffer is raised here as far as the machine lets everybody (``net.core.wmem_max``).
    """

    def __init__(self) -> None:
        self._library = load()
        before = set(os.listdir("/proc/self/fd"))
        self._context = self._library.nft_ctx_new(0)
        if not self._context:
            raise NftError("libnftables cannot talk to the kernel; nf_tables may be missing from it")
        self._library.nft_ctx_buffer_output(self._context)
        self._library.nft_ctx_buffer_error(self._context)
        for word in set(os.listdir("/proc/self/fd")) - before:
            self._raise_buffer(int(word))

    def _raise_buffer(self, descriptor: int) -> None:
        try:
            duplicate = socket.socket(fileno=os.dup(descriptor))
        except OSError:
            return  # the descriptor of the listing itself, gone by now, or no socket
        try:
            for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                duplicate.setsockopt(socket.SOL_SOCKET, option, 4 << 20)
        finally:
            duplicate.close()

    def run(self, text: str) -> str:
        """Carry out *text* as one transaction and return what the library prints. Raises: NftError."""
        failed = self._library.nft_run_cmd_from_buffer(self._context, text.encode())
        said: bytes = self._library.nft_ctx_get_output_buffer(self._context) or b""
        problem: bytes = self._library.nft_ctx_get_error_buffer(self._context) or b""
        if failed:
            raise NftError(problem.decode(errors="replace").strip() or "the kernel refused the rules")
        return said.decode()

    def run_json(self, text: str) -> str:
        """As :meth:`run`, printing JSON."""
        self._library.nft_ctx_output_set_flags(self._context, _JSON)
        try:
            return self.run(text)
        finally:
            self._library.nft_ctx_output_set_flags(self._context, 0)

    def close(self) -> None:
        """Give the library's context back."""
        if self._context:
            self._library.nft_ctx_free(self._context)
            self._context = None


def send_buffer() -> int:
    """The largest send buffer that anybody may ask for, in bytes; bounds the size of one transaction."""
    try:
        return int(Path("/proc/sys/net/core/wmem_max").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 212_992
