"""The journal: where it lies, that it is read as it was written, and that it is never half written."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live.apply.transitions import random_transition
from ringfence.errors import UsageError
from ringfence.live.apply.journal import Cluster, Journal, State, lock, place, read
from ringfence.live.server.server import Reply, Server


def nobody(method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
    """No server: nothing is sent here."""
    raise AssertionError(f"{method} {path}")


def _journal(path: Path, seed: int = 0) -> Journal:
    steps = list(random_transition(seed, flows=0).plan.steps)
    return Journal(path, "abc123", Cluster("dev", "https://here", "uid"), "now", steps)


@given(st.integers(0, 2**32 - 1), st.sampled_from(State), st.booleans(), st.none() | st.lists(st.text(max_size=5)))
def test_what_is_read_is_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, seed: int, state: State, force: bool, worked: list[str] | None
) -> None:
    made = _journal(tmp_path_factory.mktemp("state") / "journal.json", seed)
    made.force, made.worked, made.reason = force, worked, "why"
    made.mark(state, 0)
    assert read(made.path) == made


def test_what_cannot_be_written_leaves_what_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = _journal(tmp_path / "journal.json")
    made.mark(State.APPLYING, 0)
    before = made.path.read_text()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="No space left"):
        made.mark(State.COMPLETE, 1)
    assert made.path.read_text() == before
    assert [one.name for one in tmp_path.iterdir()] == ["journal.json"]


def test_each_cluster_has_a_place_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    one, other = (place(Server("dev", address, "default", nobody)) for address in ("https://a", "https://b"))
    assert one != other
    assert one.name == "journal.json"
    assert one.is_relative_to(tmp_path / "ringfence")
    monkeypatch.delenv("XDG_STATE_HOME")
    assert place(Server("dev", "https://a", "default", nobody)).is_relative_to(Path.home() / ".local" / "state")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Cluster("a", "https://a", "1"), Cluster("b", "https://b", "1"), True),
        (Cluster("a", "https://a", "1"), Cluster("a", "https://a", "2"), False),
        (Cluster("a", "https://a"), Cluster("b", "https://a", "2"), True),
        (Cluster("a", "https://a"), Cluster("a", "https://b"), False),
    ],
)
def test_a_cluster_is_known_by_its_uid_and_else_by_its_address(one: Cluster, other: Cluster, same: bool) -> None:
    assert one.is_also(other) is same
    assert other.is_also(one) is same


def test_a_journal_is_held_by_one_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "journal.json"
    with lock(path), pytest.raises(UsageError, match="another ringfence"):
        lock(path)
    lock(path).close()
