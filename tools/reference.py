"""Writes the reference pages that are made from the program: the command line, the findings, the Python API.

``--check`` writes nothing and fails when a page is not what it would write.
"""

from __future__ import annotations

import argparse
import inspect
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

import ringfence  # noqa: E402 (the checkout comes first)
from ringfence import testing  # noqa: E402
from ringfence.cli import parser  # noqa: E402
from ringfence.cli.main import EPILOG, VERBS  # noqa: E402
from ringfence.generate.codes import CODES as GENERATE_CODES  # noqa: E402
from ringfence.intents.codes import CODES as INTENT_CODES  # noqa: E402
from ringfence.manifests import CODES  # noqa: E402
from ringfence.manifests.checks.codes import Code  # noqa: E402
from ringfence.manifests.intents.shapes import schema  # noqa: E402
from ringfence.model.profiles import ALIASES, KUBERNETES, PROFILES, Profile  # noqa: E402
from ringfence.report.check.findings import CODES as CHECK_CODES  # noqa: E402
from ringfence.report.doctor.pages import evidence  # noqa: E402
from ringfence.report.lint.pages import book  # noqa: E402
from ringfence.report.proof.findings import CODES as PROOF_CODES  # noqa: E402

MADE = "<!-- Made by tools/reference.py from the program; run `make docs` after a change. -->\n"


ABOUT_FINDINGS = """\
What reading has to say goes to standard error, one line each: place, severity, code, object, field, what is wrong and
what to do. Codes are stable.

An *object* that is left out is not in force, as the API server would refuse it; answers about what it could have
selected carry the note `incomplete-input`. Whatever is left out makes the exit status 2.

What a chart or a kustomization in a directory would make (RF045, RF047) was not asked for: it is missing from the
answers, that is told, and the exit status stays. Where many charts, kustomizations or objects that stand twice are
found, the first are told and the others counted; `-v` tells all, and so does the JSON.
"""

ABOUT_INTENTS = """\
What the arrows of an Intents document mean in the input, told by the verbs that use them. After an error nothing is
written, and the exit status is 2; from RF085 on, which is about what no NetworkPolicy can say, it is 1.
"""

ABOUT_CHECKS = """\
What [`check`](../explanation/checking.md) finds is told in its own formats: the JSON, and SARIF, have these codes.
"""

ABOUT_PROOFS = """\
What [`prove`](../explanation/lab.md) finds is told in its own formats too: the JSON, and SARIF, have these codes, and
those of the check where there are documents of intents.
"""


ABOUT_PROFILES = """\
A profile is a table of what sources say of a network plugin, chosen with `--profile`. A dash means that no source
settles the point; the answer is then that of the text of the API, the third one included. `kubernetes`, the default, is
the only profile under which a static answer is meant to hold on every conforming cluster.
"""


ABOUT_EVIDENCE = """\
By what [`ringfence doctor`](../how-to/check-enforcement.md) knows a network plugin, and what says whether it is set to
enforce policies: a workload's name first, then its images, then its labels; what shows no pod, by nodes. It is what to
expect and no proof: whether policies hold is asked of traffic.
"""


def cli() -> str:
    """The command line, verb by verb."""
    top = parser()
    (verbs,) = (action for action in top._actions if isinstance(action, argparse._SubParsersAction))
    rows = [MADE, "# The command line\n", f"{top.description}\n", "| verb | question |", "|---|---|"]
    rows += [f"| [`{verb}`](#{verb}) | {question} |" for verb, question in VERBS.items()]
    rows += ["", f"{EPILOG[:1].upper()}{EPILOG[1:]}.\n"]
    for verb in VERBS:
        rows += _verb(verb, verbs.choices[verb], "##")
    return "\n".join(rows)


def _verb(words: str, sub: argparse.ArgumentParser, heading: str) -> list[str]:
    """One verb with its options; a verb that has verbs of its own, with each of them."""
    rows = [f"{heading} {words}\n", f"{sub.description}\n"]
    inner = [action for action in sub._actions if isinstance(action, argparse._SubParsersAction)]
    for action in inner:
        for name, choice in action.choices.items():
            rows += _verb(f"{words} {name}", choice, "###")
    if not inner:
        rows += ["```text", f"ringfence {words} [OPTION …] {_positional(sub)}".rstrip(), "```\n", *_options(sub)]
        rows += _epilog(sub.epilog or "")
    return rows


def _epilog(text: str) -> list[str]:
    """A sentence, and the command that follows it on a line of its own."""
    sentence, _, command = text.partition("\n")
    rows = [f"{sentence[:1].upper()}{sentence[1:].rstrip(':')}{':' if command else '.'}\n"] if sentence else []
    return [*rows, "```sh", command.strip(), "```\n"] if command else rows


def _positional(sub: argparse.ArgumentParser) -> str:
    return " ".join(str(action.metavar) for action in sub._actions if not action.option_strings)


