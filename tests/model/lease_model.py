"""Lease, epoch, hold and final status as a handful of transactions, small enough to try every order of events.

An event is what the product does in one transaction or outside of any (``drydock/db/leases.py``, ``holds.py``,
``tasks.py``, ``orchestrator/step_runner.py``, ``boot.py``). A worker that is frozen, slow or dead is one whose next
event does not come: the search tries that anyway. Time is not measured: a lease lapses whenever it likes.

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

    owners: tuple[int, ...] = (0, 0, 1)
    tasks: int = 1
    reporters: int = 2
    lapses: int = 2
    terminations: int = 1
    api_crashes: int = 1
    spare_looks: int = 1


class Row(NamedTuple):
    status: str = QUEUED
    step: int = -1
    owner: int | None = None
    epoch: int = 0
    live: bool = False
    due: bool = True
    wake_requested: bool = False
    terminate: bool = False
    #: The step at which it was told to terminate.
    stop_at: int = -2
    #: By epoch, the slot that wrote.
    writers: tuple[int | None, ...] = (None,)


class Slot(NamedTuple):
    """One thread of a worker. ``task`` None: free. ``ran``: what its step answered, not yet written down."""

    task: int | None = None
    epoch: int = 0
    status: str = QUEUED
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
    lapses: int = 0
    terminations: int = 0
    api_crashes: int = 0
    spare_looks: int = 0
    broken: str = ""


Event = tuple[str, State]


def start(bounds: Bounds) -> State:
    return State(
        rows=(Row(),) * bounds.tasks,
        slots=(Slot(),) * len(bounds.owners),
        reporters=(Reporter(),) * bounds.reporters,
        lapses=bounds.lapses,
        terminations=bounds.terminations,
        api_crashes=bounds.api_crashes,
        spare_looks=bounds.spare_looks,
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
        if row.live and state.lapses:
            after = _with_row(state, task, row._replace(live=False))
            yield f"the lease of task {task} lapses", after._replace(lapses=state.lapses - 1)
        if not row.due and row.owner is None:
            ready = state.final is not None or (row.step < 0 and state.hold is None)
            if ready or state.spare_looks:
                after = _with_row(state, task, row._replace(due=True))
                yield f"task {task} is due", after._replace(spare_looks=state.spare_looks - (not ready))
        if state.terminations and not row.terminate:
            yield f"task {task} is terminated", self._terminate(state, task)

    def _claim(self, state: State, task: int, number: int) -> State:
        row = state.rows[task]
        row = row._replace(
            owner=self._bounds.owners[number], epoch=row.epoch + 1, live=True, wake_requested=False,
            writers=(*row.writers, None),
        )  # fmt: skip
        slot = Slot(task, row.epoch, row.status, row.step, row.terminate)
        return _with_slot(_with_row(state, task, row), number, slot)

    def _terminate(self, state: State, task: int) -> State:
        row = state.rows[task]
        if row.status == QUEUED:
            row = row._replace(status=TERMINATED, terminate=True, due=False, stop_at=row.step)
        else:
            row = row._replace(status=TERMINATING, terminate=True, due=True, wake_requested=True, stop_at=row.step)
        return _with_row(state, task, row)._replace(terminations=state.terminations - 1)

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
        # Killed: the lease stays until it lapses, so this matters only while somebody may claim again.
        if state.lapses or not state.rows[slot.task].live:
            yield f"slot {number} is killed", _with_slot(state, number, Slot())

    def _run(self, state: State, number: int, slot: Slot) -> State:
        assert slot.task is not None
        row = state.rows[slot.task]
        if slot.terminate:
            return _with_slot(state, number, slot._replace(ran="stop"))
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
            and (row.epoch == slot.epoch or not self._rules.epoch_guard)
            and (row.status not in CLOSED or not self._rules.open_guard)
        )

    def _write(self, state: State, number: int, slot: Slot) -> State:
        assert slot.task is not None
        task, row = slot.task, state.rows[slot.task]
        if row.status in CLOSED:
            state = _broken(state, f"task {task} was {row.status}, and was written to")
        if slot.epoch != row.epoch:
            state = _broken(state, f"slot {number} wrote under epoch {slot.epoch} when {row.epoch} was another's")
        if row.writers[row.epoch] not in (None, number):
            state = _broken(state, f"two slots wrote in epoch {row.epoch}")
        row = row._replace(writers=(*row.writers[: row.epoch], number, *row.writers[row.epoch + 1 :]))
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
        return _with_slot(state, number, Slot(slot.task, slot.epoch, status, 0, row.terminate))

    def _enter(self, state: State, number: int, slot: Slot, row: Row) -> State:
        """The two driving steps follow each other in one slot; to wait, the task is given back."""
        assert slot.task is not None
        row = row._replace(step=slot.step + 1)
        if row.step == AWAIT_REPORT:
            return _with_slot(_with_row(state, slot.task, _given_back(row, due=True)), number, Slot())
        terminate = row.terminate if self._rules.terminate_read_again else slot.terminate
        following = Slot(slot.task, slot.epoch, row.status, row.step, terminate)
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
        if state.api_crashes and reporter.phase in ("looked", "stored"):
            # Acknowledged already: it will not report again. Else it asks again, and may be refused for its own report.
            again = Reporter("over", "ok") if reporter.told == "ok" else Reporter()
            crashed = _with_reporter(state, number, again)._replace(api_crashes=state.api_crashes - 1)
            yield f"the API dies under reporter {number}", crashed

    def _store(self, state: State, number: int) -> State:
        """The final status and the wake-up, one transaction."""
        row = state.rows[0]
        if row.status not in CLOSED:
            row = row._replace(due=True, wake_requested=True)
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
    if state.final is not None and row.step == AWAIT_REPORT and row.status not in CLOSED:
        if row.owner is None and not row.due:
            return "the task sleeps although its report is there"
    return None


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
