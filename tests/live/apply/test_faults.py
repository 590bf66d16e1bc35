"""Whatever goes wrong at whatever step: it ends complete or undone, and the journal says which."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from builders import policy, rule
from conftest import ROOT
from fakeapi import FakeApi, Fault

from live.apply import killed
from live.apply.servers import ready, said, server, specs, written
from ringfence.live.apply.journal import Journal, State, read
from ringfence.live.apply.run import Stopped, apply, undo
from ringfence.live.apply.steps import Act
from ringfence.live.runs import MANAGED
from ringfence.live.server.resources import NETWORK_POLICIES
from ringfence.live.server.server import TRIES, Server

OLD = (
    policy("shop/a", ingress=[rule(ports=80)]),
    policy("shop/b", ingress=[rule(ports=81)]),
    policy("shop/old", selects="app=web", ingress=[rule(ports=90)]),
)
NEW = (
    policy("shop/a", ingress=[rule(ports=81)]),
    policy("shop/b", ingress=[rule(ports=80)], egress=[rule("app=db", 5432)]),
    policy("shop/new", selects="app=web", ingress=[], egress=[]),
)
"""From one to the other every sort of step is needed: created, updated, deleted, opened and held for a while."""
STEPS = 8


@dataclass
class World:
    """A server where OLD was applied, and a journal that leads to NEW."""

    api: FakeApi
    server: Server
    journal: Journal

    def state(self) -> State:
        """What the file says, which has to be true."""
        found = read(self.journal.path)
        assert found is not None
        if found.state.ended:
            assert specs(self.api) == said(NEW if found.state is State.COMPLETE else OLD)
        return found.state

    def target(self, number: int) -> tuple[str, str]:
        """Method and path of the request that does a step."""
        step = self.journal.steps[number]
        method = "DELETE" if step.act is Act.DELETE else "PATCH"
        return method, f"{step.object.resource.path(step.object.namespace, step.object.name)}(\\?|$)"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with FakeApi() as api:
        at = server(api, tmp_path)
        api.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        for one in OLD:
            body = written(one)
            body["metadata"]["labels"] = {MANAGED[0]: MANAGED[1]}
            at.apply(NETWORK_POLICIES, body)
        assert specs(api) == said(OLD)
        yield World(api, at, ready(at, NEW, tmp_path / "state" / "journal.json"))


def _silent(_: str) -> None:
    pass


def test_every_sort_of_step_is_there(world: World) -> None:
    steps = world.journal.steps
    assert len(steps) == STEPS
    assert {(one.act, one.temporary) for one in steps} == {
        *((act, False) for act in Act), (Act.CREATE, True), (Act.DELETE, True),
    }  # fmt: skip
    assert {one.why.split()[0] for one in steps if one.temporary} == {"allows", "holds"}


def test_without_faults_it_is_complete_and_can_still_be_undone(world: World) -> None:
    apply(world.server, world.journal, _silent)
    assert world.state() is State.COMPLETE
    undo(world.server, world.journal, "no longer wanted", _silent)
    assert world.state() is State.UNDONE


@pytest.mark.parametrize("number", range(STEPS))
@pytest.mark.parametrize(
    "fault",
    [{"status": 429, "retry_after": 0}, {"status": 500}, {"status": 503}, {"drop": "before"}, {"drop": "after"},
     {"drop": "within"}],
    ids=lambda one: "-".join(map(str, one.values())),
)  # fmt: skip
def test_a_passing_fault_is_overcome(world: World, number: int, fault: dict[str, Any]) -> None:
    method, path = world.target(number)
    world.api.faults.add(Fault(method=method, path=path, **fault))
    apply(world.server, world.journal, _silent)
    assert world.state() is State.COMPLETE


@pytest.mark.parametrize("number", range(STEPS))
@pytest.mark.parametrize(
    "fault",
    [{"status": 403}, {"status": 409}, {"status": 422},
     {"status": 429, "times": TRIES}, {"status": 500, "times": TRIES}, {"drop": "before", "times": TRIES},
     {"drop": "after", "times": TRIES}],
    ids=lambda one: "-".join(map(str, one.values())),
)  # fmt: skip
def test_a_fault_that_stays_is_undone(world: World, number: int, fault: dict[str, Any]) -> None:
    method, path = world.target(number)
    world.api.faults.add(Fault(method=method, path=path, **fault))
    apply(world.server, world.journal, _silent)
    assert world.state() is State.UNDONE
    assert world.journal.reason


@pytest.mark.parametrize("number", range(STEPS))
def test_where_the_server_is_gone_the_journal_is_open_and_both_ways_lead_out(world: World, number: int) -> None:
    def tell(line: str) -> None:
        if line.startswith(f"{number + 1}/"):
            world.api.faults.add(Fault(drop="before", times=10**6))

    with pytest.raises(Stopped, match="--resume") as stopped:
        apply(world.server, world.journal, tell)
    assert str(world.journal.path) in str(stopped.value)
    assert world.state() is State.UNDOING
    world.api.faults.clear()
    found = read(world.journal.path)
    assert found is not None
    if number % 2:
        apply(world.server, found, _silent)
        assert world.state() is State.COMPLETE
    else:
        undo(world.server, found, found.reason, _silent)
        assert world.state() is State.UNDONE


def test_ctrl_c_is_undone(world: World) -> None:
    for number in range(STEPS):

        def tell(line: str, number: int = number) -> None:
            if line.startswith(f"{number + 1}/") and "undo" not in line:
                raise KeyboardInterrupt

        world.journal.at = 0
        apply(world.server, world.journal, tell)
        assert world.state() is State.UNDONE
        assert world.journal.reason == "interrupted"


class Killing(Fault):
    """Kills the process that asks, before the request is done or after."""

    victim: subprocess.Popen[bytes]

    def answer(self) -> None:
        if self.drop == "before":
            self.kill()

    def kill(self) -> None:
        """No chance to say a word."""
        os.kill(self.victim.pid, signal.SIGKILL)
        self.victim.wait(10)


def _run_and_kill(world: World, number: int, when: str) -> None:
    """Apply in a process that is killed when the request of a step has come, or is done and not yet answered."""
    world.journal.save()
    method, path = world.target(number)
    fault = Killing(method=method, path=path, drop="before")
    if when == "before":
        world.api.faults.add(fault)
    else:
        count = iter(range(10**6))
        world.api.store.hooks.append(lambda *_: fault.kill() if next(count) == number else None)
    env = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}", "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-P", killed.__file__, str(world.journal.path.parents[1] / "config"),
               str(world.journal.path)]  # fmt: skip
    with subprocess.Popen(command, env=env) as fault.victim:
        assert fault.victim.wait(60) == -signal.SIGKILL
    world.api.store.hooks.clear()


@pytest.mark.parametrize("way", ["resume", "rollback"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(STEPS))
def test_a_killed_run_can_go_on_or_back(world: World, number: int, when: str, way: str) -> None:
    _run_and_kill(world, number, when)
    assert world.state() is State.APPLYING
    found = read(world.journal.path)
    assert found is not None
    assert found.at == number
    if way == "resume":
        apply(world.server, found, _silent)
        assert world.state() is State.COMPLETE
    else:
        undo(world.server, found, "", _silent)
        assert world.state() is State.UNDONE


@pytest.mark.parametrize("number", [3, 4, 5])
def test_what_others_changed_under_a_step_that_was_refused_is_left_to_them(world: World, number: int) -> None:
    step = world.journal.steps[number]
    assert step.act is not Act.CREATE
    spec = {"podSelector": {"matchLabels": {"app": "theirs"}}, "policyTypes": ["Ingress"]}
    theirs = {**(step.before or {}), "spec": spec}
    method, path = world.target(number)
    world.api.faults.add(Fault(method=method, path=path, status=409))

    def tell(line: str) -> None:
        if line.startswith(f"{number + 1}/") and "undo" not in line:
            world.api.add(theirs)

    problem = apply(world.server, world.journal, tell)
    assert problem is not None
    found = read(world.journal.path)
    assert found is not None
    assert found.state is State.UNDONE
    expected = {**said(OLD), step.object.id: spec}
    assert specs(world.api) == expected