def _options(sub: argparse.ArgumentParser) -> Iterator[str]:
    for group in sub._action_groups:
        actions = [action for action in group._group_actions if action.help != argparse.SUPPRESS]
        if not actions:
            continue
        yield f"**{group.title}**\n"
        yield "| | |"
        yield "|---|---|"
        for action in actions:
            value = action.metavar if action.metavar else "|".join(map(str, action.choices or ()))
            names = ", ".join(f"{name} {value}".strip() for name in action.option_strings) or str(action.metavar)
            yield f"| `{names.replace('|', ' or ')}` | {action.help} |"
        yield ""


def findings() -> str:
    """Every code of a finding."""
    rows = [MADE, "# Findings of reading\n", ABOUT_FINDINGS, *_table(CODES)]
    rows += ["", "# Findings about intents\n", ABOUT_INTENTS, *_table({**INTENT_CODES, **GENERATE_CODES})]
    rows += ["", "# Findings of a check\n", ABOUT_CHECKS, *_table(CHECK_CODES)]
    rows += ["", "# Findings of a proof\n", ABOUT_PROOFS, *_table(PROOF_CODES)]
    return "\n".join(rows) + "\n"


def _table(codes: Mapping[str, Code]) -> list[str]:
    rows = ["| code | severity | what | left out | remedy |", "|---|---|---|---|---|"]
    rows += [
        f"| {c.code} | {c.severity} | {c.title} | {c.leaves_out or '–'} | {c.remedy} |"
        for c in sorted(codes.values(), key=lambda c: c.code)
    ]
    return rows


def intents_schema() -> str:
    """The JSON Schema of an Intents document."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def checks() -> str:
    """Every check of lint, with its examples."""
    return "\n".join([MADE, *book()]).rstrip() + "\n"


def profiles() -> str:
    """What is known of each network plugin."""
    rows = [MADE, "# Profiles of network plugins\n", f"{ABOUT_PROFILES}"]
    rows += ["| profile | also | what | enforces policies |", "|---|---|---|---|"]
    for one in PROFILES.values():
        also = ", ".join(alias for alias, name in ALIASES.items() if name == one.name)
        rows.append(f"| [`{one.name}`](#{one.name}) | {also} | {one.title} | {one.enforces} |")
    for one in PROFILES.values():
        rows += ["", f"## {one.name}\n", f"Sources: {one.sources}.\n"]
        told = [(item.name, getattr(one.traits, item.name)) for item in fields(one.traits)]
        if any(value for _, value in told):
            rows += ["| property | what sources say |", "|---|---|"]
            rows += [f"| `{name}` | {value or '–'} |" for name, value in told]
        flags = [item.name for item in fields(Profile) if item.compare and item.name != "name"]
        differs = [
            f"`{flag}` {getattr(one, flag)}" for flag in flags if getattr(one, flag) != getattr(KUBERNETES, flag)
        ]
        rows += ["", f"Answers differ from those under `kubernetes` by: {', '.join(differs) or 'nothing'}."]
    return "\n".join(rows) + "\n"


def _signature(function: Callable[..., object]) -> str:
    """The signature, its annotations without quotes."""
    return re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(function)))


def python() -> str:
    """The documented Python API."""
    rows = [MADE, "# The Python API\n", f"{_about(ringfence)}\n"]
    rows += _functions(ringfence)
    rows += ["# ringfence.testing\n", f"{_about(testing)}\n"]
    rows += _functions(testing)
    return "\n".join(rows)


def _about(module: ModuleType) -> str:
    """The text above a module, its examples as code."""
    text = re.sub(r":func:`(\w+)`", r"`\1`", inspect.getdoc(module) or "")
    return re.sub(r"^(>>>|\[)", r"    \1", text, flags=re.MULTILINE)


def _functions(module: ModuleType) -> Iterator[str]:
    """Each documented function of *module*."""
    for name in sorted(module.__all__):
        found = getattr(module, name)
        if callable(found):
            yield from (f"## {name}\n", "```python", f"{module.__name__}.{name}{_signature(found)}", "```\n")
            yield f"{inspect.getdoc(found)}\n"


def plugins() -> str:
    """By what the doctor knows each network plugin."""
    return "\n".join([MADE, "# Evidence of network plugins\n", ABOUT_EVIDENCE, *evidence()]) + "\n"


PAGES = {
    "evidence.md": plugins,
    "checks.md": checks,
    "profiles.md": profiles,
    "cli.md": cli,
    "findings.md": findings,
    "intents.schema.json": intents_schema,
    "python.md": python,
}


def main() -> int:
    """Write the pages, or check them."""
    os.environ["COLUMNS"] = "100"
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true", help="write nothing; fail when a page is out of date")
    check = arguments.parse_args().check
    stale = []
    for name, make in PAGES.items():
        path = ROOT / "docs" / "reference" / name
        text = make()
        if check and (not path.exists() or path.read_text() != text):
            stale.append(name)
        elif not check:
            path.write_text(text)
    if stale:
        print(f"out of date: {', '.join(stale)}; run make docs")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
