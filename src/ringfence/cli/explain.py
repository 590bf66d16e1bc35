"""``ringfence explain``: why can, or can't, A reach B?"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from ringfence.cli import common
from ringfence.errors import UsageError
from ringfence.model.flows import Verdict

if TYPE_CHECKING:
    from ringfence.model.arrows import Arrow
    from ringfence.query.explain import Explanation

FORMATS = ("text", "json")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options to *parser*."""
    parser.add_argument("words", nargs="+", metavar="PATH … ARROW",
                        help="files, directories or -, and last the flow: 'ns/a -> ns/b:8000'")  # fmt: skip
    common.add_input(parser, paths=False)
    common.add_output(parser, FORMATS)
    parser.add_argument(
        "--exit-code",
        action="store_true",
        help="exit with 1 unless the flow is allowed, or with -x denied for certain",
    )


def run(args: argparse.Namespace) -> int:
    """Answer, print, and return the exit status."""
    from ringfence.model.arrows import parse  # noqa: PLC0415
    from ringfence.query.explain import explain  # noqa: PLC0415

    *args.paths, text = args.words
    if "->" not in text and "-x" not in text:
        raise UsageError(
            f"{text or repr(text)}: the last argument must be the flow, such as 'shop/web -> shop/db:5432'"
        )
    if not common.has_input(args):
        raise UsageError("no input: name files or directories before the flow, - for standard input, or --live")
    arrow = parse(text)
    cluster = common.load(args)
    found = explain(cluster, arrow, namespace=args.namespace, profile=common.profile(args))
    with common.output(args) as out:
        if args.format == "json":
            from ringfence.report.explain import json as explain_json  # noqa: PLC0415

            common.write_json(explain_json.document(found), out)
        else:
            from ringfence.report.explain import text as explain_text  # noqa: PLC0415

            explain_text.write(found, out, color=common.wants_color(args))
    broken = args.exit_code and _broken(arrow, found)
    return common.input_status(cluster) or int(broken)


def _broken(arrow: Arrow, found: list[Explanation]) -> bool:
    """Whether *found* is not what *arrow* asserts; a denial that a note puts in doubt is not, and is told (S87)."""
    wanted = Verdict.DENIED if arrow.deny else Verdict.ALLOWED
    if any(one.verdict is not wanted for one in found):
        return True
    doubts = sorted({note for one in found for note in one.doubts})
    if doubts:
        from ringfence.report.words import NOTE_TEXT  # noqa: PLC0415

        why = "; ".join(f"{note}: {NOTE_TEXT[note]}" for note in doubts)
        print(f"ringfence: {arrow.text}: denied, yet an allow could be hidden ({why})", file=sys.stderr)
    return bool(doubts)
