"""People who step in: they terminate and pause tasks that others began, and hold machines."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from tests.chaos.api import Api, GaveUp
from tests.chaos.operators import Known


class People:
    def __init__(self, known: Known, make_api: Callable[[], Api]) -> None:
        self._known = known
        self._make_api = make_api

    def terminate(self, draw: float, subtask: float | None = None) -> Callable[[], None] | None:
        """One of the open tasks or, where ``subtask`` says which, of its nodes. None if no task is open."""
        task_id = self._open_task(draw)

        def ask() -> None:
            api = self._make_api()
            with contextlib.suppress(GaveUp):
                chosen = task_id
                if subtask is not None:
                    below = api.look(f"/tasks/{task_id}")["subtask_id_list"]
                    if not below:
                        return
                    chosen = below[int(subtask * len(below))]
                api.persistent("terminate", "POST", f"/tasks/{chosen}/terminate", asked=chosen)

        return None if task_id is None else ask

    def pause(self, draw: float) -> Callable[[], None] | None:
        """One of the open tasks; None if there is none. A task without a rollout is not paused, which is no harm."""
        task_id = self._open_task(draw)

        def ask() -> None:
            with contextlib.suppress(GaveUp):
                self._make_api().persistent("pause", "POST", f"/tasks/{task_id}/pause", asked=task_id)

        return None if task_id is None else ask

    def hold(self, node: str) -> None:
        body = {"kind": "maintenance", "reason": "a fan is replaced"}
        with contextlib.suppress(GaveUp):
            self._make_api().persistent("hold", "PUT", f"/nodes/{node}/hold", json=body, node=node)

    def release(self, node: str) -> None:
        with contextlib.suppress(GaveUp):
            self._make_api().persistent("release", "DELETE", f"/nodes/{node}/hold", node=node)

    def _open_task(self, draw: float) -> str | None:
        there = self._known.open_tasks()
        return there[int(draw * len(there))] if there else None
