"""Policies that change under traffic: what becomes of open connections, and that no packet sees half a change."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from builders import cluster, pod, policy, rule
from conftest import ROOT

from lab.dialling import PLAIN, Room, room
from lab.looking import children
from ringfence.errors import LabError
from ringfence.lab.plan import policies
from ringfence.lab.plan.policies import Rules, Ruleset
from ringfence.lab.plan.snapshot import Options, fix
from ringfence.lab.run import lab as lab_module
from ringfence.lab.run import registry
from ringfence.lab.run.commands import Wanted
from ringfence.model.observations import Outcome

pytestmark = pytest.mark.usefixtures("packets")
PODS: Final = tuple(pod(f"shop/{name}", f"app={name}", ports=[80]) for name in ("client", "open", "shut"))
DENY: Final = policy("shop/deny", types=["Ingress", "Egress"])
LET: Final = policy("shop/let", selects="app=client", egress=[rule(["app=open"], 80), rule(["app=shut"], 81)])
IN: Final = policy("shop/in", selects="app in (open)", ingress=[rule(["app=client"], 80)])
SHUT: Final = policy("shop/other", selects="app=shut", ingress=[rule(["app=open"], 80)])
BEGINNING: Final = """
import os, socket, sys
if os.fork():
    os._exit(0)
def told():
    if not sys.stdin.readline():
        os._exit(0)
"""
HOLDING: Final = (
    BEGINNING
    + """
one = socket.create_connection((sys.argv[1], 80), timeout=10)
one.sendall(b"GET / HTTP/1.1\\r\\n")
print("connected", flush=True)
told()
one.sendall(b"Host: open\\r\\n\\r\\n")
for wait in (float(sys.argv[2]), 20):
    one.settimeout(wait)
    try:
        print(one.recv(15).decode(), flush=True)
        break
    except TimeoutError:
        print("silence", flush=True)
        told()
