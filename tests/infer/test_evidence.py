"""Evidence stands at its line, whatever the style of the file, and shows nobody's password."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import ROOT, Run
from hypothesis import given
from hypothesis import strategies as st

from infer.drafts import MOUNTED, SHOP, config, draft, program
from ringfence.infer import evidence
from ringfence.infer.nouns import Draft, Evidence

HEAD = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data:
"""


def _places(found: Draft) -> list[Evidence]:
    return [place for one in found.arrows for place in one.evidence if str(one.arrow.src) == "shop/web"]


def _stands(place: Evidence, text: str) -> None:
    line = text.splitlines()[place.line - 1]
    at = 0
    for number, word in enumerate(evidence.pieces(place.text)):
        assert word in line[at:]
        at = line.index(word, at)
        assert number or at == place.column - 1


@pytest.mark.parametrize(
    ("written", "line"),
    [
        ("  a: http://api:8080\n", 5),
        ("  a: 'http://api:8080'\n", 5),
        ('  a: "http://api:8080"\n', 5),
        ("  a:\n    http://api:8080\n", 6),
        ("  a: |\n    one: 1\n    url: http://api:8080\n    two: 2\n", 7),
        ("  a: |-\n\n    one: 1\n\n    url: http://api:8080\n", 9),
        ("  a: |  # a comment\n    url: http://api:8080\n", 6),
        ("  a: >\n    one two\n    url http://api:8080\n    three\n", 7),
        ("  a: >-\n\n    one\n\n    url: http://api:8080\n", 9),
        ('  a: "one\n\n    url: http://api:8080"\n', 7),
        ("  # http://api:8080\n  a.yaml: |\n    # http://api:8080\n    url: http://api:8080\n", 8),
        ("  other: http://api:8080x\n  a: http://api:8080\n", 6),
        ("  {a: 1, url: 'http://api:8080'}\n", 5),
    ],
)
def test_the_line_of_a_value_in_any_style(written: str, line: int) -> None:
    text = f"{HEAD}{written}---\n{SHOP}---\n{program(**MOUNTED)}"
    (place,) = _places(draft(text))
    assert place.line == line
    _stands(place, text)
    assert place.file == "<stdin>"


def test_the_line_in_json_is_that_of_its_field() -> None:
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": [json.loads(config({"a": "x: 1\nurl: http://api:8080"})),
                       json.loads(program(**MOUNTED))]}, indent=2)  # fmt: skip
    path = "<stdin>"
    made = draft(f"{text}\n---\n{SHOP}")  # a stream that is no JSON as a whole is read as YAML
    assert _places(made)[0].file == path
    _stands(_places(made)[0], text)


def test_json_files(tmp_path: Path, run: Run) -> None:
    objects = [json.loads(config({"a": "x: 1\nurl: http://api:8080"})), json.loads(program(**MOUNTED))]
    file = tmp_path / "all.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}, indent=2))
    shop = tmp_path / "shop.yaml"
    shop.write_text(SHOP)
    made = json.loads(run("infer", str(tmp_path), "--format", "json").out)
    (one,) = [one for one in made["arrows"] if one["src"] == "shop/web"]
    (place,) = one["evidence"]
    line = file.read_text().splitlines()[place["line"] - 1]
    assert place["text"] in line
    assert line.strip().startswith('"a":')


def test_the_port_beside_is_evidence_too() -> None:
    text = (
        f"{SHOP}---\n"
        """\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  containers:
    - name: web
      env:
        - name: DB_HOST
          value: db
        - name: DB_PORT
          value: "5432"
"""
    )
    host, port = _places(draft(text))
    assert (host.name, host.text, port.name, port.text) == ("DB_HOST", "db", "DB_PORT", "5432")
    _stands(host, text)
    _stands(port, text)


