"""A full or missing /tmp: the API serves, and says what it does without. Needs root: file systems are made for it."""

from __future__ import annotations

import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from dev import processes
from drydock import metrics, shared_metrics
from drydock.serve import heartbeat_directory

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def _can_mount() -> None:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("needs root and unshare, to mount a file system of its own")
    tried = subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False)
    if tried.returncode != 0:
        pytest.skip("mount namespaces cannot be made here")


@contextmanager
def serving(
    database: str, port: int, directory: Path, prepare: str, **environment: str
) -> Iterator[tuple[str, Callable[[], str]]]:
    """The API where ``prepare``, a shell script, has changed what is mounted; the URL, and its log."""
    env = {
        **processes.neutral_environment(),
        "PYTHONPATH": str(ROOT),
        "DRYDOCK_DATABASE_URL": database,
        "OS_API__AUTH_STRATEGY": "noauth",
        "OS_API__PORT": str(port),
        "OS_BOOTACTION__SECRETS": secrets.token_hex(32),
        "OS_DRIVERS__NODE": "simulated",
        **environment,
    }
    for name in ("TMPDIR", "TMP", "TEMP"):
        env.pop(name, None)
    log = directory / "api.log"
    script = f"set -e; {prepare}; exec {shlex.quote(sys.executable)} -m drydock.serve"
    command = ["unshare", "--mount", "sh", "-c", script]
    child = processes.start("api", command, log=log, environment=env, directory=Path("/proc"))
    url = f"http://127.0.0.1:{port}/api/v1.0"
    try:
        child.wait_ready(processes.http_ready(f"{url}/health"), seconds=60)
        yield url, log.read_text
    finally:
        child.stop()


def mounted(*directories: str, size: str, read_only: bool = False) -> str:
    """Empty file systems over these; what the API itself runs from stays in sight, should it lie below one of them."""
    needed = {Path(path).resolve() for path in (ROOT, sys.prefix, sys.base_prefix)}
    hidden = [path for path in sorted(needed) if any(path.is_relative_to(directory) for directory in directories)]
    kept = {f"/mnt/{number}": shlex.quote(str(path)) for number, path in enumerate(hidden)}
    lines = ["mount -t tmpfs none /mnt"] if kept else []
    lines += [f"mkdir {aside}; mount --bind {path} {aside}" for aside, path in kept.items()]
    lines += [f"mount -t tmpfs -o size={size} none {directory}" for directory in directories]
    lines += [f"mkdir -p {path}; mount --bind {aside} {path}" for aside, path in kept.items()]
    if read_only:
        lines += [f"mount -o remount,ro {directory}" for directory in directories]
    return "; ".join(lines)


def many_requests(url: str) -> None:
    """Of as many kinds as there are: each is a series of its own, which takes room."""
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
        for path in ("tasks", "designs", "nodes", "health", "nodefilter", "validatedesign", "bootaction/x", "versions"):
            for token in ("admin", "reader", "nobody"):
                assert requests.request(
                    method, f"{url}/{path}", headers={"X-Auth-Token": token}, timeout=10
                ).status_code
    assert requests.get(f"{url}/metrics", timeout=10).status_code == 200


