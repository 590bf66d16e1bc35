"""What twins saw as data: version 1."""

from __future__ import annotations

from typing import Any

from ringfence.live.probe.run import Attempts
from ringfence.model.objects import Pod
from ringfence.report.probe import words
from ringfence.workflow.judging import Agreement
from ringfence.workflow.probing.results import Cell, Probed


def document(probed: Probed) -> dict[str, Any]:
    """The whole; empty members are left out of cells."""
    return {
        "version": 1,
        "word": probed.word,
        "run": probed.run,
        "context": probed.context,
        "profile": probed.profile,
        "notes": list(probed.notes),
        "connections": len(probed.cells),
        "measured": probed.measured,
        "wrong": len(probed.wrong),
        "unknown": len(probed.of(Agreement.UNMEASURED)),
        "pods": probed.pods,
        "seconds": round(probed.seconds, 1),
        "left_out": dict(sorted(probed.left_out.items())),
        "left_behind": [str(one) for one in probed.left],
        "cells": [_cell(one) for one in probed.cells],
    }


def _cell(cell: Cell) -> dict[str, Any]:
    asked = cell.asked
    made: dict[str, Any] = {
        "flow": words.flow(asked),
        "src": _pod(asked.src),
        "dst": _pod(asked.dst),
        "protocol": asked.protocol,
        "port": asked.port,
        "predicted": cell.predicted.word,
        "measured": cell.measured,
        "agreement": str(cell.agreement),
        "wrong": cell.wrong,
    }
    if asked.wanted is not None:
        made |= {"wanted": str(asked.wanted), "because": asked.because, "kept": cell.kept}
    if cell.predicted.reasons:
        made["reasons"] = sorted(map(str, cell.predicted.reasons))
    if cell.notes:
        made["notes"] = sorted(map(str, cell.notes))
    if cell.control is not None:
        made["control"] = cell.control
    if cell.why:
        made["why"] = cell.why
    if cell.pods[0]:
        made["twins"] = list(cell.pods)
        made["target"] = "twin" if cell.listener else "pod"
    if cell.listener:
        made["listener"] = cell.listener
    made["attempts"] = [_attempts(one) for one in cell.attempts]
    return made


def _pod(pod: Pod) -> dict[str, Any]:
    return {"namespace": pod.namespace, "pod": pod.name, "node": pod.node}


def _attempts(one: Attempts) -> dict[str, Any]:
    made: dict[str, Any] = {
        "address": str(one.address) if one.address is not None else None,
        "outcome": str(one.outcome),
        "tries": [{"second": each.second, "outcome": str(each.outcome)} for each in one.tries],
    }
    if one.tries and one.tries[-1].detail:
        made["detail"] = one.tries[-1].detail
    if one.heard:
        made["heard"] = True
    if one.why:
        made["why"] = one.why
    return made
