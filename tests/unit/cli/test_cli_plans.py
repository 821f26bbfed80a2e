"""``drydock plan``: a page that an operator can decide on."""

from __future__ import annotations

import pytest

from drydock.cli.plan_text import print_plan

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


def test_what_a_node_reported_drives_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_plan({**PLAN, "site": []}, [node("n01", "blocked", {**HELD, "text": "\x1b[2Jgone"})])
    assert "\x1b[2J" not in capsys.readouterr().out
