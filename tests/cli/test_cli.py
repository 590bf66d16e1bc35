"""The command line: exit statuses, formats, files, colour, and one clear sentence for everything that is wrong."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Run

import ringfence
from ringfence.cli import common

EXAMPLE = "examples/task-api"
FLOW = "task-api/test-pod -> task-api/task-api:8000"
POD = b"apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ((), "VERB"),
        (("matrx", EXAMPLE), "invalid choice: 'matrx'"),
        (("matrix",), "no input: name files or directories"),
        (("matrix", "nowhere"), "nowhere: no such file or directory"),
        (("matrix", EXAMPLE, "--frmat", "txt"), "unrecognized arguments: --frmat"),
        (("matrix", EXAMPLE, "--format", "xml"), "invalid choice: 'xml'"),
        (("matrix", EXAMPLE, "--profile", "weave"), "invalid choice: 'weave'"),
        (("matrix", EXAMPLE, "--port", "http"), "--port http: expected a number"),
        (("matrix", EXAMPLE, "--port", "0"), "--port 0: expected a port from 1 to 65535"),
        (("matrix", EXAMPLE, "--port", "90-80"), "--port 90-80: expected a port of at least 90"),
        (("matrix", EXAMPLE, "--port", "80/ICMP"), "--port 80/ICMP: expected TCP, UDP or SCTP"),
        (("matrix", EXAMPLE, "--to", "database/postgre"), "did you mean database/postgres?"),
        (("matrix", EXAMPLE, "--to", "databse/postgres"), "no such namespace; did you mean database?"),
        (("matrix", EXAMPLE, "--to", "svc/postgres"), "the matrix is about pods"),
        (("matrix", EXAMPLE, "--to", "Postgres"), "--to Postgres: expected a name"),
        (("matrix", EXAMPLE, "--from", "example.org"), "knows addresses, not names outside"),
        (("matrix", EXAMPLE, "--pod-cidr", "10.0.0"), "'10.0.0' is not a CIDR"),
        (("matrix", EXAMPLE, "--pod-cidr", "10.0.0.0"), "has no prefix length"),
        (("matrix", EXAMPLE, "--without", "task-api/allow-dns"), "did you mean task-api/allow-dns-egress or"),
        (("matrix", EXAMPLE, "--with", "nowhere.yaml"), "nowhere.yaml: no such file or directory"),
        (("matrix", EXAMPLE, "-o", "nowhere/out.txt"), "nowhere/out.txt: cannot be written"),
        (("explain", EXAMPLE), "the last argument must be the flow"),
        (("explain", FLOW), "no input"),
        (("explain", EXAMPLE, ""), "ringfence: '': the last argument must be the flow"),
        (("explain", EXAMPLE, "a => b"), "the last argument must be the flow"),
        (("explain", EXAMPLE, "task-api -> :80"), "expected a name"),
        (("explain", EXAMPLE, "task-api -> postgress:5432"), "did you mean database/postgres?"),
        (("explain", EXAMPLE, "task-api -> https://example.org"), "knows addresses, not names outside"),
        (("explain", EXAMPLE, "svc/task-api -> postgres:5432"), "is a Service, and connections start at pods"),
        (("explain", EXAMPLE, "test-pod -> task-api/task-api:web"), "has no TCP port of that name; it has http"),
    ],
    ids=lambda value: " ".join(value)[-30:] if isinstance(value, tuple) else "",
)
def test_what_is_wrong_is_said_in_one_sentence(run: Run, argv: tuple[str, ...], said: str) -> None:
    result = run(*argv)
    assert (result.status, result.out) == (2, "")
    assert said in result.err
    assert result.err.startswith("ringfence")
    assert "Traceback" not in result.err
    assert len(result.err.splitlines()) <= 3, "a sentence, and two lines that point into an arrow"


def test_an_arrow_is_pointed_into(run: Run) -> None:
    result = run("explain", EXAMPLE, "task-api -> database/Postgres:5432")
    *_, text, mark = result.err.splitlines()
    assert text[mark.index("^")] == "P"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "no Kubernetes object could be read"),
        (b"a:\n\tb: c\n", "a tab stands where only blanks may indent"),
        (b"\x00\x01\x02", "is binary, not text"),
        (b'{"kind": "List", "items": [', "ends before it is complete"),
        (b"- " * 400, "nests deeper"),
        (b"{{ .Values.policies }}\n", "looks like a template"),
        (b"kind: {{ .Values.kind }}\n", "render it first, as with helm template"),
    ],
)
def test_input_of_which_nothing_can_be_read(run: Run, text: bytes, said: str) -> None:
    result = run("matrix", "-", stdin=text)
    assert (result.status, result.out) == (2, "")
    assert said in result.err


def test_input_of_which_something_is_left_out(run: Run) -> None:
    """The answers are printed, what they lack is told, and the status is 2."""
    result = run("matrix", "-", "--format", "txt", stdin=POD + b"---\n" + POD.replace(b"a}", b"b}") + b"---\na: [\n")
    assert result.status == 2
    assert "<stdin>:9:1: error RF003" in result.err
    assert "incomplete-input" in result.out


def test_warnings_leave_the_status_alone(run: Run) -> None:
    result = run("matrix", "-", stdin=POD + b"---\n" + POD)
    assert result.status == 0
    assert "warning RF013" in result.err
    assert run("matrix", "-", "-q", stdin=POD + b"---\n" + POD).err == ""


def test_what_is_left_aside_is_one_count(run: Run) -> None:
    text = POD + b"".join(
        b"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n" % name for name in (b"a", b"b")
    )
    result = run("matrix", "-", stdin=text)
    assert "not read: 2 objects: 2 ConfigMap\n" in result.err


def test_the_most_frequent_kinds_that_were_left_aside_are_named(run: Run) -> None:
    names = [("ConfigMap", "a"), ("Secret", "a"), ("Secret", "b"), ("Event", "a"), ("Lease", "a"), ("Lease", "b")]
    kinds = {"Lease": "coordination.k8s.io/v1"}
    text = (
        POD
        + "".join(
            f"---\napiVersion: {kinds.get(kind, 'v1')}\nkind: {kind}\nmetadata: {{name: {name}}}\n"
            for kind, name in names
        ).encode()
    )
    told = run("matrix", "-", stdin=text).err
    assert (
        "not read: 6 objects: 2 Lease (coordination.k8s.io), 2 Secret, 1 ConfigMap and 1 more kind (-v lists them)"
        in told.splitlines()
    )
    verbose = run("matrix", "-", "-v", stdin=text).err
    assert "6 objects: 1 ConfigMap, 1 Event, 2 Lease (coordination.k8s.io), 2 Secret\n" in verbose


DENY = b"---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: shut}\nspec: {podSelector: {}}\n"


def test_what_an_answer_rests_on_is_told_where_it_is_not_plain(run: Run) -> None:
    """No policy, a part that was left aside, much, or -v; a small whole input says nothing, and -q never does."""
    free = "read: 1 workload (1 pod), 0 Services, no NetworkPolicy, in 1 namespace, so nothing is restricted\n"
    whole = "read: 1 workload (1 pod), 0 Services, 1 NetworkPolicy, in 1 namespace\n"
    assert run("matrix", "-", stdin=POD).err == free
    assert run("matrix", "-", stdin=POD + DENY).err == ""
    assert run("matrix", "-", "-v", stdin=POD + DENY).err == whole
    assert run("matrix", "-", stdin=POD + DENY + b"---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\n").err == (
        f"{whole}not read: 1 object: 1 Secret\n"
    )
    assert run("matrix", "-", "-q", stdin=POD).err == ""
    broken = run("matrix", "-", stdin=POD + b"---\n{")
    assert "no NetworkPolicy, in 1 namespace\n" in broken.err  # one may have been in what cannot be read
    assert run("matrix", "-", stdin=MANY + DENY).err.startswith("read: 41 workloads (41 pods), 0 Services, 1 Net")


@pytest.mark.parametrize("name", ["yaml", "json", "markdown"])
def test_a_format_that_is_given_as_kubectl_takes_it_makes_no_file(run: Run, tmp_path: Path, name: str) -> None:
    result = run("matrix", EXAMPLE, "-o", name)
    assert (result.status, result.out, (ROOT / name).exists()) == (2, "", False)
    assert f"say --format {name}, or ./{name} for a file of that name" in result.err
    assert run("matrix", EXAMPLE, "-o", str(tmp_path / name)).status == 0
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(("name", "same"), [("markdown", "md"), ("yml", "yaml"), ("graphviz", "dot"), ("text", "txt")])
def test_formats_have_the_names_they_have_elsewhere(run: Run, name: str, same: str) -> None:
    assert run("matrix", EXAMPLE, "--format", name).out == run("matrix", EXAMPLE, "--format", same).out != ""


def test_an_unknown_format_is_answered_with_the_choices(run: Run) -> None:
    err = run("matrix", EXAMPLE, "--format", "xml").err
    assert all(f"'{name}'" in err for name in ("table", "txt", "json", "yaml", "csv", "md", "dot", "mermaid"))


MANY = b"".join(
    b"---\napiVersion: v1\nkind: Pod\nmetadata: {name: p%d, namespace: n%d}\n" % (number, number % 3)
    for number in range(41)
)


def test_a_table_of_many_workloads_is_by_namespace(run: Run) -> None:
    """Unless somebody says what to show; other formats are whole always."""
    summed = run("matrix", "-", stdin=MANY).out
    assert "1,722 connections between 41 workloads, shown by namespace; --by workload lists them" in summed
    assert len(summed.splitlines()) < 30
    for more in (("--by", "workload"), ("--from", "n1/p1"), ("--to", "n1/p1")):
        assert "n2/p2" in run("matrix", "-", *more, stdin=MANY).out
    assert "shown by namespace" not in run("matrix", "-", "--by", "namespace", stdin=MANY).out
    assert len(run("matrix", "-", "--format", "txt", stdin=MANY).out.splitlines()) == 41 * 40 + 2 * 41
    few = MANY.rpartition(b"---")[0]
    assert "n2/p2" in run("matrix", "-", stdin=few).out


def test_by_namespace_takes_the_other_options_too(run: Run) -> None:
    words = ("matrix", EXAMPLE, "--by", "namespace", "--format", "txt")
    assert run(*words, "--from", "task-api/*", "--to", "database/*").out == (
        "task-api[Namespace] => database[Namespace] : No Connections ; mixed: TCP 5432 ; pairs: 1 of 2\n"
    )
    assert run(*words, "--from", "task-api/*", "--port", "53/UDP").out == (
        "task-api[Namespace] => kube-system[Namespace] : TCP 53,UDP 53 ; pairs: 2 of 2\n"
    )
    every = run(*words, "--to", "stranger/*", "--all").out.splitlines()
    assert "task-api[Namespace] => stranger[Namespace] : No Connections ; pairs: 0 of 2" in every
    plain = run(*words, "--profile", "np-guard", "--from", "task-api/*", "--to", "database/*").out
    assert "; mixed: TCP 5432 ; pairs: 1 of 2" in plain, "a grammar without words for it would say nothing"


def test_no_workloads_is_no_answer(run: Run) -> None:
    result = run("matrix", "-", stdin=b"apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n")
    assert result.out == "The input has no workloads, so there is nothing to connect.\n"


def test_exit_code_tells_of_a_denial(run: Run) -> None:
    assert run("explain", EXAMPLE, FLOW).status == 0
    assert run("explain", EXAMPLE, FLOW, "--exit-code").status == 1
    assert run("explain", EXAMPLE, "task-api -> database/postgres:5432", "--exit-code").status == 0
    assert run("explain", EXAMPLE, FLOW.replace("->", "-x"), "--exit-code").status == 0
    assert run("explain", EXAMPLE, "task-api -x database/postgres:5432", "--exit-code").status == 1


DENIED = b"""
apiVersion: v1
kind: Pod
metadata: {name: db, labels: {app: db}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: shut}
spec: {podSelector: {matchLabels: {app: db}}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: a}}}]}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: default}
---
"""


@pytest.mark.parametrize(
    ("more", "note"),
    [
        ("", ""),
        ("apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: c}", "unmodelled-policy"),
        ("a: [", "incomplete-input"),
        ("apiVersion: v1\nkind: Node\nmetadata: {name: n1}", ""),
    ],
)
def test_a_denial_in_doubt_is_not_asserted(run: Run, more: str, note: str) -> None:
    """S87: a note that could hide an allow fails the assertion, and is told in one sentence."""
    web = b"---\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\n"
    result = run("explain", "-", "web -x db:80", "--exit-code", stdin=DENIED + more.encode() + b"\n" + web)
    told = [line for line in result.err.splitlines() if line.startswith("ringfence:")]
    assert len(told) == bool(note)
    assert result.status == (2 if note else 0), "what is left out of the input comes first"
    assert all(
        line.startswith(f"ringfence: web -x db:80: denied, yet an allow could be hidden ({note}: ") for line in told
    )


@pytest.mark.parametrize(
    ("web", "note", "status"),
    [
        ("kind: Pod\nmetadata: {name: web, namespace: lab}", "namespace-invented", 1),
        ("kind: Pod\nmetadata: {name: web}\nspec: {hostNetwork: true}", "placement-unknown", 1),
        ("kind: Pod\nmetadata: {name: web}\nstatus: {podIPs: [{ip: 10.0.0.1}]}", "", 0),
        (
            "kind: ReplicationController\nmetadata: {name: web}\nspec: {replicas: 0, template: {spec: {}}}",
            "no-replicas",
            0,
        ),
    ],
)
def test_notes_that_could_hide_an_allow_and_others(run: Run, web: str, note: str, status: int) -> None:
    """S87: labels and places that are not known could; a stand-in for no replicas could not."""
    data = DENIED + f"apiVersion: v1\n{web}\n".encode()
    where = "lab/web" if "lab" in web else "web"
    result = run("explain", "-", f"{where} -x db:80", "--exit-code", stdin=data)
    assert f"note {note}" in result.out or not note
    assert (result.status, bool(result.err)) == (status, bool(status))
    assert run("explain", "-", f"{where} -x db:80", stdin=data).status == 0


def test_ends_without_a_common_family_never_meet(run: Run) -> None:
    """S87: the note says why, and hides nothing."""
    data = b"".join(
        b"---\napiVersion: v1\nkind: Pod\nmetadata: {name: %s}\nstatus: {podIPs: [{ip: '%s'}]}\n" % pair
        for pair in ((b"a", b"10.0.0.1"), (b"b", b"fd00::1"))
    )
    result = run("explain", "-", "a -x b:80", "--exit-code", "-q", stdin=data)
    assert "no-common-family" in result.out
    assert (result.status, result.err) == (0, "")


REFUSED = (
    POD
    + b"""---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {}, ports: [{port: 80, targetPort: 8080}, {port: 81, targetPort: "99"}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: n1}
