"""An explanation in plain sentences: the verdict, both ends, every policy and rule with its place."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TextIO

from rich.text import Text

from ringfence.model.flows import Decision, EndDecision, Step, Verdict
from ringfence.model.objects import NAME_LABEL, Service
from ringfence.model.policies import Direction
from ringfence.query.explain import DnsMiss, Explanation
from ringfence.query.regions import Region
from ringfence.report.explain.json import flow_text
from ringfence.report.screen import show
from ringfence.report.words import NOTE_TEXT, REASON_TEXT, VERDICT_STYLE, end_name, human

Line = Text

_MARKS = {"allows": ("✓", "green"), "open": ("?", "yellow"), "no-match": ("✗", "red"), "exempt": ("·", "dim")}


def write(explanations: list[Explanation], out: TextIO, *, color: bool = False) -> None:
    """Print *explanations* to *out*, one after the other."""
    show(_parts(explanations), out, color=color, fold=False)


def _parts(explanations: list[Explanation]) -> Iterator[Line]:
    for position, explanation in enumerate(explanations):
        if position:
            yield Text("─" * 60)
        yield from _explanation(explanation)


def _explanation(explanation: Explanation) -> Iterator[Line]:
    several = len(explanation.regions) > 1
    if several:
        same = len({region.decision.verdict for region in explanation.regions}) == 1
        whole = _verdict(explanation.verdict) if same else ("DIFFERS BY PORT", VERDICT_STYLE[Verdict.MIXED])
        yield Text.assemble(flow_text(explanation), ": ", whole)
        for region in explanation.regions:
            yield Text.assemble(f"  {human(region.ports)}: ", _verdict(region.decision.verdict),
                                f" ({region.decision.reason})" if region.decision.reason else "")  # fmt: skip
        yield Text()
    for position, region in enumerate(explanation.regions):
        if position:
            yield Text()
        yield from _region(explanation, region, several)
    for miss in explanation.misses:
        yield from _miss(miss)


def _region(explanation: Explanation, region: Region, several: bool) -> Iterator[Line]:
    decision = region.decision
    what = f"{flow_text(explanation)} on {human(region.ports)}" if several or explanation.whole else flow_text(
        explanation, region
    )  # fmt: skip
    yield Text.assemble(what, ": ", _verdict(decision.verdict))
    yield Text(f"  {_sentence(decision)}")
    yield from _remarks(decision)
    if isinstance(decision.flow.dst, Service):
        yield from _service(decision.flow.dst, decision)
    parts = decision.parts or (decision,)
    if len(parts) > 1:
        for part in _distinct(parts):
            yield Text()
            yield Text.assemble(f"  {end_name(part.flow.src)} -> {end_name(part.flow.dst)}:{part.flow.port}: ",
                                _verdict(part.verdict))  # fmt: skip
            yield from (Text("  ") + line for line in ends(part))
    else:
        yield from ends(parts[0])


def _sentence(decision: Decision) -> str:
    if decision.verdict is Verdict.IMPLEMENTATION_DEFINED:
        return "Not settled by the API and this input:"
    text = decision.reason[:1].upper() + decision.reason[1:]
    closed = [end for end in decision.ends if end.verdict is Verdict.DENIED]
    if decision.verdict is Verdict.DENIED and len(closed) == 2:
        return (
            f"{text}. Opening one end alone would not let it through, and a blocked attempt proves neither rule alone."
        )
    return f"{text}."


def _remarks(decision: Decision) -> Iterator[Line]:
    for reason in sorted(decision.reasons):
        yield Text(f"  {reason}: {REASON_TEXT[reason]}.", style="yellow")
    for note in sorted(decision.notes):
        yield Text(f"  note {note}: {NOTE_TEXT[note]}.", style="yellow")


def _service(service: Service, decision: Decision) -> Iterator[Line]:
    flow = decision.flow
    if not decision.parts:
        return
    targets = sorted({(end_name(part.flow.dst), part.flow.port) for part in decision.parts})
    listed = ", ".join(f"{name}:{port}" for name, port in targets)
    how = "is headless, so no port is translated; it leads to" if service.headless else f"sends port {flow.port} to"
    yield Text(f"  Service {service.id} {how} {listed}; policies see the pod and its port, not the Service.")


def _distinct(parts: tuple[Decision, ...]) -> Iterator[Decision]:
    seen = set()
    for part in parts:
        key = (part.verdict, end_name(part.flow.src), end_name(part.flow.dst), part.flow.port)
        if key not in seen:
            seen.add(key)
            yield part


def ends(decision: Decision) -> Iterator[Line]:
    """Both ends of *decision*, each with every step that led to its verdict."""
    for end in decision.ends:
        yield Text()
        party = decision.flow.src if end.direction is Direction.EGRESS else decision.flow.dst
        side = "Leaving" if end.direction is Direction.EGRESS else "Entering"
        yield Text.assemble(f"  {side} {end_name(party)} ({end.direction}): ", _verdict(end.verdict))
        yield from _steps(end)


def _steps(end: EndDecision) -> Iterator[Line]:
    for (policy, file), group in groupby(end.steps, key=lambda step: (step.policy, step.file)):
        steps = list(group)
        if not policy:
            for step in steps:
                yield Text(f"    · {step.text}.")
            continue
        head = steps[0]
        yield Text.assemble(f"    {head.kind} ", (policy, "bold"), f" ({_place(head, file)}): {head.text}")
        for step in steps[1:]:
            mark, style = _MARKS[step.effect]
            yield Text.assemble("      ", (mark, style), f" {step.rule} ({_place(step, file)}): {step.text}")


def _miss(miss: DnsMiss) -> Iterator[Line]:
    """Where the DNS pods are, why this rule does not take them, and the rule that does."""
    labels = ", ".join(f"{key}={value}" for key, value in miss.labels)
    written = ", ".join(f"{key}: {value}" for key, value in miss.labels)
    rule = miss.step.rule.removesuffix(".to")
    yield Text()
    yield Text(f"  {miss.step.kind} {miss.step.policy} has a rule for DNS, {rule}, that does not take the DNS pods: "
               f"they are in namespace {miss.namespace} with {labels}.")  # fmt: skip
    for alone in miss.alone:
        yield Text(f"  A podSelector alone ({alone}) looks only into the policy's own namespace, {miss.own}.")
    yield Text("  The rule that takes them:")
    yield Text("    - to:")
    yield Text(f"        - namespaceSelector: {{matchLabels: {{{NAME_LABEL}: {miss.namespace}}}}}")
    yield Text(f"          podSelector: {{matchLabels: {{{written}}}}}")
    yield Text(f"      ports: [{{protocol: UDP, port: {miss.port}}}, {{protocol: TCP, port: {miss.port}}}]")


def _place(step: Step, file: str) -> str:
    return f"{file}:{step.line}" if step.line else file or "no file"


def _verdict(verdict: Verdict) -> tuple[str, str]:
    return (str(verdict).upper(), VERDICT_STYLE[verdict])
