"""A fake API server with policies, and what the verb does against it without predictions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from fakeapi import FakeApi

from ringfence.live.apply.journal import Cluster, Journal, identity
from ringfence.live.apply.plan import Around, plan
from ringfence.live.apply.preflight import Found, Preflight, for_journal
from ringfence.live.apply.steps import Object
from ringfence.live.apply.wanted import Resources, Wanted
from ringfence.live.server.connecting import connect
from ringfence.live.server.resources import NETWORK_POLICIES
from ringfence.live.server.server import Server
from ringfence.manifests.write import network_policy
from ringfence.model.policies import Policy

RUN = "abc123"
Json = dict[str, Any]


def server(api: FakeApi, folder: Path) -> Server:
    """Logged in at *api*, with no time to wait between tries."""
    found = connect(str(api.kubeconfig(folder / "config")))
    found.sleep = lambda _: None
    return found


def written(policy: Policy) -> Json:
    """*policy* as an object."""
    return network_policy(policy)


def wanted(policy: Policy) -> Wanted:
    """*policy* as the input of the verb."""
    which = Object(NETWORK_POLICIES, policy.namespace, policy.name)
    return Wanted(which, network_policy(policy), f"{policy.name}.yaml:1", policy)


def looked(server: Server, policies: Sequence[Policy], *, prune: bool = True, force: bool = False) -> Found:
    """What would have to change so that *policies* are there, in their namespaces and in ``shop``."""
    spaces = {"shop", *(one.namespace for one in policies if one.namespace)}
    return Preflight(server, Resources(server), prune, force).look([wanted(one) for one in policies], spaces)


def ready(server: Server, policies: Sequence[Policy], path: Path, **how: bool) -> Journal:
    """A journal for what leads to *policies*; nothing is written to the server."""
    found = looked(server, policies, **how)
    assert not found.conflicts
    steps = plan(found.changes, Around(found.kept), RUN).steps
    return Journal(path, RUN, identity(server), "now", for_journal(steps), bool(how.get("force")))


def specs(api: FakeApi) -> dict[str, Json]:
    """What every NetworkPolicy says, by its name."""
    found = api.objects("NetworkPolicy")
    return {f"{one['metadata']['namespace']}/{one['metadata']['name']}": one["spec"] for one in found}


def said(policies: Iterable[Policy]) -> dict[str, Json]:
    """The same of *policies*, as a server has them."""
    return {one.id: network_policy(one)["spec"] for one in policies}


__all__ = ["RUN", "Cluster", "looked", "ready", "said", "server", "specs", "wanted", "written"]
