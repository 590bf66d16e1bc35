"""``ringfence diff`` on the command line: two inputs, a change, two revisions of a real repository; and bad input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Run
from repositories import Repository

TASK_API = "examples/task-api"
DATABASE = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: db, namespace: shop}}
spec:
  podSelector: {{matchLabels: {{app: db}}}}
  ingress: [{{from: [{{podSelector: {{matchLabels: {{app: {app}}}}}}}], ports: [{{port: 5432}}]}}]
"""
PODS = "".join(
    f"---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: shop, labels: {{app: {name}}}}}\n"
    for name in ("web", "api", "db")
)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repo")
    made.top.mkdir()
    made.git("init", "-q", "-b", "main")
    made.commit(manifests__pods_yaml=PODS, manifests__db_yaml=DATABASE.format(app="web"))
    made.git("tag", "v1")
    made.commit(manifests__db_yaml=DATABASE.format(app="api"))
    return made


# -- two inputs ------------------------------------------------------------------------------------------------------


def test_a_change_is_what_it_opens_and_closes(run: Run) -> None:
    done = run("diff", TASK_API, "--with", "examples/variants/service-port.yaml", "--format", "txt")
    assert done.out.splitlines()[-1].endswith("ref1: TCP 8000, ref2: TCP 80")
    assert done.status == 2
    assert done.err.startswith("ringfence diff: intents are not compared: examples/task-api/intents.yaml:9:7")


def test_two_paths(run: Run, tmp_path: Path) -> None:
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(PODS + "---\n" + DATABASE.format(app="web"))
    new.write_text(PODS + "---\n" + DATABASE.format(app="api"))
    done = run("diff", str(old), str(new), "--format", "csv")
    assert sorted(row.split(",")[:3] for row in done.out.splitlines()[1:]) == [
        ["added", "shop/api[Pod]", "shop/db[Pod]"],
        ["removed", "shop/web[Pod]", "shop/db[Pod]"],
    ]
    several = run("diff", "--old", str(old), "--new", str(new), "--format", "csv")
    assert several.out == done.out


def test_standard_input_may_be_one_side(run: Run, tmp_path: Path) -> None:
    old = tmp_path / "old.yaml"
    old.write_text(PODS)
    done = run("diff", str(old), "-", "--format", "json", stdin=(PODS + "---\n" + DATABASE.format(app="web")).encode())
    assert json.loads(done.out)["unprotected"] == {"ingress": {"gained": ["shop/db[Pod]"]}}
    assert run("diff", "-", str(old), "-q", stdin=PODS.encode()).out.startswith("No difference")


