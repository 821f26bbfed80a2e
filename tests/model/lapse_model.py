"""Lapsed leases as a handful of events: one step that ends its worker, others that do not, and outages.

A worker that dies is replaced at once. What it had in hand is found lapsed by whoever claims it next, which is counted.
Time is not measured: whatever can happen next, happens in some order of events (``search.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

#: The first task is the guilty one.
GUILTY = 0
MOST_LAPSES = 3
FREE, LAPSED = -1, -2


@dataclass(frozen=True, slots=True)
class Rules:
    """Each can be left out, to see what it is good for."""

    #: A worker has at most one task in hand whose lease lapsed the time before.
    suspects_one_at_a_time: bool = True
    #: After so many lapses the task fails before its step is run.
    counted: bool = True
    #: An outcome sets the count back.
    outcome_forgets: bool = True


@dataclass(frozen=True, slots=True)
class Bounds:
    """``steps``: that each innocent task has to do. ``outages``: in which every lease lapses."""

    workers: int
    innocent: int
    steps: int = 1
    outages: int = 0


class Row(NamedTuple):
    owner: int = FREE
    lapses: int = 0
    left: int = 1
    ended: str = ""


class State(NamedTuple):
    rows: tuple[Row, ...]
    outages: int


def start(bounds: Bounds) -> State:
    innocent = (Row(left=bounds.steps),) * bounds.innocent
    return State((Row(), *innocent), bounds.outages)


class Model:
    def __init__(self, rules: Rules, bounds: Bounds) -> None:
        self._rules = rules
        self._workers = range(bounds.workers)

    def events(self, state: State) -> Iterator[tuple[str, State]]:
        for number, row in enumerate(state.rows):
            if row.ended:
                continue
            for worker in self._workers:
                if row.owner < 0 and self._may_claim(state, row, worker):
                    yield f"worker {worker} claims task {number}", self._claim(state, number, worker)
                if row.owner == worker:
                    yield f"worker {worker} runs task {number}", self._run(state, number, worker)
        if state.outages:
            yield "all leases lapse", _lapse(state, tuple(self._workers))._replace(outages=state.outages - 1)

    def _may_claim(self, state: State, row: Row, worker: int) -> bool:
        if not _suspect(row) or not self._rules.suspects_one_at_a_time:
            return True
        if any(other.owner == worker and other.lapses for other in state.rows):
            return False
        # Those that lapsed less often go first.
        waiting = [other for other in state.rows if not other.ended and other.owner < 0 and _suspect(other)]
        return row.lapses == min(other.lapses for other in waiting)

    def _claim(self, state: State, number: int, worker: int) -> State:
        row = state.rows[number]
        lapses = min(row.lapses + (row.owner == LAPSED), MOST_LAPSES)
        return _with(state, number, row._replace(owner=worker, lapses=lapses))

    def _run(self, state: State, number: int, worker: int) -> State:
        row = state.rows[number]
        if self._rules.counted and row.lapses >= MOST_LAPSES:
            return _with(state, number, row._replace(owner=FREE, ended="failed"))
        if number == GUILTY:
            return _lapse(state, (worker,))
        lapses = 0 if self._rules.outcome_forgets else row.lapses
        left = row.left - 1
        return _with(state, number, Row(FREE, lapses, left, "" if left else "succeeded"))


def violation(state: State) -> str | None:
    for number, row in enumerate(state.rows):
        if number != GUILTY and row.ended == "failed":
            return f"task {number} failed, and had done nothing"
    return None


def all_is_over(state: State) -> bool:
    return all(row.ended for row in state.rows)


def _suspect(row: Row) -> bool:
    return row.owner == LAPSED or row.lapses > 0


def _lapse(state: State, workers: tuple[int, ...]) -> State:
    rows = tuple(row._replace(owner=LAPSED) if row.owner in workers else row for row in state.rows)
    return state._replace(rows=rows)


def _with(state: State, number: int, row: Row) -> State:
    return state._replace(rows=(*state.rows[:number], row, *state.rows[number + 1 :]))
