"""The rollout that a task is kept with: what was asked for, over what the options say."""

from __future__ import annotations

from dataclasses import replace

from drydock.errors import InvalidInput
from drydock.model.actions import ACTIONS, Action
from drydock.model.rollout import PLAIN, Rollout
from drydock.model.task import NewTask


def rolled_out(new: NewTask, default: Rollout) -> NewTask:
    """A rollout that was asked for is kept even if it is all nodes at once: such a task can be paused. So can one that
    applies a plan.

    Raises ``InvalidInput``.
    """
    row = ACTIONS.get(new.action)
    in_waves = row is not None and row.in_waves
    if new.rollout is None:
        kept = in_waves and (default != PLAIN or new.action is Action.APPLY_PLAN)
        return replace(new, rollout=default.json) if kept else new
    if not in_waves:
        able = ", ".join(action for action, row in ACTIONS.items() if row.in_waves)
        raise InvalidInput(f"is for {able}, not for {new.action}", field="rollout")
    return replace(new, rollout=Rollout.parse(new.rollout, default).json)
