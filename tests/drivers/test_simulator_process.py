"""The simulator's command: it starts, refuses nonsense, and stops when told."""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import psutil
import pytest
import requests
from click.testing import CliRunner

from drydock.simulator.main import main
from tests.drivers.simulator_process import running_simulator


def test_help_explains_the_faults() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    assert "never_returns" in result.output


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ([], "--directory"),
        (["--directory=d", "--machine=../x"], "--machine"),
        (["--directory=d", "--machine=n01", "--fault=n01=burns"], "unknown fault"),
        (["--directory=d", "--machine=n01", "--fault=n02=bmc_hangs"], "no machine 'n02'"),
        (["--directory=d", "--fault=bmc_hangs"], "--fault"),
        (["--directory=d", "--boot-delay=3-1"], "--boot-delay"),
        (["--directory=d", "--port=70000"], "--port"),
        (["--directory=d", "--bmc-account=admin"], "go together"),
    ],
)
def test_bad_options(options: list[str], reason: str) -> None:
    result = CliRunner().invoke(main, options)
    assert result.exit_code == 2
    assert reason in result.output


def test_a_port_in_use_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        result = CliRunner().invoke(main, [f"--directory={tmp_path}", f"--port={other.getsockname()[1]}"])
    assert result.exit_code == 1
    assert "cannot serve on 127.0.0.1" in result.output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_quickly_even_while_a_bmc_hangs(tmp_path: Path, number: signal.Signals) -> None:
    with running_simulator(tmp_path, "--machine=n01", "--fault=n01=bmc_hangs:1") as simulator:
        worker = _worker(simulator.process.pid)
        asking = threading.Thread(target=_ask_in_vain, args=(f"{simulator.url}/redfish/v1/Systems/n01",))
        asking.start()
        simulator.wait_for("n01", lambda machine: machine["faults"] == [])
        began = time.monotonic()
        simulator.process.send_signal(number)
        simulator.process.wait(timeout=10)
        assert time.monotonic() - began < 5
        assert _gone(worker)
        asking.join()


def test_a_killed_parent_leaves_nobody_behind(tmp_path: Path) -> None:
    with running_simulator(tmp_path, "--machine=n01") as simulator:
        requests.get(f"{simulator.url}/health", timeout=5).raise_for_status()
        worker = _worker(simulator.process.pid)
        simulator.process.kill()
        simulator.process.wait(timeout=10)
        psutil.wait_procs([worker], timeout=10)
        assert _gone(worker)


def test_quiet_when_all_is_well(tmp_path: Path) -> None:
    with running_simulator(tmp_path, "--machine=n01", stderr=subprocess.STDOUT) as simulator:
        requests.get(f"{simulator.url}/machines", timeout=5).raise_for_status()
        simulator.process.terminate()
        assert simulator.process.stdout is not None
        assert simulator.process.stdout.read() == ""


def _worker(parent: int) -> psutil.Process:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        children = psutil.Process(parent).children()
        if children:
            return children[0]
        time.sleep(0.01)
    raise AssertionError("no worker process")


def _gone(process: psutil.Process) -> bool:
    """A zombie is gone: an orphan's body is for PID 1 to fetch, which not every container has."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def _ask_in_vain(url: str) -> None:
    with pytest.raises((requests.ConnectionError, requests.HTTPError)):
        requests.get(url, timeout=30).raise_for_status()
