"""The exposure by content with np-guard's netpol-analyzer, on its own test data, under the profile made for that."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest
from conftest import Run

DATA: Final = Path(__file__).parent.parent / "data" / "np-guard"
CASES: Final = sorted(path.stem for path in (DATA / "exposure").glob("*.txt"))
DEVIATIONS: Final[dict[str, tuple[set[str], set[str]]]] = {
    # app In [x] is the label app=x (the API has one meaning for both), and a pod of the input has it, so that it is in
    # the matrix; np-guard leaves such a party out when it is written as a label, and not when it is an expression.
    "exposure_test_with_different_rules_2_with_matching_pod": (
        {
            "Ingress Exposure: hello-world/workload-a[Deployment] <= hello-world/[pod with {app=x}] : TCP 9090",
        },
        set(),
    ),
}
"""Cases that differ, with the lines that only np-guard has and those that only we have."""


def content(text: str) -> set[str]:
    """The lines of the exposure, each with its part, for comparison: values are sorted, and ``In`` with one value is
    that label. Both mean the same to the API, and which of them a manifest has does not matter to an answer.
    """
    part, found = "", set()
    for line in text[text.index("Exposure Analysis Result:") :].splitlines()[1:]:
        words = " ".join(line.split())
        if words.endswith(":"):
            part = words
        elif words:
            found.add(f"{part} {re.sub(r'{((?:{[^}]*}|[^{}])*)}', _sorted, words)}")
    return found


def _sorted(found: re.Match[str]) -> str:
    inner = re.sub(r"{Key:([^,]*),Operator:In,Values:\[(\S+)\],}", r"\1=\2", found[1])
    inner = re.sub(r"Values:\[([^]]*)\]", lambda one: f"Values:[{' '.join(sorted(one[1].split()))}]", inner)
    return "{" + ",".join(sorted(re.findall(r"{[^}]*}|[^,{}]+", inner))) + "}"


def test_the_corpus_is_there() -> None:
    assert len(CASES) == 23


def test_content_tells_lines_apart() -> None:
    text = "Exposure Analysis Result:\nIngress Exposure:\na <= b/[pod with {{Key:k,Operator:%s,Values:[y x],}}] : TCP 1"
    one_way, other_way = content(text % "NotIn"), content(text.replace("y x", "x y") % "NotIn")
    assert one_way == other_way
    assert one_way == {"Ingress Exposure: a <= b/[pod with {{Key:k,Operator:NotIn,Values:[x y],}}] : TCP 1"}
    assert one_way != content(text % "In")
    assert content(text.replace("y x", "x") % "In") == {"Ingress Exposure: a <= b/[pod with {k=x}] : TCP 1"}


@pytest.mark.parametrize("case", CASES)
def test_the_content_is_equal(case: str, run: Run) -> None:
    wanted = content((DATA / "exposure" / f"{case}.txt").read_text())
    done = run("exposure", str(DATA / "manifests" / case), "--format", "txt", "--profile", "np-guard", "--quiet")
    assert done.status == 0
    assert wanted
    found = content(done.out)
    assert (wanted - found, found - wanted) == DEVIATIONS.get(case, (set(), set()))
