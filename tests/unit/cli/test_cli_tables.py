"""Tables at the widths that terminals have: names, ids and states whole, whatever else has to go."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from rich.console import Console

from drydock.cli.live import picture
from drydock.cli.tables import Column, Table
from drydock.client import TaskSnapshot
from drydock.client.watching import node_progress
from tests.unit.cli.terminal import on_terminal
from tests.unit.cli.test_cli_watching import NOW
from tests.unit.client.peer import TASK, Peer, subtask, task

Run = Callable[..., Result]
WIDTHS = (40, 60, 80, 120, 200)
#: On real terminals, which take a process each.
ON_TERMINALS = (60, 80)
LONG = "no final status yet of boot actions control-plane, first-boot, last contact 10:22:31 UTC " * 3
NODES = [
    subtask("n01", step="await_boot_actions", step_since="2026-01-01T00:00:00+00:00", attempt=3, reason=LONG),
    subtask("compute-n02", step="await_deployment", reason=LONG),
    subtask("n03", status="complete", outcome="partial_success", step="configure_hardware"),
    subtask("n04", status="terminating", step="collect_inventory", reason=LONG),
]


def printed(made: Any, width: int) -> list[str]:
    console = Console(width=width, height=60, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    with console.file:
        console.print(made, crop=False)
    return console.export_text().splitlines()


@pytest.mark.parametrize("width", WIDTHS)
def test_the_live_display_cuts_nothing_but_why(width: int) -> None:
    snapshot = TaskSnapshot(task(), tuple(map(node_progress, NODES)))
    lines = printed(picture(snapshot, elapsed=1, now=NOW, rows=40), width)
    text = "\n".join(lines)
    for node in map(node_progress, NODES):
        for word in (node.name, node.outcome if node.finished else node.status, node.step):
            assert word in text, (width, word)
    assert max(map(len, lines)) <= width
    if width >= 80:
        rows = [line for line in lines if line.startswith(("n0", "compute"))]
        assert len(rows) == 4
        for row, node in zip(rows, sorted(map(node_progress, NODES), key=lambda node: node.name), strict=True):
            assert row.split()[0] == node.name
            assert node.step in row
    assert ("no final status" in text) == (width >= 80)


def test_columns_go_by_rank_and_empty_ones_first() -> None:
    columns = [Column("id"), Column("rare", 3), Column("some", 2), Column("empty", 1), Column("text", 4, folds=True)]
    table = Table(columns, [["x" * 20, "y" * 10, "z" * 10, "", "word " * 10]])
    assert printed(table, 100)[0].split() == ["id", "rare", "some", "text"]
    assert printed(table, 50)[0].split() == ["id", "rare", "some"]
    assert printed(table, 34)[0].split() == ["id", "some"]
    assert printed(table, 20)[0].split() == ["id"]
    assert printed(table, 10) == ["x" * 20]


def test_what_is_too_wide_even_so_takes_a_line_each() -> None:
    table = Table([Column("node"), Column("state"), Column("why", folds=True)], [["n" * 30, "s" * 20, "because"]])
    assert printed(table, 40) == ["n" * 30, f"  state: {'s' * 20}", "  why: because"]


def test_wide_characters_count_twice() -> None:
    lines = printed(Table([Column("name"), Column("why", cut=True)], [["東京" * 5, "x" * 50]]), 40)
    assert lines[2].startswith("東京" * 5)
    assert lines[2].endswith("…")


ENTRIES = [
    task(
        f"{number:08x}-1111-4222-8333-444455556666",
        action="validate_design",
        status="terminating",
        progress={"total": 12, "by_status": {"running": 5, "complete": 7}},
        created=f"2026-01-02T03:04:{number:02}+00:00",
        created_by="somebody.with.a.long.name@example.org",
    )
    for number in range(3)
]


@pytest.mark.parametrize("width", ON_TERMINALS)
def test_the_list_of_tasks_breaks_no_id(peer: Peer, width: int) -> None:
    peer.frames, peer.others = [(task(created="2026-01-02T03:05:00+00:00"), [])], ENTRIES
    lines = on_terminal(peer, "task", "list", width=width)
    assert [line.split()[0] for line in lines[2:]] == [*(f"{number:08x}" for number in range(3)), TASK[:8]]
    assert max(map(len, lines)) <= width
    assert all("validate_design" in line and "terminating" in line for line in lines[2:5])
    assert ("2026-01-02 03:04:00" in lines[2]) == (width >= 60)
    wide = on_terminal(peer, "task", "list", "-o", "wide", width=width)
    assert all(entry["task_id"] in line for entry, line in zip(ENTRIES, wide[2:5], strict=True))


def test_into_a_pipe_everything_is_whole(run: Run, peer: Peer) -> None:
    peer.others = ENTRIES
    text = run("task", "list", COLUMNS="40", FORCE_COLOR="1").stdout
    for entry in ENTRIES:
        assert entry["task_id"] in text
    assert "somebody.with.a.long.name@example.org" in text
    assert "created_by" in text


@pytest.mark.parametrize("width", ON_TERMINALS)
def test_the_list_of_nodes_breaks_no_mac(peer: Peer, width: int) -> None:
    lines = on_terminal(peer, "node", "list", width=width)
    assert [line.split()[0] for line in lines[2:]] == ["n1", "n2"]
    assert max(map(len, lines)) <= width
    assert ("02:2b:e4:89:04:7c" in lines[2]) == (width >= 60)


@pytest.mark.parametrize("width", ON_TERMINALS)
def test_the_list_of_designs_breaks_no_digest(peer: Peer, width: int) -> None:
    lines = on_terminal(peer, "design", "list", width=width)
    assert lines[2].split()[0] == "d" * 12
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize("width", ON_TERMINALS)
def test_a_task_shows_its_ids_in_one_piece(peer: Peer, width: int) -> None:
    digest = "e" * 64
    peer.frames = [(task(design_ref=f"drydock://designs/{digest}", design_digest=digest), NODES)]
    text = "\n".join(on_terminal(peer, "task", "show", TASK, width=width))
    assert f"drydock://designs/{digest}\n" in text
    assert f"{TASK}\n" in text
