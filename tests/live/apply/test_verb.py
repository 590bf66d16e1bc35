"""The verb against a fake API server: what it shows, what it writes, and whose objects it leaves alone."""

from __future__ import annotations

import io
import json
import os
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from builders import policy, rule
from conftest import ROOT
from fakeapi import TOKEN, FakeApi, Fault, kind
from jsonschema import Draft202012Validator

from live.apply.servers import said, specs, written
from ringfence.cli.main import main
from ringfence.live.runs import MANAGED
from ringfence.model.policies import Policy

DENY = policy("shop/deny", types=["Ingress", "Egress"])
WEB = policy("shop/web", selects="app=web", ingress=[rule(ports=80)])
DB = policy("shop/db", selects="app=db", ingress=[rule("app=web", 5432)])
WIDER = policy("shop/web", selects="app=web", ingress=[rule(ports=[80, 443])])
Json = dict[str, Any]
PLANTED = "a-value-0f3a"


def _pod(name: str) -> Json:
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop", "labels": {"app": name}},
        "spec": {"containers": [{"name": "main", "image": "x", "env": [{"name": "PASSWORD", "value": PLANTED}]}]},
        "status": {"phase": "Running", "podIP": "10.0.0.1"},
    }  # fmt: skip


@dataclass
class Story:
    """A server with two pods, and the verb."""

    api: FakeApi
    folder: Path
    capsys: pytest.CaptureFixture[str]

    @property
    def journal(self) -> Path:
        return self.folder / "journal.json"

    def file(self, *objects: Policy | Json, name: str = "policies.yaml") -> str:
        """*objects* in a file."""
        made = [written(one) if isinstance(one, Policy) else one for one in objects]
        path = self.folder / name
        path.write_text(yaml.safe_dump_all(made))
        return str(path)

    def run(self, *words: str, kubeconfig: str = "") -> tuple[int, str, str]:
        """The exit status and what was said."""
        at = kubeconfig or str(self.folder / "config")
        status = main(["apply", *words, "--kubeconfig", at, "--journal", str(self.journal)])
        out, err = self.capsys.readouterr()
        assert TOKEN not in out + err
        assert PLANTED not in out + err
        return status, out, err

    def by_others(self, one: Policy, manager: str = "helm") -> None:
        """Put a policy there in somebody else's name."""
        fields: Json = {"f:spec": {"f:ingress": {}, "f:podSelector": {}, "f:policyTypes": {}}}
        managed = [{"manager": manager, "operation": "Update", "apiVersion": "networking.k8s.io/v1",
                    "fieldsType": "FieldsV1", "fieldsV1": fields}]  # fmt: skip
        body = written(one)
        self.api.add({**body, "metadata": {**body["metadata"], "managedFields": managed}})


