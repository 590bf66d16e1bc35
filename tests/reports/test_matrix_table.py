"""The table for people: what stands in it, on a wide and a narrow terminal, with colour and without."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from random import Random

import pytest
from builders import cluster, namespace, pod, policy, rule
from generate import random_cluster

from reports.shops import BY_BLOCK, CLOSED, EVERY, MIXED, NOTED, PLAIN, UNKNOWN
from ringfence.model.cluster import Cluster, Gap
from ringfence.model.flows import Note
from ringfence.model.sources import Source
from ringfence.query.matrix import Matrix, matrix
from ringfence.report.matrix import table as matrix_table
from ringfence.report.words import end_name

ESCAPE = "\x1b"
STYLES = re.compile(r"\x1b\[[0-9;]*m")


def _table(made: Matrix, *, color: bool = False, width: int | None = None) -> str:
    out = io.StringIO()
    matrix_table.write(made, out, color=color, width=width)
    return out.getvalue()


def test_one_block_for_each_destination() -> None:
    """Sources with equal answers stand together, and what no policy restricts below."""
    assert _table(matrix(PLAIN)).splitlines() == [
        "TO                    FROM                  PORTS",
        "──────────────────────────────────────────────────────",
        "shop/db               shop/web              TCP 5432",
        "",
        "shop/web              shop/db               every port",
        "                      outside (0.0.0.0/0)",
        "",
        "outside (0.0.0.0/0)   shop/db               every port",
        "                      shop/web",
        "",
        "No policy restricts ingress of: shop/web.",
        "No policy restricts egress of: shop/web, shop/db.",
        "Pairs that are not listed are denied; --all lists them too.",
    ]


def test_why_a_source_gets_in() -> None:
    web, db = PLAIN.workloads
    assert _table(matrix(PLAIN, src=[web], dst=[db], why=True)).splitlines() == [
        "TO        FROM       PORTS      BECAUSE",
        "───────────────────────────────────────────────────────────────────────────",
        "shop/db   shop/web   TCP 5432   egress: no policy restricts it",
        "                                ingress: shop/guard spec.ingress[0].from[0]",
        "",
        "No policy restricts egress of: shop/web.",
        "Pairs that are not listed are denied; --all lists them too.",
    ]


def test_nothing_is_allowed() -> None:
    assert _table(matrix(CLOSED)).splitlines() == [
        "No connection is allowed between these ends.",
        "Pairs that are not listed are denied; --all lists them too.",
    ]


def test_denied_pairs_when_asked_for() -> None:
    found = _table(matrix(CLOSED, every=True))
    assert found.count("denied") == 3, "one block each for the database, web and the outside"
    assert "--all" not in found


def test_no_workloads() -> None:
    assert _table(matrix(Cluster())) == "The input has no workloads, so there is nothing to connect.\n"


@pytest.mark.parametrize(
    ("where", "cell", "legend"),
    [
        (MIXED, "some pods: TCP 5432", None),
        (UNKNOWN, "depends (pod-ip-unknown): TCP 5432", "pod-ip-unknown: "),
        (BY_BLOCK, "[plugin-dependent]", "plugin-dependent: "),
        (NOTED, "[unmodelled-policy]", "unmodelled-policy, of every answer about shop/*: "),
    ],
    ids=["mixed", "open", "plugin-dependent", "unmodelled-policy"],
)
def test_what_is_not_plain_is_said_and_explained(where: Cluster, cell: str, legend: str | None) -> None:
    found = _table(matrix(where)).splitlines()
    assert any(line.endswith(cell) for line in found)
    if legend:
        assert len([line for line in found if line.startswith(legend)]) == 1, "said once, however many pairs have it"


def test_a_gap_is_told_once_with_how_wrong_the_answers_may_be() -> None:
    """What concerns everything is in no row, but of a denial that says nothing else; a row says what is its own."""
    every = Gap(Note.INCOMPLETE_INPUT, "a document that cannot be read", source=Source("x.yaml", 3))
    where = replace(
        BY_BLOCK, gaps=(every,), policies=(*BY_BLOCK.policies, policy("shop/shut", selects="app=web", ingress=[]))
    )
    found = _table(matrix(where))
    assert "[incomplete-input]" not in found
    assert "[plugin-dependent]" in found
    assert (
        "incomplete-input, of every answer: something in the input could not be read or known, and may change this "
        "answer: a document that cannot be read (x.yaml:3); what is shown as allowed may be denied, and what is denied "
        "or not listed may be allowed."
    ) in found.splitlines()
    assert "Pairs that are not listed are denied by what was read; --all lists them too." in found
    denied = _table(matrix(where, every=True)).splitlines()
    assert denied.count("[incomplete-input]") == 0
    rows = [number for number, row in enumerate(denied) if row.endswith(" denied")]
    assert rows
    assert all("[incomplete-input]" in "".join(denied[number + 1 : number + 3]) for number in rows)
    assert "[incomplete-input]" in _table(matrix(where, dst=where.workloads[:1]))


def test_only_gaps_that_may_concern_the_asked_ends_are_told() -> None:
    where = replace(PLAIN, gaps=(Gap(Note.UNMODELLED_POLICY, "CiliumNetworkPolicy x", "other"),))
    web, db = where.workloads
    assert "CiliumNetworkPolicy x" not in _table(matrix(where, src=[web], dst=[db]))
    assert "CiliumNetworkPolicy x" in _table(matrix(where, dst=[db]))


def test_a_denied_pair_with_a_note_is_listed() -> None:
    rows = _table(matrix(NOTED, dst=NOTED.workloads[1:])).splitlines()
    start = next(number for number, row in enumerate(rows) if row.startswith("shop/db "))
    assert rows[start].split()[1:] == ["shop/web", "denied"]
    assert "[unmodelled-policy]" in rows[start + 1]


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("width", [30, 60, 80, 200])
def test_it_fits_the_terminal(name: str, width: int) -> None:
    """No line is wider than asked; names as short as these are folded and never cut."""
    narrow = _table(matrix(EVERY[name]), width=width)
    assert max(map(len, narrow.splitlines())) <= width
    assert "…" not in narrow
    wide = _table(matrix(EVERY[name]), width=400)
    assert sorted(re.sub(r"[\s─]", "", narrow)) == sorted(re.sub(r"[\s─]", "", wide))


@pytest.mark.parametrize("name", EVERY)
def test_colour_adds_styles_and_nothing_else(name: str) -> None:
    plain, coloured = _table(matrix(EVERY[name]), width=80), _table(matrix(EVERY[name]), width=80, color=True)
    assert ESCAPE not in plain
    assert ESCAPE in coloured
    assert [line.rstrip() for line in STYLES.sub("", coloured).splitlines()] == plain.splitlines()


def test_open_is_green_and_denied_is_red() -> None:
    assert "\x1b[32mTCP 5432" in _table(matrix(PLAIN), color=True)
    assert "\x1b[31mdenied" in _table(matrix(NOTED, every=True), color=True)
    assert "\x1b[33msome pods: TCP 5432" in _table(matrix(MIXED), color=True)


@pytest.mark.parametrize("variable", ["NO_COLOR=1", "TERM=dumb", "FORCE_COLOR=1", "COLUMNS=20"])
def test_the_environment_has_no_say(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether to colour was decided by the command line, which knows these variables."""
    plain, coloured = _table(matrix(BY_BLOCK)), _table(matrix(BY_BLOCK), color=True)
    name, _, value = variable.partition("=")
    monkeypatch.setenv(name, value)
    assert _table(matrix(BY_BLOCK)) == plain
    assert _table(matrix(BY_BLOCK), color=True) == coloured


