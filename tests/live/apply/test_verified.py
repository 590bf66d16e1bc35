"""Wanted connections are tried before and after; when one that worked is cut, all is undone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import pytest
from builders import policy, rule
from fakeapi import FakeApi, Fault

from live.apply.servers import ready, said, server, specs
from ringfence.errors import LiveError
from ringfence.live.apply.journal import Journal, State, read
from ringfence.live.server.server import Server
from ringfence.workflow.applying import Outcome, carry_out

WEB = policy("shop/web", selects="app=web", ingress=[rule(ports=80)])


class Probes:
    """What was seen, time by time; the last one is the word."""

    def __init__(self, *seen: Mapping[str, bool | None] | BaseException) -> None:
        self.seen = list(seen)
        self.count = 0
        self.asked: list[Collection[str] | None] = []

    def __call__(self, again: Collection[str] | None = None) -> Mapping[str, bool | None]:
        found = self.seen[self.count]
        self.asked.append(again)
        self.count += 1
        if isinstance(found, BaseException):
            raise found
        return found


@pytest.fixture
def world(tmp_path: Path) -> Iterator[tuple[FakeApi, Server, Journal]]:
    with FakeApi() as api:
        api.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        at = server(api, tmp_path)
        yield api, at, ready(at, [WEB], tmp_path / "journal.json")


def _run(world: tuple[FakeApi, Server, Journal], probes: Probes) -> Outcome:
    _, at, journal = world
    return carry_out(at, journal, lambda _: None, probes)


def test_what_still_works_stays(world: tuple[FakeApi, Server, Journal]) -> None:
    probes = Probes({"a -> b": True, "a -> c": False}, {"a -> b": True, "a -> c": False})
    assert _run(world, probes).state is State.COMPLETE
    assert specs(world[0]) == said([WEB])
    found = read(world[2].path)
    assert found is not None
    assert found.worked == ["a -> b"]
    assert probes.asked == [None, ["a -> b"]]


def test_what_worked_and_is_cut_is_undone(world: tuple[FakeApi, Server, Journal]) -> None:
    probes = Probes({"a -> b": True, "a -> c": True}, {"a -> b": False, "a -> c": True})
    outcome = _run(world, probes)
    assert outcome == Outcome(State.UNDONE, "worked before and not after: a -> b", None, ("a -> b",))
    assert specs(world[0]) == {}


@pytest.mark.parametrize("after", [{"a -> b": None, "a -> c": True}, {"a -> c": True}], ids=["not-seen", "not-asked"])
def test_what_could_not_be_seen_is_tried_twice(
    world: tuple[FakeApi, Server, Journal], after: Mapping[str, bool | None]
) -> None:
    probes = Probes({"a -> b": True, "a -> c": True}, after, after)
    outcome = _run(world, probes)
    assert outcome == Outcome(State.UNDONE, "worked before and could not be probed after: a -> b", None, ("a -> b",))
    assert probes.asked == [None, ["a -> b", "a -> c"], ["a -> b"]]


def test_what_is_seen_at_the_second_try_stays(world: tuple[FakeApi, Server, Journal]) -> None:
    assert _run(world, Probes({"a -> b": True}, {"a -> b": None}, {"a -> b": True})).state is State.COMPLETE
    assert specs(world[0]) == said([WEB])


def test_what_never_worked_is_not_tried_again(world: tuple[FakeApi, Server, Journal]) -> None:
    probes = Probes({"a -> b": False})
    assert _run(world, probes).state is State.COMPLETE
    assert probes.count == 1


def test_where_probing_fails_before_nothing_is_written(world: tuple[FakeApi, Server, Journal]) -> None:
    with pytest.raises(LiveError, match="no image"):
        _run(world, Probes(LiveError("no image")))
    assert specs(world[0]) == {}
    assert not world[2].path.exists()


@pytest.mark.parametrize(
    ("problem", "why"), [(LiveError("no image"), "no image"), (KeyboardInterrupt(), "interrupted")]
)
def test_where_probing_fails_after_it_is_undone(
    world: tuple[FakeApi, Server, Journal], problem: BaseException, why: str
) -> None:
    outcome = _run(world, Probes({"a -> b": True}, problem))
    assert outcome.state is State.UNDONE
    assert outcome.problem is problem
    assert outcome.reason == f"the wanted connections could not be probed: {why}"
    assert specs(world[0]) == {}


@pytest.mark.parametrize("seen", [{}, {"a -> b": None}], ids=["nothing-wanted", "nothing-seen"])
def test_where_nothing_can_be_probed_nothing_is_written(
    world: tuple[FakeApi, Server, Journal], seen: Mapping[str, bool | None]
) -> None:
    with pytest.raises(LiveError, match="nothing of what is wanted could be probed"):
        _run(world, Probes(seen))
    assert specs(world[0]) == {}


def test_a_run_that_fails_is_not_probed_again(world: tuple[FakeApi, Server, Journal]) -> None:
    world[0].faults.add(Fault(method="PATCH", status=403))
    probes = Probes({"a -> b": True})
    assert _run(world, probes).state is State.UNDONE
    assert probes.count == 1


def test_a_run_that_goes_on_is_held_against_what_worked_before_it_began(
    world: tuple[FakeApi, Server, Journal],
) -> None:
    world[2].worked = ["a -> b"]
    probes = Probes({"a -> b": False})
    assert _run(world, probes).broken == ("a -> b",)
    assert probes.count == 1


def test_a_run_that_is_killed_while_it_probes_afterwards_is_not_complete(
    world: tuple[FakeApi, Server, Journal],
) -> None:
    with pytest.raises(SystemExit):
        _run(world, Probes({"a -> b": True}, SystemExit()))
    found = read(world[2].path)
    assert found is not None
    assert not found.state.ended
    outcome = carry_out(world[1], found, lambda _: None, Probes({"a -> b": False}))
    assert (outcome.state, outcome.broken) == (State.UNDONE, ("a -> b",))
    assert specs(world[0]) == {}
