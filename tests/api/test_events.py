"""GET /tasks/{id}/events: told in order, once, and gone on with where a client stopped, whoever commits when."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import requests
from falcon.testing import create_environ
from sqlalchemy import create_engine

from dev import processes
from dev.ports import free_port
from drydock.db.engine import driver_url
from drydock.db.unit_of_work import UnitOfWork
from drydock.model.message import NewMessage
from tests.api.conftest import V1, AppFactory, Client
from tests.api.seeds import Seeds
from tests.api.test_serve import API, environment
from tests.eventually import eventually

Event = dict[str, Any]


def parsed(text: str) -> list[Event]:
    """The events of a stream, comments left out."""
    events = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if line and not line.startswith(":"))
        if "event" in fields:
            events.append({**fields, "data": json.loads(fields["data"])})
    return events


def ended(client: Client, task_id: UUID, **headers: str) -> list[Event]:
    """The whole stream of a task that has ended."""
    result = client.get(f"/tasks/{task_id}/events", headers=headers)
    assert (result.status_code, result.headers["Content-Type"]) == (200, "text/event-stream"), result.text
    return parsed(result.text)


class Stream:
    """A stream as a server reads it, piece by piece."""

    def __init__(self, app: Any, task_id: UUID, **headers: str) -> None:
        environ = create_environ(
            f"{V1}/tasks/{task_id}/events", headers={"X-Auth-Token": "admin", **headers}, remote_addr="127.0.0.1"
        )
        self.status = ""
        self._pieces = app(environ, self._start)
        self._iterator: Iterator[bytes] = iter(self._pieces)
        self.seen: list[Event] = []

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        self.status = status

    def until(self, wanted: str) -> list[Event]:
        """Read until an event's data has this text."""
        for piece in self._iterator:
            self.seen += parsed(piece.decode())
            if wanted in piece.decode():
                return self.seen
        raise AssertionError(f"the stream ended without {wanted!r}: {self.seen}")

    def rest(self) -> list[Event]:
        for piece in self._iterator:
            self.seen += parsed(piece.decode())
        return self.seen

    def close(self) -> None:
        self._pieces.close()


def test_a_closed_tree_is_told_whole_and_ends(admin: Client, reader: Client, seeds: Seeds) -> None:
    parent, children = seeds.tree("n01", "n02")
    seeds.message(children[0].id, "the disk is gone", error=True)
    admin.post(f"/tasks/{parent.id}/terminate")
    events = ended(reader, parent.id)
    assert {event["data"]["task_id"] for event in events} == {str(task.id) for task in (parent, *children)}
    told = [event["data"]["message"] for event in events if event["event"] == "message"]
    assert told[0] == "the disk is gone"
    assert told.count("termination requested by admin") == 3
    states = {event["data"]["node"]: event["data"]["status"] for event in events if event["event"] == "task"}
    assert states == {None: "terminated", "n01": "terminated", "n02": "terminated"}
    expected = {"task_id": str(parent.id), "status": "terminated", "result_status": "failure"}
    assert (events[-1]["event"], events[-1]["data"]) == ("end", expected)
    assert [event["data"]["node"] for event in ended(reader, children[1].id) if event["event"] == "task"] == ["n02"]


def test_a_client_goes_on_after_any_event(admin: Client, reader: Client, seeds: Seeds) -> None:
    parent, children = seeds.tree("n01", "n02")
    for number in range(5):
        seeds.message(children[number % 2].id, f"line {number}", error=False)
    admin.post(f"/tasks/{parent.id}/terminate")
    whole = ended(reader, parent.id)
    ids = [event["id"] for event in whole if "id" in event]
    assert len(set(ids)) == len(ids) == len(whole) - 1
    for position, last in enumerate(ids):
        rest = ended(reader, parent.id, **{"Last-Event-ID": last})
        assert rest == whole[position + 1 :]


@pytest.mark.parametrize("last", ["x", "1-2", "1-2-3", "-1-0-0", "9" * 20 + "-0-1", "1-0-99999999999999999999"])
def test_an_id_that_is_none_is_refused(reader: Client, seeds: Seeds, last: str) -> None:
    result = reader.get(f"/tasks/{seeds.task().id}/events", headers={"Last-Event-ID": last})
    assert (result.status_code, result.json["message"]) == (400, "Last-Event-ID: is no id of an event")


def test_an_unknown_task_is_404(reader: Client) -> None:
    assert reader.get(f"/tasks/{uuid4()}/events").status_code == 404


