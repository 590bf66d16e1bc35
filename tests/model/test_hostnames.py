"""Names outside the cluster: what is read, what is refused, and what a name holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import host_names, hosts

from ringfence.errors import HostNameError
from ringfence.model.hostnames import Form, HostName, normal


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("api.openai.com", HostName("api.openai.com")),
        ("API.OpenAI.com.", HostName("api.openai.com")),
        ("*.example.com", HostName("example.com", Form.SUBDOMAINS)),
        ("*.EXAMPLE.com.", HostName("example.com", Form.SUBDOMAINS)),
        ("b\u00fccher.example", HostName("xn--bcher-kva.example")),
        ("B\u00dcCHER.example", HostName("xn--bcher-kva.example")),
        ("\u65e5\u672c.jp", HostName("xn--wgv71a.jp")),
        ("xn--strae-oqa.example", HostName("xn--strae-oqa.example")),
        ("1password.com", HostName("1password.com")),
        ("svc.example.com", HostName("svc.example.com")),
        ("mycluster.local.example.com", HostName("mycluster.local.example.com")),
    ],
)
def test_what_a_name_means(text: str, name: HostName) -> None:
    assert HostName.parse(text) == name
    assert HostName.parse(str(name)) == name


_WHOLE = ("is a single label", "write the whole name, as in api.example.com")
_STAR = ("has * elsewhere than as its whole first label", "write *. and the name above, as in *.example.com")
_ADDRESS = ("is an address, not a name", "write the address or block itself, as in 203.0.113.7")
_MORE = (
    "is more than a name",
    "write the host alone; the port belongs behind the arrow, and a flow has no path",
)
_SHAPE = (
    "is no host name",
    "a label is 1 to 63 letters, digits and -, with a letter or digit at either end, and a name at most 253",
)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("203.0.113.7", _ADDRESS),
        ("203.0.113", _ADDRESS),
        ("*.203.0.113.7", _ADDRESS),
        ("2001:db8::1", _ADDRESS),
        ("[2001:db8::1]", _ADDRESS),
        ("localhost", _WHOLE),
        ("*.com", _WHOLE),
        ("", _WHOLE),
        ("*", ("holds every name there is", "name the hosts, or allow a block of addresses")),
        ("*foo.com", _STAR),
        ("api-*.foo.com", _STAR),
        ("api.*.foo.com", _STAR),
        ("*.*.foo.com", _STAR),
        ("**.foo.com", _STAR),
        ("foo.com:443", _MORE),
        ("foo.com/v1", _MORE),
        ("https://foo.com", _MORE),
        ("me@foo.com", _MORE),
        ("*.svc", ("is a name of this cluster", "write an arrow to the Service, as in shop/svc/api")),
        ("*.svc.cluster.local", ("is a name of this cluster", "write an arrow to the Service, as in shop/svc/api")),
        ("*.cluster.local", ("is a name of this cluster", "write an arrow to the Service, as in shop/svc/api")),
        ("*.shop.svc", ("is a name of this cluster", "write an arrow to the Service, as in shop/svc/api")),
        ("db.shop.svc", ("is a name of this cluster", "write an arrow to the Service: shop/svc/db")),
        ("DB.shop.svc.cluster.local.", ("is a name of this cluster", "write an arrow to the Service: shop/svc/db")),
        ("foo..com", _SHAPE),
        ("foo_bar.com", _SHAPE),
        ("foo-.com", _SHAPE),
        ("a b.com", _SHAPE),
        ("x" * 64 + ".com", _SHAPE),
        (".".join(["abcd"] * 51), _SHAPE),
    ],
)
def test_what_is_refused_and_what_to_write_instead(text: str, why: tuple[str, str]) -> None:
    with pytest.raises(HostNameError) as caught:
        HostName.parse(text)
    assert (caught.value.wrong, caught.value.remedy) == why
    assert str(caught.value) == f"host {text}: {why[0]}; {why[1]}"


@pytest.mark.parametrize(
    "label",
    [
        "stra\u00dfe",
        "\u03c2",
        "a\u200db",
        "\uff41",
        "\u0645\u062b",
        "\u0301a",
        "-\u00e9",
        "\u00e9-",
        "\u2665",
        "\u3031",
    ],
    ids=["sharp-s", "final-sigma", "joiner", "wide", "right-to-left", "mark-first", "-first", "-last", "heart", "kana"],
)
def test_letters_on_which_the_standards_differ_are_refused(label: str) -> None:
    with pytest.raises(HostNameError) as caught:
        HostName.parse(f"{label}.example")
    assert caught.value.remedy == "write that label in its xn-- form, which the owner of the name can tell"


def test_subdomains_are_of_any_depth_and_never_the_apex() -> None:
    below, one = HostName.parse("*.example.com"), HostName("example.com", Form.ONE_LABEL)
    assert [below.holds(name) for name in ("a.example.com", "b.a.example.com", "example.com")] == [True, True, False]
    assert [one.holds(name) for name in ("a.example.com", "b.a.example.com", "example.com")] == [True, False, False]
    assert not below.holds("notexample.com")
    assert below.covers(one)
    assert not one.covers(below)
    assert below.covers(HostName("a.example.com", Form.SUBDOMAINS))
    assert not below.covers(HostName("com", Form.SUBDOMAINS))
    assert not HostName("example.com").covers(one)
    assert not one.covers(HostName("a.example.com", Form.ONE_LABEL))


# -- laws -----------------------------------------------------------------------------------------------------------


@given(hosts)
def test_normal_form_is_its_own_normal_form(name: str) -> None:
    assert normal(name) == normal(f"{name.upper()}.") == name


@given(host_names, host_names, hosts)
def test_what_covers_holds_all_that_is_covered(outer: HostName, inner: HostName, name: str) -> None:
    assert outer.covers(outer)
    if outer.covers(inner):
        for held in (name, inner.name, f"a.{inner.name}", f"b.a.{inner.name}"):
            assert outer.holds(held) or not inner.holds(held)
    else:
        tried = (inner.name, *(f"{front}.{inner.name}" for front in ("a", "b.a", "z", "y.z")))
        assert any(inner.holds(held) and not outer.holds(held) for held in tried)


@given(st.text(max_size=12))
def test_any_text_is_a_name_or_refused_with_a_remedy(text: str) -> None:
    wrong = ""
    try:
        name = HostName.parse(text)
    except HostNameError as refused:
        wrong = refused.remedy
    assert wrong or (str(name).isascii() and HostName.parse(str(name)) == name)
