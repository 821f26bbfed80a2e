"""``make run`` and ``make demo``: start everything, deploy the example site as an operator would, keep serving.

What an operator would type is typed here, through the same ``drydock`` command.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from dev.locks import Locked, file_lock
from dev.ports import is_taken
from dev.postgres import PostgresUnavailable
from dev.processes import StartFailed, mortal
from dev.progress import PrintedProgress
from dev.site_files import machine_names
from dev.stack import BIN, Stack
from dev.standstill import Standstill, Watch
from dev.summary import fetch_machines, print_summary
from dev.virtualenv import NotInstalled

ROOT = Path(__file__).parents[1]
DESIGN = Path("etc/drydock/examples/site.yaml")
OPEN_STATUSES = ("requested", "queued", "running")
INTERRUPTED = 130


def main() -> int:
    arguments = _arguments()
    # SIGINT too: a shell that starts us in the background would have us ignore it.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        if arguments.port < 1 or is_taken(arguments.port):
            return _refused(f"port {arguments.port} is taken: choose another, such as make run PORT=9001")
        with file_lock(arguments.directory / "lock", wait=False):
            return run(arguments.directory, arguments.port, once=arguments.once, patience=arguments.patience)
    except PermissionError:
        return _refused(f"port {arguments.port} may be used by root only: choose another, such as make run PORT=9000")
    except Locked:
        return _refused("make run is running here already; stop it first")
    except (StartFailed, PostgresUnavailable, NotInstalled, Standstill, subprocess.SubprocessError) as error:
        return _refused(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED


def run(directory: Path, port: int, *, once: bool, patience: float) -> int:
    """Start, deploy, and serve until Ctrl-C unless ``once``; answers the exit code."""
    print(f"Starting Drydock; everything it keeps is in {directory}", flush=True)
    stack = Stack(
        directory,
        port=port,
        machines=machine_names(ROOT / DESIGN),
        database_url=os.environ.get("DRYDOCK_DATABASE_URL"),
        progress=PrintedProgress(),
    )
    try:
        stack.start()
        stop_leftovers(stack)
        stack.start_worker()
        deployed = deploy(stack, patience)
        print_summary(fetch_machines(stack.simulator_url), deployed=deployed)
        if not once:
            serve(stack)
        return 0 if deployed else 1
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # stopping takes a second; let it
        print("Stopping", flush=True)
        stack.stop()


def stop_leftovers(stack: Stack) -> None:
    """Terminate what an interrupted run left open: its machines are no more, its tasks would hold their nodes."""
    for task in json.loads(stack.drydock("task", "list", "--limit", "1000", "-o", "json")):
        if task["status"] in OPEN_STATUSES:
            stack.drydock("task", "terminate", task["task_id"])
            print(f"  ended {task['action']} {task['task_id']} of an earlier run")


def deploy(stack: Stack, patience: float) -> bool:
    """Upload the example design, prepare its nodes and deploy them; whether all went well."""
    print(f"\n$ drydock design upload --quiet {DESIGN}", flush=True)
    reference = stack.drydock("design", "upload", "--quiet", ROOT / DESIGN).strip()
    print(reference)
    return all(
        operator(stack, patience, "task", "create", "--action", action, "--design-ref", reference, "--wait")
        for action in ("prepare_nodes", "deploy_nodes")
    )


def operator(stack: Stack, patience: float, *arguments: str) -> bool:
    """Run a ``drydock`` command on this terminal; whether it succeeded.

    Raises ``StartFailed`` if a server dies, ``Standstill`` if no machine changes for ``patience`` seconds.
    """
    watch = Watch(stack.simulator_url, patience=patience)
    print(f"\n$ drydock {shlex.join(arguments)}", flush=True)
    command = subprocess.Popen(mortal([BIN / "drydock", *arguments]), env=stack.environment(), stdin=subprocess.DEVNULL)
    try:
        while True:
            try:
                return command.wait(timeout=1) == 0
            except subprocess.TimeoutExpired:
                _check_servers(stack)
                watch.check()
    except (StartFailed, Standstill):
        command.send_signal(signal.SIGINT)  # it puts the terminal in order before it goes
        raise
    finally:
        try:
            command.wait(timeout=5)  # Ctrl-C reached it as well; it has a last word
        except subprocess.TimeoutExpired:
            command.kill()
            command.wait()


def serve(stack: Stack) -> None:
    """Until Ctrl-C, which is how this is meant to end; raises ``StartFailed`` if a server dies."""
    print_invitation(stack)
    with suppress(KeyboardInterrupt):
        while True:
            _check_servers(stack)
            time.sleep(1)


def print_invitation(stack: Stack) -> None:
    openrc = shlex.quote(str(stack.directory / "openrc"))
    machine = fetch_machines(stack.simulator_url)[0].name
    print(
        f"""
Drydock serves on {stack.url}. In another terminal:

  curl -i {stack.url}/api/v1.0/health

  . {openrc} && curl -sS -H "X-Auth-Token: $(drydock_token)" "$DRYDOCK_URL/api/v1.0/tasks?limit=1"

  curl -sS {stack.simulator_url}/machines/{machine}

  . {openrc} && {shlex.quote(str(BIN / "drydock"))} task list

Logs are in {stack.directory / "logs"}. Ctrl-C stops everything.""",
        flush=True,
    )


def _check_servers(stack: Stack) -> None:
    """Start again what was killed and keeps nothing in memory; raises ``StartFailed`` for all else that ended."""
    ended = stack.processes.ended()
    if ended is None:
        return
    killed = (ended.exit_code or 0) < 0
    if killed:
        print(f"\n{ended.name} was killed (signal {-(ended.exit_code or 0)})", flush=True)
    if not (killed and stack.start_again(ended)):
        raise StartFailed(f"{ended.name} ended with {ended.exit_code}:\n{ended.log_tail()}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("--port", type=int, default=9000, help="where the API listens on 127.0.0.1")
    parser.add_argument("--directory", type=Path, default=ROOT / ".run", help="where everything is kept (.run)")
    parser.add_argument(
        "--patience",
        type=float,
        default=120,
        metavar="SECONDS",
        help="give up when no machine changes for that long (120)",
    )
    parser.add_argument("--once", action="store_true", help="end when the site is deployed")
    return parser.parse_args()


def _refused(reason: str) -> int:
    print(f"\nmake run: {reason}", file=sys.stderr)
    return 1


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
