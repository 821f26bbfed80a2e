"""Reports: one final status however many race for it, and repeats that do no harm."""

from __future__ import annotations

import http.client
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from dev import processes
from dev.ports import LOOPBACK, free_port
from drydock.db.database import Database
from drydock.db.engine import connect
from drydock.db.tables import report_keys
from drydock.db.thread_connections import Transaction
from drydock.db.unit_of_work import UnitOfWork
from drydock.errors import BootActionFinal, DatabaseUnavailable
from drydock.model.boot_action import BootAction, EarlierReport, Report, ReportDetail, ReportStatus, StoredReport
from drydock.model.machine_limits import MAX_REMEMBERED
from drydock.orchestrator.services.boot_actions import BootService
from tests.api.conftest import Client
from tests.api.seeds import BootedNode, Seeds
from tests.api.test_serve import GUNICORN, environment

RACERS = 300


@pytest.fixture
def port(api_database: str, tmp_path: Path) -> Iterator[int]:
    """Of a real server with two processes."""
    port = free_port()
    child = processes.start(
        "api", GUNICORN, log=tmp_path / "api.log", environment=environment(api_database, port, tmp_path)
    )
    try:
        child.wait_ready(processes.http_ready(f"http://{LOOPBACK}:{port}/versions"))
        yield port
    finally:
        child.stop()


def stored(seeds: Seeds, node: BootedNode) -> BootAction:
    with seeds.database.unit_of_work() as uow:
        return uow.boot_actions.get(node.actions["greet"])


def lines(seeds: Seeds, node: BootedNode) -> list[str]:
    with seeds.database.unit_of_work() as uow:
        messages = uow.tasks.get(node.task_id).result.messages
    return [message.message for message in messages if message.context_type == "bootaction"]


