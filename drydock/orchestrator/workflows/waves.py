"""The step of a task with a rollout: it releases the waves, one after the other, until all nodes have ended.

Each look is one transaction over rows, see ``db/rollouts.py``: a worker that dies leaves nothing half done.
"""

from __future__ import annotations

from dataclasses import replace

from drydock.db.unit_of_work import UnitOfWork
from drydock.model.rollout import BUDGET, ITSELF, Move, RolloutState
from drydock.model.rollup import roll_up
from drydock.model.task import ResultStatus
from drydock.orchestrator.workflows.outcome import Finished, Outcome, Wait
from drydock.orchestrator.workflows.workflow import StepContext

#: How often a task looks at its waves when no wake-up reaches it.
LOOK_AGAIN_SECONDS = 10.0


def await_waves(ctx: StepContext) -> Outcome:
    with ctx.services.database.unit_of_work() as uow:
        if not uow.outcomes.lock_going_on([ctx.task]):
            return Wait(0, "to stop")
        state = _moved(ctx, uow, uow.rollouts.state(ctx.task.id))
        outcomes = uow.tasks.outcomes(ctx.task.id) if state.move is Move.END else ()
        uow.commit()
    if state.move is not Move.END:
        return Wait(LOOK_AGAIN_SECONDS, state.words)
    result = roll_up(outcomes)
    if ctx.task.plan is not None and not outcomes:
        result = replace(result, message="the plan changes no node")
    if state.spent is not None and result.status is not ResultStatus.SUCCESS:
        result = replace(result, reason=f"{state.spent}; {result.reason}")
    return Finished(result)


def _moved(ctx: StepContext, uow: UnitOfWork, state: RolloutState) -> RolloutState:
    """Make the next moves, as far as they are. Returns the state after them."""
    task_id, rate = ctx.task.id, ctx.services.start_rate
    move = state.move
    if move is Move.STOP:
        uow.rollouts.end_unbegun(task_id, state.spent or "", by=BUDGET)
    elif move is Move.RELEASE:
        uow.rollouts.release(task_id, state.wave, start_rate=rate)
    elif move in (Move.ADVANCE, Move.ADVANCE_AND_PAUSE):
        following = state.wave + 1 if state.next_wave is None else state.next_wave
        paused_by = ITSELF if move is Move.ADVANCE_AND_PAUSE else None
        uow.rollouts.enter_wave(task_id, following, paused_by=paused_by)
        if paused_by is None:
            uow.rollouts.release(task_id, following, start_rate=rate)
    return state if move in (Move.WAIT, Move.END) else uow.rollouts.state(task_id)