@pytest.fixture
def story(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    monkeypatch.setattr("ringfence.live.server.server.WAIT", (0.0, 0.0))
    with FakeApi() as api:
        api.add(_pod("web"), _pod("db"))
        api.kubeconfig(tmp_path / "config")
        yield Story(api, tmp_path, capsys)


def _written_to(api: FakeApi) -> list[str]:
    dry = [one for one in api.seen if one.method != "GET" and "dryRun" not in one.query and b"dryRun" not in one.body]
    return [one.line for one in dry if "selfsubject" not in one.path]


def test_policies_are_shown_and_put_in_place(story: Story) -> None:
    status, out, err = story.run(story.file(DENY, WEB, DB), "--yes")
    assert status == 0
    assert specs(story.api) == said([DENY, WEB, DB])
    assert "Newly protected: a policy restricts ingress of shop/db, shop/web." in out
    assert "5 steps, in this order:" in out
    assert "complete: 3 created" in out
    assert [line for line in err.splitlines() if line.startswith("5/5")]
    for one in story.api.objects("NetworkPolicy"):
        assert one["metadata"]["labels"] == {MANAGED[0]: MANAGED[1]}
    again = "unchanged: 3 objects\nnothing to do: all is as it is wanted\n"
    assert story.run(story.file(DENY, WEB, DB), "--yes")[:2] == (0, again)


def test_every_step_is_tried_on_the_server_before_the_first_one_is_done(story: Story) -> None:
    story.run(story.file(DENY, WEB), "--yes")
    writes = [one for one in story.api.seen if one.method in ("PATCH", "DELETE")]
    dry = [one.query.get("dryRun") == "All" or b"dryRun" in one.body for one in writes]
    paths = [one.path for one in writes]
    done = dry.index(False)
    assert not any(dry[done:])
    assert paths[done - len(paths[done:]) : done] == paths[done:]


def test_a_dry_run_writes_nothing(story: Story) -> None:
    status, out, _ = story.run(story.file(DENY, WEB), "--dry-run")
    assert status == 0
    assert out.endswith("dry run: nothing was written\n")
    assert _written_to(story.api) == []
    assert not story.journal.exists()


def test_without_somebody_to_ask_nothing_is_written(story: Story) -> None:
    status, _, err = story.run(story.file(WEB))
    assert status == 2
    assert re.search(r"Apply it to context fake \(https://.*\)\? There is no terminal to ask at; say --yes", err)
    assert _written_to(story.api) == []


def test_one_object_that_the_server_does_not_take_stops_all(story: Story) -> None:
    body = written(WEB)
    story.api.faults.add(
        Fault(method="PATCH", path="networkpolicies/web.*dryRun", status=422, body={
            "kind": "Status", "status": "Failure", "code": 422, "reason": "Invalid", "message": "is invalid",
            "details": {"causes": [{"field": "spec.ingress[0]", "message": "Invalid value: planned"}]}})
    )  # fmt: skip
    status, _, err = story.run(story.file(DENY, body), "--yes")
    assert status == 2
    assert "NetworkPolicy shop/web: spec.ingress[0]: Invalid value: planned" in err
    assert "nothing was written" in err
    assert _written_to(story.api) == []


def test_a_namespace_that_is_not_there_is_told(story: Story) -> None:
    status, _, err = story.run(story.file(policy("nowhere/p", ingress=[])), "--yes")
    assert status == 2
    assert "the namespace nowhere is not there; make it first" in err


def test_input_that_cannot_be_used_stops_all(story: Story) -> None:
    body = written(WEB)
    body["spec"]["ingress"][0]["ports"] = [{"port": 99999}]
    status, _, err = story.run(story.file(DENY, body), "--yes")
    assert status == 2
    assert "nothing was written, as some of the input cannot be used" in err
    assert _written_to(story.api) == []


def test_objects_of_other_kinds_are_left_aside_and_told(story: Story) -> None:
    status, _, err = story.run(story.file(WEB, _pod("other")), "--yes")
    assert status == 0
    assert "not applied: 1 Pod; apply puts policies in place, and nothing else" in err
    assert story.run(story.file(_pod("other")), "--yes")[0] == 2


INTENTS: Json = {
    "apiVersion": "ringfence.dev/v1alpha1", "kind": "Intents", "metadata": {"name": "shop", "namespace": "shop"},
    "spec": {"protect": ["shop"], "dns": "none", "allow": ["web -> db:5432"]},
}  # fmt: skip


@pytest.mark.parametrize(
    ("policies", "intents", "words"),
    [
        ("", None, "no Kubernetes object could be read; the input is empty"),
        ("a: [", None, "is not YAML"),
        (None, None, "policies.yaml: no such file or directory"),
        (_pod("web"), None, "no policy in the input"),
        (written(WEB), None, "no kubeconfig"),
        (written(WEB), INTENTS, "no kubeconfig"),
        (written(WEB), "a: [", "is not YAML"),
        (written(WEB), _pod("web"), "(--intents): no Intents document; name a file that holds one"),
        (
            written(WEB),
            {**INTENTS, "spec": {"protect": ["shop"], "allow": ["web => db"]}},
            '"web => db" cannot be read',
        ),
    ],
)
def test_what_is_wrong_with_the_input_is_told_without_a_cluster(
    policies: Json | str | None, intents: Json | str | None, words: str, story: Story
) -> None:
    paths = [story.folder / name for name in ("policies.yaml", "intents.yaml")]
    for path, text in zip(paths, (policies, intents), strict=True):
        if text is not None:
            path.write_text(text if isinstance(text, str) else yaml.safe_dump(text))
    more = [] if intents is None else ["--intents", str(paths[1])]
    status, _, err = story.run(str(paths[0]), *more, "--dry-run", kubeconfig=str(story.folder / "none"))
    assert words in err
    assert status == (3 if words == "no kubeconfig" else 2)


def test_what_is_wrong_with_the_input_is_told_before_anybody_logs_in(story: Story) -> None:
    asked = story.folder / "asked"
    program = story.folder / "login"
    program.write_text(f"#!/bin/sh\ntouch '{asked}'\nexit 1\n")
    program.chmod(0o755)
    login = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(program), "interactiveMode": "Never"}
    at = str(story.api.kubeconfig(story.folder / "other", exec=login))
    assert story.run(story.file({"kind": "nothing"}), kubeconfig=at)[0] == 2
    assert not asked.exists()
    assert story.run(story.file(WEB), kubeconfig=at)[0] == 3
    assert asked.exists()


