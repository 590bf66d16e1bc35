"""What a run would do: every object, every connection, and the rights it needs, as YAML with comments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ringfence.live.probe import twins
from ringfence.live.probe.plan import Twin
from ringfence.report.probe import words
from ringfence.workflow.probing.planning import Planned


def lines(
    planned: Planned, pods: Mapping[Twin, Mapping[str, Any]], roles: Iterable[str]
) -> Iterator[str]:  # fmt: skip
    """The whole of *planned*; *pods* are the twins as objects, *roles* the lines of those that the run needs."""
    plan = planned.plan
    yield f"# run {plan.run}: {planned.said}; nothing is made by a dry run"
    yield "# an address and the number of its connection are filled in when the twin that listens there runs"
    yield "#"
    yield "# connections:"
    for trial in planned.trials:
        there = f"to a twin that listens: {trial.listener}" if trial.listener else "to the pod itself"
        yield f"#   {words.flow(trial.asked)}  ({f'not tried: {trial.refusal}' if trial.number is None else there})"
    for src, dst in planned.controls:
        yield f"#   control: {src[0]} on {src[1] or 'any node'} -> {dst[0]} on {dst[1] or 'any node'}"
    for why, count in sorted(planned.questions.left_out.items()):
        yield f"# not asked: {count} × {why}"
    for namespace in plan.namespaces:
        yield from _documents([twins.owner(plan.run, namespace)])
    yield from _documents(pods[twin] for twin in plan.twins if twin in pods)
    spare = [pods[twin] for twin in planned.instead.twins if twin in pods]
    if spare:
        yield "# made only where the port of a pod itself turns out to be of no use:"
        yield from _documents(spare)
    yield "# the rights that it needs:"
    yield from (f"# {line}" for line in roles)


def _documents(objects: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for one in objects:
        yield "---"
        yield from _yaml(one).splitlines()


def _yaml(data: Any) -> str:
    import yaml  # noqa: PLC0415 (a dry run alone needs it)

    class Dumper(yaml.SafeDumper):
        """It writes texts of several lines as such."""

        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 (the library calls it so)
            """Never an anchor."""
            return True

    def text(dumper: Any, value: str) -> Any:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    return str(yaml.dump(data, Dumper=Dumper, sort_keys=False, default_flow_style=False, width=120))