def test_a_directory_without_a_manifest_is_an_empty_side(run: Run, tmp_path: Path) -> None:
    """Not a directory that is not there, nor a file without an object, which are mistakes."""
    (tmp_path / "README.md").write_text("words")
    done = run("diff", str(tmp_path), TASK_API, "--format", "json")
    assert done.status == 0
    document = json.loads(done.out)
    assert len(document["workloads"]["added"]) == 7
    assert document["pairs"]["removed"] == document["pairs"]["changed"] == 0
    assert done.err == f"before:\n{tmp_path}: no Kubernetes object is in there; counted as empty\n"
    assert json.loads(run("diff", TASK_API, str(tmp_path), "--format", "json").out)["pairs"]["added"] == 0
    both = run("diff", str(tmp_path), str(tmp_path))
    assert (both.status, both.out) == (2, "")
    assert "neither of the two holds a Kubernetes object" in both.err
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    named = run("diff", str(tmp_path / "empty.yaml"), TASK_API)
    assert (named.status, named.out) == (2, "")
    assert "no Kubernetes object could be read" in named.err
    assert run("diff", str(tmp_path), TASK_API).status == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [("bad.yaml", "kind: [\n"), ("Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n")],
)
def test_a_directory_of_what_was_not_read_is_no_empty_side(name: str, text: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    done = run("diff", str(tmp_path), TASK_API)
    assert (done.status, done.out) == (2, "")
    assert "no Kubernetes object could be read" in done.err


@pytest.mark.parametrize("form", ["table", "md", "txt", "json", "csv", "dot"])
def test_every_format_prints_and_writes(form: str, run: Run, tmp_path: Path) -> None:
    words = ["diff", TASK_API, "--with", "examples/variants/wrong-dns.yaml", "--format", form]
    printed = run(*words)
    assert printed.out
    out = tmp_path / "out"
    assert run(*words, "-o", str(out)).status == printed.status == 0
    assert out.read_text() == printed.out.replace("\r\n", "\n") or out.read_bytes().decode() == printed.out


def test_a_label_by_which_a_service_selects_opens_a_way_in(run: Run, tmp_path: Path) -> None:
    """No policy names it, so that between pods nothing differs."""
    service = "---\napiVersion: v1\nkind: Service\nmetadata: {name: front, namespace: shop}\n"
    service += "spec: {type: LoadBalancer, selector: {front: 'yes'}, ports: [{port: 80, targetPort: 8080}]}\n"
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(PODS + service)
    new.write_text(PODS.replace("{app: web}", "{app: web, front: 'yes'}") + service)
    done = run("diff", str(old), str(new), "--format", "txt")
    pair = "source: shop/front[Service], destination: shop/web[Pod]"
    assert done.out.splitlines()[1:] == [f"diff-type: added, {pair}, ref1: No Connections, ref2: TCP 8080"]


def test_exit_code_tells_a_difference(run: Run) -> None:
    change = ["--with", "examples/variants/wrong-dns.yaml"]
    assert run("diff", TASK_API, *change, "--exit-code").status == 1
    assert run("diff", TASK_API, *change).status == 0
    assert run("diff", TASK_API, TASK_API, "--exit-code").status == 0


def test_broken_intents_come_first(run: Run) -> None:
    done = run("diff", TASK_API, "--with", "examples/variants/wrong-dns.yaml")
    assert "Broken intent: the DNS of task-api (examples/task-api/intents.yaml:7)" in done.out.split("\n\n")[1]
    document = json.loads(run("diff", TASK_API, "--without", "task-api/default-deny-all", "--format", "json").out)
    assert [one["how"] for one in document["broken"]] == ["unprotected"]


def test_by_namespace(run: Run) -> None:
    done = run("diff", TASK_API, "--without", "task-api/default-deny-all", "--by", "namespace", "--format", "csv")
    assert "cache[Namespace],task-api[Namespace]" in done.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "diff compares two"),
        ((TASK_API,), "diff compares two"),
        ((TASK_API, TASK_API, TASK_API), "name more paths of a side with --old and --new"),
        (("-", "-"), "") ,
        ((TASK_API, "no-such"), "no-such: no such file or directory"),
        ((TASK_API, TASK_API, "--kustomize", "x"), "diff renders nothing"),
        ((TASK_API, "--git", "HEAD", "--old", "x"), "leave --old and --new out"),
        (("--git", "HEAD", "-"), "standard input is in no revision"),
        (("--git", "no-such-revision..HEAD"), "no such revision"),
        (("--git", "--output=x"), ""),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence(words: tuple[str, ...], said: str, run: Run) -> None:
    done = run("diff", *words)
    if said:
        assert done.status == 2
        assert said in done.err
        assert done.err.count("\n") == 1
        assert done.out == ""
    else:
        assert done.status in (0, 2)


# -- git -------------------------------------------------------------------------------------------------------------


def test_two_revisions(repository: Repository) -> None:
    before = repository.state()
    done = repository.diff("--git", "v1..HEAD", "manifests")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "+ shop/api -> shop/db: TCP 5432" in done.stdout
    assert "- shop/web -> shop/db: was TCP 5432" in done.stdout
    assert "before: let through by shop/db spec.ingress[0].from[0] (v1:manifests/db.yaml:6)" in done.stdout
    assert "(HEAD:manifests/db.yaml:6)" in done.stdout
    assert repository.state() == before


def test_places_are_gits_own_words(repository: Repository) -> None:
    document = json.loads(repository.diff("--git", "v1..main", "manifests", "--format", "json").stdout)
    for side in ("before", "after"):
        place = document["policies"][0][side]
        shown = repository.git("show", place["file"]).splitlines()
        assert shown[place["line"] - 1].startswith("apiVersion: networking.k8s.io/v1")


