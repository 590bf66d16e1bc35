"""The ways that lead in from outside: what a controller serves, and Services that face the outside."""

from __future__ import annotations

from collections.abc import Sequence

from ringfence.engine.compiler.answers import Answer
from ringfence.engine.compiler.entrances import Entrances
from ringfence.engine.compiler.reachability import Reachability
from ringfence.model.cluster import Cluster
from ringfence.model.entrances import Entrance
from ringfence.model.flows import End, Note
from ringfence.model.objects import Service, Workload
from ringfence.model.profiles import Profile
from ringfence.query.exposure.result import WayIn


def ways_in(cluster: Cluster, profile: Profile, controllers: Sequence[End]) -> dict[int, list[WayIn]]:
    """The ways to each workload, by its identity; *controllers* are the pods that a person named, if any."""
    sources = controllers or ((cluster.doorman,) if cluster.doorman is not None else ())
    facing = [one for one in cluster.services if one.faces_outside]
    found: dict[int, list[WayIn]] = {}
    if not facing and not (sources and cluster.entrances):
        return found
    doors = Entrances(Reachability(cluster, profile))

    def note(by: Entrance | Service, end: End, answer: Answer) -> None:
        if isinstance(end, Workload):
            unnamed = Note.CONTROLLER_UNKNOWN in answer.remarks
            way = WayIn(by, answer.possible, answer.open, answer.blocked - answer.possible, unnamed)
            found.setdefault(id(end), []).append(way)

    for entrance in cluster.entrances if sources else ():
        for end, answer in doors.through(entrance, sources):
            note(entrance, end, answer)
    if not profile.direct_controller:  # S137: Services have no effect there
        for service in facing:
            for _, end, answer in doors.by(service):
                note(service, end, answer)
    return found
