"""What each command sends, prints and exits with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tests.unit.client.peer import DIGEST, TASK, Peer, status_body, subtask, task

Run = Callable[..., Result]
REF = f"drydock://designs/{DIGEST}"
CREATE = ("task", "create", "-a", "deploy_nodes", "-d", REF)


@pytest.mark.parametrize("command", ["", "design", "design upload", "task", "task create", "task watch", "node list"])
def test_help_for_everything(run: Run, command: str) -> None:
    result = run(*command.split(), "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.stdout


def test_upload_prints_how_to_go_on(run: Run, tmp_path: Path, peer: Peer) -> None:
    site = tmp_path / "site.yaml"
    site.write_bytes(b"--- {}\n")
    result = run("design", "upload", str(site))
    assert result.exit_code == 0
    assert f"--design-ref {REF}" in result.stdout
    assert "Warning DD2: odd" in result.stderr
    assert peer.calls("POST", "/api/v1.0/designs")[0][3] == b"--- {}\n"


def test_upload_from_stdin_for_a_script(run: Run) -> None:
    assert run("design", "upload", "-q", "-", stdin=b"x").stdout == f"{REF}\n"
    assert json.loads(run("design", "upload", "-", "-o", "json", stdin=b"x").stdout)["digest"] == DIGEST


def test_an_invalid_design_is_refused_with_every_finding(run: Run, peer: Peer) -> None:
    documents = [{"schema": "drydock/Network/v1", "name": "oam"}]
    findings = [
        {"level": "Info", "name": "DD4001", "message": "nothing found", "documents": []},
        {"level": "Warning", "name": "DD2001", "message": "odd\x1b[31m", "documents": []},
        {"level": "Error", "name": "DD3003", "message": "duplicate hostname", "documents": documents},
    ]
    peer.refusals = [("400 Bad Request", status_body("the design is invalid", "design_invalid", messageList=findings))]
    result = run("design", "upload", "-", stdin=b"x")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: the design is invalid (400, design_invalid, request req-1)\n")
    assert "  Error DD3003: duplicate hostname [drydock/Network/v1 oam]\n" in result.stderr
    assert [line.split()[0] for line in result.stderr.splitlines()] == ["Error:", "Error", "Warning"]
    assert "Warning DD2001: odd" in result.stderr
    assert "\x1b" not in result.stderr
    assert "DD4001" not in result.stderr


def test_designs_and_nodes_are_listed(run: Run) -> None:
    listed = run("design", "list").stdout
    assert REF in listed
    assert "2026-01-02 03:04:05 " in listed
    assert json.loads(run("design", "list", "-o", "json").stdout)[0]["digest"] == DIGEST
    lines = run("node", "list").stdout.splitlines()
    assert [line.split()[0] for line in lines if line.startswith("n")] == ["n1", "n2"]
    assert len(json.loads(run("node", "list", "-o", "json").stdout)) == 2


def test_create_without_wait_says_how_to_follow(run: Run) -> None:
    result = run(*CREATE)
    assert result.exit_code == 0
    assert f"drydock task watch {TASK}" in result.stdout
    assert json.loads(run(*CREATE, "-o", "json").stdout)["status"] == "queued"


@pytest.mark.parametrize(
    ("options", "criteria"),
    [
        ((), None),
        (("-n", "n1", "-n", "n2"), {"node_names": ["n1", "n2"]}),
        (("--rack", "r1", "--node-tag", "a", "--node-tag", "b"), {"node_tags": ["a", "b"], "rack_names": ["r1"]}),
    ],
)
def test_which_nodes(run: Run, peer: Peer, options: tuple[str, ...], criteria: dict[str, list[str]] | None) -> None:
    assert run(*CREATE, *options).exit_code == 0
    sent = peer.calls("POST", "/api/v1.0/tasks")[0][3]["node_filter"]
    if criteria is None:
        assert sent is None
    else:
        expected = {"filter_type": "intersection", **criteria}
        assert sent == {"filter_set_type": "intersection", "filter_set": [expected]}


def test_list_leaves_subtasks_out_unless_asked(run: Run, peer: Peer) -> None:
    peer.frames = [(task(progress={"total": 1, "by_status": {"running": 1}}), [subtask("n1")])]
    assert "sub-n1" not in run("task", "list").stdout
    assert "1 running" in run("task", "list").stdout
    assert "sub-n1" in run("task", "list", "--subtasks").stdout
    assert "sub-n1" in run("task", "list", "--parent", TASK).stdout
    assert len(json.loads(run("task", "list", "--subtasks", "--limit", "1", "-o", "json").stdout)) == 1


def test_show_names_the_nodes_and_why(run: Run, peer: Peer) -> None:
    nodes = [
        subtask("n2", step="await_deployment", reason="installing [bold]now"),
        subtask("n1", status="complete", outcome="failure", errors=["BMC timed out"]),
    ]
    peer.frames = [(task(created_by="me", errors=["something"]), nodes)]
    result = run("task", "show", TASK)
    assert result.exit_code == 0
    for text in ("created_by", "me", "Error: something", "installing [bold]now", "BMC timed out"):
        assert text in result.stdout
    assert json.loads(run("task", "show", TASK, "-o", "json").stdout)["task_id"] == TASK


def test_retry_asks_for_the_failed_nodes_only(run: Run, peer: Peer) -> None:
    assert f"drydock task watch {TASK}" in run("task", "retry", TASK).stdout
    assert peer.asked[-1][3] == {"retry_of": TASK}
    peer.frames = [(task(status="complete", outcome="success"), [])]
    assert run("task", "retry", TASK, "--wait").exit_code == 0
    assert run("task", "retry", TASK, "--timeout", "5").exit_code == 2


def test_force_is_asked_for_by_name(run: Run, peer: Peer) -> None:
    run("task", "create", "-a", "deploy_nodes", "-d", "drydock://designs/x", "--force", "--all-nodes")
    assert peer.asked[-1][3]["force"] is True


def test_terminate(run: Run) -> None:
    assert run("task", "terminate", TASK).stdout == f"Task {TASK} is terminating.\n"
    assert json.loads(run("task", "terminate", TASK, "-o", "json").stdout)["status"] == "terminating"


def test_confirm(run: Run, peer: Peer) -> None:
    assert run("task", "confirm", TASK, "--note", "done").stdout == f"Confirmed for task {TASK}.\n"
    assert peer.asked[-1][3] == {"note": "done"}
    assert run("task", "confirm", TASK, "--step", "power_off", "-o", "json").exit_code == 0
    assert peer.asked[-1][3] == {"step": "power_off"}


def test_the_task_of_a_node_is_confirmed_at_its_present_step(run: Run, peer: Peer) -> None:
    peer.frames = [(task(node="n1", step="power_on"), [])]
    assert run("task", "confirm", TASK).exit_code == 0
    assert peer.asked[-1][3] == {"step": "power_on"}


def test_show_says_what_was_asked_of_a_person_and_who_did_it(run: Run, peer: Peer) -> None:
    asked = {"asked": "2026-01-02T03:04:05+00:00", "confirmed": None, "confirmed_by": None, "note": ""}
    done = {**asked, "confirmed": "2026-01-02T03:04:05+00:00", "confirmed_by": "alice", "note": "rack 3"}
    given = [{"step": "power_off", **done}, {"step": "power_on", **asked}]
    peer.frames = [(task(confirmations=given), [])]
    shown = " ".join(run("task", "show", TASK).stdout.split())
    assert "power_off: by alice at 2026-01-02" in shown
    assert "(rack 3); power_on: asked for at 2026-01-02" in shown


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("task", "create", "-a", "deploy_nodes"), "--design-ref"),
        ((*CREATE, "--timeout", "5"), "--timeout needs --wait"),
        (("design", "upload", "no-such-file.yaml"), "no-such-file.yaml"),
        (("task", "lst"), "lst"),
        (("node", "list", "-o", "xml"), "xml"),
    ],
)
def test_wrong_usage_exits_2(run: Run, arguments: tuple[str, ...], says: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert says in result.stderr


def test_errors_are_one_line_that_says_what_to_do(run: Run, peer: Peer) -> None:
    unknown = run("task", "show", "nonsense")
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert unknown.stderr == "Error: no such task (404, task_not_found, request req-1)\n"
    stranger = run("node", "list", OS_TOKEN="stranger")
    assert stranger.exit_code == 1
    assert "Source your openrc" in stranger.stderr
    nowhere = run("node", "list", DRYDOCK_URL=None, OS_TOKEN=None)
    assert nowhere.exit_code == 1
    assert "DRYDOCK_URL" in nowhere.stderr
    itself = [{"message": "you may not", "error": True}]
    peer.refusals = [("403 Forbidden", status_body("you may not", "forbidden", messageList=itself))]
    forbidden = run(*CREATE)
    assert "role admin" in forbidden.stderr
    for result in (unknown, stranger, nowhere, forbidden):
        assert len(result.stderr.splitlines()) == 1


def test_a_password_instead_of_a_token(run: Run, peer: Peer) -> None:
    peer.tokens = {"issued-1"}
    who = {"OS_TOKEN": None, "OS_AUTH_URL": f"{peer.url}/v3", "OS_USERNAME": "u", "OS_PASSWORD": "right"}
    assert run("node", "list", DRYDOCK_URL=None, OS_PROJECT_NAME="admin", **who).exit_code == 0
