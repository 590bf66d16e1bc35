"""A proof as JUnit XML: one test case for each pair of ends, for build servers."""

from __future__ import annotations

from typing import TextIO
from xml.sax.saxutils import escape, quoteattr

from ringfence.report.proof.rows import flow_name, rows, seen_lines
from ringfence.workflow.compare import Comparison
from ringfence.workflow.prove import Proof, Word


def write(proof: Proof, out: TextIO) -> None:
    """Print *proof* to *out*."""
    found = rows(proof)
    failures = sum(bool(row.wrong) for row in found)
    errors = sum(bool(row.unmeasured) and not row.wrong for row in found) + (proof.word is Word.INCOMPLETE)
    count = len(found) + (proof.word is Word.INCOMPLETE)
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    out.write(f'<testsuites name="ringfence prove" tests="{count}" failures="{failures}" errors="{errors}">\n')
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
    out.write("  </testsuite>\n</testsuites>\n")


def _sentence(one: Comparison) -> str:
    return f"{flow_name(one)}: predicted {one.predicted.word}, measured {one.measured}"
