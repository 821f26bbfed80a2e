"""Progress on a terminal, drawn in place."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from types import TracebackType

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table as Grid
from rich.text import Text

from drydock.cli.output import clean, duration
from drydock.cli.steps import fraction_done, fraction_text
from drydock.cli.summary import counts, sorted_by_name, state, waiting_for
from drydock.cli.tables import Column, Table, styled
from drydock.client import NodeProgress, TaskSnapshot
from drydock.counting import counted

#: Lines of the display apart from the nodes'.
FRAME = 9
COLUMNS = (
    Column("node"),
    Column("state"),
    Column("step"),
    Column("steps"),
    Column("since", rank=2),
    Column("retries", rank=3),
    Column("why", rank=1, cut=True),
)


class LiveProgress:
    """A bar with counts above a table of the nodes; of many nodes only the failed and the busy ones.

    It redraws four times a second, so that durations advance between two snapshots.
    """

    def __init__(self, console: Console) -> None:
        self._live = Live(self, console=console, refresh_per_second=4, transient=True)
        self._started = time.monotonic()
        self._snapshot: TaskSnapshot | None = None

    def __enter__(self) -> LiveProgress:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def __call__(self, snapshot: TaskSnapshot) -> None:
        self._snapshot = snapshot
        self._live.refresh()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self._snapshot is not None:
            elapsed = time.monotonic() - self._started
            yield picture(self._snapshot, elapsed=elapsed, now=datetime.now(UTC), rows=console.height - FRAME)


def picture(snapshot: TaskSnapshot, *, elapsed: float, now: datetime, rows: int) -> RenderableType:
    """The display, with at most ``rows`` nodes."""
    task, nodes = snapshot.task, snapshot.nodes
    title = f"{clean(task.get('action'))} {clean(task.get('task_id'))}  "
    parts: list[RenderableType] = [Text.assemble(title, styled(task.get("status")), f"  {duration(elapsed)}")]
    if snapshot.outage:
        parts.append(Text(f"Drydock does not answer, waiting for it: {clean(snapshot.outage)}", style="yellow"))
    if not nodes:
        parts.append(Text(clean(waiting_for(snapshot, seconds=elapsed))))
        return Group(*parts)
    finished = sum(node.finished for node in nodes)
    bar = Grid.grid(padding=(0, 2))
    of_all = f"{finished}/{counted(len(nodes), 'node')}"
    bar.add_row(ProgressBar(total=1.0, completed=fraction_done(nodes), width=20), of_all)
    shown = most_interesting(nodes, rows)
    cells = [
        [node.name, state(node), node.step, fraction_text(node), ticking(node, now), node.attempt or "", node.reason]
        for node in sorted_by_name(shown)
    ]
    parts += [bar, Text(counts(nodes)), Text(), Table(COLUMNS, cells)]
    if len(shown) < len(nodes):
        parts.append(Text(f"and {len(nodes) - len(shown)} more: {counts(set(nodes) - set(shown))}", style="dim"))
    return Group(*parts)


def most_interesting(nodes: tuple[NodeProgress, ...], room: int) -> list[NodeProgress]:
    """All nodes if there is room; else the failed, then the busy ones (longest in their step first)."""
    if len(nodes) <= room:
        return list(nodes)
    failed = [node for node in nodes if node.failed]
    busy = [node for node in nodes if node.step and not node.finished]
    busy.sort(key=lambda node: node.since or datetime.max.replace(tzinfo=UTC))
    return (failed[: max(room // 2, room - len(busy))] + busy)[: max(room, 1)]


def ticking(node: NodeProgress, now: datetime) -> str:
    """How long it has been in its step."""
    return duration((now - node.since).total_seconds()) if node.since and not node.finished else ""
