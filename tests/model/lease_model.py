"""Lease, epoch, hold and final status as a handful of transactions, small enough to try every order of events.

An event is what the product does in one transaction or outside of any (``drydock/db/leases.py``, ``holds.py``,
``tasks.py``, ``orchestrator/engine/step_runner.py``, ``orchestrator/services/boot_actions.py``). A worker that is
frozen, slow or dead is one whose next event does not come: the search tries that anyway. Time is not measured: a
lease lapses whenever it likes, as often as it likes. Epochs are not counted either, for then there would be no end of
states: a slot knows whether the epoch of its claim is still the row's (``current``), which is all that a guard ever
asks.

The steps of a task: two that drive the machine, one right after the other; then one that waits for the final report.
A task without a report (to destroy a node, say) finds nothing to wait for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

QUEUED, RUNNING, TERMINATING, TERMINATED, COMPLETE = "queued", "running", "terminating", "terminated", "complete"
CLOSED = (TERMINATED, COMPLETE)
AWAIT_REPORT = 2
LAPSED = -1


@dataclass(frozen=True, slots=True)
class Rules:
    """What the product does to be safe. Each can be left out, to see what it is good for."""

    #: A write names the epoch of its claim.
    epoch_guard: bool = True
    #: A write asks that the task is still open.
    open_guard: bool = True
    #: Who claims a leased task waits until the lease has lapsed.
    lease_respected: bool = True
    #: A worker looks at ``terminate`` again after each step that it wrote down.
    terminate_read_again: bool = True
    #: The task that begins takes its node in the same transaction, or stands back.
    node_hold: bool = True
    #: Who reports locks the boot action before looking whether it has its final status.
    report_lock: bool = True
    #: A report is acknowledged when it is stored, and not before.
    stored_before_acknowledged: bool = True
    #: A wake-up that meets a worker at work is remembered for when the task is given back.
    wake_remembered: bool = True


@dataclass(frozen=True, slots=True)
class Bounds:
    """``owners``: by slot, the worker process it is part of. ``reporters`` report on the first task's boot action."""

    owners: tuple[int, ...]
    tasks: int
    reporters: int


class Row(NamedTuple):
    """``step`` -1: has not begun. ``stop_at``: the step at which it was told to terminate."""

    status: str = QUEUED
    step: int = -1
    owner: int | None = None
    live: bool = False
    due: bool = True
    wake_requested: bool = False
    terminate: bool = False
    stop_at: int = -2


class Slot(NamedTuple):
    """One thread of a worker. ``task`` None: free. ``ran``: what its step answered, not yet written down."""

    task: int | None = None
    current: bool = False
    step: int = -1
    terminate: bool = False
    ran: str | None = None


class Reporter(NamedTuple):
    phase: str = "to report"
    told: str | None = None


class State(NamedTuple):
    rows: tuple[Row, ...]
    slots: tuple[Slot, ...]
    reporters: tuple[Reporter, ...]
    hold: int | None = None
    #: Who has the final status; how often one was written.
    final: int | None = None
    finals: int = 0
    broken: str = ""


Event = tuple[str, State]


def start(bounds: Bounds) -> State:
    return State(
        rows=(Row(),) * bounds.tasks,
        slots=(Slot(),) * len(bounds.owners),
        reporters=(Reporter(),) * bounds.reporters,
    )


