"""One cause of many nodes is told once, with their names."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result

from drydock.cli.causes import causes
from drydock.client.watching import node_progress
from tests.unit.client.peer import TASK, Peer, subtask, task

Run = Callable[..., Result]
NAMES = [f"n{number:02}" for number in range(1, 13)]
DISK = "boot actions failed: first-boot (the disk is full)"


def failed(name: str, why: str, **more: str) -> dict[str, object]:
    return subtask(name, status="complete", outcome="failure", step="await_boot_actions", errors=[why], **more)


def of_nodes(*texts: str) -> dict[str, tuple[str, ...]]:
    nodes = [node_progress(failed(name, text)) for name, text in zip(NAMES, texts, strict=False)]
    return {cause.text: cause.nodes for cause in causes(nodes)}


def test_equal_texts_are_one_cause_the_most_frequent_first() -> None:
    assert of_nodes("a", "b", "b") == {"b": ("n02", "n03"), "a": ("n01",)}


def test_texts_that_differ_by_the_name_or_an_id_only_are_one_cause() -> None:
    assert of_nodes("no contact from n01 yet", "no contact from n02 yet") == {
        "no contact from NODE yet": ("n01", "n02")
    }
    assert of_nodes("no contact from n01 yet") == {"no contact from n01 yet": ("n01",)}
    assert list(of_nodes("n010 and n01-a", "n010 and n01-a")) == ["n010 and n01-a"]
    ids = [f"by task 0000000{number}-0000-4000-8000-000000000000" for number in range(2)]
    assert list(of_nodes(*ids)) == ["by task ID"]


def test_what_broke_last_is_told_with_what_was_waited_for() -> None:
    waited = failed("n01", "gave up after 45 min", last_error="apply_storage: connection refused")
    assert node_progress(waited).reason == "gave up after 45 min; last error: apply_storage: connection refused"
    assert node_progress(failed("n01", "apply: refused", last_error="refused")).reason == "apply: refused"
    fine = subtask("n01", status="complete", outcome="success", message="done", last_error="refused once")
    assert node_progress(fine).reason == "done"


@pytest.mark.parametrize("command", [("show", TASK), ("watch", TASK, "--interval", "0.1")])
def test_twelve_nodes_with_one_fault_take_one_sentence(run: Run, peer: Peer, command: tuple[str, ...]) -> None:
    about_nodes = [
        {"message": f"{name}: {DISK}", "error": True, "context_type": "node", "context": name, "ts": None}
        for name in NAMES
    ]
    parent = task(status="complete", outcome="failure")
    parent["result"]["reason"] = f"failed: {', '.join(NAMES)}"
    parent["result"]["details"]["messageList"] = about_nodes
    peer.frames = [(parent, [failed(name, DISK) for name in NAMES])]
    text = run("task", *command).stdout
    summary = text.partition(f"Task {TASK}")[2] if command[0] == "watch" else text
    assert summary.count(DISK) == 1
    assert f"12 nodes failed at await_boot_actions ({', '.join(NAMES)}): {DISK}" in summary
    assert text.count(DISK) <= 2


def test_a_cause_that_was_told_is_not_told_again_line_by_line(run: Run, peer: Peer) -> None:
    peer.frames = [
        (task(), [failed("n01", DISK), failed("n02", DISK), subtask("n03")]),
        (task(status="complete", outcome="failure"), [failed(name, DISK) for name in NAMES[:3]]),
    ]
    lines = [line.split("  ")[1:] for line in run("task", "watch", TASK, "--interval", "0.1").stdout.splitlines()]
    assert ["n01, n02", "failure", "at await_boot_actions", DISK] in lines
    assert ["n03", "failure", "at await_boot_actions", "as n01"] in lines
