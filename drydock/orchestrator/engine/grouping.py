"""Which claimed tasks one slot works on together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from drydock.model.actions import Action
from drydock.model.task import Lane, Task
from drydock.orchestrator.workflows.workflow import AnyStep, BulkStep


def grouped(
    claimed: Iterable[Task],
    step_of: Callable[[Task], AnyStep | None],
    most_of: Callable[[AnyStep], int],
) -> Sequence[Sequence[Task]]:
    """Tasks at the same bulk step, or a single task, for each slot.

    A step of the lane ``WATCH`` is one request however many nodes it is for. Of other bulk steps at most ``most_of``
    tasks go together, and a task that failed before is alone: were it the reason, others would fail with it again.
    A task whose lease lapsed is always alone: it may be what ended its worker.
    """
    alone: list[Sequence[Task]] = []
    watching: dict[tuple[Action, str | None], list[Task]] = {}
    acting: dict[tuple[Action, str | None], list[Task]] = {}
    sizes: dict[tuple[Action, str | None], int] = {}
    for task in claimed:
        step = step_of(task)
        if not isinstance(step, BulkStep) or task.lapses or (task.attempt and step.lane is not Lane.WATCH):
            alone.append([task])
        else:
            groups = watching if step.lane is Lane.WATCH else acting
            groups.setdefault((task.action, task.step), []).append(task)
            sizes[task.action, task.step] = most_of(step)
    parts = [
        group[start : start + sizes[at]] for at, group in acting.items() for start in range(0, len(group), sizes[at])
    ]
    return [*watching.values(), *parts, *alone]
