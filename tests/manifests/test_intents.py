"""Documents of kind Intents: what is read of them, and each fault with its line and remedy."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.reading import read
from ringfence.manifests.checks.codes import CODES
from ringfence.manifests.intents.shapes import IntentsShape, schema
from ringfence.model.ends import LabelEnd, NameEnd
from ringfence.model.intents import Dns, Helper, Intents

HEAD = "apiVersion: ringfence.dev/v1alpha1\nkind: Intents\nmetadata: {name: shop}\nspec:\n  protect: [shop]\n"


def _document(spec: str = "") -> Intents:
    (found,) = read(HEAD + spec).intents
    return found


def test_all_of_it() -> None:
    found = _document(
        "  names: {db: database/postgres}\n"
        "  dns: node-local\n"
        "  allow:\n"
        "    # whole lines are for the reader of the file\n"
        "    - shop/web -> db:5432   # orders\n"
        "    - 'shop/[tier=back] -> shop/web:http,8080-8090/UDP'\n"
        "  deny:\n"
        '    - "shop/web -x db:22"   # nobody\n'
        "  companions: [kubelet-probes, {prometheus: ['monitoring/[app=prometheus]', metrics/*]}]\n"
    )
    assert (found.name, found.protect, found.dns, found.namespace) == ("shop", ("shop",), Dns.NODE_LOCAL, None)
    assert [str(one.arrow) for one in found.allow] == [
        "shop/web -> database/postgres:5432",
        "shop/[tier=back] -> shop/web:http,8080-8090/UDP",
    ]
    assert found.allow[0].written == "shop/web -> db:5432"
    assert [one.comment for one in (*found.allow, *found.deny)] == ["orders", "", "nobody"]
    assert [one.place for one in (*found.allow, *found.deny)] == ["<stdin>:10", "<stdin>:11", "<stdin>:13"]
    assert found.deny[0].arrow.deny
    assert found.deny[0].arrow.dst == NameEnd("postgres", "database")
    assert [one.helper for one in found.companions] == [Helper.KUBELET_PROBES, Helper.PROMETHEUS]
    assert found.companions[1].ends[0] == LabelEnd((("app", "prometheus"),), "monitoring")


def test_a_short_name_for_a_url_brings_its_port() -> None:
    found = _document(
        "  names: {api: 'https://api.example.com'}\n  allow: ['shop/web -> api', 'shop/web -> api:8443']\n"
    )
    assert [str(port) for one in found.allow for port in one.arrow.ports] == ["443", "8443"]


@pytest.mark.parametrize("spec", ["allow: ['shop/web -> 10.0.0.5/8:443']", "deny: ['10.0.0.5/8 -x shop/web']",
                                  "names: {x: 10.0.0.5/8}\n  allow: ['shop/web -> x']",
                                  "companions: [{webhooks: 10.0.0.5/8}]"])  # fmt: skip
def test_bits_beyond_a_prefix_do_not_widen_an_arrow(spec: str) -> None:
    """Masked as policies are, it would open 10.0.0.0/8, and nobody wrote that."""
    found = read(f"{HEAD}  {spec}\n")
    assert found.intents == ()
    assert [(one.code, one.message.rpartition(": ")[2], one.remedy) for one in found.findings] == [
        ("RF060", "10.0.0.5/8 has bits beyond its prefix", "write 10.0.0.0/8, or the single address 10.0.0.5")
    ]
    for block in ("10.0.0.0/8", "[2001:db8::/32]:443", "10.0.0.5", "[2001:db8::1]:443", "10.0.0.5/32"):
        assert _document(f"  allow: ['shop/web -> {block}']\n").allow


def test_the_same_from_json() -> None:
    text = json.dumps(
        {
            "apiVersion": "ringfence.dev/v1alpha1",
            "kind": "Intents",
            "metadata": {"name": "shop", "namespace": "shop"},
            "spec": {"protect": ["shop"], "allow": ["web -> db:5432"]},
        },
        indent=1,
    )
    (found,) = read(text).intents
    assert (found.namespace, str(found.allow[0].arrow), found.allow[0].comment) == ("shop", "web -> db:5432", "")


def test_intents_change_no_answer_and_leave_no_gap() -> None:
    cluster = read(HEAD + "  alow: []\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: ok}\n")
    assert cluster.intents == ()
    assert cluster.gaps == ()
    assert [finding.code for finding in cluster.findings] == ["RF061"]


@pytest.mark.parametrize(
    ("spec", "code", "line", "column", "words"),
    [
        ("  alow: []\n", "RF061", 6, 3, "did you mean allow?"),
        ("  allow: [shop/web -> db]\n  dns: fast\n", "RF065", 7, 3, "tight, namespace, node-local, openshift, none"),
        ("  dns: tigth\n", "RF065", 6, 3, "did you mean tight?"),
        ("  allow:\n  - shop/web => db:1\n", "RF060", 7, 14, 'expected "->"'),
        ("  allow:\n  - shop/web -> db: 5432\n", "RF016", 7, 5, "put the arrow in quotes"),
        ("  allow: shop/web -> db:5432\n", "RF016", 6, 3, "write each arrow in a line of its own, behind a -"),
        ("  names: [db]\n", "RF016", 6, 3, "as in db: database/postgres"),
        ("  allow:\n  - shop/web -x db:1\n", "RF062", 7, 5, "move the -x arrow to spec.deny"),
        ("  deny:\n  - shop/web -> db:1\n", "RF062", 7, 5, "move the -> arrow to spec.allow"),
        ("  allow:\n  - a/b -> c/d:1\n  - a/b -> c/d:1\n", "RF064", 8, 5, "said twice"),
        ("  names: {db: 'a b'}\n", "RF060", 6, 11, "at its column 3, expected"),
        ("  names: {d.b: a/b}\n", "RF060", 6, 11, "cannot stand in an arrow"),
        ("  names: {db: a/b, pg: db}\n", "RF060", 6, 20, "write out what it stands for"),
        ("  names: {db: a/b}\n", "RF063", 6, 11, "no arrow uses the short name db"),
        ("  names: {db: a/b, db: a/c}\n  allow: [a/a -> db:1]\n", "RF005", 6, 20, "stands twice"),
        ("  companions: [prometeus]\n", "RF065", 6, 16, "did you mean prometheus?"),
        ("  companions: [{prometeus: a/b}]\n", "RF061", 6, 17, "did you mean prometheus?"),
        ("  companions: [{}]\n", "RF032", 6, 16, "there are kube-apiserver"),
        ("  companions: [webhooks, webhooks]\n", "RF064", 6, 26, "asked for twice"),
        ("  companions: [{prometheus: []}]\n", "RF032", 6, 17, "name at least one"),
        ("  allow: ['']\n", "RF032", 6, 11, "is empty"),
    ],
)  # fmt: skip
def test_faults(spec: str, code: str, line: int, column: int, words: str) -> None:
    cluster = read(HEAD + spec)
    (finding,) = cluster.findings
    assert (finding.code, finding.file, finding.line, finding.column) == (code, "<stdin>", line, column)
    assert words in f"{finding.message}; {finding.remedy}"
    assert bool(cluster.intents) is not finding.excludes


@pytest.mark.parametrize(
    ("arrow", "sign"),
    [
        ("[app=web] -> shop/db:5432", "["),
        ("{ingress-controller} -> shop/web:80", "{"),
        ("* -> shop/db:5432", "*"),
        ("[app=web] -x shop/db", "["),
    ],
)
def test_an_arrow_that_begins_as_yaml_does_has_to_be_in_quotes(arrow: str, sign: str) -> None:
    pod = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: ok}\n"
    (finding,) = read(f"{HEAD}  allow:\n  - {arrow}  # why\n{pod}").findings
    assert (finding.code, finding.line) == ("RF003", 7)
    assert finding.remedy == f"put the arrow in quotes, as it begins with {sign}: '{arrow}'"
    assert read(f"{HEAD}  {'deny' if '-x' in arrow else 'allow'}:\n  - '{arrow}'\n").findings == ()


def test_faults_of_the_head() -> None:
    def told(text: str) -> list[str]:
        return [f"{one.code} {one.line} {one.message}; {one.remedy}" for one in read(text).findings]

    assert told(HEAD.replace("v1alpha1", "v1")) == [
        "RF065 1 Intents of ringfence.dev/v1 are not known; write ringfence.dev/v1alpha1"
    ]
    assert told(HEAD.replace("  protect: [shop]\n", "  dns: none\n")) == [
        "RF032 4 has no protect; list the namespaces that are to be protected"
    ]
    assert told(HEAD.replace("[shop]", "[]")) == ["RF032 5 is empty; name at least one"]
    assert told(HEAD.replace("[shop]", "[Shop]"))[0].startswith("RF014 5 the namespace 'Shop' must be of lower-case")
    assert told(HEAD.replace("[shop]", "[shop, shop]")) == ["RF064 5 shop is listed twice; remove one of the two"]


def test_two_documents_of_one_name_count_for_nothing() -> None:
    cluster = read(HEAD + "---\n" + HEAD + "  dns: none\n")
    assert cluster.intents == ()
    assert [finding.code for finding in cluster.findings] == ["RF012", "RF012"]


def test_every_code_of_intents_has_a_case() -> None:
    ours = {code for code in CODES if "RF060" <= code < "RF070"}
    assert ours == {"RF060", "RF061", "RF062", "RF063", "RF064", "RF065"}


# -- the schema -----------------------------------------------------------------------------------------------------

_WORDS = st.sampled_from(["a/b -> c/d:1", "a/b", "shop", "tight", "prometheus", "", "kubelet-probes"])
_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | _WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=2),
    max_leaves=4,
)
_KEYS = st.sampled_from(["protect", "names", "dns", "allow", "deny", "companions", "alow"])


@given(st.dictionaries(_KEYS, _VALUES, max_size=4), st.booleans())
def test_the_schema_says_what_is_read(spec: dict[str, Any], protect: bool) -> None:
    document = {
        "apiVersion": "ringfence.dev/v1alpha1",
        "kind": "Intents",
        "metadata": {"name": "x"},
        "spec": {**spec, **({"protect": ["shop"]} if protect else {})},
    }
    try:
        msgspec.convert(document, IntentsShape)
        taken = True
    except msgspec.ValidationError:
        taken = False
    assert jsonschema.Draft202012Validator(schema()).is_valid(document) is taken
