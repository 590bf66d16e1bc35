"""Laws of the canary's course and of what it proves: pure, on clusters that are pretended."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live.canaries import PLACED, World, conforming, flat, go, judged, only, state, wires
from ringfence.live.doctor.canary import verdict
from ringfence.live.doctor.canary.course import (
    PORTS,
    SERVERS,
    Course,
    Deadlines,
    Result,
    Role,
    Step,
    Wire,
    blocked,
    is_control,
)
from ringfence.live.doctor.nouns import State

BLOCKED = (Result.SILENT, Result.REFUSED)
ALL = (Step.BASELINE, Step.INGRESS, Step.PORTS, Step.RELEASE, Step.EGRESS, Step.RELEASE)


def steps(course: Course) -> tuple[Step, ...]:
    return tuple(stage.step for stage in course.stages)


def test_a_cluster_that_enforces_goes_through_every_step() -> None:
    course = go(conforming)
    assert steps(course) == ALL
    found, why, cells = judged(course)
    assert (found, why) == (State.ENFORCED, "")
    assert {str(cell.path) for cell in cells} == {
        "ingress, same node, IPv4", "ingress, across nodes, IPv4", "egress, same node, IPv4",
        "egress, across nodes, IPv4",
    }  # fmt: skip
    assert {cell.state for cell in cells} == {State.ENFORCED}


def test_a_cluster_that_enforces_nothing_is_not_asked_about_ports() -> None:
    course = go(flat)
    assert steps(course) == (Step.BASELINE, Step.INGRESS, Step.RELEASE, Step.EGRESS, Step.RELEASE)
    assert judged(course)[:2] == (State.NOT_ENFORCED, "every connection stayed open while a policy forbade it")
    denied = course.stages[1]
    assert denied.ended is not None
    assert denied.ended - denied.began >= Deadlines().policy  # the policy stood for the whole deadline


def test_nothing_tried_is_nothing_proven() -> None:
    """Static evidence alone: no stage, no proof."""
    assert judged(Course((), Deadlines()))[0] is State.UNKNOWN
    assert judged(Course(wires(), Deadlines()))[0] is State.UNKNOWN
    assert judged(Course(wires(), Deadlines()).enter(0).leave(60))[0] is State.UNKNOWN


@given(st.integers(0, 10_000))
def test_the_course_always_ends(seed: int) -> None:
    """Also when every result is by chance, and then nothing is proven."""
    dice, results = random.Random(seed), list(Result)
    course = go(lambda *_: dice.choice(results))
    assert course.step is Step.END
    assert judged(course)[0] is State.UNKNOWN
    assert len(course.stages) <= len(ALL)


# -- what never yields "enforced" -----------------------------------------------------------------------------------


@given(st.sampled_from([Role.FIRST, Role.SECOND]), st.sampled_from([*ALL]), st.floats(0, 12), st.sampled_from(BLOCKED))
def test_a_server_that_crashes_never_yields_enforced(server: Role, when: Step, after: float, how: Result) -> None:
    """In a cluster without enforcement, whenever it crashes; and in one with it, unless all had been seen before."""
    for enforcing in (False, True):
        gone: list[bool] = []

        def world(
            step: Step, seconds: float, wire: Wire, enforcing: bool = enforcing, gone: list[bool] = gone
        ) -> Result:
            if wire.server is server and (gone or (step is when and seconds >= after)):
                gone.append(True)
                return how
            return conforming(step, seconds, wire) if enforcing else Result.OPEN

        course = go(world)
        if not enforcing or (gone and not all(stage.all_held for stage in course.stages)):
            assert judged(course)[0] is not State.ENFORCED


@given(st.sampled_from([Step.INGRESS, Step.PORTS, Step.EGRESS]))
def test_a_control_that_breaks_yields_unknown(when: Step) -> None:
    def world(step: Step, seconds: float, wire: Wire) -> Result:
        return Result.SILENT if step is when and is_control(step, wire) else conforming(step, seconds, wire)

    course = go(world)
    found, why, _ = judged(course)
    assert found is State.UNKNOWN
    assert "network broke, or policies reach pods that they do not select" in why
    assert course.stages[-1].step is when  # and it ended at once


@pytest.mark.parametrize("answer", [Result.SILENT, Result.REFUSED, Result.ERROR])
def test_a_baseline_that_is_closed_yields_unknown(answer: Result) -> None:
    course = go(lambda *_: answer)
    assert steps(course) == (Step.BASELINE,)
    found, why, cells = judged(course)
    assert found is State.UNKNOWN
    assert {cell.state for cell in cells} == {State.UNKNOWN}
    assert ("does the image have nc?" in why) == (answer is Result.ERROR)
    assert ("something denies by default" in why) == (answer is not Result.ERROR)


def test_one_server_out_of_reach_before_any_policy_yields_unknown() -> None:
    def world(step: Step, after: float, wire: Wire) -> Result:
        return Result.SILENT if wire.server is Role.SECOND else conforming(step, after, wire)

    found, why, _ = judged(go(world))
    assert found is State.UNKNOWN
    assert "client did not reach second-server port 8080 (IPv4) three times in a row before" in why


@given(st.sampled_from([Step.INGRESS, Step.EGRESS]), st.integers(4, 9), st.sampled_from(wires()))
def test_flapping_yields_unknown(when: Step, every: int, wire: Wire) -> None:
    """One path that lets a connection through now and then, long after it was first blocked."""
    count = 0

    def world(step: Step, after: float, at: Wire) -> Result:
        nonlocal count
        if step is when and at == wire and blocked(step, at):
            count += 1
            if count % every == 0:
                return Result.OPEN
        # Another wire that is late keeps the stage going, so that the flapping is seen.
        if step is when and at != wire and blocked(step, at) and after < 12:
            return Result.OPEN
        return conforming(step, after, at)

    course = go(world)
    if count >= every and blocked(when, wire):
        assert judged(course)[0] is State.UNKNOWN


def test_what_never_opens_again_is_no_proof() -> None:
    """A plugin that blocks for good once a policy was there, or a server that died: they look the same."""

    def world(step: Step, after: float, wire: Wire) -> Result:
        return conforming(Step.INGRESS, after, wire) if step is Step.RELEASE else conforming(step, after, wire)

    found, why, _ = judged(go(world))
    assert found is State.UNKNOWN
    assert "closed also after the policy was gone" in why


def test_errors_are_no_denials() -> None:
    def world(step: Step, after: float, wire: Wire) -> Result:
        return Result.ERROR if blocked(step, wire) else Result.OPEN

    assert state(world) is State.UNKNOWN


# -- partial enforcement --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("enforced", "directions"),
    [((Step.INGRESS, Step.PORTS), {"ingress"}), ((Step.EGRESS,), {"egress"})],
)
def test_one_direction_alone_is_partial(enforced: tuple[Step, ...], directions: set[str]) -> None:
    found, _, cells = judged(go(only(*enforced)))
    assert found is State.PARTIALLY
    assert {cell.path.direction for cell in cells if cell.state is State.ENFORCED} == directions
    assert {cell.state for cell in cells if cell.path.direction not in directions} == {State.NOT_ENFORCED}


def test_one_placement_alone_is_partial() -> None:
    def world(step: Step, after: float, wire: Wire) -> Result:
        return conforming(step, after, wire) if wire.server is Role.SECOND else Result.OPEN

    found, why, cells = judged(go(world))
    assert found is State.PARTIALLY
    assert {cell.path.placement for cell in cells if cell.state is State.ENFORCED} == {verdict.ACROSS}
    assert why.startswith("ingress, same node, IPv4: open while a policy forbade it")


def test_one_family_alone_is_partial() -> None:
    both = wires(("IPv4", "IPv6"))

    def world(step: Step, after: float, wire: Wire) -> Result:
        return conforming(step, after, wire) if wire.family == "IPv4" else Result.OPEN

    found, _, cells = judged(go(world, both))
    assert found is State.PARTIALLY
    assert {cell.path.family for cell in cells if cell.state is State.NOT_ENFORCED} == {"IPv6"}


def ignoring(what: str) -> World:
    """A plugin that isolates, and does not apply the rules of a policy as they are."""

    def world(step: Step, after: float, wire: Wire) -> Result:
        if step is Step.PORTS and wire.server in SERVERS:
            opens = {
                "ports": wire.client is Role.CLIENT,
                "peers": wire.port == PORTS[0],
                "rules": False,
                "policy": True,
            }[what]
            return Result.OPEN if opens else Result.SILENT
        return conforming(step, after, wire)

    return world


@pytest.mark.parametrize("what", ["ports", "peers", "rules", "policy"])
def test_a_plugin_that_isolates_but_ignores_rules_is_partial(what: str) -> None:
    found, why, cells = judged(go(ignoring(what)))
    assert found is State.PARTIALLY
    assert "isolates, but not as its rules say" in why
    assert {cell.state for cell in cells if cell.path.direction == "egress"} == {State.ENFORCED}


@given(st.sampled_from(["ports", "peers"]), st.floats(0, 20), st.sampled_from([0.5, 1.0, 2.0]))
def test_a_slow_plugin_that_ignores_rules_is_never_enforced(what: str, delay: float, period: float) -> None:
    """What was blocked by the policy before says nothing of the one that takes its place."""
    late = delayed(ignoring(what), delay)
    assert judged(go(late, period=period))[0] is not State.ENFORCED


# -- a plugin may take its time -------------------------------------------------------------------------------------


def delayed(world: World, delay: float) -> World:
    """*world*, in which whatever changes does so *delay* seconds later."""
    before = {
        Step.BASELINE: Step.BASELINE,
        Step.INGRESS: Step.BASELINE,
        Step.PORTS: Step.INGRESS,
        Step.EGRESS: Step.BASELINE,
    }
    seen: list[Step] = []

    def late(step: Step, after: float, wire: Wire) -> Result:
        if not seen or seen[-1] is not step:
            seen.append(step)
        then = before.get(step) or seen[-2]
        return world(step if after > delay else then, after, wire)

    return late


@given(st.floats(0, 25), st.sampled_from(BLOCKED))
def test_a_plugin_within_the_deadline_is_enforced_and_its_time_told(delay: float, how: Result) -> None:
    def world(step: Step, after: float, wire: Wire) -> Result:
        return how if conforming(step, after, wire) is not Result.OPEN else Result.OPEN

    found, _, cells = judged(go(delayed(world, delay)))
    assert found is State.ENFORCED
    for cell in cells:
        assert cell.seconds is not None
        assert delay <= cell.seconds <= delay + 2


@pytest.mark.parametrize("delay", [31.0, 59.0])
def test_a_plugin_beyond_the_deadline_is_not(delay: float) -> None:
    assert state(delayed(conforming, delay)) is not State.ENFORCED
    patient = Deadlines(policy=120)
    assert judged(go(delayed(conforming, delay), deadlines=patient))[0] is State.ENFORCED


# -- what could not be tried ----------------------------------------------------------------------------------------


def test_a_second_family_without_any_connection_is_put_aside() -> None:
    def world(step: Step, after: float, wire: Wire) -> Result:
        return conforming(step, after, wire) if wire.family == "IPv4" else Result.SILENT

    course = go(world, wires(("IPv4", "IPv6")))
    found, _, cells = judged(course)
    assert found is State.ENFORCED
    assert course.silent == ("IPv6",)
    assert {cell.path.family for cell in cells} == {"IPv4"}


def test_a_second_family_that_works_in_part_is_not() -> None:
    def world(step: Step, after: float, wire: Wire) -> Result:
        broken = wire.family == "IPv6" and wire.server is Role.SECOND
        return Result.SILENT if broken else conforming(step, after, wire)

    assert state(world, wires(("IPv4", "IPv6"))) is State.UNKNOWN


def test_one_node_alone_is_enough() -> None:
    course = go(conforming, wires(servers=(Role.FIRST, Role.CONTROL)))
    found, _, cells = judged(course)
    assert found is State.ENFORCED
    assert {cell.path.placement for cell in cells} == {verdict.SAME}


def test_every_role_is_placed() -> None:
    assert {wire.server for wire in wires()} == {server for _, server in PLACED}
