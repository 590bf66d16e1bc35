"""``apply --intents`` as a whole, in a cluster whose twins see what its policies say."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from builders import policy, rule
from fakeapi import FakeApi

from live.apply.servers import said, specs, written
from live.probe.simulated import Simulated
from ringfence.cli.main import main
from ringfence.model.policies import Policy

Json = dict[str, Any]
DENY = policy("shop/deny", types=["Ingress"])
WEB = policy("shop/db", selects="app=db", ingress=[rule("app=web", 5432)])
MISTAKE = policy("shop/db", selects="app=db", ingress=[rule("app=wbe", 5432)])
INTENTS: Json = {
    "apiVersion": "ringfence.dev/v1alpha1", "kind": "Intents", "metadata": {"name": "shop", "namespace": "shop"},
    "spec": {"protect": ["shop"], "dns": "none", "allow": ["web -> db:5432"]},
}  # fmt: skip


@dataclass
class Story:
    """A server whose pods run, and the verb with a document of intents."""

    api: FakeApi
    folder: Path
    capsys: pytest.CaptureFixture[str]

    def run(self, *policies: Policy, intents: Json | None = INTENTS, more: Sequence[str] = ()) -> tuple[int, str, str]:
        """The exit status and what was said."""
        words = [str(self.folder / "policies.yaml")]
        Path(words[0]).write_text(yaml.safe_dump_all(written(one) for one in policies))
        if intents is not None:
            (self.folder / "intents.yaml").write_text(yaml.safe_dump(intents))
            words += ["--intents", str(self.folder / "intents.yaml")]
        words += ["--yes", "--kubeconfig", str(self.folder / "config"), "--journal", str(self.folder / "journal.json")]
        status = main(["apply", *words, *more])
        return (status, *self.capsys.readouterr())


def _pod(name: str) -> Json:
    ports = [{"containerPort": 5432}] if name == "db" else []
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop", "labels": {"app": name}},
        "spec": {"nodeName": "node-1", "containers": [{"name": "main", "image": "x", "ports": ports}]},
        "status": {"phase": "Running", "podIP": f"10.0.0.{len(name)}", "podIPs": [{"ip": f"10.0.0.{len(name)}"}]},
    }  # fmt: skip


@pytest.fixture
def story(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    monkeypatch.setattr("ringfence.live.server.server.WAIT", (0.0, 0.0))
    with FakeApi() as api:
        api.add(_pod("web"), _pod("db"))
        Simulated(api)
        api.kubeconfig(tmp_path / "config")
        yield Story(api, tmp_path, capsys)


def _left(api: FakeApi) -> list[str]:
    return [one["metadata"]["name"] for one in api.objects("Pod")]


def test_what_is_wanted_works_before_and_after(story: Story) -> None:
    status, out, err = story.run(DENY, WEB)
    assert (status, out.splitlines()[-1].partition(";")[0]) == (0, "complete: 2 created"), err
    assert specs(story.api) == said([DENY, WEB])
    assert sorted(_left(story.api)) == ["db", "web"]


@pytest.mark.parametrize(("more", "itself"), [((), True), (("--twin-targets",), False)])
def test_wanted_connections_lead_to_the_pod_itself_unless_twins_shall_listen(
    more: Sequence[str], itself: bool, story: Story
) -> None:
    told: list[str] = []
    story.api.store.hooks.append(lambda event, body: told.append(str(body.get("spec"))) if event == "created" else None)
    status, _, err = story.run(DENY, WEB, more=more)
    assert status == 0, err
    assert any("try,0.0,TCP,10.0.0.2,5432" in spec for spec in told) == itself
    assert any("listen,TCP,5432" in spec for spec in told) != itself


def test_what_is_wanted_may_be_piped_though_it_is_looked_at_twice(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(yaml.safe_dump(INTENTS).encode())))
    status, out, err = story.run(DENY, MISTAKE, more=["--intents", "-"], intents=None)
    assert status == 1, err
    assert "undone" in out
    assert specs(story.api) == {}


def test_a_mistake_is_undone_by_itself(story: Story) -> None:
    status, out, err = story.run(DENY, MISTAKE)
    assert status == 1, err
    assert out.splitlines()[-1] == (
        "undone, all is as it was before: worked before and not after: shop/pod/web -> shop/pod/db:5432"
    )
    assert specs(story.api) == {}
    assert sorted(_left(story.api)) == ["db", "web"]
    # it was to be seen beforehand, too
    assert "web -> db:5432" in out


def test_an_interruption_while_twins_are_taken_away_applies_nothing(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ringfence.live import cleanup

    take_away, times = cleanup.take_away, iter([True])

    def slow(*words: Any, **how: Any) -> Any:
        if next(times, False):
            raise KeyboardInterrupt
        return take_away(*words, **how)

    monkeypatch.setattr(cleanup, "take_away", slow)
    assert story.run(DENY, WEB)[0] == 130
    assert specs(story.api) == {}
    assert sorted(_left(story.api)) == ["db", "web"]


def test_what_did_not_work_before_is_no_reason_to_undo(story: Story) -> None:
    story.api.add(written(DENY))
    status, out, _ = story.run(MISTAKE)
    assert (status, out.splitlines()[-1].partition(";")[0]) == (0, "complete: 1 created")


def test_intents_that_mean_nothing_stop_all(story: Story) -> None:
    status, _, err = story.run(DENY, intents={**INTENTS, "spec": {"protect": ["shop"], "allow": ["web -> nobody:80"]}})
    assert status == 2
    assert "nothing was written, as what is wanted is not clear" in err
    assert specs(story.api) == {}


def test_a_run_that_probes_is_not_resumed_without_probing(story: Story) -> None:
    from fakeapi import Fault

    def go(_: str, body: Json) -> None:
        if body["metadata"]["name"] == "deny":
            story.api.faults.add(Fault(drop="before", times=10**6))

    story.api.store.hooks.append(go)
    status, _, err = story.run(DENY, MISTAKE)
    story.api.store.hooks.remove(go)
    assert status == 3, err
    story.api.faults.clear()
    words = ["--yes", "--kubeconfig", str(story.folder / "config"), "--journal", str(story.folder / "journal.json")]
    assert main(["apply", "--resume", *words]) == 2
    assert "--intents" in story.capsys.readouterr().err
    assert main(["apply", "--resume", "--intents", str(story.folder / "intents.yaml"), *words]) == 1
    assert specs(story.api) == {}