def test_policies_without_a_namespace_are_put_in_that_of_the_context(story: Story) -> None:
    config = json.loads((story.folder / "config").read_text())
    config["contexts"][0]["context"]["namespace"] = "tools"
    (story.folder / "tools").write_text(json.dumps(config))
    story.api.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "tools"}})
    body = written(WEB)
    del body["metadata"]["namespace"]
    assert story.run(story.file(body), "--yes", kubeconfig=str(story.folder / "tools"))[0] == 0
    assert [*specs(story.api)] == ["tools/web"]


def test_standard_input_is_one_thing(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(yaml.safe_dump(written(WEB)).encode())))
    status, _, err = story.run("-", "--intents", "-", "--dry-run")
    assert (status, "standard input can be one of them" in err) == (2, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--image", "busybox"], "--image goes with --intents"),
        (["--allow-pdb"], "--allow-pdb goes with --intents"),
        (["--twin-targets", "--image=x"], "--image and --twin-targets go with --intents"),
        (["--allow-pdb", "--twin-targets", "--image=x"], "--image, --allow-pdb and --twin-targets go with --intents"),
        (["--resume", "--image", "x"], "--image goes with --intents"),
        (["--rollback", "--image", "x"], "--rollback probes nothing; leave --image out"),
        (["--rollback", "--intents", "x"], "--rollback probes nothing; leave --intents out"),
    ],
)
def test_what_says_how_to_probe_goes_with_what_is_probed(words: list[str], said: str, story: Story) -> None:
    files = [] if {"--resume", "--rollback"} & {*words} else [story.file(WEB)]
    status, _, err = story.run(*files, *words)
    assert status == 2
    assert said in err
    assert _written_to(story.api) == []


# -- whose it is ----------------------------------------------------------------------------------------------------


def test_what_belongs_to_others_is_a_conflict_that_names_them(story: Story) -> None:
    story.by_others(WEB)
    status, _, err = story.run(story.file(DENY, WIDER), "--yes")
    assert status == 1
    assert re.search(r"conflict: NetworkPolicy shop/web \(.*policies.yaml:\d+\): belongs to helm \(.*spec.ingress", err)
    assert "1 conflict: nothing was written" in err
    assert specs(story.api) == said([WEB])


def test_with_force_it_is_taken_over_and_can_be_given_back(story: Story) -> None:
    story.by_others(WEB)
    assert story.run(story.file(WIDER), "--yes", "--force-conflicts")[0] == 0
    assert specs(story.api) == said([WIDER])
    assert story.run("--rollback", "--yes")[0] == 0
    assert specs(story.api) == said([WEB])
    (body,) = story.api.objects("NetworkPolicy")
    assert "labels" not in body["metadata"]
    (entry,) = body["metadata"]["managedFields"]  # and whose it was
    assert (entry["manager"], entry["operation"]) == ("helm", "Update")
    assert entry["fieldsV1"] == {"f:spec": {"f:ingress": {}, "f:podSelector": {}, "f:policyTypes": {}}}


def test_what_others_have_and_is_as_wanted_is_left_alone(story: Story) -> None:
    story.by_others(WEB)
    status, out, _ = story.run(story.file(WEB, DB), "--yes")
    assert status == 0
    assert "left alone: NetworkPolicy shop/web" in out
    assert "belongs to helm, and is as it is wanted; it is never pruned" in out
    (body,) = [one for one in story.api.objects("NetworkPolicy") if one["metadata"]["name"] == "web"]
    assert [one["manager"] for one in body["metadata"]["managedFields"]] == ["helm"]


def test_what_others_have_is_a_conflict_also_where_they_own_no_field_of_ours(story: Story) -> None:
    story.api.add(written(WEB))  # nobody is known to own it
    status, _, err = story.run(story.file(WIDER), "--yes")
    assert status == 1
    assert "belongs to unknown" in err


