"""The table of a proof in a narrow terminal: names lose their middle before they are broken."""

from __future__ import annotations

import io

from ringfence.report.proof.rows import Row
from ringfence.report.proof.text import PairsTable
from ringfence.report.screen import show


def _shown(width: int | None) -> list[str]:
    rows = [
        Row("ingress-nginx/ingress-nginx-controller", "default/svc/kubernetes"),
        Row("kube-system/kube-dns", "default/svc/kubernetes"),
        Row("shop/web", "shop/api"),
    ]
    out = io.StringIO()
    show([PairsTable([(rows[:2], "TCP 53, UDP 53", "TCP 53, UDP 53"), (rows[2:], "depends: TCP 80,443", "TCP 80")])],
         out, width=width)  # fmt: skip
    return out.getvalue().splitlines()


def test_names_lose_their_middle_where_there_is_little_room() -> None:
    head, _, *lines = _shown(80)
    assert head.split() == ["TO", "FROM", "PREDICTED", "MEASURED"]
    assert max(map(len, lines)) <= 80
    assert any("ingress-nginx/…" in line for line in lines)
    assert [line.split()[0] for line in lines if line[0] != " "] == ["defau…svc/kubernetes", "shop/api"]
    assert sum("kube-system/kube-dns " in f"{line} " for line in lines) == 1


def test_a_file_has_the_names_whole() -> None:
    assert "ingress-nginx/ingress-nginx-controller   TCP 53, UDP 53" in "\n".join(_shown(None))