def test_from_a_folder_below(repository: Repository) -> None:
    top = repository.diff("--git", "v1..HEAD", "manifests", "--format", "txt").stdout
    assert repository.diff("--git", "v1..HEAD", "--format", "txt", where="manifests").stdout == top
    assert repository.diff("--git", "v1..HEAD", "../manifests/", "--format", "txt", where="manifests").stdout == top
    assert repository.diff("--git", "v1..HEAD", "--format", "txt").stdout == top
    assert repository.diff("--git", "v1..", "--format", "txt").stdout == top
    outside = repository.diff("--git", "v1..HEAD", "../..")
    assert (outside.returncode, outside.stdout) == (2, "")
    assert "lies outside the repository" in outside.stderr


def test_a_renamed_file_is_no_difference(repository: Repository) -> None:
    repository.git("mv", "manifests/db.yaml", "manifests/other.yaml")
    repository.commit()
    done = repository.diff("--git", "HEAD~1..HEAD", "manifests", "--exit-code")
    assert done.returncode == 0
    assert done.stdout.startswith("No difference in what may connect.")


def test_a_deleted_policy_leaves_the_pod_unprotected(repository: Repository) -> None:
    repository.commit(manifests__db_yaml=None)
    done = repository.diff("--git", "HEAD~1..HEAD", "manifests", "--exit-code")
    assert done.returncode == 1
    assert "Newly unprotected: no policy restricts ingress of shop/db." in done.stdout


def test_a_folder_that_is_new(repository: Repository) -> None:
    repository.commit(more__pods_yaml=PODS)
    done = repository.diff("--git", "HEAD~1..HEAD", "more")
    assert done.returncode == 0
    assert "Workloads added: shop/api, shop/db, shop/web." in done.stdout
    assert done.stderr.startswith("ringfence diff: more: not in HEAD~1, and counted as empty there\n")
    back = repository.diff("--git", "HEAD..HEAD~1", "more", "--format", "json")
    assert json.loads(back.stdout)["pairs"]["added"] == 0
    assert json.loads(back.stdout)["workloads"] == {"removed": ["shop/api[Pod]", "shop/db[Pod]", "shop/web[Pod]"]}


@pytest.mark.parametrize("paths", [("nowhere",), ("manifests", "nowhere")])
def test_a_path_in_neither_revision(paths: tuple[str, ...], repository: Repository) -> None:
    nowhere = repository.diff("--git", "HEAD~1..HEAD", *paths)
    assert (nowhere.returncode, nowhere.stdout) == (2, "")
    assert nowhere.stderr == "ringfence: nowhere: in neither of the two; name a path of the repository\n"
    tree = repository.diff("--git", "HEAD", *paths)
    assert (tree.returncode, tree.stderr) == (2, nowhere.stderr)


def test_before_there_were_manifests_at_all(tmp_path: Path) -> None:
    """The first commit has the application's code alone, and a file that another program reads."""
    made = Repository(tmp_path)
    made.git("init", "-q", "-b", "main")
    made.commit(README="words\n", docs__mkdocs_yaml="site_name: shop\n")
    made.git("tag", "v0")
    made.commit(manifests__pods_yaml=PODS)
    for paths, said in (((), "v0:./: no Kubernetes object"), (("manifests",), "manifests: not in v0, and counted")):
        done = made.diff("--git", "v0..main", *paths)
        assert done.returncode == 0, done.stderr
        assert "workloads: 3 added" in done.stdout
        assert said in done.stderr
    both = made.diff("--git", "v0..main", "docs")
    assert (both.returncode, both.stdout) == (2, "")
    assert both.stderr.endswith("neither of the two holds a Kubernetes object; name the paths of manifests\n")


def test_a_folder_that_was_deleted_from_the_work_tree(repository: Repository) -> None:
    repository.git("rm", "-rq", "manifests")
    done = repository.diff("--git", "HEAD", "manifests")
    assert done.returncode == 0
    assert "workloads: 3 removed" in done.stdout
    assert "manifests: not in the work tree, and counted as empty there" in done.stderr