def test_prune_takes_away_our_own_alone(story: Story) -> None:
    story.run(story.file(WEB, DB), "--yes")
    story.by_others(policy("shop/theirs", selects="app=x", ingress=[]))
    labelled = written(policy("shop/labelled", selects="app=y", ingress=[]))
    labelled["metadata"]["labels"] = {MANAGED[0]: MANAGED[1]}
    elsewhere = written(policy("other/deny", ingress=[]))
    story.api.add(labelled, elsewhere)
    status, out, _ = story.run(story.file(WEB), "--prune", "--yes")
    assert status == 0
    assert "complete: 1 deleted" in out
    assert set(specs(story.api)) == {"shop/web", "shop/theirs", "shop/labelled", "other/deny"}
    assert story.run("--rollback", "--yes")[0] == 0
    assert "shop/db" in specs(story.api)


def test_without_prune_nothing_is_deleted(story: Story) -> None:
    story.run(story.file(WEB, DB), "--yes")
    story.run(story.file(WEB, DENY), "--yes")
    assert set(specs(story.api)) == {"shop/web", "shop/db", "shop/deny"}


# -- policies of other kinds ----------------------------------------------------------------------------------------


CILIUM: Json = {
    "apiVersion": "cilium.io/v2", "kind": "CiliumNetworkPolicy", "metadata": {"name": "names", "namespace": "shop"},
    "spec": {"endpointSelector": {}, "egress": [{"toFQDNs": [{"matchName": "example.com"}]}]},
}  # fmt: skip


def test_companions_are_applied_and_pruned_where_the_server_has_their_kind(story: Story) -> None:
    story.api.kinds.add(kind("cilium.io/v2", "ciliumnetworkpolicies", "CiliumNetworkPolicy"))
    assert story.run(story.file(WEB, CILIUM), "--yes")[0] == 0
    (body,) = story.api.objects("CiliumNetworkPolicy")
    assert body["spec"] == CILIUM["spec"]
    assert story.run(story.file(WEB), "--prune", "--yes")[0] == 0
    assert story.api.objects("CiliumNetworkPolicy") == []
    assert story.run("--rollback", "--yes")[0] == 0
    assert len(story.api.objects("CiliumNetworkPolicy")) == 1


def test_a_kind_that_the_server_does_not_have_stops_all(story: Story) -> None:
    status, _, err = story.run(story.file(WEB, CILIUM), "--yes")
    assert status == 2
    assert "CiliumNetworkPolicy of cilium.io/v2" in err
    assert "the cluster has no such kind" in err
    assert _written_to(story.api) == []


def test_where_other_policies_may_isolate_nothing_is_opened(story: Story) -> None:
    story.api.kinds.add(kind("cilium.io/v2", "ciliumnetworkpolicies", "CiliumNetworkPolicy"))
    story.api.add(CILIUM)
    status, out, _ = story.run(story.file(DENY, WEB), "--yes")
    assert status == 0
    assert "temporary" not in out
    assert "note: namespace shop: policies of other kinds may isolate pods here" in out


def test_policies_of_a_mesh_are_asked_beside_and_are_in_nobodys_way(story: Story) -> None:
    story.api.kinds.add(kind("security.istio.io/v1", "authorizationpolicies", "AuthorizationPolicy"))
    story.api.add(
        {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "spec": {},
         "metadata": {"name": "mesh", "namespace": "shop"}}
    )  # fmt: skip
    status, out, _ = story.run(story.file(DENY, WEB), "--yes")
    assert status == 0
    assert "create temporary NetworkPolicy" in out


# -- stopped runs ---------------------------------------------------------------------------------------------------


def test_a_run_that_fails_is_undone_and_says_why(story: Story) -> None:
    # web is tried twice, by itself and as a step, before it is done
    story.api.faults.add(Fault(method="PATCH", path="networkpolicies/web", nth=3, status=403))
    status, out, _ = story.run(story.file(DENY, WEB), "--yes")
    assert status == 3
    assert out.splitlines()[-1].startswith("undone, all is as it was before: PATCH /apis/networking.k8s.io/v1/")
    assert specs(story.api) == {}


def test_a_conflict_that_comes_late_is_undone(story: Story) -> None:
    story.api.faults.add(Fault(method="PATCH", path="networkpolicies/web", nth=3, status=409))
    assert story.run(story.file(DENY, WEB), "--yes")[0] == 1
    assert specs(story.api) == {}


def _stop(story: Story) -> None:
    """Let a run stop in the middle, by a server that is gone."""

    def go(_: str, body: Json) -> None:
        if body["metadata"]["name"] == "deny":
            story.api.faults.add(Fault(drop="before", times=10**6))

    story.api.store.hooks.append(go)
    status, _, err = story.run(story.file(DENY, WEB), "--yes")
    assert status == 3
    assert "'ringfence apply --resume' goes on, 'ringfence apply --rollback' goes back" in err
    story.api.store.hooks.clear()
    story.api.faults.clear()


