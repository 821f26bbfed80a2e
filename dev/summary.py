"""What became of the simulated machines: the table at the end of ``make run``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import requests
from rich import box
from rich.console import Console
from rich.table import Table

UNCUT = 160


@dataclass(frozen=True, slots=True)
class MachineSummary:
    """One machine as the simulator saw it: ``fetched`` tarballs, ``reports`` by final status."""

    name: str
    power: str
    state: str
    fetched: int
    reports: Counter[str]


def fetch_machines(simulator_url: str) -> list[MachineSummary]:
    """Every machine of the site, by name."""
    with requests.Session() as session:
        session.trust_env = False  # no proxy on the way to loopback
        answer = session.get(f"{simulator_url}/machines", timeout=30)
        answer.raise_for_status()
    machines = [
        MachineSummary(
            name=view["name"],
            power=view["power"],
            state=view["state"],
            fetched=sum(entry.get("status") == 200 for entry in view["fetched"]),
            reports=Counter(
                report["status"].lower()
                for report in view["reported"]
                if report["status"] and report["http_status"] == 200
            ),
        )
        for view in answer.json()
    ]
    return sorted(machines, key=lambda machine: machine.name)


def print_summary(machines: Sequence[MachineSummary], *, deployed: bool) -> None:
    table = Table("machine", "power", "state", "tarballs fetched", "boot actions reported", box=box.SIMPLE_HEAD)
    for machine in machines:
        reports = ", ".join(f"{count} {status}" for status, count in sorted(machine.reports.items())) or "none"
        table.add_row(machine.name, machine.power, machine.state, str(machine.fetched), reports)
    console = Console()
    if not console.is_terminal:
        console.width = UNCUT
    console.print(table)
    running = sum(machine.state == "running" for machine in machines)
    verdict = "The site is deployed" if deployed else "The site is NOT deployed"
    console.print(f"{verdict}: {running} of {len(machines)} machines run.", style="green" if deployed else "red")
