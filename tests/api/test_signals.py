"""Signals, and two workers on one host: real processes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from dev import processes
from dev.ports import free_port
from tests.api.test_start import COMMANDS, GOOD, ROOT
from tests.eventually import eventually

READY = "worker ready"


class Site:
    """A configuration file, and programs that run with it."""

    def __init__(self, directory: Path, database: str) -> None:
        self.file = directory / "drydock.conf"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/api/v1.0"
        self._directory = directory
        self._environment = {
            **processes.neutral_environment(),
            "DRYDOCK_DATABASE_URL": database,
            "DRYDOCK_CONFIG_FILE": str(self.file),
            "PYTHONPATH": str(ROOT),
        }
        self.children: list[processes.Child] = []
        self.configure()

    def configure(self, more: str = "") -> None:
        self.file.write_text(f"{GOOD}[api]\nauth_strategy = noauth\nport = {self.port}\nworkers = 1\n{more}")

    def start(self, which: str, ready: Callable[[Path], processes.Ready]) -> processes.Child:
        log = self._directory / f"{which}-{len(self.children)}.log"
        waiting = ready(log)
        child = processes.start(
            which, [sys.executable, *COMMANDS[which]], log=log, environment=self._environment, directory=self._directory
        )
        self.children.append(child)
        child.wait_ready(waiting, seconds=60)
        return child

    def worker(self) -> processes.Child:
        return self.start("worker", lambda log: processes.line_ready(log, READY))


@pytest.fixture
def site(tmp_path: Path, api_database: str) -> Iterator[Site]:
    made = Site(tmp_path, api_database)
    yield made
    for child in made.children:
        child.kill()


def said(child: processes.Child, text: str) -> int:
    return child.log.read_text().count(text)


def largest_body_is_small(url: str) -> bool:
    body = b"{" + b" " * 3000 + b"}"
    headers = {"X-Auth-Token": "admin", "Content-Type": "application/json"}
    return requests.post(f"{url}/tasks", data=body, headers=headers, timeout=10).status_code == 413


@pytest.mark.parametrize("which", ["api", "gunicorn"])
def test_hup_has_the_api_read_its_configuration_again(site: Site, which: str) -> None:
    child = site.start(which, lambda log: processes.http_ready(f"{site.url}/health"))
    assert not largest_body_is_small(site.url)
    site.configure("max_body_bytes = 2000\n")
    os.kill(child.pid, signal.SIGHUP)
    eventually(lambda: largest_body_is_small(site.url), bool)
    site.configure("max_body_bytes = none\n")
    os.kill(child.pid, signal.SIGHUP)
    eventually(lambda: said(child, "SIGHUP: nothing is reloaded: [api] max_body_bytes in"), bool)
    assert largest_body_is_small(site.url)
    assert "Traceback" not in child.log.read_text()
    assert child.stop() == 0


def test_hup_has_a_worker_hand_over_and_start_anew(site: Site) -> None:
    child = site.worker()
    site.configure("[orchestrator]\nslots = 3\n")
    os.kill(child.pid, signal.SIGHUP)
    eventually(lambda: said(child, READY), lambda times: times == 2)
    assert said(child, "worker stopped") == 1
    site.configure("[orchestrator]\nslots = none\n")
    os.kill(child.pid, signal.SIGHUP)
    eventually(lambda: said(child, "SIGHUP: this worker goes on as it is: [orchestrator] slots in"), bool)
    assert child.exit_code is None
    assert said(child, READY) == 2
    assert child.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_worker_ends_in_order(site: Site, number: signal.Signals) -> None:
    child = site.worker()
    os.kill(child.pid, number)
    eventually(lambda: child.exit_code, lambda code: code is not None)
    assert child.exit_code == 0
    assert said(child, "worker stopped") == 1


def test_a_worker_survives_what_asks_for_nothing(site: Site) -> None:
    child = site.worker()
    os.kill(child.pid, signal.SIGUSR2)
    os.kill(child.pid, signal.SIGUSR1)
    eventually(lambda: said(child, "Current thread"), bool)
    assert child.exit_code is None
    assert child.stop() == 0


def test_two_workers_of_one_host_show_their_metrics(site: Site) -> None:
    port = free_port()
    site.configure(f"[orchestrator]\nmetrics_port = {port}\n")
    first, second = site.worker(), site.worker()
    assert said(first, "is taken") == 0
    assert said(second, f"[orchestrator] metrics_port {port} is taken; this worker's metrics are on") == 1
    other = int(second.log.read_text().partition("metrics are on ")[2].split()[0])
    for each in (port, other):
        shown = requests.get(f"http://127.0.0.1:{each}/metrics", timeout=10).text
        assert 'drydock_build_info{component="worker"' in shown
        assert "process_resident_memory_bytes" in shown
        assert "drydock_leases_lost_total 0.0" in shown
    assert "Traceback" not in second.log.read_text()


def test_where_no_worker_can_listen_is_one_sentence(site: Site) -> None:
    site.configure("[orchestrator]\nmetrics_port = 9102\nmetrics_host = 192.0.2.1\n")
    with pytest.raises(
        processes.StartFailed, match=r"ended with 1:(?s:.*)drydock-worker: \[orchestrator\] metrics_host in "
    ):
        site.worker()
    assert "Traceback" not in site.children[0].log.read_text()
