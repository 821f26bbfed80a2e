"""The steps that this version can run, by the names that rows hold."""

from __future__ import annotations

from collections.abc import Mapping

from drydock.model.actions import Action
from drydock.model.task import Task
from drydock.orchestrator.workflows.workflow import AnyStep, Stop, Workflow


class KnownSteps:
    def __init__(self, workflows: Mapping[Action, Workflow], timeouts: Mapping[str, float]) -> None:
        """``timeouts``: seconds by the names that steps use."""
        self._workflows = workflows
        self._timeouts = timeouts
        #: As "action step", for the claim.
        self.names = frozenset(f"{flow.action} {step.name}" for flow in workflows.values() for step in flow.every_step)

    def of(self, task: Task) -> AnyStep | None:
        """The step the task is at, its first if it has not begun; None if this version does not have it."""
        workflow = self._workflows.get(task.action)
        if workflow is None:
            return None
        return workflow.steps[0] if task.step is None else workflow.find(task.step)

    def after(self, task: Task, step: AnyStep) -> AnyStep | None:
        """The step that follows, None after the last. The action must be known."""
        return self._workflows[task.action].after(step)

    def named(self, task: Task, name: str) -> AnyStep | None:
        """The step of this name; None if there is none. The action must be known."""
        return self._workflows[task.action].find(name)

    def stop(self, task: Task) -> Stop | None:
        """What is done before a task that is terminated at its present step ends; None if nothing is."""
        workflow = self._workflows.get(task.action)
        stop = None if workflow is None else workflow.stop
        return stop if stop is not None and task.step in stop.of_steps else None

    def is_stopping(self, task: Task) -> bool:
        """Whether the task is at the step that comes before the end of a terminated one."""
        workflow = self._workflows.get(task.action)
        return workflow is not None and workflow.stop is not None and task.step == workflow.stop.step.name

    def timeout(self, step: AnyStep) -> float | None:
        """Seconds; None if it may take as long as it takes."""
        return None if step.timeout is None else self._timeouts[step.timeout]