def test_an_empty_side_that_a_change_fills(repository: Repository) -> None:
    repository.commit(more__pods_yaml=PODS)
    repository.git("rm", "-rq", "more")
    repository.commit()
    (repository.top / "change.yaml").write_text(PODS.replace("shop", "other"))
    done = repository.diff("--git", "HEAD~1..HEAD", "more", "--with", "change.yaml", "--format", "json")
    assert set(json.loads(done.stdout)["workloads"]["added"]) == {"other/api[Pod]", "other/db[Pod]", "other/web[Pod]"}


def test_a_path_behind_a_link_or_in_a_submodule_is_refused(repository: Repository, tmp_path: Path) -> None:
    """Nothing of it is in the revision's own files, and that is not the same as nothing."""
    other = Repository(tmp_path / "module")
    other.top.mkdir()
    other.git("init", "-q")
    other.commit(pods__pod_yaml=PODS)
    repository.git("submodule", "--quiet", "add", str(other.top), "module")
    (repository.top / "current").symlink_to("manifests")
    repository.commit()
    for path, said in (
        ("current", "current is a link that leads to no file of the revision; name where it leads"),
        ("current/db.yaml", "current is a link; name a folder of the repository itself"),
        ("module", "module is a submodule, which is not read; compare in it"),
        ("module/pods", "module is a submodule, which is not read; name a folder of the repository itself"),
    ):
        done = repository.diff("--git", "HEAD", path)
        assert (done.returncode, done.stdout) == (2, ""), path
        assert said in done.stderr.splitlines()[-1]


def test_the_work_tree_and_what_is_not_committed(repository: Repository) -> None:
    (repository.top / "manifests" / "db.yaml").write_text(DATABASE.format(app="web"))
    before = repository.state()
    with_tree = repository.diff("--git", "HEAD", "manifests")
    assert with_tree.returncode == 0
    assert "the work tree is compared, in which 1 file (manifests/db.yaml) is not committed" in with_tree.stderr
    assert "+ shop/web -> shop/db: TCP 5432" in with_tree.stdout
    left_out = repository.diff("--git", "v1..HEAD", "manifests")
    assert left_out.returncode == 2
    assert "+ shop/api -> shop/db" in left_out.stdout
    assert left_out.stderr.count("\n") == 1
    assert "1 file (manifests/db.yaml) is not committed, and not in HEAD" in left_out.stderr
    assert "compare with it by --git v1" in left_out.stderr
    assert repository.diff("--git", "HEAD~1..v1", "manifests").returncode == 0
    assert repository.state() == before


def test_from_where_two_branches_parted(repository: Repository) -> None:
    repository.git("checkout", "-q", "-b", "topic", "v1")
    repository.commit(manifests__more_yaml=PODS.replace("shop", "other"))
    two = repository.diff("--git", "main..topic", "manifests", "--format", "txt").stdout
    three = repository.diff("--git", "main...topic", "manifests", "--format", "txt").stdout
    assert "shop/api[Pod], destination: shop/db[Pod]" in two
    assert "source: shop/api[Pod], destination: shop/db[Pod]" not in three
    assert "other/web[Pod]" in three


def test_where_two_branches_parted_is_called_as_git_finds_it(repository: Repository) -> None:
    repository.git("checkout", "-q", "-b", "topic", "v1")
    repository.commit(manifests__db_yaml=DATABASE.format(app="web").replace("5432", "5433"))
    repository.git("checkout", "-q", "main")
    repository.commit(manifests__db_yaml="# moved down\n" * 3 + DATABASE.format(app="api"))
    place = json.loads(repository.diff("--git", "main...topic", "--format", "json").stdout)["policies"][0]["before"]
    assert place["file"].startswith(repository.git("rev-parse", "v1")[:12])
    assert repository.git("show", place["file"]).splitlines()[place["line"] - 1].startswith("apiVersion: networking")


