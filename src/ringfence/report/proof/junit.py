"""A proof as JUnit XML: one test case for each pair of ends, for build servers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO
from xml.sax.saxutils import escape, quoteattr

from ringfence.query.check.result import Standing
from ringfence.report.check.junit import Case, cases, write_suite
from ringfence.report.check.words import title
from ringfence.report.proof.rows import flow_name, rows, seen_lines
from ringfence.workflow.compare import Comparison
from ringfence.workflow.intended import Intended
from ringfence.workflow.prove import Proof, Word


def write(proof: Proof, out: TextIO) -> None:
    """Print *proof* to *out*."""
    found = rows(proof)
    failures = sum(bool(row.wrong) for row in found)
    errors = sum(bool(row.unmeasured) and not row.wrong for row in found) + (proof.word is Word.INCOMPLETE)
    count = len(found) + (proof.word is Word.INCOMPLETE)
    held = [*cases(proof.intended.checked), *_measured(proof.intended)] if proof.intended is not None else []
    whole, wrong = count + len(held), failures + sum(bool(one.failure) for one in held)
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    out.write(f'<testsuites name="ringfence prove" tests="{whole}" failures="{wrong}" errors="{errors}">\n')
    out.write(f'  <testsuite name="ringfence prove" tests="{count}" failures="{failures}" errors="{errors}" '
              f'time="{proof.measured.seconds:.3f}">\n')  # fmt: skip
    for row in found:
        out.write(f"    <testcase classname={quoteattr(row.dst)} name={quoteattr(f'{row.src} -> {row.dst}')}")
        if row.wrong:
            text = "\n".join(line for one in row.wrong for line in (_sentence(one), *seen_lines(one)))
            message = f"{len(row.wrong)} of {row.flows} flows disagree"
            out.write(f">\n      <failure message={quoteattr(message)}>{escape(text)}</failure>\n    </testcase>\n")
        elif row.unmeasured:
            message = f"{row.unmeasured} of {row.flows} flows could not be measured"
            out.write(f">\n      <error message={quoteattr(message)}/>\n    </testcase>\n")
        else:
            out.write("/>\n")
    if proof.word is Word.INCOMPLETE:
        text = "; ".join(proof.why_incomplete)
        out.write('    <testcase classname="ringfence" name="complete">\n')
        out.write(f"      <error message={quoteattr(text)}/>\n    </testcase>\n")
    out.write("  </testsuite>\n")
    if held:
        write_suite(held, out, "ringfence check")
    out.write("</testsuites>\n")


def _measured(held: Intended) -> Iterator[Case]:
    """A case for each arrow as it was measured."""
    for one in held.arrows:
        said = f"{one.open} open, {one.shut} shut, {one.failed} in vain"
        failure = "" if one.standing is Standing.KEPT else f"measured: {said}" if one.flows else "not measured"
        yield Case("measured", title(one.arrow), failure, said)


def _sentence(one: Comparison) -> str:
    return f"{flow_name(one)}: predicted {one.predicted.word}, measured {one.measured}"
