"""``make run``, as somebody sees it who has just cloned the project."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from dev import processes
from dev.ports import free_port

ROOT = Path(__file__).parents[2]
COMMAND = re.compile(r"^  (curl .*|\. .*)$", re.MULTILINE)

pytestmark = pytest.mark.e2e


def shell(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", command],
        cwd=ROOT,
        env={**processes.neutral_environment(), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_it_deploys_the_example_serves_and_leaves_nothing_behind(server_home: Path, tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    port = free_port()
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "dev.run",
        "--port",
        str(port),
        "--directory",
        server_home / "run",
    ]
    environment = {**processes.neutral_environment(), "PYTHONUNBUFFERED": "1"}
    running = processes.start(
        "make run", command, log=log, directory=ROOT, environment=environment, stop_signal=signal.SIGINT
    )
    try:
        running.wait_ready(processes.line_ready(log, "Ctrl-C stops everything"), seconds=150)
        printed = log.read_text()
        assert "The site is deployed: 12 of 12 machines run." in printed
        check_what_it_prints_works(printed)
        check_secrets_are_ours_alone(server_home / "run")
        check_the_smoke_test_passes(server_home / "run", f"http://127.0.0.1:{port}")
        check_a_second_one_is_refused(server_home / "run", port)
        check_what_is_killed_is_started_again(running, log)
        started = psutil.Process(running.pid).children(recursive=True)
        assert len(started) >= 5
    finally:
        exit_code = running.stop(seconds=30)
    assert exit_code == 0, running.log_tail()
    _, left = psutil.wait_procs(started, timeout=5)
    assert left == []


def test_it_gives_up_with_a_sentence_when_nothing_happens_any_more(server_home: Path, tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "dev.run",
        "--once",
        "--port",
        str(free_port()),
        "--patience",
        "5",
    ]
    environment = {**processes.neutral_environment(), "PYTHONUNBUFFERED": "1"}
    running = processes.start(
        "make run",
        [*command, "--directory", server_home / "run"],
        log=log,
        directory=ROOT,
        environment=environment,
    )
    try:
        running.wait_ready(processes.line_ready(log, "  worker "), seconds=150)
        for pid in of_program(running, "drydock-worker"):
            os.kill(pid, signal.SIGSTOP)
        running.wait_ready(processes.line_ready(log, "nothing happened to any machine for 5 s"), seconds=60)
        running.wait_ready(lambda: running.exit_code is not None, seconds=60)
    finally:
        exit_code = running.stop(seconds=30)
    assert exit_code == 1
    assert "Traceback" not in log.read_text()


def check_what_it_prints_works(printed: str) -> None:
    health, tasks, machine, listed = (shell(command) for command in COMMAND.findall(printed))
    assert " 204 " in health.stdout.splitlines()[0]
    assert [task["status"] for task in json.loads(tasks.stdout)] == ["complete"], tasks.stderr
    assert json.loads(machine.stdout)["state"] == "running"
    assert listed.stdout.count(" success ") == 2, listed.stderr


def check_secrets_are_ours_alone(directory: Path) -> None:
    for name in ("drydock.conf", "openrc", "openrc-admin", "openrc-member", "openrc-reader", "bootaction-secret"):
        assert stat.S_IMODE((directory / name).stat().st_mode) == 0o600, name
    for name in ("keystone", "logs", "machines"):
        assert stat.S_IMODE((directory / name).stat().st_mode) == 0o700, name


def check_the_smoke_test_passes(directory: Path, url: str) -> None:
    token = shell(f". '{directory}/openrc-reader' && drydock_token").stdout.strip()
    done = shell("sh dev/smoke.sh", DRYDOCK_URL=url, OS_TOKEN=token)
    assert (done.returncode, done.stdout.count("FAILED"), done.stdout.count("skipped")) == (0, 0, 0), done.stdout
    nobody = shell("sh dev/smoke.sh", DRYDOCK_URL=url, OS_TOKEN="not-a-token")
    assert nobody.returncode == 1


def check_what_is_killed_is_started_again(running: processes.Child, log: Path) -> None:
    for program in ("drydock-worker", "drydock-api"):
        before = of_program(running, program)
        came_back = processes.line_ready(log, "was killed (signal 9)")
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        running.wait_ready(came_back, seconds=30)
        running.wait_ready(lambda: bool(of_program(running, program) - before), seconds=60)  # noqa: B023 - used at once


def of_program(running: processes.Child, program: str) -> set[int]:
    """Children of ``make run`` itself; what a server that died left is not among them."""
    found = set()
    for child in psutil.Process(running.pid).children():
        with contextlib.suppress(psutil.NoSuchProcess):  # it has ended, and is not started again yet
            if program in " ".join(child.cmdline()):
                found.add(child.pid)
    return found


def check_a_second_one_is_refused(directory: Path, port: int) -> None:
    for arguments, reason in (
        (["--port", str(port), "--directory", f"{directory}-other"], f"port {port} is taken"),
        (["--port", str(free_port()), "--directory", str(directory)], "running here already"),
    ):
        command: list[str | Path] = [sys.executable, "-m", "dev.run", "--once", *arguments]
        refused = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)
        assert refused.returncode == 1
        assert reason in refused.stderr
