"""``tools/review.py`` on real repositories with two revisions, and with a code host that keeps comments."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from conftest import Run
from repositories import Repository

from ci.code_host import serving
from ci.reviewing import DATABASE, INTENTS, PODS, WIDER, job, plain, pull_request, reviewed, script
from tools import review

OPENED = "shop/web → shop/db: TCP 5432"


def test_the_first_run_comments_and_the_next_ones_bring_it_up_to_date(tmp_path: Path) -> None:
    made = pull_request(tmp_path, intents=INTENTS)
    with serving() as host:
        environment = {**job(made, host).environment(), "RINGFENCE_PATHS": "manifests"}
        first = script(made.top, environment)
        assert first.returncode == 1, first.stdout + first.stderr
        (comment,) = host.comments
        assert comment["body"].startswith("<!-- ringfence review: ringfence -->\n\n## ringfence: network policy\n")
        assert "1 connection: 1 added; 2 policies differ." in comment["body"]
        assert OPENED in comment["body"]
        assert "**check:" in comment["body"]

        made.git("checkout", "-q", "-B", "mended")
        made.commit(manifests__db_yaml=DATABASE)
        again = job(made, host)
        again.event = {"pull_request": {"number": 7, "base": {"sha": made.git("rev-parse", "main")}}}
        assert again.run(paths="manifests").returncode == 0
        (comment,) = host.comments
        assert "No difference in what may connect." in comment["body"]
        assert [method for method, _ in host.asked] == ["GET", "POST", "GET", "PATCH"]


def test_nothing_to_see_begins_no_comment(tmp_path: Path) -> None:
    made = pull_request(tmp_path, after=DATABASE + "# a comment\n")
    with serving() as host:
        made_job = job(made, host)
        done = made_job.run(paths="manifests")
        assert done.returncode == 0, done.stdout
        assert host.comments == []
        assert made_job.outputs()["changed"] == "false"
        assert "nothing to comment on" in done.stdout


TOMORROW = DATABASE.replace(
    "ingress: [{from: [", "ingress: [{from: [{namespaceSelector: {matchLabels: {team: later}}}, "
)
"""Lets pods of namespaces in that nobody has made yet: no connection of the input differs."""


def test_what_is_open_to_those_who_come_later_is_seen_too(tmp_path: Path) -> None:
    made = pull_request(tmp_path, after=TOMORROW)
    with serving() as host:
        one = job(made, host)
        done = one.run(paths="manifests")
        assert done.returncode == 0, done.stdout
        (comment,) = host.comments
    assert one.outputs()["changed"] == "false"
    part = comment["body"].partition("### What faces the outside\n")[2]
    assert part.startswith("\n- Isolated by a policy, of 3 workloads: 3 for ingress (100 %), 3 for egress (100 %).\n")
    assert "Before:" not in part
    assert "<summary>Exposure of 1 workload differs</summary>" in part
    row = r"| now | shop/db\[Pod\] | from any pod in namespaces with team=later | TCP 5432 |"
    assert [text for text in part.splitlines() if text.startswith(("| now", "| before"))] == [row]
    assert part.index(row) < part.index("ringfence lint:")


def test_the_exposure_is_left_out_where_it_is_as_it_was(tmp_path: Path) -> None:
    made = pull_request(tmp_path, after=DATABASE.replace("5432", "5433"))
    done = job(made).run(paths="manifests", comment="false")
    assert "1 connection: 1 changed" in done.stdout
    assert "What faces the outside" not in done.stdout


def test_coverage_that_was_lost_is_said_beside_what_it_was(tmp_path: Path) -> None:
    made = pull_request(tmp_path)
    made.git("checkout", "-q", "-B", "bare", "main")
    made.commit(manifests__pods_yaml=PODS.partition("---\napiVersion: networking")[0])
    told = {"RINGFENCE_BASE": "main", "RINGFENCE_PATHS": "manifests"}
    out = reviewed(made.top, {**plain(), **told}).stdout
    assert "\n- Isolated by a policy, of 3 workloads: 1 for ingress (33 %), 1 for egress (33 %)." in out
    assert "\n- Before: Isolated by a policy, of 3 workloads: 3 for ingress (100 %), 3 for egress (100 %)." in out
    assert (
        "| now | shop/web\\[Pod\\] | to anywhere, the cloud's metadata too: no policy isolates it | every port |" in out
    )


def test_a_folder_that_is_new_is_all_that_faces_the_outside(tmp_path: Path) -> None:
    made = pull_request(tmp_path)
    made.git("checkout", "-q", "-B", "more", "main")
    made.commit(more__pods_yaml=PODS.partition("---\napiVersion: networking")[0].replace("shop", "other"))
    done = reviewed(made.top, {**plain(), "RINGFENCE_BASE": "main", "RINGFENCE_PATHS": "more"})
    assert "workloads: 3 added" in done.stdout
    assert "<summary>Exposure of 3 workloads differs</summary>" in done.stdout
    assert "| before |" not in done.stdout
    assert "more: not in " in done.stdout
    assert len(made.git("worktree", "list").splitlines()) == 1


def test_rows_of_exposure_are_counted_where_there_are_many() -> None:
    rows = {(f"a/b{number:04}[Pod]", "ingress", "outside", "from *outside*", "TCP 1") for number in range(150)}
    text = "\n".join(review.differing(set(), rows))
    assert text.count("| now |") == review.MOST == 100
    assert "and 50 more; `ringfence exposure` lists them" in text
    assert "from \\*outside\\*" in text
    assert review.differing(rows, rows) == []


def test_the_comment_is_found_among_hundreds_and_quotes_of_it_are_left_alone(tmp_path: Path) -> None:
    made = pull_request(tmp_path)
    mark = review.marker("ringfence")
    with serving() as host:
        host.comments = [{"id": number, "body": "words"} for number in range(250)]
        host.comments[3]["body"] = f"> {mark}\nas it said"
        host.comments[4]["body"] = None
        host.comments[5]["body"], host.foreign = f"{mark} copied by somebody", {5}
        host.comments[6]["body"] = review.marker("other")
        host.comments[230]["body"] = f"{mark}\nold"
        assert "the comment is up to date" in job(made, host).run(paths="manifests").stdout
        assert len(host.comments) == 250
        assert "1 connection: 1 added" in host.comments[230]["body"]
        assert host.comments[6]["body"] == review.marker("other")
        assert host.comments[5]["body"].endswith("somebody")


def test_another_name_keeps_a_comment_of_its_own(tmp_path: Path) -> None:
    made = pull_request(tmp_path)
    with serving() as host:
        job(made, host).run(paths="manifests")
        job(made, host).run(paths="manifests", name="shop prod")
        assert [one["body"].split("\n")[2] for one in host.comments] == [
            "## ringfence: network policy", "## shop prod: network policy",
        ]  # fmt: skip


def test_a_token_that_may_not_write_leaves_the_report_in_the_summary(tmp_path: Path) -> None:
    made = pull_request(tmp_path)
    with serving() as host:
        host.read_only = True
        one = job(made, host)
        done = one.run(paths="manifests")
    assert done.returncode == 0
    assert "no comment was written (HTTP Error 403: Forbidden)" in done.stdout
    assert "1 connection: 1 added" in (one.scratch / "summary.md").read_text()
    assert one.outputs() == {
        "changed": "true", "report": str(one.scratch / "report" / "review.md"),
        "sarif": str(one.scratch / "report" / "lint.sarif"), "status": "0",
    }  # fmt: skip
    assert json.loads(Path(one.outputs()["sarif"]).read_text())["version"] == "2.1.0"


def test_no_comment_is_written_where_none_is_wanted(tmp_path: Path) -> None:
    made = pull_request(tmp_path)
    with serving() as host:
        assert job(made, host).run(paths="manifests", comment="false").returncode == 0
        assert host.asked == []


def test_a_checkout_without_history_compares_what_the_merge_changes(tmp_path: Path) -> None:
    made = pull_request(tmp_path)
    made.git("checkout", "-q", "-b", "merged")
    made.git("config", "uploadpack.allowAnySHA1InWant", "true")
    shallow = tmp_path / "shallow"
    made.git("clone", "-q", "--depth=1", "--branch", "merged", f"file://{made.top}", str(shallow))
    one = job(made, top=shallow)
    done = one.run(paths="manifests", comment="false")
    assert "1 connection: 1 added; 2 policies differ." in done.stdout
    assert done.returncode == 0
    assert one.outputs()["changed"] == "true"


def test_a_base_by_name_is_fetched_and_the_change_begins_where_the_two_parted(tmp_path: Path) -> None:
    made = pull_request(tmp_path)
    made.git("checkout", "-q", "main")
    made.commit(manifests__other_yaml=DATABASE.replace("name: db", "name: other").replace("app: db", "app: web"))
    shallow = tmp_path / "shallow"
    made.git("clone", "-q", "--depth=1", "--branch", "change", f"file://{made.top}", str(shallow))
    done = reviewed(shallow, {**plain(), "RINGFENCE_BASE": "main", "RINGFENCE_PATHS": "manifests"})
    assert "1 connection: 1 added; 2 policies differ." in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0


def test_a_push_is_compared_with_the_commit_before_and_a_new_branch_with_none(tmp_path: Path) -> None:
    made = pull_request(tmp_path)
    made.git("checkout", "-q", "change")
    one = job(made)
    one.event = {"before": made.git("rev-parse", "change~1")}
    assert "1 connection: 1 added" in one.run(paths="manifests").stdout
    assert one.outputs()["changed"] == "true"
    one.event = {"before": review.NOTHING}
    done = one.run(paths="manifests")
    assert done.returncode == 0
    assert "opens and closes" not in done.stdout
    assert one.outputs()["changed"] == "unknown"


@pytest.mark.parametrize(
    ("after", "statuses"),
    [
        (WIDER, {"error": 0, "warning": 1, "never": 0}),  # no rule lets them reach DNS
        (DATABASE.replace("app: db", "app: dbb"), {"error": 1, "warning": 1, "never": 0}),  # no pod is selected
    ],
    ids=["warning", "error"],
)
def test_findings_fail_as_asked(after: str, statuses: dict[str, int], tmp_path: Path) -> None:
    made = pull_request(tmp_path, after=after)
    for fail_on, status in statuses.items():
        assert job(made).run(paths="manifests", comment="false", fail_on=fail_on).returncode == status


def test_findings_are_annotations_and_nothing_else_is_a_command(tmp_path: Path) -> None:
    made = pull_request(tmp_path, after=DATABASE.replace("app: db", "app: dbb"))
    rows = job(made).run(paths="manifests", comment="false").stdout.splitlines()
    assert any(row.startswith("::error file=manifests/db.yaml,line=5,col=") for row in rows)
    stopped, word = False, ""
    for row in rows:
        if match := re.fullmatch("::stop-commands::([0-9a-f]{32})", row):
            stopped, word = True, match[1]
        elif row == f"::{word}::":
            stopped = False
        else:
            assert stopped or row.startswith(("::error file=", "::warning file=", "::notice file=")), row


def test_what_cannot_be_read_fails_whatever_is_asked_and_what_the_base_had_does_not(tmp_path: Path) -> None:
    broken = "kind: NetworkPolicy\napiVersion: networking.k8s.io/v1\nspec: [\n"
    (tmp_path / "one").mkdir()
    worse = job(pull_request(tmp_path / "one", after=broken)).run(paths="manifests", fail_on="never", comment="false")
    assert worse.returncode == 2
    assert "manifests/db.yaml" in worse.stdout
    (tmp_path / "two").mkdir()
    one = job(pull_request(tmp_path / "two", before=broken))
    mended = one.run(paths="manifests", comment="false")
    assert mended.returncode == 0, mended.stdout
    assert "<summary>Told by diff</summary>" in mended.stdout
    assert one.outputs()["changed"] == "unknown"


def test_a_broken_intent_fails_and_check_can_be_left_out(tmp_path: Path) -> None:
    made = pull_request(tmp_path, after=DATABASE.replace("5432", "5433"), intents=INTENTS)
    failing = job(made).run(paths="manifests", comment="false")
    assert failing.returncode == 1
    assert "Broken intent" in failing.stdout
    assert job(made).run(paths="manifests", comment="false", check="false").returncode == 0
    assert job(made).run(paths="manifests", comment="false", fail_on="never").returncode == 0


def test_check_that_is_asked_for_needs_intents(tmp_path: Path, run: Run) -> None:
    made = pull_request(tmp_path)
    assert review.NO_INTENTS in run("check", str(made.top / "manifests")).err
    assert job(made).run(paths="manifests", comment="false", check="auto").returncode == 0
    done = job(made).run(paths="manifests", comment="false", check="true")
    assert done.returncode == 2
    assert review.NO_INTENTS in done.stdout


RENDER = 'for file in overlay/*.yaml; do echo ---; cat "$file"; done'


@pytest.fixture
def overlays(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "apps")
    made.top.mkdir()
    made.git("init", "-q", "-b", "main")
    made.commit(overlay__pods_yaml=PODS, overlay__db_yaml=DATABASE, shop__intents_yaml=INTENTS)
    made.git("checkout", "-q", "-b", "change")
    made.commit(overlay__db_yaml=WIDER)
    return made


def test_what_is_rendered_of_both_revisions_is_compared(overlays: Repository) -> None:
    state = overlays.state()
    done = reviewed(overlays.top, {**plain(), "RINGFENCE_BASE": "main", "RINGFENCE_RENDER": RENDER})
    assert "1 connection: 1 added; 2 policies differ." in done.stdout, done.stdout + done.stderr
    assert "**check:" not in done.stdout
    assert done.returncode == 0
    assert overlays.state() == state
    assert len(overlays.git("worktree", "list").splitlines()) == 1


def test_paths_are_read_beside_what_is_rendered(overlays: Repository) -> None:
    told = {"RINGFENCE_BASE": "main", "RINGFENCE_RENDER": RENDER, "RINGFENCE_PATHS": "shop"}
    done = reviewed(overlays.top, {**plain(), **told})
    assert "**check:" in done.stdout
    assert "1 connection: 1 added" in done.stdout
    assert done.returncode == 1
    assert "ringfence-" not in done.stdout  # no folder that is gone by the time it is read


def test_a_new_application_is_compared_with_nothing(overlays: Repository) -> None:
    overlays.git("mv", "overlay", "elsewhere")
    overlays.commit()
    told = {"RINGFENCE_BASE": "main", "RINGFENCE_RENDER": RENDER.replace("overlay/", "elsewhere/")}
    done = reviewed(overlays.top, {**plain(), **told})
    assert done.returncode == 0, done.stdout
    assert "added: workload shop/db" in done.stdout.replace("\\", "")
    assert "RINGFENCE_RENDER ended with status 1: cat: 'elsewhere/*.yaml'" in done.stdout
    assert "compared with nothing rendered" in done.stdout


def test_a_command_that_fails_renders_nothing(overlays: Repository) -> None:
    told = {"RINGFENCE_BASE": "main", "RINGFENCE_RENDER": "cat overlay/db.yaml; false | true; echo never"}
    done = reviewed(overlays.top, {**plain(), **told})
    assert (done.returncode, done.stdout) == (
        2, "review: RINGFENCE_RENDER ended with status 1: it said nothing\n",
    )  # fmt: skip


def test_what_is_run_to_render_does_not_get_the_token(tmp_path: Path) -> None:
    done = job(pull_request(tmp_path)).run(render='echo "token=${GITHUB_TOKEN:-none}" >&2; false', comment="false")
    assert done.returncode == 2
    assert "review: RINGFENCE_RENDER ended with status 1: token=none" in done.stdout


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"FAIL_ON": "note"}, "RINGFENCE_FAIL_ON is 'note', and must be one of error, warning, never"),
        ({"CHECK": "yes"}, "RINGFENCE_CHECK is 'yes', and must be one of auto, true, false"),
        ({"COMMENT": "1"}, "RINGFENCE_COMMENT is '1', and must be one of true, false"),
        ({"PATHS": "'a"}, "RINGFENCE_PATHS cannot be split into paths: No closing quotation"),
        ({"PATHS": "a -o=b"}, "RINGFENCE_PATHS has '-o=b', which is no path; options go to ringfence.toml"),
        ({"NAME": "a -->"}, "RINGFENCE_NAME is 'a -->'; a name has letters, digits, blanks, dots and single dashes"),
        ({"BASE": "--output=x"}, "the base '--output=x' is no revision"),
        ({"BASE": "v9"}, "the base 'v9' is neither here nor at the remote 'origin'; check out with fetch-depth: 0"),
    ],
)
def test_bad_input_is_one_sentence(told: dict[str, str], said: str, overlays: Repository) -> None:
    done = reviewed(overlays.top, {**plain(), **{f"RINGFENCE_{key}": value for key, value in told.items()}})
    assert (done.returncode, done.stdout, done.stderr) == (2, f"review: {said}\n", "")


def test_outside_of_a_repository_nothing_is_written(tmp_path: Path) -> None:
    done = reviewed(tmp_path, {**plain(), "GIT_CEILING_DIRECTORIES": str(tmp_path.parent)})
    assert done.returncode == 2
    assert done.stdout.startswith("review: this is no work tree of git")
    assert list(tmp_path.iterdir()) == []


def test_a_profile_that_does_not_exist_fails(overlays: Repository) -> None:
    done = reviewed(overlays.top, {**plain(), "RINGFENCE_PROFILE": "nothing", "RINGFENCE_PATHS": "overlay"})
    assert done.returncode == 2
    assert "nothing" in done.stdout


def test_what_the_repository_holds_is_not_imported(overlays: Repository) -> None:
    overlays.commit(**{"yaml.py": "raise SystemExit(9)\n", "json.py": "raise SystemExit(9)\n"})
    (overlays.top / "ringfence").mkdir()
    (overlays.top / "ringfence" / "__init__.py").write_text("raise SystemExit(9)\n")
    overlays.commit()
    done = script(overlays.top, {**plain(), "RINGFENCE_BASE": "main", "RINGFENCE_PATHS": "overlay"})
    assert done.returncode == 0, done.stderr


def test_a_report_that_is_too_long_loses_its_longest_parts() -> None:
    settings = review.Settings.read({})
    parts = ["**diff** first\n\n" + "| a line |\n" * 9000, "**lint:** nothing\n" + "more\n" * 5000, "short"]
    text = review.body(settings, parts, review.LONGEST)
    assert len(text) <= review.LONGEST
    assert "**diff** first\n\n_The rest is too long" in text
    assert "more\nmore" in text
    assert text.rstrip().endswith("short")
    assert "a line |\n| a line" in review.body(settings, parts)
    folded = "<details><summary>Told by lint</summary>\n" + "x\n" * 40000
    assert "<details>" not in review.body(settings, [folded], review.LONGEST)


def test_a_difference_that_is_too_long_keeps_what_matters() -> None:
    points = "".join(f"- **Newly reachable from outside** ({number}): web → db: TCP 80\n" for number in range(5))
    head = f"### What this change opens and closes\n\n9 connections: 9 added; 1 policy differs.\n\n{points}"
    details = "<details>\n<summary>Newly reachable</summary>\n" + "a line\n" * 9500 + "</details>"
    text = review.body(review.Settings.read({}), [f"{head}\n{details}", "short"], review.LONGEST)
    assert head.strip() in text
    assert "<details" not in text
    many = review.body(review.Settings.read({}), [head * 300], review.LONGEST)
    assert len(many) < review.HEAD + 500
    assert many.count("\n- **Newly") == many.count("TCP 80\n") > 9  # no line is cut
    assert "<summary>" not in review.body(
        review.Settings.read({}), [review.told("lint", "x\n" * 40000)], review.LONGEST
    )


def test_what_is_told_cannot_end_its_own_fence() -> None:
    text = review.told("lint", "a\n````\n</details> @somebody\n")
    assert text.count("\n`````") == 2
    assert review.told("lint", " \n") == ""


def test_the_report_of_a_job_in_gitlab(overlays: Repository) -> None:
    told = {"GITLAB_CI": "true", "CI_MERGE_REQUEST_DIFF_BASE_SHA": overlays.git("rev-parse", "main")}
    done = reviewed(overlays.top, {**plain(), **told, "RINGFENCE_PATHS": "overlay"})
    assert done.returncode == 0
    assert "1 connection: 1 added" in (overlays.top / ".ringfence" / "review.md").read_text()
    assert isinstance(json.loads((overlays.top / ".ringfence" / "gl-code-quality-report.json").read_text()), list)
    assert overlays.git("status", "--porcelain") == ""
    again = reviewed(overlays.top, {**plain(), **told, "RINGFENCE_PATHS": "."})
    assert ".ringfence" not in again.stdout  # what was written is not read as a manifest


def test_the_host_refuses_a_wrong_token() -> None:
    with serving() as host:
        done = subprocess.run(
            ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"{host.address}/repos/shop/apps/issues/7"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout == "401"