def test_before_a_stopped_run_is_ended_no_other_begins(story: Story) -> None:
    _stop(story)
    status, _, err = story.run(story.file(DB), "--yes", "--prune")
    assert status == 2
    assert "left temporary policies" in err
    status, _, err = story.run(story.file(policy("default/x", ingress=[])), "--yes")
    assert status == 2
    assert "stopped at step 3 of 4; go on with 'ringfence apply --resume'" in err


def test_a_stopped_run_goes_on(story: Story) -> None:
    _stop(story)
    status, out, _ = story.run("--resume", "--yes")
    assert status == 0
    assert "complete: 2 created" in out
    assert specs(story.api) == said([DENY, WEB])
    assert story.run("--resume", "--yes")[0] == 2


def test_a_stopped_run_goes_back(story: Story) -> None:
    _stop(story)
    status, out, _ = story.run("--rollback", "--yes")
    assert (status, out) == (0, "undone, all is as it was before\n")
    assert specs(story.api) == {}
    assert story.run("--rollback", "--yes")[0] == 2


def test_what_somebody_changed_meanwhile_is_not_gone_over(story: Story) -> None:
    _stop(story)
    body = story.api.get("networking.k8s.io/v1", "networkpolicies", "shop", "deny")
    assert body is not None
    story.api.add({**body, "spec": {"podSelector": {}, "policyTypes": ["Ingress"]}})
    status, _, err = story.run("--rollback", "--yes")
    assert status == 1
    assert "NetworkPolicy shop/deny was changed since that run; nothing was written" in err
    assert story.run("--rollback", "--yes", "--force-conflicts")[0] == 0
    assert specs(story.api) == {}


def test_the_journal_of_another_cluster_is_refused(story: Story, tmp_path: Path) -> None:
    _stop(story)
    with FakeApi() as other:
        at = str(other.kubeconfig(tmp_path / "other"))
        status, _, err = story.run("--resume", "--yes", kubeconfig=at)
    assert status == 2
    assert "belongs to another cluster, context fake" in err


def test_what_changes_while_somebody_reads_the_difference_is_seen(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ringfence.cli.apply._confirm", lambda *_: story.by_others(WIDER))
    status, _, err = story.run(story.file(WEB), "--yes")
    assert status == 1
    assert "NetworkPolicy shop/web was made by somebody else since it was shown; nothing was written" in err
    assert specs(story.api) == said([WIDER])


def test_the_journal_holds_policies_and_no_way_to_log_in(story: Story) -> None:
    story.run(story.file(DENY, WEB), "--yes")
    text = story.journal.read_text()
    found = json.loads(text)
    assert found["state"] == "complete"
    assert {one["kind"] for one in found["steps"]} == {"NetworkPolicy"}
    assert TOKEN not in text
    assert PLANTED not in text
    assert story.journal.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("text", "words"), [("", "is no journal"), ("{}", "is no journal"), ('{"version": 9}', "another ringfence")]
)
def test_what_is_no_journal_is_told(story: Story, text: str, words: str) -> None:
    story.journal.write_text(text)
    status, _, err = story.run("--rollback", "--yes")
    assert status == 2
    assert words in err


def test_without_a_journal_there_is_nothing_to_go_on_with(story: Story) -> None:
    status, _, err = story.run("--resume", "--yes")
    assert status == 2
    assert "no journal" in err


def test_two_at_a_time_do_not_go(story: Story) -> None:
    from ringfence.live.apply.journal import lock

    with lock(story.journal):
        status, _, err = story.run(story.file(WEB), "--yes")
    assert status == 2
    assert "another ringfence applies by this journal" in err
    assert specs(story.api) == {}


