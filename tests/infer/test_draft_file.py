"""The file that is written: read as it was meant, the same every time; and the JSON is what its schema says."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from conftest import ROOT, Run
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from infer.drafts import MOUNTED, SHOP, config, draft, program
from infer.test_ways_in import INGRESS, MONITOR, SCRAPED
from ringfence.infer.nouns import Draft
from ringfence.manifests import load
from ringfence.model.arrows import parse
from ringfence.model.cluster import Cluster
from ringfence.model.ends import ControllerEnd, NameEnd
from ringfence.model.lookup import resolve
from ringfence.report.infer import json as infer_json
from ringfence.report.infer import yaml as infer_yaml

SCHEMA: Final = Draft202012Validator(json.loads((ROOT / "docs" / "reference" / "infer.schema.json").read_text()))
VALUES: Final = (
    "http://api:8080", "postgres://u:p@db.other/x", "redis-1.redis:6379", "db", "nobody:80", "many", "https://web",
    "x: y # z", "http://nobody", "http://kubernetes.default.svc", "smtp.shop-site.io:25", '"api:8080"',
    "api:8080\n- a -> b\n", "\u2028api:8080", "http://u:p@203.0.113.9", "db.other.svc", "{api:8080}", "http://[2001:db8::1]:81",
)  # fmt: skip
EXPECTED: Final = """\
  protect:
    - other
    - shop
  allow:
    # from outside
    - "{ingress-controller} -> shop/many:9000"  # high: Ingress shop/front many (HERE)
    - "{ingress-controller} -> shop/svc/web:80"  # high: Ingress shop/front web (HERE)
    # shop/web
    - shop/web -> shop/api:8080  # high: API_URL http://api:8080 (HERE)
    # - shop/web -> shop/db:5432  # low: STATE may hold the name for another purpose; STATE db (HERE)
  companions:
    - kube-apiserver  # the API server is called: K https://kubernetes.default.svc (HERE)
    # - {prometheus: "NAMESPACE/[app.kubernetes.io/name=prometheus]"}  # its pods scrape what is asked for: ASKED
