"""A small code host for tests: it keeps the comments of pull requests as GitHub's interface does."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class CodeHost:
    """The comments of one pull request, and all that was asked."""

    def __init__(self) -> None:
        self.comments: list[dict[str, Any]] = []
        self.asked: list[tuple[str, str]] = []
        self.foreign: set[int] = set()
        """Numbers of comments that the token may not write."""
        self.read_only = False
        self.address = ""

    def answer(self, method: str, url: str, said: dict[str, Any] | None) -> tuple[int, Any]:
        """Status and answer to one question."""
        self.asked.append((method, url))
        parts, query = urlsplit(url), parse_qs(urlsplit(url).query)
        if method != "GET" and self.read_only:
            return 403, {"message": "Resource not accessible by integration"}
        if parts.path == "/repos/shop/apps/issues/7/comments":
            if method == "POST" and said is not None:
                self.comments.append({"id": 100 + len(self.comments), "body": said["body"]})
                return 201, self.comments[-1]
            size, page = int(query["per_page"][0]), int(query["page"][0])
            return 200, self.comments[size * (page - 1) : size * page]
        match = re.fullmatch(r"/repos/shop/apps/issues/comments/(\d+)", parts.path)
        found = next((one for one in self.comments if match and one["id"] == int(match[1])), None)
        if method != "PATCH" or found is None or said is None:
            return 404, {"message": "Not Found"}
        if found["id"] in self.foreign:
            return 403, {"message": "Forbidden"}
        found["body"] = said["body"]
        return 200, found


@contextmanager
def serving() -> Iterator[CodeHost]:
    """A code host that listens on this machine as long as the context lasts."""
    host = CodeHost()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            said = json.loads(self.rfile.read(length)) if length else None
            allowed = self.headers["Authorization"] == "Bearer secret"
            status, found = host.answer(self.command, self.path, said) if allowed else (401, {})
            text = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = _answer  # noqa: N815 (the names that the class looks for)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    host.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
