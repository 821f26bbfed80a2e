"""Which nodes a task is for: mistakes are told before it is asked for, and a whole site is confirmed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from tests.unit.cli.terminal import answered
from tests.unit.client.peer import DIGEST, Peer, status_body

Run = Callable[..., Result]
REF = f"drydock://designs/{DIGEST}"
VERIFY = ("task", "create", "-a", "verify_nodes", "-d", REF)
DESTROY = ("task", "create", "-a", "destroy_nodes", "-d", REF)
FORCE = ("task", "create", "-a", "deploy_nodes", "-d", REF, "--force")


def asked_for(peer: Peer) -> list[dict[str, Any]]:
    return [call[3] for call in peer.calls("POST", "/api/v1.0/tasks")]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("-n", "doesnotexist"), "the design has no node doesnotexist. It has: n1, n2."),
        (("-n", "N1"), "no node N1 (did you mean n1?)"),
        (("-n", "n1,nope", "-n", "n3"), "no node nope, n3 (did you mean n"),
        (("--rack", "nope"), "no node with rack nope. It has: r1."),
        (("--tag", "c"), "no node with tag c. It has: a, b."),
        (("--label", "site=y"), "no node with label site=y (did you mean site=x?). It has: site=x."),
        (("-n", "n2", "--tag", "a"), "no node of the design matches; --allow-empty"),
        (("-n", "n1,nope", "--allow-empty"), "no node nope"),
        (("-n", ""), "is an empty name"),
        (("--rack", "r1,"), "is an empty name"),
        (("--label", "site"), "site is not KEY=VALUE"),
        (("--expect-nodes", "3"), "--expect-nodes is 3, but the selection is 2 nodes (n1, n2)"),
        (("-n", "n1", "--expect-nodes", "2"), "--expect-nodes is 2, but the selection is 1 node (n1)"),
    ],
)
def test_a_choice_that_cannot_be_meant_is_wrong_usage(
    run: Run, peer: Peer, options: tuple[str, ...], says: str
) -> None:
    result = run(*VERIFY, *options)
    assert (result.exit_code, asked_for(peer)) == (2, [])
    assert says in result.stderr


@pytest.mark.parametrize(
    ("options", "criteria"),
    [
        (("-n", "n1,n2"), {"node_names": ["n1", "n2"]}),
        (("-n", " n1 , n2", "-n", "n1"), {"node_names": ["n1", "n2"]}),
        (("--tag", "a,b", "--rack", "r1"), {"node_tags": ["a", "b"], "rack_names": ["r1"]}),
        (("--node-label", "site=x"), {"node_labels": {"site": "x"}}),
        (("-n", "nope", "--allow-empty"), {"node_names": ["nope"]}),
        (("--tag", "c", "--allow-empty"), {"node_tags": ["c"]}),
    ],
)
def test_lists_are_taken_apart(run: Run, peer: Peer, options: tuple[str, ...], criteria: dict[str, Any]) -> None:
    assert run(*VERIFY, *options).exit_code == 0
    (body,) = asked_for(peer)
    assert body["node_filter"]["filter_set"] == [{"filter_type": "intersection", **criteria}]


@pytest.mark.parametrize("options", [("-n", "n1"), ("--expect-nodes", "2")])
def test_what_is_for_the_site_takes_no_choice(run: Run, peer: Peer, options: tuple[str, ...]) -> None:
    result = run("task", "create", "-a", "verify_site", "-d", REF, *options)
    assert (result.exit_code, asked_for(peer)) == (2, [])


@pytest.mark.parametrize("command", [DESTROY, FORCE])
@pytest.mark.parametrize("options", [(), ("-n", "n1,n2"), ("--rack", "r1"), ("--tag", "b")])
def test_a_script_says_how_large_the_site_is(
    run: Run, peer: Peer, command: tuple[str, ...], options: tuple[str, ...]
) -> None:
    refused = run(*command, *options)
    assert (refused.exit_code, asked_for(peer)) == (2, [])
    assert "every node of the design: 2 nodes (n1, n2)" in refused.stderr
    assert "add --expect-nodes 2 (or --all-nodes)" in refused.stderr
    assert run(*command, *options, "--expect-nodes", "2").exit_code == 0
    assert run(*command, *options, "--all-nodes").exit_code == 0
    counted, every = asked_for(peer)
    assert (counted["expect_nodes"], "all_nodes" in counted) == (2, False)
    assert (every["all_nodes"], "expect_nodes" in every) == (True, False)


@pytest.mark.parametrize("command", [(*DESTROY, "-n", "n1"), (*FORCE, "--tag", "a"), VERIFY, FORCE[:-1]])
def test_nothing_is_asked_about_a_part_or_what_takes_nothing(run: Run, peer: Peer, command: tuple[str, ...]) -> None:
    assert run(*command).exit_code == 0
    assert not {"expect_nodes", "all_nodes"} & asked_for(peer)[0].keys()


def test_who_may_not_read_designs_may_ask_for_work_all_the_same(run: Run, peer: Peer) -> None:
    peer.refusals = [("403 Forbidden", status_body("you may not", "forbidden"))]
    result = run(*DESTROY, "-n", "n1", "--expect-nodes", "1")
    assert (result.exit_code, "not checked here" in result.stderr) == (0, True)
    assert [body["expect_nodes"] for body in asked_for(peer)] == [1]


@pytest.mark.parametrize(("answer", "code", "expected"), [("y", 0, [2]), ("n", 1, []), ("", 1, [])])
def test_on_a_terminal_the_names_are_shown_and_a_question_asked(
    peer: Peer, answer: str, code: int, expected: list[int]
) -> None:
    shown, exit_code = answered(peer, *DESTROY, prompt="[y/N]", answer=answer)
    assert "destroy_nodes is for every node of the design: 2 nodes (n1, n2)" in shown
    assert (exit_code, [body["expect_nodes"] for body in asked_for(peer)]) == (code, expected)


def test_racks_that_are_not_known_are_not_said_to_be_none(peer: Peer) -> None:
    destroy = ("task", "create", "-a", "destroy_nodes", "-d", "https://example.org/site.yaml")
    shown, _ = answered(peer, *destroy, prompt="[y/N]", answer="n")
    assert "  racks not known: 1 in state Deployed, 1 in state unknown" in shown
    assert "without a rack" not in shown
