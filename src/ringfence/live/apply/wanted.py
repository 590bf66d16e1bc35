"""What is to be applied: the policies among what was read, as they are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from ringfence.errors import UsageError
from ringfence.live.apply.objects import content
from ringfence.live.apply.steps import Object
from ringfence.live.server.errors import Refused, Unreachable
from ringfence.live.server.resources import NETWORK_POLICIES, Resource
from ringfence.live.server.server import Json, Server
from ringfence.manifests.kinds import unmodelled
from ringfence.model.cluster import Cluster, Other
from ringfence.model.policies import Policy


@dataclass(frozen=True, slots=True)
class Wanted:
    """One object of the input; ``policy`` is what it means, for a NetworkPolicy, ``place`` where it is written."""

    object: Object
    body: Json
    place: str
    policy: Policy | None = None


class Resources:
    """The kinds that the server has, asked for by their API version."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._known: dict[str, dict[str, Resource]] = {}

    def of(self, group: str, version: str, kind: str) -> Resource | None:
        """The resource of *kind*; None where the server does not have it. Raises: Refused; Unreachable."""
        if (group, version, kind) == ("networking.k8s.io", "v1", "NetworkPolicy"):
            return NETWORK_POLICIES
        key = f"{group}/{version}"
        if key not in self._known:
            self._known[key] = self._asked(group, version)
        return self._known[key].get(kind)

    def _asked(self, group: str, version: str) -> dict[str, Resource]:
        import json  # noqa: PLC0415

        try:
            found = json.loads(self.server.get(f"/apis/{group}/{version}"))
        except Refused as problem:
            if problem.not_found:
                return {}
            raise
        except ValueError:
            raise Unreachable(
                f"{self.server.address}: what came for {group}/{version} is no list of kinds; is it an API server?",
                passing=False,
            ) from None
        return {
            one["kind"]: Resource(group, version, one["name"], one["kind"], bool(one.get("namespaced")))
            for one in found.get("resources") or ()
            if "/" not in one["name"]
        }


def holds_policies(cluster: Cluster) -> bool:
    """Whether anything of *cluster* is a policy, of whatever kind."""
    return bool(cluster.policies) or any(map(_is_policy, cluster.others))


def left_aside(cluster: Cluster) -> Mapping[str, int]:
    """How many objects of *cluster* are no policies, by their kind."""
    kinds: Counter[str] = Counter(cluster.ignored)
    kinds.update(one.kind for one in cluster.workloads)
    read = sum(not one.invented for one in cluster.namespaces.values())
    kinds.update({"Service": len(cluster.services), "Namespace": read, "Node": len(cluster.nodes)})
    kinds.update({"Intents": len(cluster.intents)})
    return {kind: count for kind, count in sorted(kinds.items()) if count > 0}


def wanted(cluster: Cluster, resources: Resources) -> list[Wanted]:
    """The policies of *cluster*, of every kind.

    Raises: UsageError for kinds that the server does not have; Refused; Unreachable.
    """
    found = [_policy(one) for one in cluster.policies]
    lacking: dict[str, str] = {}
    for one in filter(_is_policy, cluster.others):
        resource = resources.of(one.group, one.version, one.kind)
        if resource is None:
            lacking.setdefault(f"{one.kind} of {one.group}/{one.version}", one.source.place(""))
        else:
            found.append(_other(one, resource))
    if lacking:
        what = ", ".join(f"{kind} ({place})" for kind, place in lacking.items())
        raise UsageError(
            f"{what}: the cluster has no such kind; install what serves it, or leave it out with --exclude; "
            "nothing was written"
        )
    return found


def _is_policy(one: Other) -> bool:
    return unmodelled(one.group, one.kind, one.namespace or None) is not None


def _policy(policy: Policy) -> Wanted:
    body = content(policy.source.value())
    body["metadata"]["namespace"] = policy.namespace
    return Wanted(Object(NETWORK_POLICIES, policy.namespace, policy.name), body, policy.source.place(""), policy)


def _other(one: Other, resource: Resource) -> Wanted:
    body = content(one.source.value())
    namespace = one.namespace if resource.namespaced else None
    body["metadata"].pop("namespace", None)
    if namespace:
        body["metadata"]["namespace"] = namespace
    return Wanted(Object(resource, namespace, one.name), body, one.source.place(""))
