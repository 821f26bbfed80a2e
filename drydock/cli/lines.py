"""Progress for logs and pipes: a line per change."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from types import TracebackType

from rich.console import Console

from drydock.cli.causes import causes, key_of
from drydock.cli.output import clean
from drydock.cli.summary import LONG_IN_THE_QUEUE, MANY, counts, sorted_by_name, state, waiting_for
from drydock.client import NodeProgress, TaskSnapshot


class LinePrinter:
    """Prints each node's transitions; with many nodes only their results, and the counts when they change."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started = time.monotonic()
        self._seen: dict[str, tuple[object, ...]] = {}
        self._causes: dict[tuple[str, str], str] = {}

    def __enter__(self) -> LinePrinter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def __call__(self, snapshot: TaskSnapshot) -> None:
        if self._changed("outage", bool(snapshot.outage)):
            self._line("drydock", f"not answering, waiting: {snapshot.outage}" if snapshot.outage else "answers again")
        if not snapshot.finished:
            self._task(snapshot)
        many = len(snapshot.nodes) > MANY
        failed: list[NodeProgress] = []
        for node in sorted_by_name(snapshot.nodes):
            if many and not node.failed:
                continue
            if not self._changed(node.task_id, node.status, node.step, node.outcome, node.attempt > 0, empty=()):
                continue
            if node.failed:
                failed.append(node)
            else:
                self._line(node.name, *described(node))
        self._failed(failed)
        if many and self._changed("counts", counts(snapshot.nodes)):
            self._line("nodes", counts(snapshot.nodes))
        if snapshot.finished:
            self._task(snapshot)

    def _failed(self, nodes: list[NodeProgress]) -> None:
        """One line per cause for the nodes that failed since the last call; each cause is printed once."""
        for cause in causes(nodes):
            first = next(node for node in nodes if node.name == cause.nodes[0])
            earlier = self._causes.setdefault(key_of(first), first.name)
            why = cause.text if earlier == first.name else f"as {earlier}"
            self._line(", ".join(cause.nodes), state(first), f"at {first.step}" if first.step else "", why)

    def _task(self, snapshot: TaskSnapshot) -> None:
        task = snapshot.task
        seconds = time.monotonic() - self._started
        unattended = task.get("status") == "queued" and seconds >= LONG_IN_THE_QUEUE
        if self._changed("task", task.get("status"), task.get("step"), unattended, empty=()):
            doing = "" if snapshot.finished else waiting_for(snapshot, seconds=seconds)
            state = snapshot.outcome if snapshot.finished else task.get("status")
            self._line("task", f"{task.get('action')} {state}", doing)

    def _changed(self, key: str, *value: object, empty: tuple[object, ...] = (False,)) -> bool:
        before = self._seen.get(key, empty)
        self._seen[key] = value
        return before != value

    def _line(self, name: str, *words: str) -> None:
        now = datetime.now(UTC).strftime("%H:%M:%S")
        text = "  ".join(clean(word).replace("\n", " ") for word in (name, *words) if word)
        self._console.print(f"{now}  {text}", soft_wrap=True)


def described(node: NodeProgress) -> tuple[str, ...]:
    """State of a node that has not failed: its result, or its step, retries and what it waits for."""
    if node.finished:
        return (state(node),)
    retry = f"retry {node.attempt}" if node.attempt else ""
    return (node.step or node.status, retry, node.reason)
