from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from dev import processes

ROOT = Path(__file__).parents[2]

PARENT_OF_ONE = """
import subprocess, sys
child = subprocess.Popen(["sleep", "600"])
print("started", child.pid, flush=True)
child.wait()
"""

STUBBORN = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
signal.pause()
"""

SUPERVISOR = """
import sys
from pathlib import Path
from dev.processes import Processes, line_ready
with Processes(Path(sys.argv[1])) as running:
    child = running.start("sleeper", ["sleep", "600"])
    print(child.pid, flush=True)
    child.wait_ready(lambda: False, seconds=600)
"""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[processes.Processes]:
    with processes.Processes(tmp_path) as running:
        yield running


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def wait_gone(pid: int) -> None:
    """Return when ``pid`` is gone or a zombie that nobody buried (its parent is not ours to ask)."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for _ in range(500):
            if process.status() == psutil.STATUS_ZOMBIE:
                return
            psutil.wait_procs([process], timeout=0.02)
        raise AssertionError(f"process {pid} is still there")


def test_a_kill_takes_descendants_with_it(running: processes.Processes, tmp_path: Path) -> None:
    log = tmp_path / "parent.log"
    running.start("parent", python(PARENT_OF_ONE), ready=processes.line_ready(log, "started"))
    grandchild = int(log.read_text().split()[1])

    assert running.kill9("parent") == -signal.SIGKILL

    wait_gone(grandchild)


def test_the_id_of_an_ended_child_is_no_other_process_s_until_it_is_killed(tmp_path: Path) -> None:
    child = processes.start("short", python("raise SystemExit(3)"), log=tmp_path / "short.log")
    with pytest.raises(processes.StartFailed, match="ended with 3"):
        child.wait_ready(lambda: False)
    assert (child.exit_code, child.exit_code) == (3, 3)
    assert psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE
    assert (child.kill(), child.stop(), child.exit_code) == (3, 3, 3)
    assert not psutil.pid_exists(child.pid)


def test_a_child_deaf_to_terminate_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "deaf.log"
    ready = processes.line_ready(log, "deaf")
    child = processes.start("deaf", python(STUBBORN), log=log)
    child.wait_ready(ready)
    assert child.stop(seconds=0.2) == -signal.SIGKILL


def test_a_start_that_fails_says_why(running: processes.Processes) -> None:
    with pytest.raises(processes.StartFailed, match=r"broken ended with 3:\n(.|\n)*no such thing"):
        running.start("broken", python("import sys; print('no such thing'); sys.exit(3)"), ready=lambda: False)


def test_a_start_that_takes_too_long_is_given_up(running: processes.Processes) -> None:
    with pytest.raises(processes.StartFailed, match=r"slow was not ready after 0\.1 s"):
        running.start("slow", ["sleep", "600"], ready=lambda: False, seconds=0.1)


def test_one_that_ended_by_itself_is_found(running: processes.Processes) -> None:
    running.start("steady", ["sleep", "600"])
    child = running.start("brief", ["true"])
    child.wait_ready(lambda: child.exit_code is not None)
    ended = running.ended()
    assert ended is not None
    assert ended.name == "brief"


def test_all_are_stopped_last_first(tmp_path: Path) -> None:
    code = "import signal\ntry:\n    print('up', flush=True); signal.pause()\nfinally:\n    print('down', flush=True)"
    code = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit())\n" + code
    with processes.Processes(tmp_path) as running:
        for name in ("first", "second"):
            running.start(name, python(code), ready=processes.line_ready(tmp_path / f"{name}.log", "up"))
    times = [(tmp_path / f"{name}.log").stat().st_mtime_ns for name in ("second", "first")]
    assert times == sorted(times)
    assert (tmp_path / "first.log").read_text() == "up\ndown\n"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells children of their parent's end")
def test_nothing_is_left_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    supervisor = subprocess.Popen([*python(SUPERVISOR), str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    with supervisor:
        assert supervisor.stdout is not None
        child = int(supervisor.stdout.readline())
        supervisor.kill()
    wait_gone(child)