def test_a_reference_is_shown_as_it_was_written() -> None:
    text = (
        f"{SHOP}---\n"
        """\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  containers:
    - name: web
      env:
        - {name: WHO, value: db}
        - {name: DB_URL, value: "postgres://bob:$(PW)@$(WHO):5432/x"}
"""
    )
    (place,) = [place for place in _places(draft(text)) if place.name == "DB_URL"]
    assert place.text == "postgres://***@$(WHO):5432"
    _stands(place, text)


@pytest.mark.parametrize("way", ["env", "arg", "file", "config-map", "script"])
@pytest.mark.parametrize(
    "said",
    [
        "postgres://bob:hunter2@db:5432/x?password=hunter2",
        "postgres://bob:hunter2@nobody:5432/x",
        "postgres://bob:hunt@er/hunter2@db:5432/x",
        "bob:hunter2@tcp(mysql:3306)/x",
        "host=db port=5432 user=bob password=hunter2",
        "Server=mysql,3306;User Id=bob;Password=hunter2",
        "redis:6379,user=bob,password=hunter2",
        "https://bob:hunter2@hooks.shop-site.io/services/hunter2",
        "jdbc:mysql://mysql:3306/x?user=bob&password=hunter2",
        "mongodb+srv://bob:hunter2@db.shop-site.io/x",
    ],
)
def test_no_password_is_printed(said: str, way: str, run: Run) -> None:
    text = {
        "env": program({"DB_URL": said}),
        "arg": program(args=[f"--db-url={said}"]),
        "script": program(args=["-c", f"exec web {said} --password hunter2"]),
        "file": f"{config({'f': f'db_url: {said}'})}\n---\n{program(**MOUNTED)}",
        "config-map": f"{config({'DB_URL': said})}\n---\n"
        + program(container={"envFrom": [{"configMapRef": {"name": "settings"}}]}),
    }[way]
    for kind in ("yaml", "json"):
        made = run("infer", "-", "--format", kind, stdin=f"{SHOP}---\n{text}".encode())
        assert made.status == 0
        assert "hunter2" not in made.out + made.err
        assert "bob" not in made.out + made.err
        assert "shop/web ->" in made.out or "shop/nobody" in made.out


_WORD = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)
_SECRET = st.from_regex(r"q[QZ]{8}z", fullmatch=True)


_FORMS = ("postgres://u:{}@db/x{}", "redis://:{}{}@redis:6379", "u:{}{}@tcp(mysql:3306)/x", "amqp://{}:x{}@db:5432",
          "host=db port=5432 password={} {}")  # fmt: skip
_LINES = ("http://api:8080", "db:5432", "x", "", "redis://:pw@redis:6379/0", "# api:8080")


@given(_SECRET, _WORD, st.sampled_from(_FORMS))
def test_whatever_a_password_holds_it_is_not_shown(secret: str, word: str, form: str) -> None:
    assert secret not in repr(draft(SHOP, program({"DB_URL": form.format(secret, word)})))


@given(st.lists(st.sampled_from(_LINES), max_size=6), st.sampled_from(["|", "|-", ">", ">-"]))
def test_every_evidence_stands_at_its_line(words: list[str], style: str) -> None:
    lines = "".join(f"    {f'k{n}: {word}' if word else ''}\n" for n, word in enumerate(words))
    text = f"{HEAD}  first: 1\n  a.conf: {style}\n{lines}  z: db:5432\n---\n{SHOP}---\n{program(**MOUNTED)}"
    for place in _places(draft(text)):
        _stands(place, text)


def test_the_example_has_its_evidence(run: Run) -> None:
    made = json.loads(run("infer", "examples/task-api", "--format", "json").out)
    assert [one["arrow"] for one in made["arrows"]] == [
        "task-api/task-api -> cache/redis:6379",
        "task-api/task-api -> database/postgres:5432",
    ]
    for place in (place for one in made["arrows"] for place in one["evidence"]):
        assert place["text"] in (ROOT / place["file"]).read_text().splitlines()[place["line"] - 1]