"""
)
"""Connects, waits for a word, finishes its request; after a silence, and another word, it listens once more."""
TRYING: Final = (ROOT / "bench" / "trying.py").read_text()
"""Connects to one that is open and one that is shut, again and again."""


class Talk:
    """A program in a pod that goes on after its command has returned: what it says, and a word to it."""

    def __init__(self, said: int, word: int) -> None:
        self._said = os.fdopen(said)
        self._word = os.fdopen(word, "w")

    def hear(self) -> str:
        """Its next line."""
        return self._said.readline().strip()

    def say(self) -> None:
        """The word that it waits for."""
        self._word.write("\n")
        self._word.flush()

    def close(self) -> None:
        """Leave it alone; it ends with the lab."""
        self._said.close()
        self._word.close()


@contextmanager
def _program(some: Room, pod_: str, text: str, *words: str) -> Iterator[Talk]:
    stdin, word = os.pipe()
    said, stdout = os.pipe()
    wanted = Wanted(some.host(pod_), [sys.executable, "-S", "-c", text, *words], dict(os.environ), "/")
    try:
        status, _ = some.lab.run(wanted, (stdin, stdout, 2))
    finally:
        os.close(stdin)
        os.close(stdout)
    talk = Talk(said, word)
    try:
        assert status == 0
        yield talk
    finally:
        talk.close()


@contextmanager
def _connected(how: Rules, wait: float) -> Iterator[tuple[Room, Talk]]:
    with ExitStack() as stack:
        some = stack.enter_context(room(cluster(*PODS, DENY, LET, IN), how))
        words = (str(some.address("shop/open")), str(wait))
        client = stack.enter_context(_program(some, "shop/client", HOLDING, *words))
        assert client.hear() == "connected"
        yield some, client


def test_an_open_connection_survives_a_change() -> None:
    with _connected(PLAIN, 20) as (some, client):
        some.switch([DENY])
        assert some.dial("shop/client", "shop/open", 80) is None
        client.say()
        assert client.hear() == "HTTP/1.1 200 OK"


def test_a_strict_lab_cuts_an_open_connection_and_lets_it_go_on_when_the_policy_returns() -> None:
    with _connected(Rules(strict=True), 1) as (some, client):
        some.switch([DENY])
        client.say()
        assert client.hear() == "silence"
        some.switch([DENY, LET, IN])
        client.say()
        assert client.hear() == "HTTP/1.1 200 OK"


def test_a_strict_lab_keeps_what_the_new_policies_allow() -> None:
    with _connected(Rules(strict=True), 20) as (some, client):
        some.switch([DENY, IN, LET, SHUT])
        client.say()
        assert client.hear() == "HTTP/1.1 200 OK"


def test_no_packet_sees_half_a_change() -> None:
    """Forty switches between two generations that mean the same here, while a program connects without a pause."""
    one, other = [DENY, LET, IN], [SHUT, IN, DENY, LET]
    with room(cluster(*PODS, *one)) as some:
        addresses = [str(some.address(f"shop/{name}")) for name in ("open", "shut")]
        with _program(some, "shop/client", TRYING, *addresses, "80") as prober:
            for number in range(40):
                assert prober.hear() == "."
                some.switch(other if number % 2 == 0 else one)
            prober.say()
            while (last := prober.hear()) == ".":
                pass
    tries, wrong = map(int, last.split())
    assert tries >= 40 * 20
    assert wrong == 0


@pytest.mark.parametrize("part", ["commands", "switch"])
def test_a_change_that_the_kernel_refuses_changes_nothing(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = policies.ruleset

    def broken(*args: object, **kwargs: bool) -> Ruleset:
        made = real(*args, **kwargs)  # type: ignore[arg-type]
        nonsense = (f"add rule inet {policies.TABLE} nowhere accept",)
        if part == "commands":
            return replace(made, commands=(*made.commands, *nonsense))
        return replace(made, switch=(*made.switch, *nonsense))

    with room(cluster(*PODS, DENY, LET, IN)) as some:
        with monkeypatch.context() as patch:
            patch.setattr(lab_module, "ruleset", broken)
            with pytest.raises(LabError, match="the lab: "):
                some.switch(())
        assert some.dial("shop/client", "shop/open", 80) == "shop/open"
        assert some.dial("shop/client", "shop/shut", 80) is None
        some.switch(())
        assert some.dial("shop/client", "shop/shut", 80) == "shop/shut"


def test_coverage_names_the_rules_that_carried_traffic() -> None:
    with room(cluster(*PODS, DENY, LET, IN)) as some:
        assert {packets for _, packets in some.lab.coverage()} == {0}
        for _ in range(3):
            some.dial("shop/client", "shop/open", 80)
        some.dial("shop/client", "shop/shut", 80)
        found = {(one.policy.id, one.rule.path): packets for one, packets in some.lab.coverage()}
        assert found == {
            ("shop/let", "spec.egress[0]"): 3,
            ("shop/let", "spec.egress[1]"): 0,
            ("shop/in", "spec.ingress[0]"): 3,
        }
        some.switch([DENY, LET, IN])
        assert {packets for _, packets in some.lab.coverage()} == {0}, "a new generation counts from nothing"


@pytest.mark.parametrize("protocol", ["TCP", "UDP", "SCTP", "ICMP"])
def test_the_evidence_of_a_denial_names_the_direction(protocol: str) -> None:
    port = 0 if protocol == "ICMP" else 80
    away, home = (
        policy("shop/away", selects="app=client", egress=[]),
        policy("shop/home", selects="app=shut", ingress=[]),
    )
    with room(cluster(*PODS, away, home)) as some:
        probes = [
            some.probe(src, dst, port, protocol)
            for src, dst in (("client", "open"), ("open", "shut"), ("client", "shut"), ("shut", "open"))
            for src, dst in ((f"shop/{src}", f"shop/{dst}"),)
        ]
        seen = [(one.outcome, one.evidence) for one in some.observe(*probes)]
    silent, opened = Outcome.SILENT, Outcome.OPEN
    assert seen == [(silent, "E"), (silent, "I"), (silent, "E"), (opened, "server")]


def test_a_rejecting_lab_still_measures_a_denial_and_who_denied() -> None:
    dual = [pod(f"shop/{name}", ip=(f"10.0.0.{n}", f"fd00::{n}")) for n, name in enumerate(("client", "open"), 1)]
    with room(cluster(*dual, DENY), Rules(reject=True)) as some:
        probes = [
            some.probe("shop/client", some.address("shop/open", family), port, protocol)
            for family in (4, 6)
            for protocol, port in (("TCP", 80), ("UDP", 80), ("SCTP", 80), ("ICMP", 0))
        ]
        seen = some.observe(*probes)
    assert [(one.outcome, one.evidence) for one in seen] == [(Outcome.SILENT, "E")] * 8


def test_a_rejected_program_is_told_at_once() -> None:
    ask = "import socket, sys; socket.create_connection((sys.argv[1], 80), timeout=60)"
    with room(cluster(*PODS, DENY), Rules(reject=True)) as some:
        words = [sys.executable, "-S", "-c", ask, str(some.address("shop/open"))]
        reader, writer = os.pipe()
        status, drops = some.lab.run(Wanted(some.host("shop/client"), words, dict(os.environ), "/"), (0, 1, writer))
        os.close(writer)
        with os.fdopen(reader) as said:
            assert said.read().splitlines()[-1] == "OSError: [Errno 113] No route to host"
    assert status == 1
    assert [(one[0], one[5]) for one in drops] == [("E", 80)]


def test_a_lab_that_is_joined_enforces_as_it_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    before = children(os.getpid())
    registry.start("shop", fix(cluster(*PODS, DENY), Options(companions=False)), Rules(reject=True, strict=True))
    try:
        joined = registry.connect("shop")
        assert joined is not None
        with joined:
            assert joined.rules.how == Rules(reject=True, strict=True)
            joined.switch(joined.snapshot)
            assert joined.rules.how == Rules(reject=True, strict=True)
        assert children(os.getpid()) == before
    finally:
        registry.stop("shop")
