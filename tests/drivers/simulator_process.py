"""Starts the simulator as it is in production, a process that is spoken to over HTTP."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.eventually import eventually

ACCOUNT = "admin"
PASSWORD = "correct-horse"
QUICK = (
    "--power-delay=0.01-0.03",
    "--boot-delay=0.01-0.05",
    "--install-delay=0.02-0.08",
    "--action-delay=0.01-0.03",
    "--seed=1",
)
COMMAND = (sys.executable, "-c", "from drydock.simulator.main import main; main()")


@dataclass(frozen=True)
class Simulator:
    url: str
    directory: Path
    process: subprocess.Popen[str]

    def machine(self, name: str) -> dict[str, Any]:
        response = requests.get(f"{self.url}/machines/{name}", timeout=10)
        response.raise_for_status()
        machine: dict[str, Any] = response.json()
        return machine

    def add(self, name: str, *faults: str) -> str:
        requests.post(f"{self.url}/machines", json={"name": name}, timeout=10).raise_for_status()
        self.set_faults(name, *faults)
        return name

    def set_faults(self, name: str, *faults: str) -> None:
        url = f"{self.url}/machines/{name}/faults"
        requests.put(url, json={"faults": list(faults)}, timeout=10).raise_for_status()

    def wait_for(self, name: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        return eventually(lambda: self.machine(name), wanted)


@contextlib.contextmanager
def running_simulator(directory: Path, *options: str, stderr: int | None = None) -> Iterator[Simulator]:
    command = [*COMMAND, "--port=0", f"--directory={directory}", *QUICK, *options]
    locked = any(option.startswith("--bmc-account") for option in options)
    environment = os.environ | ({"DRYDOCK_SIMULATOR_BMC_PASSWORD": PASSWORD} if locked else {})
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[-1]
            yield Simulator(url, directory, process)
        finally:
            process.terminate()
            process.wait(timeout=10)