@pytest.mark.parametrize("seed", range(15))
def test_every_pair_of_any_cluster_is_in_it(seed: int) -> None:
    """No end that can connect is missing, and no line ends in blanks."""
    made = matrix(random_cluster(Random(seed)))
    found = _table(made)
    assert all(line == line.rstrip() for line in found.splitlines())
    destinations = {line.split("  ")[0] for line in found.splitlines()}
    for connection in made.connections:
        assert end_name(connection.dst) in destinations
        assert end_name(connection.src) in found


def test_reasons_stand_below_each_source_on_a_narrow_terminal() -> None:
    """A place is never broken: it is there to be followed."""
    web, db = PLAIN.workloads
    assert _table(matrix(PLAIN, src=[web], dst=[db], why=True), width=40).splitlines()[:6] == [
        "to shop/db",
        "  from shop/web",
        "    TCP 5432",
        "      egress: no policy restricts it",
        "      ingress: shop/guard spec.ingress[0].from[0]",
        "",
    ]


def test_by_namespace() -> None:
    """The union, how many pairs, and what all of them share when that is less."""
    where = cluster(
        namespace("shop"), namespace("data"),
        pod("shop/web", "app=web"), pod("shop/job", "app=job"), pod("data/db", "app=db"),
        policy("data/db", ingress=[rule("ns: {} pods: app=web", 5432), rule("ns: {}", 53)], egress=[]),
    )  # fmt: skip
    assert _table(matrix(where, by="namespace")).splitlines() == [
        "TO                    FROM                  PAIRS    PORTS",
        "──────────────────────────────────────────────────────────────────────",
        "data/*                shop/*                2 of 2   TCP 53,5432",
        "                                                     all pairs: TCP 53",
        "",
        "shop/*                shop/* (within)       2 of 2   every port",
        "                      outside (0.0.0.0/0)",
        "",
        "outside (0.0.0.0/0)   shop/*                2 of 2   every port",
        "",
        "No policy restricts ingress of: shop/web, shop/job.",
        "No policy restricts egress of: shop/web, shop/job.",
        "Pairs that are not listed are denied; --all lists them too.",
    ]


