"""A diagnosis for another program; its schema is ``docs/reference/doctor.schema.json``."""

from __future__ import annotations

from typing import Any

from ringfence.live.doctor.nouns import Candidate, Cell, Diagnosis, Dns, Outcome, Path


def document(found: Diagnosis) -> dict[str, Any]:
    """*found* as plain data; members that are empty are left out, but for the first five."""
    expected = found.expected
    made: dict[str, Any] = {
        "version": 1,
        "state": str(found.state),
        "context": found.context,
        "expected": expected.sentence,
        "candidates": [_candidate(one) for one in expected.candidates],
        "why": found.outcome.why,
        "profile": expected.profile,
        "server": expected.server,
        "platform": expected.platform,
        "uncovered": [{"node": one.node, "why": one.why} for one in expected.uncovered],
        "readers": list(expected.readers),
        "dns": _dns(expected.dns),
        "not_read": list(expected.not_read),
        "canary": _outcome(found.outcome),
        "remedies": [_full({"what": one.what, "commands": list(one.commands)}) for one in found.remedies],
    }
    kept = ("version", "state", "context", "expected", "candidates")
    return {key: value for key, value in made.items() if key in kept or value}


def _candidate(one: Candidate) -> dict[str, Any]:
    made = {
        "plugin": one.plugin, "version": one.version, "profile": one.profile, "workload": one.workload,
        "remark": one.remark,
    }  # fmt: skip
    return {**_full(made), "enforcing": one.enforcing, "evidence": list(one.evidence)}


def _dns(one: Dns) -> dict[str, Any]:
    made = {
        "service": one.service, "addresses": list(one.addresses), "selector": dict(one.selector),
        "pods": list(one.pods), "ports": list(one.ports), "cache": one.cache, "link_local": list(one.link_local),
        "option": one.option,
    }  # fmt: skip
    return _full(made)


def _outcome(one: Outcome) -> dict[str, Any]:
    """What traffic told; empty where there was none."""
    if not one.run:
        return {}
    made = {
        "run": one.run, "namespace": one.namespace, "attempts": one.attempts, "cells": [_cell(c) for c in one.cells],
        "not_tested": [_path(path) | {"why": why} for path, why in one.untested], "seconds": _rounded(one.seconds),
        "left": list(one.left),
    }  # fmt: skip
    return _full(made)


def _path(path: Path) -> dict[str, Any]:
    return {"direction": path.direction, "placement": path.placement, "family": path.family}


def _cell(one: Cell) -> dict[str, Any]:
    return _path(one.path) | {"state": str(one.state)} | _full({"seconds": _rounded(one.seconds), "why": one.why})


def _rounded(seconds: float | None) -> float | None:
    """Tenths: nothing finer was measured."""
    return None if seconds is None else round(seconds, 1)


def _full(made: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in made.items() if value not in ("", None, [], {})}