def test_hundreds_race_and_one_wins(port: int, seeds: Seeds, node: BootedNode) -> None:
    start = threading.Barrier(RACERS)
    answers: dict[int, tuple[int, str]] = {}

    def race(number: int) -> None:
        status = "success" if number % 2 else "failure"
        body = json.dumps({"status": status, "details": [{"message": f"racer {number}", "error": False}]})
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=60)
        connection.connect()
        start.wait()
        headers = {**node.header, "Content-Type": "application/json"}
        connection.request("POST", f"/api/v1.0/bootaction/{node.actions['greet']}", body, headers)
        reply = connection.getresponse()
        reply.read()
        answers[number] = (reply.status, status)
        connection.close()

    racers = [threading.Thread(target=race, args=(number,)) for number in range(RACERS)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()

    assert Counter(code for code, _ in answers.values()) == {200: 1, 409: RACERS - 1}
    ((winner, status),) = [(number, status) for number, (code, status) in answers.items() if code == 200]
    action = stored(seeds, node)
    assert (action.status, action.finalized is not None) == (ReportStatus(status), True)
    assert lines(seeds, node) == [f"racer {winner}"]


def test_a_final_report_makes_its_task_due_and_progress_does_not(
    nobody: Client, seeds: Seeds, node: BootedNode
) -> None:
    def due() -> bool:
        with seeds.database.unit_of_work() as uow, seeds.database.listen_for_work() as work:
            nobody.post(path, body, headers=node.header)
            return work.wait(0.5) and uow.tasks.get(node.task_id) is not None

    path = f"/bootaction/{node.actions['greet']}"
    body: dict[str, object] = {"details": [{"message": "half way", "error": False}]}
    assert not due()
    body = {"status": "success"}
    assert due()


KEY = {"Idempotency-Key": "boot-1"}
FINAL = {"status": "Success", "details": [{"message": "done", "error": False, "n": {"a": 1, "b": 2}}]}


def test_a_repeated_report_is_answered_as_the_first(nobody: Client, seeds: Seeds, node: BootedNode) -> None:
    path = f"/bootaction/{node.actions['greet']}"
    progress = {"details": [{"message": "half way", "error": False}]}
    first = nobody.post(path, progress, headers={**node.header, "Idempotency-Key": "boot-0"})
    final = nobody.post(path, FINAL, headers={**node.header, **KEY})
    assert (first.json["action_status"], final.json["action_status"]) == ("incomplete", "success")
    same = {"details": [{"n": {"b": 2, "a": 1}, "error": False, "message": "done"}], "status": "SUCCESS"}
    again = nobody.post(path, same, headers={**node.header, **KEY})
    assert (again.status_code, again.json) == (200, final.json)
    # What was reported before the end is answered as it was then.
    earlier = nobody.post(path, progress, headers={**node.header, "Idempotency-Key": "boot-0"})
    assert (earlier.status_code, earlier.json) == (200, first.json)
    assert lines(seeds, node) == ["half way", "done"]


def test_a_key_is_for_one_report_on_one_action(nobody: Client, seeds: Seeds, node: BootedNode) -> None:
    path = f"/bootaction/{node.actions['greet']}"
    assert nobody.post(path, FINAL, headers={**node.header, **KEY}).status_code == 200
    for other in ({"status": "failure"}, {**FINAL, "details": []}, {"status": "success"}):
        refused = nobody.post(path, other, headers={**node.header, **KEY})
        assert (refused.status_code, refused.json["reason"]) == (409, "idempotency_conflict")
    late = nobody.post(path, FINAL, headers={**node.header, "Idempotency-Key": "boot-2"})
    assert (late.status_code, late.json["reason"]) == (409, "boot_action_final")
    neighbour = seeds.booted_node("n02")
    of_neighbour = f"/bootaction/{neighbour.actions['greet']}"
    assert nobody.post(of_neighbour, FINAL, headers={**neighbour.header, **KEY}).status_code == 200


def test_a_key_lets_nobody_in(nobody: Client, seeds: Seeds, node: BootedNode) -> None:
    path = f"/bootaction/{node.actions['greet']}"
    assert nobody.post(path, FINAL, headers={**node.header, **KEY}).status_code == 200
    stranger = seeds.booted_node("n02")
    assert nobody.post(path, FINAL, headers={**stranger.header, **KEY}).status_code == 403
    seeds.booted_node("n01")
    assert nobody.post(path, FINAL, headers={**node.header, **KEY}).status_code == 403


def test_keys_of_progress_are_bounded_and_the_final_one_is_always_remembered(
    nobody: Client, api_database: str, seeds: Seeds, node: BootedNode
) -> None:
    path = f"/bootaction/{node.actions['greet']}"
    with seeds.database.unit_of_work() as uow:
        for number in range(MAX_REMEMBERED - 2):
            uow.reports.remember(node.actions["greet"], f"earlier-{number}", EarlierReport(b"", None))
        uow.commit()
    for number in range(5):
        told = nobody.post(path, {}, headers={**node.header, "Idempotency-Key": f"k{number}"})
        assert (told.status_code, told.json["action_status"]) == (200, "incomplete")
    assert remembered(api_database) == MAX_REMEMBERED
    for _ in range(2):
        final = nobody.post(path, FINAL, headers={**node.header, **KEY})
        assert (final.status_code, final.json["action_status"]) == (200, "success")
    assert remembered(api_database) == MAX_REMEMBERED + 1
    # One that is not remembered is a report like any other: too late by now.
    assert nobody.post(path, {}, headers={**node.header, "Idempotency-Key": "k4"}).status_code == 409
    assert nobody.post(path, {}, headers={**node.header, "Idempotency-Key": "k0"}).status_code == 200
    assert lines(seeds, node) == ["done"]


def remembered(url: str) -> int:
    engine = connect(url, pool_size=1, max_overflow=0, application_name="tests")
    with engine.connect() as connection:
        number = connection.execute(select(func.count()).select_from(report_keys)).scalar_one()
    engine.dispose()
    return number


@pytest.mark.parametrize("key", ["", "x" * 256, "späßig"])
def test_a_key_is_printable_and_short(nobody: Client, node: BootedNode, key: str) -> None:
    path = f"/bootaction/{node.actions['greet']}"
    result = nobody.post(path, FINAL, headers={**node.header, "Idempotency-Key": key.encode().decode("latin-1")})
    assert (result.status_code, result.json["message"].split(":")[0]) == (400, "Idempotency-Key")


def test_hundreds_repeat_one_report_and_it_is_kept_once(port: int, seeds: Seeds, node: BootedNode) -> None:
    answers: list[tuple[int, bytes]] = []

    def repeat() -> None:
        connection = http.client.HTTPConnection(LOOPBACK, port, timeout=60)
        headers = {**node.header, **KEY, "Content-Type": "application/json"}
        for _ in range(5):
            connection.request("POST", f"/api/v1.0/bootaction/{node.actions['greet']}", json.dumps(FINAL), headers)
            reply = connection.getresponse()
            answers.append((reply.status, reply.read()))
        connection.close()

    threads = [threading.Thread(target=repeat) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 200
    assert {status for status, _ in answers} == {200}
    assert len({body for _, body in answers}) == 1
    assert lines(seeds, node) == ["done"]


class _Deaf(Database):
    """Its first commit is ``kept`` or not, and the answer is lost either way."""

    def __init__(self, url: str, *, kept: bool) -> None:
        self.engine = connect(url, pool_size=1, max_overflow=1, application_name="tests")
        super().__init__(self.engine)
        self._kept = kept
        self._first = True

    @contextmanager
    def unit_of_work(self, *, statement_seconds: float | None = None) -> Iterator[UnitOfWork]:
        with super().unit_of_work(statement_seconds=statement_seconds) as uow:
            uow.commit = self._deaf(uow.commit)  # type: ignore[method-assign]
            yield uow

    @contextmanager
    def report_transaction(self, *arguments: Any) -> Iterator[Transaction[StoredReport]]:
        with super().report_transaction(*arguments) as transaction:
            yield Transaction(transaction.row, self._deaf(transaction.commit))

    def _deaf(self, commit: Callable[[], None]) -> Callable[[], None]:
        if not self._first:
            return commit
        self._first = False

        def lose_the_answer() -> None:
            if self._kept:
                commit()
            raise DatabaseUnavailable("the answer got lost")

        return lose_the_answer


@pytest.mark.parametrize("key", [None, "boot-1"])
@pytest.mark.parametrize("kept", [True, False], ids=["kept", "lost"])
def test_a_commit_without_an_answer_is_looked_up(
    api_database: str, seeds: Seeds, node: BootedNode, kept: bool, key: str | None
) -> None:
    """Sent again blindly it would be 409 if it was kept, and gone if it was not."""
    database = _Deaf(api_database, kept=kept)
    service = BootService(database, hold_seconds=5)
    report = Report(status=ReportStatus.SUCCESS, details=(ReportDetail(message="done", error=False),))
    action = service.report(node.actions["greet"], bytes.fromhex(node.key), report, idempotency_key=key)
    assert action.status is ReportStatus.SUCCESS
    assert stored(seeds, node).status is ReportStatus.SUCCESS
    assert lines(seeds, node) == ["done"]
    with pytest.raises(BootActionFinal):
        service.report(node.actions["greet"], bytes.fromhex(node.key), report)
    database.engine.dispose()