class Model:
    def __init__(self, rules: Rules, bounds: Bounds) -> None:
        self._rules = rules
        self._bounds = bounds

    def events(self, state: State) -> Iterator[Event]:
        for number, row in enumerate(state.rows):
            yield from self._task_events(state, number, row)
        for number, slot in enumerate(state.slots):
            if slot.task is not None:
                yield from self._slot_events(state, number, slot)
        for number, reporter in enumerate(state.reporters):
            yield from self._report_events(state, number, reporter)

    # -- what befalls a task: claims, time, people

    def _task_events(self, state: State, task: int, row: Row) -> Iterator[Event]:
        if row.status in CLOSED:
            return
        free = row.owner is None or not row.live or not self._rules.lease_respected
        if row.due and free:
            for number, slot in enumerate(state.slots):
                if slot.task is None:
                    yield f"slot {number} claims task {task}", self._claim(state, task, number)
        if row.live:
            # Whose it was does not matter any more, nor what woke it: whoever claims it looks afresh.
            lapsed = row._replace(live=False, owner=LAPSED, wake_requested=False)
            yield f"the lease of task {task} lapses", _with_row(state, task, lapsed)
        if not row.due and row.owner is None:
            yield f"task {task} is due again", _with_row(state, task, row._replace(due=True))
        if not row.terminate:
            yield f"task {task} is terminated", self._terminate(state, task)

    def _claim(self, state: State, task: int, number: int) -> State:
        """A new epoch: whoever claimed before is not current any more."""
        if state.rows[task].live:
            state = _broken(state, f"task {task} was claimed while the lease of another lasted")
        row = state.rows[task]._replace(owner=self._bounds.owners[number], live=True, wake_requested=False)
        slots = tuple(slot._replace(current=False) if slot.task == task else slot for slot in state.slots)
        slot = Slot(task, current=True, step=row.step, terminate=row.terminate)
        return _with_slot(_with_row(state._replace(slots=slots), task, row), number, slot)

    def _terminate(self, state: State, task: int) -> State:
        row = state.rows[task]
        if row.status == QUEUED:
            return _with_row(state, task, row._replace(status=TERMINATED, terminate=True, due=False))
        row = _woken(row)._replace(status=TERMINATING, terminate=True, stop_at=row.step)
        return _with_row(state, task, row)

    # -- what a worker does: a step outside any transaction, then its outcome in one

    def _slot_events(self, state: State, number: int, slot: Slot) -> Iterator[Event]:
        assert slot.task is not None
        if slot.ran is None:
            yield f"slot {number} runs step {slot.step} of task {slot.task}", self._run(state, number, slot)
        elif not self._may_write(state, number, slot):
            lost = _with_slot(state, number, Slot())
            yield f"slot {number} finds its lease of task {slot.task} lost", lost
        else:
            yield f"slot {number} writes {slot.ran!r} of task {slot.task}", self._write(state, number, slot)
        yield f"slot {number} is killed", _with_slot(state, number, Slot())

    def _run(self, state: State, number: int, slot: Slot) -> State:
        assert slot.task is not None
        row = state.rows[slot.task]
        if slot.terminate:
            return _with_slot(state, number, Slot(slot.task, slot.current, ran="stop"))
        if slot.step < 0:
            return _with_slot(state, number, slot._replace(ran="begin"))
        waits = slot.step == AWAIT_REPORT and slot.task == 0 and state.reporters and state.final is None
        after = _with_slot(state, number, slot._replace(ran="wait" if waits else "done"))
        if row.terminate and slot.step > row.stop_at:
            after = _broken(after, f"step {slot.step} ran after the task was terminated at {row.stop_at}")
        return after

    def _may_write(self, state: State, number: int, slot: Slot) -> bool:
        assert slot.task is not None
        row = state.rows[slot.task]
        return (
            row.owner == self._bounds.owners[number]
            and row.live
            and (slot.current or not self._rules.epoch_guard)
            and (row.status not in CLOSED or not self._rules.open_guard)
        )

    def _write(self, state: State, number: int, slot: Slot) -> State:
        assert slot.task is not None
        task, row = slot.task, state.rows[slot.task]
        if row.status in CLOSED:
            state = _broken(state, f"task {task} was {row.status}, and was written to")
        if not slot.current:
            state = _broken(state, f"slot {number} wrote in an epoch that was another's")
        if slot.ran == "begin":
            return self._begin(state, number, slot, row)
        if slot.ran == "wait":
            row = _given_back(row, due=row.wake_requested and self._rules.wake_remembered)
            return _with_slot(_with_row(state, task, row), number, Slot())
        if slot.ran == "done" and slot.step < AWAIT_REPORT:
            return self._enter(state, number, slot, row)
        ended = TERMINATED if row.terminate else COMPLETE
        row = _given_back(row, due=False)._replace(status=ended)
        hold = None if state.hold == task else state.hold
        return _with_slot(_with_row(state, task, row), number, Slot())._replace(hold=hold)

    def _begin(self, state: State, number: int, slot: Slot, row: Row) -> State:
        assert slot.task is not None
        if self._rules.node_hold and state.hold not in (None, slot.task):
            return _with_slot(_with_row(state, slot.task, _given_back(row, due=False)), number, Slot())
        status = row.status if row.terminate else RUNNING
        row = row._replace(status=status, step=0)
        state = _with_row(state, slot.task, row)._replace(hold=slot.task)
        return _with_slot(state, number, Slot(slot.task, slot.current, 0, row.terminate))

    def _enter(self, state: State, number: int, slot: Slot, row: Row) -> State:
        """The two driving steps follow each other in one slot; to wait, the task is given back."""
        assert slot.task is not None
        row = row._replace(step=slot.step + 1)
        if row.step == AWAIT_REPORT:
            return _with_slot(_with_row(state, slot.task, _given_back(row, due=True)), number, Slot())
        terminate = row.terminate if self._rules.terminate_read_again else slot.terminate
        following = Slot(slot.task, slot.current, row.step, terminate)
        return _with_slot(_with_row(state, slot.task, row), number, following)

    # -- what a machine does: it reports until it is answered

    def _report_events(self, state: State, number: int, reporter: Reporter) -> Iterator[Event]:
        if reporter.phase == "to report" and self._rules.stored_before_acknowledged:
            if state.final is not None:
                yield f"reporter {number} is refused", _with_reporter(state, number, Reporter("over", "refused"))
            elif self._rules.report_lock:
                yield f"the final of reporter {number} is stored", self._store(state, number)
            else:
                yield f"reporter {number} finds no final", _with_reporter(state, number, Reporter("looked"))
        elif reporter.phase == "to report":
            if state.final is None:
                yield f"reporter {number} is acknowledged", _with_reporter(state, number, Reporter("looked", "ok"))
            else:
                yield f"reporter {number} is refused", _with_reporter(state, number, Reporter("over", "refused"))
        elif reporter.phase == "looked":
            yield f"the final of reporter {number} is stored", self._store(state, number)
        elif reporter.phase == "stored":
            yield f"reporter {number} is acknowledged", _with_reporter(state, number, Reporter("over", "ok"))
        if reporter.phase in ("looked", "stored"):
            # Acknowledged already: it will not report again. Else it asks again, and may be refused for its own report.
            again = Reporter("over", "ok") if reporter.told == "ok" else Reporter()
            yield f"the API dies under reporter {number}", _with_reporter(state, number, again)

    def _store(self, state: State, number: int) -> State:
        """The final status and the wake-up, one transaction."""
        row = state.rows[0]
        if row.status not in CLOSED:
            row = _woken(row)
        state = _with_row(state, 0, row)._replace(final=number, finals=state.finals + 1)
        return _with_reporter(state, number, Reporter("stored", state.reporters[number].told))