def test_what_is_committed_late_is_told_late_but_told(noauth_app: Any, api_database: str, seeds: Seeds) -> None:
    """The transaction that began first commits last: a reader that went by numbers alone would miss it."""
    parent, (child,) = seeds.tree("n01")
    engine = create_engine(driver_url(api_database))
    stream = Stream(noauth_app, parent.id)
    stream.until(str(child.id))
    with engine.connect() as first, engine.connect() as second:
        UnitOfWork(first).messages.add([NewMessage(child.id, "began first")])
        UnitOfWork(second).messages.add([NewMessage(child.id, "began second")])
        UnitOfWork(second).task_signals.touch(parent.id)
        second.commit()

        def touch() -> None:
            UnitOfWork(first).task_signals.touch(child.id)
            first.commit()

        later = threading.Timer(0.6, touch)
        later.start()
        events = stream.until("began second")
        later.join()
    told = [event["data"]["message"] for event in events if event["event"] == "message"]
    assert told == ["began first", "began second"]
    stream.close()
    engine.dispose()


def test_many_writers_at_once_lose_and_repeat_nothing(noauth_app: Any, admin: Client, seeds: Seeds) -> None:
    parent, children = seeds.tree(*(f"n{number}" for number in range(4)))
    stream = Stream(noauth_app, parent.id)
    stream.until(str(children[-1].id))

    def write(task_id: UUID) -> None:
        for number in range(25):
            with seeds.database.unit_of_work() as uow:
                uow.messages.add([NewMessage(task_id, f"{task_id} {number}")])
                uow.task_signals.touch(task_id)
                uow.commit()

    writers = [threading.Thread(target=write, args=(child.id,)) for child in children]
    for writer in writers:
        writer.start()
    events = list(stream.until(f"{children[0].id} 3"))
    stream.close()
    last = [event["id"] for event in events if "id" in event][-1]
    for writer in writers:
        writer.join()
    admin.post(f"/tasks/{parent.id}/terminate")
    events += Stream(noauth_app, parent.id, **{"Last-Event-ID": last}).rest()
    ids = [event["id"] for event in events if "id" in event]
    assert len(set(ids)) == len(ids)
    told = [event["data"]["message"] for event in events if event["event"] == "message"]
    written = {f"{child.id} {number}" for child in children for number in range(25)}
    assert written <= set(told)
    assert len([line for line in told if line in written]) == 100
    for child in children:
        mine = [line for line in told if line.startswith(str(child.id))]
        assert mine == [f"{child.id} {number}" for number in range(25)]


def test_seats_are_bounded_and_given_back(make_app: AppFactory, seeds: Seeds) -> None:
    app = make_app({"api": {"auth_strategy": "noauth", "max_waiting": "2"}})
    task = seeds.task()
    first = Stream(app, task.id)
    assert first.status.startswith("200")
    refused = Stream(app, task.id)
    assert refused.status.startswith("503")
    first.close()
    first.close()
    again = Stream(app, task.id)
    assert again.status.startswith("200")
    again.close()


def test_a_stream_holds_no_transaction_while_it_waits(make_app: AppFactory, api_database: str, seeds: Seeds) -> None:
    app = make_app({"api": {"auth_strategy": "noauth", "max_waiting": "8"}, "database": {"pool_size": "1"}})
    streams = [Stream(app, seeds.task().id) for _ in range(4)]
    for stream in streams:
        stream.until("queued")
    engine = create_engine(driver_url(api_database))
    with engine.connect() as connection:
        busy = connection.exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%%'"
        ).scalar_one()
    assert busy == 0
    for stream in streams:
        stream.close()
    engine.dispose()


def test_a_client_that_goes_away_gives_its_seat_back(api_database: str, seeds: Seeds, tmp_path: Path) -> None:
    """Under the real server: it notices when it next has something to say."""
    task, port = seeds.task(), free_port()
    settings = environment(api_database, port, tmp_path, OS_API__MAX_WAITING="2", OS_API__WORKERS="1")
    child = processes.start("api", API, log=tmp_path / "api.log", environment=settings, directory=tmp_path)
    url = f"http://127.0.0.1:{port}{V1}/tasks/{task.id}/events"

    def opened() -> requests.Response:
        return requests.get(url, headers={"X-Auth-Token": "admin"}, stream=True, timeout=10)

    try:
        child.wait_ready(processes.http_ready(f"http://127.0.0.1:{port}/versions"))
        with opened() as first:
            assert first.status_code == 200
            assert next(first.iter_lines()) == b"retry: 2000"
            with opened() as refused:
                assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
        again = eventually(opened, lambda response: response.status_code == 200, seconds=60)
        again.close()
    finally:
        child.kill()