def test_a_table_that_nobody_asked_to_sum_up_says_how_to_see_more() -> None:
    out = io.StringIO()
    matrix_table.write(matrix(PLAIN, by="namespace"), out, summed_up=True)
    assert (
        "5 connections between 2 workloads, shown by namespace; --by workload lists them, --from/--to narrow, "
        "--summary counts them, --format txt is for all."
    ) in out.getvalue().splitlines()


def test_long_names_are_cut_in_the_middle_and_stay_apart() -> None:
    """Names of pods with a hash each; what is shown fits, and no two of them look the same."""
    names = [f"checkout-7f9c8d5b6-x2k{number}q" for number in range(8)]
    where = cluster(*(pod(f"a-long-namespace/{name}") for name in names))
    found = _table(matrix(where, by="pod"), width=60).splitlines()
    assert max(map(len, found[:60])) <= 60
    shown = {line.split()[0] for line in found if re.match(r"a-long\S*…", line)}
    assert len(shown) == len(names)
    assert "…" not in _table(matrix(where, by="pod")), "not where a program may read"


def test_a_note_is_not_broken_within_a_word() -> None:
    """On a terminal of 80 columns long names gave the notes so little room that ``[incomplete-input]`` was cut."""
    name = "long-namespace" * 3
    where = cluster(
        *(pod(f"{name}/{'name' * 6}-{number}") for number in range(3)),
        Gap(Note.INCOMPLETE_INPUT, f"NetworkPolicy {name}/p", name),
    )
    out = io.StringIO()
    matrix_table.write(matrix(where, by="namespace"), out, width=80)
    lines = out.getvalue().splitlines()
    assert any(line.endswith("[incomplete-input]") for line in lines)
    assert max(map(len, lines)) <= 80


def test_a_table_of_many_blocks_is_laid_out_as_it_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the first blocks the widths come from the names that there are, so nothing is out of line."""
    monkeypatch.setattr(matrix_table, "FIRST", 2)
    where = cluster(*(pod(f"n/p{'x' * number}") for number in range(9)))
    found = [line for line in _table(matrix(where)).splitlines() if "every port" in line]
    assert len(found) == 10
    assert len({line.index("every port") for line in found}) == 1
