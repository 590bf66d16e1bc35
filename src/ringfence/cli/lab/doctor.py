"""``ringfence lab doctor``: can this machine hold a lab?"""

from __future__ import annotations

import argparse
from dataclasses import asdict

from ringfence.cli import common


def configure(parser: argparse.ArgumentParser, _: str) -> None:
    """Add the verb's options to *parser*."""
    common.add_output(parser, ("table", "json"))


def run(args: argparse.Namespace) -> int:
    """Examine, print, and return 0 when a lab can be made here, else 3."""
    from ringfence.lab.run.doctor import examine  # noqa: PLC0415

    checks = examine()
    ready = all(check.ok for check in checks if check.needed)
    with common.output(args) as out:
        if args.format == "json":
            common.write_json({"version": 1, "ready": ready, "checks": [asdict(check) for check in checks]}, out)
        else:
            from ringfence.report import lab_doctor  # noqa: PLC0415

            lab_doctor.write(checks, ready, out, color=common.wants_color(args))
    return 0 if ready else 3