spec: {podSelector: {matchLabels: {app: 1}}}
"""
)


def test_a_service_that_the_server_refuses_leads_nowhere(run: Run) -> None:
    """S29: not on its good port either, and who asks about it is told why. The pods' own answers stay as they are."""
    for name in ("web", "svc/web", "default/svc/web"):
        result = run("explain", "-", f"a -> {name}:80", stdin=REFUSED)
        assert (result.status, result.out) == (2, "")
        assert f"ringfence: {name} (destination): the Service was left out, as <stdin>:8:" in result.err
        assert "RF022: the name '99' must have a letter" in result.err
    assert "incomplete-input" not in run("explain", "-", "a -> a:80", stdin=REFUSED).out


def test_a_policy_that_was_left_out_cannot_be_taken_away(run: Run) -> None:
    result = run("matrix", "-", "--without", "n1/p", stdin=REFUSED)
    assert (result.status, result.out) == (2, "")
    assert "ringfence: n1/p (--without): the NetworkPolicy was left out, as <stdin>:13:" in result.err


def test_output_goes_to_a_file_whole(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "matrix.txt"
    assert run("matrix", EXAMPLE, "--format", "txt", "-o", str(target)).out == ""
    assert target.read_text() == run("matrix", EXAMPLE, "--format", "txt").out
    assert [path.name for path in tmp_path.iterdir()] == ["matrix.txt"]


def test_json_goes_to_programs(run: Run) -> None:
    matrix = json.loads(run("matrix", EXAMPLE, "--format", "json").out)
    assert matrix["version"] == 1
    pairs = {(c["src"], c["dst"]): c for c in matrix["connections"]}
    gateway = pairs["envoy-gateway-system/envoy-gateway[Deployment]", "task-api/task-api[Deployment]"]
    assert gateway == {
        "src": "envoy-gateway-system/envoy-gateway[Deployment]",
        "dst": "task-api/task-api[Deployment]",
        "allowed": {"TCP": [[8000, 8000]]},
    }
    explained = json.loads(run("explain", EXAMPLE, FLOW, "--format", "json").out)
    assert explained["verdict"] == "denied"
    assert [end["verdict"] for end in explained["ends"]] == ["denied", "denied"]


def test_colour_only_where_it_is_wanted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[" not in run("matrix", EXAMPLE).out
    assert "\x1b[" in run("matrix", EXAMPLE, "--color", "always").out
    assert "\x1b[" in run("explain", EXAMPLE, FLOW, "--color", "always").out
    monkeypatch.setattr(common, "is_terminal", lambda _: True)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" in run("matrix", EXAMPLE).out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run("matrix", EXAMPLE).out


def test_ports_and_ends_narrow_the_matrix(run: Run) -> None:
    lines = run("matrix", EXAMPLE, "--port", "5432", "--from", "task-api/*", "--format", "txt").out.splitlines()
    assert lines == ["task-api/task-api[Deployment] => database/postgres[StatefulSet] : TCP 5432"]
    to_dns = run(
        "matrix", EXAMPLE, "--to", "kube-system/[k8s-app=kube-dns]", "--from", "task-api/*", "--format", "txt"
    ).out
    assert to_dns.splitlines() == [
        "task-api/task-api[Deployment] => kube-system/coredns[Deployment] : TCP 53,UDP 53",
        "task-api/test-pod[Pod] => kube-system/coredns[Deployment] : TCP 53,UDP 53",
    ]
    outside = run("matrix", EXAMPLE, "--from", "203.0.113.0/24", "--to", "task-api/*", "--all", "--format", "txt").out
    assert [line.rpartition(" : ")[2] for line in outside.splitlines()] == ["No Connections", "No Connections"]


def test_who_can_reach_my_database(run: Run) -> None:
    """Every source with ports, the policies and lines that let it in, and what is unprotected on the way."""
    out = run("matrix", EXAMPLE, "--to", "database/postgres").out
    assert (
        "task-api/allow-database-egress spec.egress[0].to[0] (examples/task-api/allow-database-egress.yaml:13)" in out
    )
    assert "ingress: no policy restricts it" in out
    assert "No policy restricts ingress of: database/postgres." in out
    because = json.loads(run("matrix", EXAMPLE, "--to", "database/postgres", "--format", "json").out)["connections"]
    assert all(connection["because"] for connection in because)


def test_with_and_without_ask_what_if(run: Run) -> None:
    flow = "task-api/task-api -> kube-system/kube-dns:53/UDP"
    assert run("explain", EXAMPLE, flow, "--exit-code").status == 0
    assert run("explain", EXAMPLE, flow, "--exit-code", "--without", "task-api/allow-dns-egress").status == 1
    assert run("explain", EXAMPLE, flow, "--exit-code", "--with", "examples/variants/wrong-dns.yaml").status == 1


def test_standard_input_and_dumps(run: Run) -> None:
    pod = b'{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}'
    dump = b'{"apiVersion": "v1", "kind": "List", "items": [%s]}' % pod
    assert "default/a" in run("matrix", "-", stdin=dump).out


def _shell(*argv: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ringfence", *argv], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), **env},
    )  # fmt: skip


def test_as_a_program() -> None:
    assert _shell("--version").stdout == f"ringfence {ringfence.__version__}\n"
    done = _shell("matrix", EXAMPLE, "--format", "txt")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) > 20


def test_a_reader_that_leaves_early_is_no_fault() -> None:
    command = f"{shlex.quote(sys.executable)} -m ringfence matrix {EXAMPLE} --all; echo status $? >&2"
    done = subprocess.run(
        ["bash", "-c", f"({command}) | head -1"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    assert done.stderr == "status 0\n"


@pytest.mark.parametrize("layout", ["table", "json", "yaml", "csv"])
def test_output_that_finds_no_room_is_one_sentence(layout: str) -> None:
    command = f"{shlex.quote(sys.executable)} -m ringfence matrix {EXAMPLE} --format {layout} > /dev/full"
    done = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    assert done.returncode == 3
    assert done.stderr.startswith("ringfence: standard output: cannot be written (No space left on device); ")
    assert len(done.stderr.splitlines()) == 1


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom ringfence.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = 'msgspec yaml rich hypothesis ringfence.engine ringfence.model ringfence.lab'.split()\n"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_fault_of_our_own_is_told_as_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("lost")

    monkeypatch.delenv("RINGFENCE_DEBUG", raising=False)
    monkeypatch.setattr("ringfence.query.matrix.matrix", broken)
    result = run("matrix", EXAMPLE)
    assert result.status == 70
    assert "a fault of ringfence itself (KeyError: 'lost')" in result.err


def test_output_to_a_pipe_or_device_leaves_it_what_it_is(run: Run, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE, text=True)
    assert run("matrix", EXAMPLE, "--format", "txt", "-o", str(pipe)).status == 0
    out, _ = reader.communicate(timeout=30)
    assert out == run("matrix", EXAMPLE, "--format", "txt").out
    assert pipe.is_fifo()
    full = run("matrix", EXAMPLE, "-o", "/dev/full")
    assert full.status == 2
    assert "/dev/full: cannot be written (No space left on device)" in full.err
    assert Path("/dev/full").is_char_device()


def test_output_to_a_directory_is_refused(run: Run, tmp_path: Path) -> None:
    result = run("matrix", EXAMPLE, "-o", str(tmp_path))
    assert result.status == 2
    assert "cannot be written (Is a directory)" in result.err