def test_files_of_other_sorts(repository: Repository, tmp_path: Path) -> None:
    """Binary files, links and submodules are told, or passed over, and never followed out of the revision."""
    other = Repository(tmp_path / "module")
    other.top.mkdir()
    other.git("init", "-q")
    other.commit(pod_yaml=PODS)
    repository.git("submodule", "--quiet", "add", str(other.top), "manifests/module")
    (repository.top / "manifests" / "picture.png").write_bytes(bytes(range(256)))
    (repository.top / "manifests" / "bad.yaml").write_bytes(b"kind: Pod\0\xff")
    (repository.top / "manifests" / "linked.yaml").symlink_to("../elsewhere/pods.yaml")
    (repository.top / "manifests" / "out.yaml").symlink_to("/etc/hostname")
    (repository.top / "manifests" / "folder").symlink_to("../elsewhere")
    (repository.top / "manifests" / "text").symlink_to("picture.png")
    repository.commit(elsewhere__pods_yaml=PODS.replace("shop", "linked"))
    done = repository.diff("--git", "HEAD~1..HEAD", "manifests", "--format", "json")
    assert done.returncode == 2
    assert "HEAD: submodules are not read: manifests/module" in done.stderr
    assert (
        "links that lead to no file of the revision are not followed: manifests/folder, manifests/out.yaml"
        in done.stderr
    )
    assert "HEAD:manifests/bad.yaml: error RF002: is binary, not text" in done.stderr
    assert "picture" not in done.stderr
    document = json.loads(done.stdout)
    assert document["workloads"] == {"added": ["linked/api[Pod]", "linked/db[Pod]", "linked/web[Pod]"]}


def test_a_change_on_top_of_a_revision(repository: Repository) -> None:
    """``--with`` is read from where one stands, and changes the newer side."""
    (repository.top / "change.yaml").write_text(DATABASE.format(app="web"))
    done = repository.diff("--git", "v1..HEAD", "manifests", "--with", "change.yaml", "-o", "out.txt")
    assert done.returncode == 0, done.stderr
    assert (repository.top / "out.txt").read_text().startswith("No difference")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nothing..HEAD",), "--git nothing: no such revision"),
        (("HEAD..nothing",), "--git nothing: no such revision"),
        (("nothing",), "--git nothing: no such revision"),
        (("v1...nothing",), "--git nothing: no such revision"),
        (("HEAD:manifests",), "no such revision"),
        (("",), "name two revisions"),
    ],
)
def test_a_revision_that_is_not_there(words: tuple[str, ...], said: str, repository: Repository) -> None:
    done = repository.diff("--git", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("words", ["HEAD~1..HEAD", "v1..HEAD", "origin/main...HEAD"])
def test_a_shallow_clone_says_how_to_get_the_history(words: str, repository: Repository, tmp_path: Path) -> None:
    """What actions/checkout leaves on a runner."""
    shallow = Repository(tmp_path / "shallow")
    repository.git("checkout", "-q", "-b", "topic", "v1")
    repository.commit(manifests__db_yaml=DATABASE.format(app="db"))
    clone = ["clone", "-q", "--depth=1", "--no-single-branch", "--branch", "topic", "--no-tags"]
    repository.git(*clone, f"file://{repository.top}", str(shallow.top))
    done = shallow.diff("--git", words, "manifests")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "this clone is shallow: check out with fetch-depth: 0 (actions/checkout)" in done.stderr


def test_a_shallow_clone_compares_what_it_has(repository: Repository, tmp_path: Path) -> None:
    shallow = Repository(tmp_path / "shallow")
    repository.git("clone", "-q", "--depth=2", f"file://{repository.top}", str(shallow.top))
    assert "+ shop/api -> shop/db: TCP 5432" in shallow.diff("--git", "HEAD~1..HEAD", "manifests").stdout


def test_a_revision_cannot_be_an_option(repository: Repository) -> None:
    done = repository.diff("--git=--upload-pack=touch x")
    assert done.returncode == 2
    assert "no such revision" in done.stderr
    assert not (repository.top / "x").exists()


def test_no_repository(tmp_path: Path) -> None:
    done = Repository(tmp_path).diff("--git", "main..HEAD")
    assert (done.returncode, done.stdout) == (2, "")
    assert "lies in no git repository" in done.stderr
    assert done.stderr.count("\n") == 1


def test_no_git(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run("diff", "--git", "main..HEAD")
    assert done.status == 3
    assert "git is not on the PATH" in done.err


def test_nothing_is_left_behind(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where: Callable[[], list[Path]] = lambda: list((tmp_path / "tmp").iterdir())  # noqa: E731
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    repository.diff("--git", "v1..HEAD", "manifests")
    repository.diff("--git", "v1..HEAD", "manifests", "--without", "no/such")
    assert where() == []
