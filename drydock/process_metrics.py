"""Standard process metrics of Prometheus: version, memory, CPU time, file descriptors."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from drydock import __version__


class BuildInfo(Collector):
    def __init__(self, component: str) -> None:
        self._component = component

    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily("drydock_build_info", "Running version.", labels=["component", "version", "python"])
        family.add_metric([self._component, __version__, platform.python_version()], 1)
        yield family


class ServerProcesses(Collector):
    """Sums over the processes of one server, under prometheus-client's names for a single process.

    They are the children of one parent that write their metrics to ``directory``.
    """

    def __init__(self, directory: str) -> None:
        self._directory = Path(directory)

    def collect(self) -> Iterable[Metric]:
        found: dict[str, Metric] = {}
        for pid in self._pids():
            for family in _of_process(pid):
                known = found.setdefault(family.name, family)
                if known is not family:
                    _add(known, family)
        return found.values()

    def _pids(self) -> Iterable[int]:
        names = {path.stem.rpartition("_")[2] for path in self._directory.glob("counter_*.db")}
        return [int(name) for name in names if name.isdigit() and _parent(int(name)) == os.getppid()]


def _of_process(pid: int) -> Iterable[Metric]:
    return ProcessCollector(pid=lambda: pid, registry=None).collect()


def _add(known: Metric, more: Metric) -> None:
    """Sum, but the earliest start time and the lowest limit."""
    tightest = known.name in ("process_start_time_seconds", "process_max_fds")
    both = zip(known.samples, more.samples, strict=True)
    known.samples = [
        one._replace(value=min(one.value, two.value) if tightest else one.value + two.value) for one, two in both
    ]


def _parent(pid: int) -> int | None:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The program's name, in parentheses, may contain any character.
    return int(status.rpartition(")")[2].split()[1])
