"""How long a plan will take, from how long nodes of this site took before; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import quantiles

from drydock.model.actions import Action
from drydock.model.plan import Duration


def estimate(
    waves: Sequence[Mapping[Action, int]], history: Mapping[Action, Sequence[float]], slots: int
) -> Duration | None:
    """``waves``: how many nodes begin in it, by action of their subtasks. ``history``: seconds that single nodes took.

    Installations go in rounds of ``slots`` nodes, all others at once. Each wave takes as long as its slowest action;
    the next begins when it has ended. None without history of an action that is planned.
    """
    planned = {action for wave in waves for action, number in wave.items() if number}
    if any(not history.get(action) for action in planned):
        return None
    totals = {50: 0.0, 90: 0.0}
    for wave in waves:
        rounds = {action: _rounds(action, number, slots) for action, number in wave.items() if number}
        for percent in totals:
            totals[percent] += max(
                (number * percentile(history[action], percent) for action, number in rounds.items()), default=0.0
            )
    return Duration(totals[50], totals[90], sum(len(history[action]) for action in planned))


def _rounds(action: Action, number: int, slots: int) -> int:
    return -(-number // slots) if action is Action.DEPLOY_NODE else 1


def percentile(values: Sequence[float], percent: int) -> float:
    """Interpolated between the two nearest values; the value itself if it is the only one."""
    if len(values) == 1:
        return values[0]
    return quantiles(values, n=100, method="inclusive")[percent - 1]
