"""What a change makes worse beside its connections: workloads that nothing protects any more."""

from __future__ import annotations

from ringfence.engine.compiler.bits import bits_of
from ringfence.engine.compiler.joint import Joint
from ringfence.model.objects import Workload
from ringfence.model.policies import Direction


def unprotected(joint: Joint) -> dict[Direction, tuple[list[Workload], list[Workload]]]:
    """For each direction the workloads of which some pod is isolated no more, and those that are isolated now (S35).

    Of a workload that was not there it is told only when it is not isolated.
    """
    before, after = _exposed(joint, new=False), _exposed(joint, new=True)
    old = {one.id for one in joint.old.cluster.workloads}
    new = {one.id for one in joint.new.cluster.workloads}
    found = {}
    for direction in Direction:
        was, now = before[direction], after[direction]
        lost = [one for name, one in now.items() if name not in was]
        gained = [joint_one for name, joint_one in was.items() if name not in now and name in new]
        found[direction] = ([one for one in lost if one.id in new], [one for one in gained if one.id in old])
    return found


def _exposed(joint: Joint, *, new: bool) -> dict[Direction, dict[str, Workload]]:
    """The workloads of which some pod is isolated by nothing; pods that are their node never are (S73)."""
    reach = joint.new if new else joint.old
    of_party, node_like = reach.classes.of_party, reach.classes.node_like
    table = reach.tables[reach.families[0]]
    found: dict[Direction, dict[str, Workload]] = {}
    for direction in Direction:
        shut = table.rules.isolated[direction] & ~node_like
        bare = set(bits_of(reach.classes.everything & ~shut)) if shut else None
        found[direction] = {
            one.id: one
            for one in reach.cluster.workloads
            if bare is None or any(of_party[id(pod)] in bare for pod in one.pods)
        }
    return found
