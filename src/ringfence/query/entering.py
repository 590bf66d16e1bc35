"""What comes in from outside, as rows of the matrix: through a controller that nobody has named, and by Services."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ringfence.engine.compiler.entrances import Entrances
from ringfence.engine.compiler.reachability import Reachability
from ringfence.model.cluster import Cluster
from ringfence.model.entrances import Door
from ringfence.model.flows import Outside
from ringfence.model.objects import Pod, Workload
from ringfence.model.profiles import Profile

if TYPE_CHECKING:
    from ringfence.engine.compiler.answers import Answer
    from ringfence.model.flows import End
    from ringfence.query.regions import Cause


def entering(
    reach: Reachability, src: Sequence[End] | None = None, dst: Sequence[End] | None = None
) -> Iterator[tuple[End, End, Answer]]:
    """The rows that come in, or those from *src* and to *dst*; of single pods that are asked for, their workload's."""
    if src is not None and not any(isinstance(end, Door) for end in src):
        return
    wanted = None if dst is None else {id(_listed(reach.cluster, end)) for end in dst}
    for door, end, answer in Entrances(reach).rows():
        if src is not None and not any(door.id == one.id for one in src if isinstance(one, Door)):
            continue
        if wanted is None or id(end) in wanted or (isinstance(end, Outside) and _in_range(end, dst or ())):
            yield door, end, answer


def _listed(cluster: Cluster, end: End) -> End:
    return (cluster.workload_of.get(id(end)) or end) if isinstance(end, Pod) else end


def _in_range(end: Outside, asked: Sequence[End]) -> bool:
    return any(isinstance(one, Outside) and end.addresses <= one.addresses for one in asked)


def why(cluster: Cluster, door: Door, dst: End, profile: Profile) -> tuple[Cause, ...]:
    """What lets *door* in to *dst*, on the ports that it leads to."""
    from ringfence.engine.reference.doors import decided, ways  # noqa: PLC0415 (the reference; the matrix alone needs none)
    from ringfence.query.regions import causes  # noqa: PLC0415

    parties = {id(pod) for pod in dst.pods} if isinstance(dst, Workload) else {id(dst)}
    mine = (way for way in ways(cluster, profile) if way.door.id == door.id and id(way.party) in parties)
    return tuple(causes(decided(cluster, way, profile) for way in dict.fromkeys(mine)))