def test_without_a_place_for_the_journal_nothing_is_written(story: Story, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    status = main(["apply", story.file(WEB), "--yes", "--kubeconfig", str(tmp_path / "config"),
                   "--journal", str(tmp_path / "file" / "journal.json")])  # fmt: skip
    assert status == 2
    assert "the journal cannot be written" in story.capsys.readouterr().err
    assert specs(story.api) == {}


SCHEMA = Draft202012Validator(json.loads((ROOT / "docs" / "reference" / "apply.schema.json").read_text()))
DIFF = Draft202012Validator(json.loads((ROOT / "docs" / "reference" / "diff.schema.json").read_text()))


def test_every_document_is_as_its_schema_says(story: Story) -> None:
    for words, outcome in (
        ((story.file(DENY, WEB), "--dry-run"), "dry-run"),
        ((story.file(DENY, WEB), "--yes"), "complete"),
        ((story.file(DENY, WEB), "--yes"), "unchanged"),
    ):
        found = json.loads(story.run(*words, "--format", "json")[1])
        SCHEMA.validate(found)
        DIFF.validate(found["diff"])
        assert found["outcome"] == outcome
    story.by_others(DB)
    story.by_others(policy("shop/theirs", ingress=[]))
    wanted = story.file(policy("shop/db", ingress=[]), policy("shop/theirs", ingress=[]))
    found = json.loads(story.run(wanted, "--yes", "--format", "json")[1])
    SCHEMA.validate(found)
    assert (found["outcome"], found["conflicts"][0]["owners"]) == ("conflicts", ["helm"])
    assert [one["name"] for one in found["left_alone"]] == ["theirs"]


def test_programs_get_one_document(story: Story) -> None:
    status, out, _ = story.run(story.file(DENY, WEB), "--yes", "--format", "json")
    found = json.loads(out)
    assert status == 0
    assert found["outcome"] == "complete"
    assert [one["act"] for one in found["steps"]] == ["create", "create", "create", "delete"]
    assert found["diff"]["changes"]


def test_without_rights_nothing_is_written(story: Story) -> None:
    story.api.rights.forbid("patch", "networkpolicies")
    status, _, err = story.run(story.file(WEB), "--yes")
    assert status == 3
    assert "ringfence rbac" in err
    assert specs(story.api) == {}


def test_cleanup_says_that_temporary_policies_are_of_a_run_that_may_go_on(story: Story) -> None:
    _stop(story)
    at = ["--kubeconfig", str(story.folder / "config")]
    assert main(["cleanup", "--dry-run", *at]) == 0
    out, err = story.capsys.readouterr()
    assert re.search(r"NetworkPolicy shop/ringfence-tmp-\w+-1 ", out)
    assert "'ringfence apply --resume' or --rollback ends it" in err


def test_an_order_to_end_is_undone(story: Story) -> None:
    def end(event: str, body: Json) -> None:
        if (event, body["metadata"]["name"]) == ("created", "deny"):
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    story.api.store.hooks.append(end)
    status, out, _ = story.run(story.file(DENY, WEB), "--yes")
    assert (status, out.splitlines()[-1]) == (130, "undone, all is as it was before: interrupted")
    assert specs(story.api) == {}
    assert signal.getsignal(signal.SIGTERM) is before


class _Deaf(io.TextIOWrapper):
    """A stream whose reader goes when a line begins so."""

    def __init__(self, last: str = "") -> None:
        super().__init__(io.BytesIO())
        self.last, self.gone = last, False

    def write(self, text: str) -> int:
        self.gone = self.gone or text.startswith(self.last)
        if self.gone:
            raise BrokenPipeError
        return len(text)


def test_steps_that_nobody_hears_of_are_done_all_the_same(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    path = story.file(DENY, WEB, DB)
    monkeypatch.setattr("sys.stderr", _Deaf("1/5"))
    assert story.run(path, "--yes")[0] == 0
    assert specs(story.api) == said([DENY, WEB, DB])


def test_what_nobody_reads_is_not_applied(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    path = story.file(DENY, WEB, DB)
    monkeypatch.setattr("sys.stdout", _Deaf())
    monkeypatch.setattr("ringfence.cli.common.silence", lambda: None)
    status, _, err = story.run(path, "--yes")
    assert status == 3
    assert "nothing was written" in err
    assert _written_to(story.api) == []


def test_an_end_that_nobody_reads_is_told_by_the_status(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    path = story.file(DENY, WEB)
    story.api.faults.add(Fault(method="PATCH", path="networkpolicies/web", nth=3, status=409))
    monkeypatch.setattr("ringfence.cli.common.silence", lambda: None)

    def nobody(*_: Any) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("ringfence.cli.apply._end", nobody)
    assert story.run(path, "--yes")[0] == 1
    assert specs(story.api) == {}


def test_an_apply_that_ends_as_nobody_reads_is_no_success(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    path = story.file(DENY, WEB)
    monkeypatch.setattr("sys.stderr", _Deaf())
    monkeypatch.setattr("ringfence.cli.common.silence", lambda: None)
    assert story.run(path, "--yes")[0] == 3
    assert specs(story.api) == {}