@pytest.mark.usefixtures("_can_mount")
class TestNoRoom:
    def test_a_full_disk_at_the_start(self, api_database: str, free_port: int, tmp_path: Path) -> None:
        prepare = mounted("/tmp", "/var/tmp", "/dev/shm", size="1m") + (
            "; for d in /tmp /var/tmp /dev/shm; do dd if=/dev/zero of=$d/full bs=4k 2>/dev/null || true; done"
        )
        with serving(api_database, free_port, tmp_path, prepare) as (url, log):
            many_requests(url)
            assert "each process shows its own metrics: " in log()
            self.unharmed(log())

    def test_a_disk_that_fills_later(self, api_database: str, free_port: int, tmp_path: Path) -> None:
        # Room for what the processes reserve, then for nothing: they count where they took room before.
        metrics_directory = tmp_path / "metrics"
        metrics_directory.mkdir()
        prepare = mounted(str(metrics_directory), size="7m") + f"; mkfifo {tmp_path}/fill; "
        prepare += (
            f"(read x < {tmp_path}/fill; dd if=/dev/zero of={metrics_directory}/full bs=4k 2>/dev/null || true; "
            f"echo full > {tmp_path}/done) & true"
        )
        shared = {"PROMETHEUS_MULTIPROC_DIR": str(metrics_directory), "OS_API__WORKERS": "2"}
        with serving(api_database, free_port, tmp_path, prepare, **shared) as (url, log):
            (tmp_path / "fill").write_text("now\n")
            while not (tmp_path / "done").exists():
                requests.get(f"{url}/health", timeout=10)
            many_requests(url)
            assert "its own metrics" not in log()
            self.unharmed(log())

    def test_nothing_can_be_written_but_for_heartbeats(self, api_database: str, free_port: int, tmp_path: Path) -> None:
        prepare = mounted("/tmp", "/var/tmp", size="4k", read_only=True)
        with serving(api_database, free_port, tmp_path, prepare) as (url, log):
            many_requests(url)
            assert len(re.findall("each process shows its own metrics: .*No usable temporary directory", log())) == 1
            self.unharmed(log())

    def test_nothing_can_be_written_at_all(self, tmp_path: Path) -> None:
        script = (
            mounted("/tmp", "/var/tmp", "/dev/shm", size="4k", read_only=True)
            + f"; exec {shlex.quote(sys.executable)} -m drydock.serve"
        )
        env = {
            **processes.neutral_environment(),
            "PYTHONPATH": str(ROOT),
            "OS_API__AUTH_STRATEGY": "noauth",
            "OS_BOOTACTION__SECRETS": secrets.token_hex(32),
            "OS_DRIVERS__NODE": "simulated",
        }
        env.pop("TMPDIR", None)
        command = ["unshare", "--mount", "sh", "-c", script]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, cwd="/proc", check=False)
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1].startswith("drydock-api: no directory can be written")
        assert "Traceback" not in done.stderr

    def unharmed(self, log: str) -> None:
        for trouble in ("SIGBUS", "Traceback", "was sent SIG", "Worker exiting due to"):
            assert trouble not in log


def test_heartbeats_go_where_files_can_be_made() -> None:
    assert os.access(heartbeat_directory(), os.W_OK)


def test_all_series_that_there_can_be_have_room(tmp_path: Path) -> None:
    """Counted in a process of its own, where prometheus-client maps files; then nothing may have grown."""
    program = """
import os, sys, pathlib
from drydock import shared_metrics
os.environ["PROMETHEUS_MULTIPROC_DIR"] = sys.argv[1]
shared_metrics.reserve(os.environ)
import falcon
from drydock.api.operations import TABLE
from drydock.metrics import ApiMetrics
metrics = ApiMetrics()
methods = [*falcon.HTTP_METHODS, "other"]
statuses = [200, 201, 202, 204, 206, 304, 400, 401, 403, 404, 405, 408, 409, 411, 413, 414, 415, 416, 422, 429, 431,
            500, 501, 502, 503, 504]
for route in [*(each.path for each in TABLE), "none"]:
    has = [method for each in TABLE if each.path == route for method in each.operations]
    has += ["HEAD"] if "GET" in has else []
    for method in methods:
        metrics.request_seconds.labels(method, route).observe(1)
        for status in statuses if method in has else (200, 400, 401, 403, 404, 405, 500, 503):
            metrics.requests.labels(method, route, str(status)).inc()
for where in ("api", "stream", "engine"):
    metrics.unforeseen_errors.labels(where).inc()
assert metrics.exposition()
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    sizes = {re.sub(r"_\d+\.db", "", path.name): path.stat().st_size for path in tmp_path.iterdir()}
    assert sizes == shared_metrics.RESERVED_BYTES


def test_what_a_process_that_went_did_not_use_is_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(metrics.SHARED_DIRECTORY, str(tmp_path))
    program = """
import os
from drydock import shared_metrics
shared_metrics.reserve(os.environ)
from drydock.metrics import ApiMetrics
ApiMetrics().requests.labels("GET", "/x", "200").inc(7)
print(os.getpid())
"""
    pid = int(subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True).stdout)
    shared_metrics.give_back(pid)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 4096
    shown = subprocess.run(
        [sys.executable, "-c", "from drydock.metrics import ApiMetrics; print(ApiMetrics().exposition().decode())"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert 'drydock_http_requests_total{method="GET",route="/x",status="200"} 7.0' in shown
