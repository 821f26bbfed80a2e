"""Following a task from the command line: lines, JSON, the live display, exit codes, Ctrl-C."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import Result
from rich.console import Console

from drydock.cli.live import picture
from drydock.cli.summary import MANY, summary, waiting_for
from drydock.client import TaskSnapshot
from drydock.client.watching import node_progress
from drydock.model.actions import NODE_STEPS
from tests.unit.client.peer import TASK, Peer, status_body, subtask, task

Run = Callable[..., Result]
WATCH = ("task", "watch", TASK, "--interval", "0.1")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def ended(outcome: str, **more: Any) -> dict[str, Any]:
    return {"status": "complete", "outcome": outcome, **more}


@pytest.mark.parametrize(
    ("last", "code"),
    [
        (ended("success"), 0),
        (ended("failure"), 1),
        (ended("unreported"), 1),
        (ended("partial_success"), 3),
        ({"status": "terminated"}, 1),
    ],
)
def test_exit_codes_by_result(run: Run, peer: Peer, last: dict[str, Any], code: int) -> None:
    peer.frames = [(task(**last), [])]
    assert run(*WATCH).exit_code == code


def test_one_line_per_change_and_none_without(run: Run, peer: Peer) -> None:
    waiting = subtask("n1", step="await_deployment", reason="installing")
    peer.frames = [
        (task(), [waiting, subtask("n2", status="queued")]),
        (task(), [{**waiting, "reason": "still installing"}, subtask("n2", status="queued")]),
        (
            task(**ended("partial_success")),
            [subtask("n1", **ended("success")), subtask("n2", **ended("failure", errors=["no BMC"]))],
        ),
    ]
    result = run(*WATCH)
    assert result.exit_code == 3
    # The time before it is not ours to know.
    lines = [line.split("  ", 1)[1] for line in result.stdout.splitlines() if line[2:3] == ":"]
    assert lines == [
        "task  deploy_nodes running",
        "n1  await_deployment  installing",
        "n2  queued",
        "n1  success",
        "n2  failure  no BMC",
        "task  deploy_nodes partial_success",
    ]
    assert "1 success, 1 failure" in result.stdout


def test_the_task_as_json_on_stdout_and_the_progress_on_stderr(run: Run, peer: Peer) -> None:
    peer.frames = [(task(status="queued"), []), (task(**ended("success")), [subtask("n1", **ended("success"))])]
    result = run("task", "create", "-a", "deploy_nodes", "-d", "x", "--wait", "-o", "json", "--interval", "0.1")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["result"]["status"] == "success"
    assert "n1  success" in result.stderr


def test_a_design_that_is_wrong_is_explained(run: Run, peer: Peer) -> None:
    peer.frames = [(task(**ended("failure", message="the design is invalid", errors=["DD1: no", "DD2: nor that"])), [])]
    result = run(*WATCH)
    assert result.exit_code == 1
    for text in ("the design is invalid", "DD1: no", "DD2: nor that"):
        assert text in result.stdout


def test_a_server_that_is_away_for_a_moment(run: Run, peer: Peer) -> None:
    peer.frames = [(task(), []), (task(**ended("success")), [])]
    ordered = peer.refusals
    original = peer.asked

    class Asked(list):  # type: ignore[type-arg]
        def append(self, call: Any) -> None:
            if "wait=" in call[1] and not self.calls_with_wait():
                ordered.append(("500 Internal Server Error", status_body("oops", "internal")))
            super().append(call)

        def calls_with_wait(self) -> list[Any]:
            return [call for call in self if "wait=" in call[1]]

    peer.asked = Asked(original)
    result = run(*WATCH)
    assert result.exit_code == 0
    assert "not answering, waiting: oops" in result.stdout
    assert "answers again" in result.stdout


def test_a_timeout_says_that_the_task_goes_on(run: Run) -> None:
    result = run(*WATCH, "--timeout", "0")
    assert result.exit_code == 124
    assert f"drydock task watch {TASK}" in result.stderr


def test_many_nodes_are_counted_not_listed(run: Run, peer: Peer) -> None:
    nodes = [subtask(f"n{number}", step="await_deployment") for number in range(MANY)]
    peer.frames = [
        (task(), [*nodes, subtask("bad", **ended("failure", errors=["disk"]))]),
        (task(**ended("failure")), [*nodes, subtask("bad", **ended("failure", errors=["disk"]))]),
    ]
    lines = run(*WATCH).stdout.splitlines()
    assert len(lines) < 12
    assert any("bad  failure  disk" in line for line in lines)
    assert any(f"1 failure, {MANY} running" in line for line in lines)


def drawn(snapshot: TaskSnapshot, rows: int) -> str:
    console = Console(width=120, height=rows, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    with console.file:
        console.print(picture(snapshot, elapsed=65, now=NOW, rows=rows))
    return console.export_text()


def test_the_live_display_shows_all_nodes_of_a_small_site() -> None:
    since = (NOW - timedelta(seconds=125)).isoformat()
    nodes = [
        subtask("n1", step="await_deployment", step_since=since, attempt=3, reason="installing"),
        subtask("n2", **ended("success")),
    ]
    text = drawn(TaskSnapshot(task(), tuple(map(node_progress, nodes))), 20)
    assert "1/2 nodes" in text
    assert "1 success, 1 running" in text
    (line,) = [line for line in text.splitlines() if line.startswith("n1")]
    steps = NODE_STEPS["deploy_node"]
    done = f"{steps.index('await_deployment')}/{len(steps)}"
    assert line.split() == ["n1", "running", "await_deployment", done, "2m05s", "3", "installing"]


def test_the_live_display_of_a_large_site_fits_the_screen() -> None:
    nodes = [subtask(f"q{number}", status="queued") for number in range(300)]
    nodes += [subtask(f"r{number}", step="await_deployment") for number in range(100)]
    nodes += [subtask("bad", **ended("failure", errors=["disk"]))]
    text = drawn(TaskSnapshot(task(), tuple(map(node_progress, nodes)), outage="away"), 20)
    assert len(text.splitlines()) <= 30
    assert "bad" in text
    assert "q1 " not in text
    assert "and 381 more: 81 running, 300 queued" in text
    assert "does not answer" in text


def test_before_there_are_nodes_the_display_says_what_the_task_waits_for() -> None:
    assert "reading the design" in drawn(TaskSnapshot(task(reason="reading the design")), 20)


def test_a_task_that_nobody_begins_raises_a_question() -> None:
    queued = TaskSnapshot(task(status="queued"))
    assert waiting_for(queued, seconds=1) == "waiting for a worker"
    assert "drydock-worker" in waiting_for(queued, seconds=60)
    assert waiting_for(TaskSnapshot(task(reason="reading")), seconds=60) == "reading"


def test_a_summary_of_a_large_site_names_the_failed_only() -> None:
    nodes = [subtask(f"n{number}", **ended("success")) for number in range(MANY)]
    nodes.append(subtask("bad", step="start_deployment", **ended("failure", errors=["disk"])))
    console = Console(width=120, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    with console.file:
        snapshot = TaskSnapshot(task(**ended("partial_success")), tuple(map(node_progress, nodes)))
        console.print(summary(snapshot))
    text = console.export_text()
    assert f"{MANY} success, 1 failure" in text
    assert "start_deployment" in text
    assert "n1 " not in text


def drydock(peer: Peer, *arguments: str) -> tuple[list[str], dict[str, str]]:
    command = [sys.executable, "-c", "from drydock.cli.main import main; main()", *arguments]
    return command, {**os.environ, "DRYDOCK_URL": peer.url, "OS_TOKEN": "admin", "TERM": "xterm", "COLUMNS": "100"}


def test_on_a_terminal(peer: Peer) -> None:
    peer.frames = [
        (task(), [subtask("n1", step="await_deployment")]),
        (task(**ended("success"), created="2026-01-01T00:00:00Z", updated="2026-01-01T00:01:05Z"), []),
    ]
    command, environ = drydock(peer, *WATCH)
    master, slave = pty.openpty()
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environ) as process:
        os.close(slave)
        shown = read_all(master)
    assert process.returncode == 0
    assert "await_deployment" in shown
    assert "0/1 node" in shown
    assert "after 1m05s" in shown


def read_all(descriptor: int) -> str:
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        chunks = []
        try:
            while chunk := stream.read(65536):
                chunks.append(chunk)
        except OSError:  # a terminal whose other end is closed
            pass
    return b"".join(chunks).decode(errors="replace")


def test_ctrl_c_leaves_the_task_alone(peer: Peer) -> None:
    peer.frames = [(task(), [subtask("n1", step="await_deployment")])]
    command, environ = drydock(peer, *WATCH)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, env={**environ, "PYTHONUNBUFFERED": "1"}) as process:
        assert process.stdout is not None
        while b"await_deployment" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert f"Watch it again: drydock task watch {TASK}" in errors.decode()
    assert not peer.calls("POST", "/")
