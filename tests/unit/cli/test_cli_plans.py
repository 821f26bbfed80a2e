"""``drydock plan``: a page that an operator can decide on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from drydock.cli.plan_text import print_plan
from tests.unit.cli.terminal import answered
from tests.unit.client import peer as served
from tests.unit.client.peer import Peer

Run = Callable[..., Result]

CHANGE: dict[str, object] = {
    "kind": "change",
    "text": "changed",
    "path": "platform.image",
    "old": "jammy",
    "new": "noble",
}
HELD: dict[str, object] = {
    "kind": "hold",
    "text": "held by ops: RAM is replaced",
    "path": None,
    "old": None,
    "new": None,
}
PLAN = {
    "plan_id": "ab" * 32,
    "site": [{"path": "networks.oam.mtu", "old": 1500, "new": 9000}],
    "estimate": {"p50": 600.0, "p90": 3700.0, "samples": 40},
    "counts": {"keep": 9, "deploy": 0, "redeploy": 12, "destroy": 0, "blocked": 1},
}


def interrupts(number: int) -> dict[str, object]:
    return {"kind": "interrupts", "text": f"deployed since May {number}", "path": None, "old": None, "new": None}


def node(name: str, decision: str, *reasons: dict[str, object]) -> dict[str, object]:
    return {"position": 0, "node": name, "rack": "r1", "decision": decision, "reasons": list(reasons)}


def test_equal_changes_are_one_group_and_counts_come_last(capsys: pytest.CaptureFixture[str]) -> None:
    nodes = [node("n99", "blocked", HELD, CHANGE)]
    nodes += [node(f"n{number:02}", "redeploy", CHANGE, interrupts(number)) for number in range(12)]
    print_plan(PLAN, nodes)
    assert capsys.readouterr().out.splitlines() == [
        "site  networks.oam.mtu: 1500 -> 9000",
        "blocked  1 node: n99",
        "    hold: held by ops: RAM is replaced",
        "    platform.image: jammy -> noble",
        "redeploy  12 nodes: n00, n01, n02, n03, n04, n05, n06, n07, n08, n09 and 2 more",
        "    platform.image: jammy -> noble",
        "    interrupts deployed since May 0, and 11 more",
        "",
        f"Plan {'ab' * 32}",
        "Nodes: 9 keep, 12 redeploy, 1 blocked. It takes 10m00s in half of all cases, 1h01m in nine of ten (from 40 "
        "nodes before).",
    ]


def test_nothing_to_do_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    print_plan(
        {**PLAN, "site": [], "estimate": None, "counts": {"keep": 2}}, [node("n01", "keep"), node("n02", "keep")]
    )
    assert capsys.readouterr().out.splitlines()[-1] == "Nodes: 2 keep. No changes."


def test_what_changes_of_the_site_alone_is_a_change(capsys: pytest.CaptureFixture[str]) -> None:
    print_plan({**PLAN, "estimate": None, "counts": {"keep": 1}}, [node("n01", "keep")])
    shown = capsys.readouterr().out.splitlines()
    assert (shown[0], shown[-1]) == (
        "site  networks.oam.mtu: 1500 -> 9000",
        "Nodes: 1 keep. Only the site changes.",
    )


def test_what_a_node_reported_drives_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_plan({**PLAN, "site": []}, [node("n01", "blocked", {**HELD, "text": "\x1b[2Jgone"})])
    assert "\x1b[2J" not in capsys.readouterr().out


def test_waves_and_the_task_that_applied_it_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    print_plan({**PLAN, "site": [], "waves": [1, 4, 12], "applied_by": "7e"}, [])
    shown = capsys.readouterr().out.splitlines()
    assert shown[-2:] == ["Waves by default: 1, 3, 8 nodes.", "Applied by task 7e."]


def applied(peer: Peer) -> list[dict[str, Any]]:
    return [call[3] for call in peer.calls("POST", "/api/v1.0/tasks")]


@pytest.mark.parametrize("plan_id", ["latest", "4f4f", served.PLAN["plan_id"]])
def test_a_script_applies_a_plan_by_its_name(run: Run, peer: Peer, plan_id: str) -> None:
    options = ("--waves", "1,25%,100%", "--max-failed", "2", "--expect-nodes", "2")
    result = run("plan", "apply", plan_id, *options)
    assert result.exit_code == 0, result.stderr
    assert f"Applying plan {served.PLAN['plan_id']}.\n" in result.stdout
    assert applied(peer) == [
        {
            "action": "apply_plan",
            "plan": served.PLAN["plan_id"],
            "expect_nodes": 2,
            "rollout": {"waves": [1, "25%", "100%"], "max_failed": 2},
        }
    ]


@pytest.mark.parametrize("plan_id", ["", "4", "4f4", "latest ", "4f4g", "4f" * 33])
@pytest.mark.parametrize("command", ["apply", "show"])
def test_what_names_no_plan_is_wrong_usage(run: Run, peer: Peer, command: str, plan_id: str) -> None:
    """Such as a variable of a script that is not set."""
    result = run("plan", command, plan_id)
    assert (result.exit_code, applied(peer)) == (2, []), result.stdout
    assert "at least 4 hexadecimal digits" in result.stderr


def test_a_beginning_that_no_plan_has(run: Run, peer: Peer) -> None:
    result = run("plan", "apply", "beef")
    assert (result.exit_code, applied(peer)) == (1, [])
    assert "no plan's id begins with beef" in result.stderr


def test_data_stays_data(run: Run, peer: Peer) -> None:
    result = run("plan", "apply", "4F4F", "--expect-nodes", "2", "-o", "json")
    assert json.loads(result.stdout)["action"], result.stdout
    assert f"Applying plan {served.PLAN['plan_id']}." in result.stderr


@pytest.mark.parametrize(("answer", "code", "expected"), [("y", 0, [2]), ("n", 1, []), ("", 1, [])])
def test_on_a_terminal_what_is_lost_is_shown_by_rack_and_confirmed(
    peer: Peer, answer: str, code: int, expected: list[int]
) -> None:
    shown, exit_code = answered(peer, "plan", "apply", "latest", prompt="[y/N]", answer=answer)
    assert f"Plan {served.PLAN['plan_id']} redeploys or destroys 1 node (n1)." in shown.replace("\n", "")
    assert "  r1: 1 in state Deployed" in shown
    assert (exit_code, [body["expect_nodes"] for body in applied(peer)]) == (code, expected)