def violation(state: State) -> str | None:
    """What must never be, whatever happened before."""
    if state.broken:
        return state.broken
    begun = [number for number, row in enumerate(state.rows) if row.step >= 0 and row.status not in CLOSED]
    if len(begun) > 1:
        return f"tasks {begun} drive the same node"
    told = [number for number, reporter in enumerate(state.reporters) if reporter.told == "ok"]
    if len(told) > 1:
        return f"reporters {told} were both told that theirs is the final status"
    if state.finals > 1:
        return "the final status was written twice"
    settled = [number for number in told if state.reporters[number].phase == "over"]
    if settled and state.final != settled[0]:
        return f"reporter {settled[0]} was acknowledged, and its report is not stored"
    row = state.rows[0]
    waits = row.step == AWAIT_REPORT and row.status not in CLOSED and row.owner is None and not row.due
    return "the task sleeps although its report is there" if waits and state.final is not None else None


def _woken(row: Row) -> Row:
    return row._replace(due=True, wake_requested=row.live)


def _given_back(row: Row, *, due: bool) -> Row:
    return row._replace(owner=None, live=False, due=due, wake_requested=False)


def _with_row(state: State, number: int, row: Row) -> State:
    return state._replace(rows=(*state.rows[:number], row, *state.rows[number + 1 :]))


def _with_slot(state: State, number: int, slot: Slot) -> State:
    return state._replace(slots=(*state.slots[:number], slot, *state.slots[number + 1 :]))


def _with_reporter(state: State, number: int, reporter: Reporter) -> State:
    return state._replace(reporters=(*state.reporters[:number], reporter, *state.reporters[number + 1 :]))


def _broken(state: State, how: str) -> State:
    return state._replace(broken=state.broken or how)