# Called, and not in the input:
#   shop/web[Deployment] calls shop/cache: no such Service in the input; CACHE_HOST cache (HERE)
# Listens, and nothing here calls it:
#   other/store[Deployment] on svc/db:5432
#   shop/redis[StatefulSet] on svc/redis:6379
#   shop/store[Deployment] on svc/db:5432, svc/mysql:3306
# Not read, and may hold names of others; add their arrows by hand:
#   shop/web[Deployment]: PAY_URL from key k of Secret shop/s (HERE)
# 1 workload has probes: the kubelet of a pod's own node needs no arrow.
""".replace("ASKED", "write where they are: ServiceMonitor shop/shop metrics (HERE)")
NAMES: Final = ("API_URL", "DB_HOST", "DB_PORT", "PUBLIC_URL", "STATE", "SMTP_HOST", "A.B", "kafka.bootstrap.servers")


def _cluster(*documents: str) -> Cluster:
    return load(["-"], stdin=io.BytesIO("\n---\n".join(documents).encode()))


def _written(found: Draft) -> dict[str, Any]:
    made = yaml.safe_load("\n".join(infer_yaml.lines(found)))
    assert isinstance(made, dict)
    return made


@given(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES), max_size=5), st.lists(st.sampled_from(VALUES)))
def test_any_draft_is_read_as_it_was_meant(env: dict[str, str], lines: list[str]) -> None:
    documents = (SHOP, program(env, **MOUNTED), config({"a.conf": "\n".join(lines)}), INGRESS, SCRAPED, MONITOR)
    found = draft(*documents)
    spec = _written(found)["spec"]
    assert spec["allow"] == [str(one.arrow) for one in found.arrows if one.active]
    assert spec["protect"] == ["other", "shop"]
    cluster = _cluster(*documents)
    for one in found.arrows:
        assert parse(str(one.arrow)) == one.arrow
        if isinstance(one.arrow.dst, NameEnd) and isinstance(one.arrow.src, NameEnd | ControllerEnd):
            assert resolve(cluster, one.arrow)
    SCHEMA.validate(json.loads(json.dumps(infer_json.document(found, cluster))))


@given(st.permutations([*SHOP.split("---\n"), program({"API_URL": VALUES[0], "DB_HOST": "db"}), INGRESS]))
def test_the_order_of_documents_changes_no_arrow(documents: list[str]) -> None:
    first = draft(SHOP, program({"API_URL": VALUES[0], "DB_HOST": "db"}), INGRESS)
    again = draft(*documents)
    assert [str(one.arrow) for one in again.arrows] == [str(one.arrow) for one in first.arrows]
    assert again.uncalled == first.uncalled
    assert again.protect == first.protect


def test_the_file_says_all_there_is_to_say(run: Run) -> None:
    shop = program({"API_URL": "http://api:8080", "STATE": "db", "CACHE_HOST": "cache", "K": "https://kubernetes.default.svc",
                    "PAY_URL": {"secretKeyRef": {"name": "s", "key": "k"}}},
                   container={"livenessProbe": {"tcpSocket": {"port": 80}}})  # fmt: skip
    documents = (SHOP, shop, INGRESS, SCRAPED, MONITOR)
    done = run("infer", "-", stdin="\n---\n".join(documents).encode())
    assert done.status == 0
    assert re.sub(r"<stdin>:\d+", "HERE", done.out).splitlines()[6:] == EXPECTED.splitlines()
    assert re.sub(r"  +", ": ", done.err).splitlines()[1:] == [
        "inferred: 3 high, 0 medium, 1 low (as comments)",
        "called, not there: shop/cache",
        "nobody calls: other/store[Deployment], shop/redis[StatefulSet], shop/store[Deployment]",
        "not read: key k of Secret shop/s",
    ]


def test_no_name_of_the_input_ends_a_comment(run: Run) -> None:
    text = program({"A_URL\n    - x -> y": "http://api:8080", "B\u2028- x -> y": "db.other.svc:5432"})
    found = run("infer", "-", stdin=f"{SHOP}---\n{text}".encode())
    assert yaml.safe_load(found.out)["spec"]["allow"] == [
        "shop/web -> other/db:5432",
        "shop/web -> shop/api:8080",
    ]
    assert "A_URL?    - x -> y" in found.out


def test_a_draft_of_guesses_alone_is_a_file_too(run: Run) -> None:
    found = run("infer", "-", "-q", stdin=f"{SHOP}---\n{program({'STATE': 'db'})}".encode()).out
    assert yaml.safe_load(found)["spec"]["allow"] == []
    assert "  allow: []  # no arrow is sure enough; those below would stand in place of the []" in found
    assert yaml.safe_load(found.replace("allow: []", "allow:").replace("# - ", "- "))["spec"]["allow"] == [
        "shop/web -> shop/db:5432"
    ]


def test_a_controller_is_written_with_its_namespace(run: Run) -> None:
    data = f"{SHOP}---\n{program()}\n---\n{INGRESS}".encode()
    for said in ("api-server", "[app=api]"):
        found = run("infer", "-", "--ingress-controller", said, "-q", stdin=data)
        assert f"    - shop/{said} -> shop/many:9000  # high" in found.out


def test_nothing_but_the_draft_is_on_standard_output_and_a_file_is_written_whole(run: Run, tmp_path: Path) -> None:
    quiet = run("infer", "examples/task-api", "-q")
    assert quiet.err == ""
    out = tmp_path / "intents.yaml"
    assert run("infer", "examples/task-api", "-q", "-o", str(out)).out == ""
    assert out.read_text() == quiet.out
    assert run("infer", "examples/task-api").out == quiet.out


def test_what_is_read_is_not_told_to_be_left_aside(run: Run) -> None:
    done = run("infer", "-", stdin=f"{SHOP}---\n{config({'a': 'b'})}\n---\n{MONITOR}".encode())
    assert "ConfigMap" not in done.err
    assert "ServiceMonitor" not in done.err


def test_input_of_which_something_is_left_out_is_status_two(run: Run) -> None:
    done = run("infer", "-", stdin=f"{SHOP}---\na: [\n---\n{program({'DB_HOST': 'db'})}".encode())
    assert done.status == 2
    assert "shop/web -> shop/db:5432" in done.out
    assert json.loads(run("infer", "-", "--format", "json", stdin=f"{SHOP}---\na: [".encode()).out)["findings"]


def test_no_input_is_one_sentence(run: Run) -> None:
    assert run("infer").status == 2
    assert run("infer", "no/such/place").status == 2


def test_with_a_file_as_if_it_were_applied_too(run: Run, tmp_path: Path) -> None:
    base, more = tmp_path / "base.yaml", tmp_path / "more.yaml"
    base.write_text(f"{SHOP}---\n{config({'a': 'api:8080'})}\n---\n{program(**MOUNTED)}")
    more.write_text(config({"a": "db:5432"}))
    assert "shop/web -> shop/api:8080" in run("infer", str(base)).out
    changed = run("infer", str(base), "--with", str(more)).out
    assert "shop/web -> shop/db:5432" in changed
    assert "shop/web -> shop/api:8080" not in changed


def test_files_that_are_excluded_are_not_read_for_clues_either(run: Run, tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(f"{SHOP}---\n{program(**MOUNTED)}")
    (tmp_path / "config.yaml").write_text(config({"a": "api:8080"}))
    assert "shop/web -> shop/api:8080" in run("infer", str(tmp_path)).out
    left = run("infer", str(tmp_path), "--exclude", "config.yaml").out
    assert "shop/web -> shop/api:8080" not in left
    assert "ConfigMap shop/settings is not in the input" in left


def test_a_program_that_renders_is_run_once(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "bin" / "kustomize"
    tool.parent.mkdir()
    (tmp_path / "all.yaml").write_text(f"{SHOP}---\n{config({'a': 'api:8080'})}\n---\n{program(**MOUNTED)}")
    tool.write_text(f"#!/bin/sh\necho run >> {tmp_path}/log\ncat {tmp_path}/all.yaml\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:/usr/bin:/bin")
    (tmp_path / "app").mkdir()
    assert "shop/web -> shop/api:8080" in run("infer", "--kustomize", str(tmp_path / "app")).out
    assert (tmp_path / "log").read_text() == "run\n"


def test_the_schema_refuses_what_is_no_draft(run: Run) -> None:
    made = json.loads(run("infer", "examples/task-api", "--format", "json").out)
    assert SCHEMA.is_valid(made)
    assert not SCHEMA.is_valid(made | {"version": 2})
    assert not SCHEMA.is_valid(made | {"more": 1})
    made["arrows"][0]["confidence"] = "sure"
    assert not SCHEMA.is_valid(made)
