"""Tasks and designs by the beginning of their ids, and by ``latest``."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import Result

from tests.unit.client.peer import DIGEST, TASK, Peer, task

Run = Callable[..., Result]
OLD = "b4f6ecb8-0000-4000-8000-000000000001"
OTHER = "b4f6aaaa-0000-4000-8000-000000000002"
SUBTASK = "cccc0000-0000-4000-8000-000000000003"


@pytest.fixture
def tasks(peer: Peer) -> Peer:
    peer.frames = [(task(created="2026-01-01T00:00:09+00:00", status="complete", outcome="success"), [])]
    peer.others = [
        task(OLD, action="verify_nodes", created="2026-01-01T00:00:01+00:00"),
        task(OTHER, action="prepare_nodes", created="2026-01-01T00:00:02+00:00"),
        task(SUBTASK, action="prepare_node", node="n1", parent_task_id=OTHER, created="2026-01-01T00:00:30+00:00"),
    ]
    return peer


COMMANDS = (("show",), ("watch", "--timeout", "0"), ("terminate",), ("retry",))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("text", "meant"), [("b4f6ec", OLD), ("B4F6A", OTHER), ("cccc", SUBTASK), (OLD, OLD), ("latest", TASK)]
)
def test_every_command_takes_the_beginning_of_an_id(
    run: Run, tasks: Peer, command: tuple[str, ...], text: str, meant: str
) -> None:
    run("task", command[0], text, *command[1:])
    method, path, _, body = next(call for call in tasks.asked if "?" not in call[1])
    assert body == {"retry_of": meant} if command[0] == "retry" else path.startswith(f"/api/v1.0/tasks/{meant}")
    assert method == ("POST" if command[0] in {"retry", "terminate"} else "GET")


def test_subtasks_of_a_task_by_the_beginning_of_its_id(run: Run, tasks: Peer) -> None:
    listed = json.loads(run("task", "list", "--parent", "b4f6aa", "-o", "json").stdout)
    assert [entry["task_id"] for entry in listed] == [SUBTASK]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_an_ambiguous_beginning_says_which_and_does_nothing(run: Run, tasks: Peer, command: tuple[str, ...]) -> None:
    result = run("task", command[0], "b4f6", *command[1:])
    assert result.exit_code == 2
    assert f"{OLD}  verify_nodes" in result.stderr
    assert f"{OTHER}  prepare_nodes" in result.stderr
    assert not tasks.calls("POST", "/api")


@pytest.mark.parametrize(("text", "code", "says"), [("dddd", 1, "begins with dddd"), ("b4f", 2, "at least 4")])
def test_a_beginning_that_will_not_do_says_why(run: Run, tasks: Peer, text: str, code: int, says: str) -> None:
    result = run("task", "show", text)
    assert (result.exit_code, says in result.stderr) == (code, True)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("aaaa1", "aaaa1" + "0" * 59),
        ("drydock://designs/dddd", DIGEST),
        ("latest", "aaaa2" + "0" * 59),
        ("D" * 64, DIGEST),
    ],
)
def test_designs_likewise(run: Run, peer: Peer, text: str, meant: str) -> None:
    peer.designs = [DIGEST, "aaaa1" + "0" * 59, "aaaa2" + "0" * 59]
    assert run("task", "create", "-a", "deploy_nodes", "-d", text).exit_code == 0
    assert peer.calls("POST", "/api/v1.0/tasks")[0][3]["design_ref"] == f"drydock://designs/{meant}"


def test_a_design_that_cannot_be_meant_says_why(run: Run, peer: Peer) -> None:
    peer.designs = ["aaaa1" + "0" * 59, "aaaa2" + "0" * 59]
    create = ("task", "create", "-a", "deploy_nodes", "-d")
    ambiguous = run(*create, "aaaa")
    assert (ambiguous.exit_code, "aaaa1" in ambiguous.stderr, "aaaa2" in ambiguous.stderr) == (2, True, True)
    assert run(*create, "bbbb").exit_code == 1
    file = run(*create, __file__)
    assert (file.exit_code, f"drydock design upload {__file__}" in file.stderr) == (2, True)
    peer.designs = []
    assert "no design is stored" in run(*create, "latest").stderr
    assert not peer.calls("POST", "/api/v1.0/tasks")
