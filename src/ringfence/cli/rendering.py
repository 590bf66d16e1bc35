"""Options that choose what is read: ``--exclude``, and ``--helm`` and ``--kustomize``, which have charts rendered."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from ringfence.errors import UsageError

if TYPE_CHECKING:
    from ringfence.manifests.programs import Program

HELM: Final = "--helm"
VALUES: Final = "--values"


def configure(group: argparse._ArgumentGroup) -> None:
    """Add the options to *group*."""
    group.add_argument("--exclude", action="append", default=[], metavar="GLOB",
                       help="leave out files and folders that match, as in a .gitignore; may be repeated")  # fmt: skip
    group.add_argument(HELM, dest="programs", action=_Program, default=[], metavar="CHART",
                       help="read what helm template prints of the chart in this folder; may be repeated")  # fmt: skip
    group.add_argument("-f", VALUES, dest="settings", action=_OfAChart, default=[], metavar="FILE",
                       help="a file of values for the chart named before it; may be repeated")  # fmt: skip
    group.add_argument("--set", dest="settings", action=_OfAChart, default=[], metavar="KEY=VALUE",
                       help="a value for the chart named before it; may be repeated")  # fmt: skip
    group.add_argument("--kustomize", dest="programs", action=_Program, default=[], metavar="DIR",
                       help="read what kustomize build prints of this folder; may be repeated")  # fmt: skip


def programs(args: argparse.Namespace) -> list[Program]:
    """The programs that *args* ask for, in order."""
    from ringfence.manifests.programs import Helm, Kustomize  # noqa: PLC0415

    charts = sum(option == HELM for option, _ in args.programs)
    if args.settings and not charts:
        _, option, value = args.settings[0]
        raise UsageError(f"{option} {value}: belongs to no chart; name one with --helm")
    made: list[Program] = []
    seen = 0
    for option, path in args.programs:
        if option != HELM:
            made.append(Kustomize(path))
            continue
        own = [(name, value) for number, name, value in args.settings if number == seen]
        seen += 1
        made.append(Helm(path, *(tuple(value for name, value in own if name == kind) for kind in (VALUES, "--set"))))
    return made


class _Program(argparse.Action):
    """Keeps each program with what it works on, in the order in which they stand."""

    def __call__(self, _: object, namespace: argparse.Namespace, values: object, __: object = None) -> None:
        namespace.programs = [*namespace.programs, (self.option_strings[0], values)]


class _OfAChart(argparse.Action):
    """Keeps a setting with the number of the chart that it belongs to: the one before it, or else the first."""

    def __call__(self, _: object, namespace: argparse.Namespace, values: object, __: object = None) -> None:
        before = sum(name == HELM for name, _ in namespace.programs)
        namespace.settings = [*namespace.settings, (max(before - 1, 0), self.option_strings[-1], values)]
