"""``ringfence infer``: a draft of the intents from the manifests alone."""

from __future__ import annotations

import argparse
import io
import sys

from ringfence.cli import common, controllers, rendering

FORMATS = ("yaml", "json")

READ = (
    "ConfigMap", "ServiceMonitor (monitoring.coreos.com)", "PodMonitor (monitoring.coreos.com)",
    "ValidatingWebhookConfiguration (admissionregistration.k8s.io)",
    "MutatingWebhookConfiguration (admissionregistration.k8s.io)",
)  # fmt: skip
"""Kinds that this verb reads and others leave aside."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options to *parser*."""
    common.add_input(parser)
    common.add_output(parser, FORMATS)


def run(args: argparse.Namespace) -> int:
    """Read twice, print the draft, sum it up on standard error, and return the exit status."""
    from ringfence.infer.draft import infer  # noqa: PLC0415
    from ringfence.manifests.clues.gather import gather  # noqa: PLC0415
    from ringfence.manifests.programs import Once  # noqa: PLC0415
    from ringfence.report.infer import json as infer_json  # noqa: PLC0415
    from ringfence.report.infer import summary, yaml  # noqa: PLC0415

    piped = sys.stdin.buffer.read() if "-" in [*args.paths, *args.extra] else b""
    programs = [Once(program) for program in rendering.programs(args)]
    cluster = common.load(args, stdin=io.BytesIO(piped), programs=programs, read_too=READ)
    clues = gather(
        cluster, args.paths, namespace=args.namespace or "default", stdin=io.BytesIO(piped), extra=args.extra,
        exclude=args.exclude, programs=programs,
    )  # fmt: skip
    draft = infer(cluster, clues, controllers.ends(cluster, args.ingress_controller, args.namespace))
    with common.output(args) as out:
        if args.format == "json":
            common.write_json(infer_json.document(draft, cluster), out)
        else:
            common.print_lines(yaml.lines(draft), out)
    if not args.quiet:
        summary.write(draft, sys.stderr, color=args.color == "always")
    return common.input_status(cluster)
