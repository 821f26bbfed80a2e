"""Following a task: what is seen, and what happens when the API goes away meanwhile."""

from __future__ import annotations

from itertools import islice

import pytest

from drydock.client import Credentials, DrydockClient, errors, follow
from drydock.client.watching import explanation
from tests.unit.client.peer import TASK, Peer, serving, status_body, subtask, task

DONE = {"status": "complete", "outcome": "success"}


@pytest.fixture
def client(peer: Peer) -> DrydockClient:
    return DrydockClient(Credentials({}, peer.url, "admin").session(), retries=0)


def test_a_task_is_followed_to_its_end(client: DrydockClient, peer: Peer) -> None:
    since = "2026-01-02T03:04:05+00:00"
    peer.frames = [
        (task(status="queued"), []),
        (task(), [subtask("n1", step="await_deployment", step_since=since, attempt=2, reason="installing")]),
        (task(**DONE), [subtask("n1", **DONE)]),
    ]
    seen = list(follow(client, TASK, interval=0, rest=0))
    assert [snapshot.task["status"] for snapshot in seen] == ["queued", "running", "complete"]
    (node,) = seen[1].nodes
    assert (node.name, node.step, node.attempt, node.reason) == ("n1", "await_deployment", 2, "installing")
    assert node.since is not None
    assert node.since.isoformat() == since
    assert (seen[-1].outcome, seen[-1].nodes[0].outcome) == ("success", "success")


def test_the_end_shows_the_nodes_as_they_ended_however_long_it_rests(client: DrydockClient, peer: Peer) -> None:
    peer.frames = [(task(), [subtask("n1")]), (task(**DONE), [subtask("n1", **DONE)])]
    assert all(node.finished for node in list(follow(client, TASK, interval=0, rest=1e6))[-1].nodes)


def test_brief_failures_of_the_api_are_waited_for(client: DrydockClient, peer: Peer) -> None:
    peer.frames = [(task(), []), (task(**DONE), [])]
    following = follow(client, TASK, interval=0)
    first = next(following)
    peer.refusals = [
        ("500 Internal Server Error", status_body("oops", "internal")),
        ("502 Bad Gateway", "<p>proxy</p>"),
    ]
    rest = list(following)
    assert not first.outage
    assert "oops" in rest[0].outage
    assert rest[0].task["task_id"] == TASK
    assert rest[-1].finished
    assert not rest[-1].outage


def test_a_restart_of_the_api_is_waited_for() -> None:
    peer = Peer(frames=[(task(), []), (task(**DONE), [])])
    with serving(peer):
        following = follow(
            DrydockClient(Credentials({}, peer.url, "admin").session(), retries=0),
            TASK,
            interval=0,
            pause=lambda _: None,
        )
        next(following)
    assert "Connection refused" in next(following).outage
    with serving(peer):
        assert list(following)[-1].finished


def test_patience_ends(client: DrydockClient, peer: Peer) -> None:
    following = follow(client, TASK, interval=0, patience=0)
    next(following)
    peer.refusals = [("500 Internal Server Error", status_body("oops", "internal"))] * 2
    with pytest.raises(errors.ServerError, match="oops"):
        list(islice(following, 3))


def test_a_wrong_address_is_an_error_at_once() -> None:
    nobody = DrydockClient(Credentials({}, "http://127.0.0.1:9", "admin").session(), retries=0)
    with pytest.raises(errors.ConnectionFailed):
        next(follow(nobody, TASK))


def test_other_errors_are_not_waited_for(client: DrydockClient, peer: Peer) -> None:
    following = follow(client, TASK, interval=0)
    next(following)
    peer.tokens.clear()
    with pytest.raises(errors.Unauthorized):
        next(following)


def test_a_timeout_ends_the_watching(client: DrydockClient, peer: Peer) -> None:
    with pytest.raises(errors.WatchTimedOut, match="it continues"):
        list(follow(client, TASK, interval=0, timeout=0))


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (task(reason="waits for the installer"), "waits for the installer"),
        (
            task(status="complete", outcome="failure", message="failed", errors=["first", "disk is gone"]),
            "disk is gone",
        ),
        (task(status="complete", outcome="failure", message="3 of 4 failed"), "3 of 4 failed"),
        (task(status="complete"), ""),
    ],
)
def test_why_a_task_is_where_it_is(entry: dict[str, object], says: str) -> None:
    assert explanation(entry) == says
