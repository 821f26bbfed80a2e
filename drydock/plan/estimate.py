"""How long a plan will take, from how long nodes of this site took before; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import quantiles

from drydock.model.plan import Decision, Duration


def estimate(
    waves: Sequence[Mapping[Decision, int]], history: Mapping[Decision, Sequence[float]], slots: int
) -> Duration | None:
    """``waves``: how many nodes of each decision begin in it. ``history``: seconds that single nodes took.

    Each wave takes as long as its slowest kind of work, in rounds of ``slots`` nodes; the next begins when it has
    ended. None without history for a kind of work that is planned.
    """
    totals = {50: 0.0, 90: 0.0}
    planned = {decision for wave in waves for decision, number in wave.items() if number and decision.touches}
    if any(not history.get(decision) for decision in planned):
        return None
    for wave in waves:
        rounds = {decision: -(-number // slots) for decision, number in wave.items() if decision in planned}
        for percent in totals:
            totals[percent] += max(
                (number * percentile(history[decision], percent) for decision, number in rounds.items()), default=0.0
            )
    return Duration(totals[50], totals[90], sum(len(history[decision]) for decision in planned))


def percentile(values: Sequence[float], percent: int) -> float:
    """Interpolated between the two nearest values; the value itself if it is the only one."""
    if len(values) == 1:
        return values[0]
    return quantiles(values, n=100, method="inclusive")[percent - 1]
