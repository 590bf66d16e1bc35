"""Lint run on the examples of the checks."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

from ringfence.cli.lint import configure
from ringfence.cli.main import Parser
from ringfence.manifests import load
from ringfence.model.addresses import AddressSet
from ringfence.model.cluster import Facts
from ringfence.model.findings import Finding
from ringfence.model.intents import Dns
from ringfence.model.profiles import named
from ringfence.query.lint.linting import Linting
from ringfence.query.lint.run import lint
from ringfence.query.lint.table import meant
from ringfence.report.lint.pages import Example, example


def options(words: tuple[str, ...]) -> argparse.Namespace:
    """The options of an example, as the command line reads them."""
    parser = Parser(prog="lint")
    configure(parser)
    return parser.parse_args(list(words))


def linting(paths: list[Path], words: tuple[str, ...] = ()) -> Linting:
    """The context of the manifests in *paths* under the options *words*."""
    args = options(words)
    facts = Facts(AddressSet.of(*args.pod_cidr), AddressSet.of(*args.node_cidr), AddressSet.of(*args.service_cidr),
                  tuple(args.api_server))  # fmt: skip
    cluster = load([str(path) for path in paths], facts=facts, others=True)
    return Linting(
        cluster, named(args.profile), closed=args.closed, dns_at=Dns(args.dns or "tight"), today=date.today()
    )


def manifests(name: str) -> str:
    """The text of the file *name* of the examples."""
    found = example(name)
    assert found is not None, f"{name} is not among the examples"
    return found.text


def found_in(one: Example, code: str, folder: Path) -> list[Finding]:
    """What the check *code* finds in *one*, of which the manifests are put into *folder*."""
    main = folder / "example.yaml"
    main.write_text(one.text)
    paths = [main]
    for name in one.beside:
        beside = example(name)
        assert beside is not None, f"{name} is not among the examples"
        (folder / name).write_text(beside.text)
        paths.append(folder / name)
    return list(lint(linting(paths, one.options), meant([code], "test")).findings)


def found(folder: Path, code: str, text: str, *options: str) -> list[Finding]:
    """What *code* finds in *text* beside the cluster of the examples."""
    tasks = example("tasks.yaml")
    assert tasks is not None
    (folder / "tasks.yaml").write_text(tasks.text)
    (folder / "p.yaml").write_text(text)
    return list(lint(linting([folder / "tasks.yaml", folder / "p.yaml"], options), meant([code], "test")).findings)


def severities(findings: list[Finding]) -> list[str]:
    """How bad each of *findings* is."""
    return [str(one.severity) for one in findings]
