"""A real server for the tests of this folder, which ``make test-live`` alone collects.

They were asked for, so what is missing is a failure, never a skip.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from live_cluster import apiserver
from ringfence.live.runs import new_id
from ringfence.live.server.connecting import connect
from ringfence.live.server.resources import NAMESPACES
from ringfence.live.server.server import Server

WHOLE: Final = "RINGFENCE_LIVE"
"""Set to 1, it says that KUBECONFIG names a whole cluster in which the tests may make and remove namespaces."""
IS_WHOLE: Final = os.environ.get(WHOLE) == "1"
OWN: Final = all(apiserver.found(name) for name in apiserver.PROGRAMS)
"""Whether a server can be started here, whose contents are known to the last object."""
collect_ignore = [
    *([] if IS_WHOLE else ["test_story.py"]),
    *([] if OWN or not IS_WHOLE else ["test_contract.py"]),
]


@pytest.fixture(scope="session")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One that may do everything: of a server that is started here, or of the cluster that was named."""
    if OWN:
        with apiserver.running() as server:
            yield server.kubeconfig()
        return
    if IS_WHOLE:
        yield whole_kubeconfig()
        return
    lacking = " and ".join(name for name in apiserver.PROGRAMS if apiserver.found(name) is None)
    pytest.fail(
        f"no API server to test with: {lacking} not found; put both into one directory and name it with "
        f"KUBEBUILDER_ASSETS (setup-envtest gets them), or name a whole cluster with KUBECONFIG and {WHOLE}=1"
    )


def whole_kubeconfig() -> Path:
    """The kubeconfig of the whole cluster."""
    named = os.environ.get("KUBECONFIG", "")
    if not named or not Path(named).is_file():
        pytest.fail(f"{WHOLE}=1 asks for a whole cluster, and KUBECONFIG names no file: {named!r}")
    return Path(named)


@pytest.fixture(scope="session")
def server(kubeconfig: Path) -> Server:
    """The server, asked by somebody who may do everything."""
    return connect(str(kubeconfig))


@pytest.fixture
def namespace(server: Server) -> Iterator[str]:
    """A namespace of its own, removed behind the test."""
    name = f"ringfence-test-{new_id()}"
    server.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    server.delete(NAMESPACES, name)
