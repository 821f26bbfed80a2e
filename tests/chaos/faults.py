"""What goes wrong, and when: drawn from a seed, and done to real processes.

The schedule is fixed before the round begins, so that a seed brings the same faults at the same seconds again; what
they hit depends on where everything is by then.
"""

from __future__ import annotations

import contextlib
import heapq
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import psutil
import psycopg2
import requests

from tests.chaos.api import Api
from tests.chaos.client_log import ClientLog
from tests.chaos.operators import Known
from tests.chaos.people import People
from tests.chaos.stack import LEASE_SECONDS, WORKERS, ChaosStack

#: How often each comes, relative to the others.
WEIGHTS: Mapping[str, int] = {
    "kill_worker": 5,
    "term_worker": 2,
    "freeze_worker_past_lease": 6,
    "freeze_worker_shortly": 1,
    "kill_api_process": 3,
    "kill_api_whole": 2,
    "freeze_api_process": 1,
    "restart_postgres_fast": 1,
    "restart_postgres_immediate": 1,
    "crash_postgres_backend": 1,
    "kill_postgres": 1,
    "drop_all_connections": 2,
    "drop_some_connections": 2,
    "terminate_task": 4,
    "terminate_subtask": 3,
    "pause_task": 4,
    "hold_node": 4,
    "reset_machine": 3,
    "freeze_site": 1,
    "bmc_fault": 4,
    "machine_fault": 4,
}
BMC_FAULTS = ("bmc_hangs:1", "bmc_hangs:2", "bmc_refuses:2", "bmc_unavailable:3")
MACHINE_FAULTS = ("install_fails", "action_fails", "reports_twice", "reports_twice", "goes_silent")


@dataclass(frozen=True, order=True, slots=True)
class Fault:
    """``at``: seconds after the round's start. ``draw``: from 0 to 1, whom it hits. ``seconds``: how long."""

    at: float
    kind: str
    draw: float
    seconds: float


def schedule(rng: random.Random, *, seconds: float, mean_pause: float) -> list[Fault]:
    """Faults one after the other, some of them almost at once."""
    kinds, weights = zip(*WEIGHTS.items(), strict=True)
    found, at = [], rng.uniform(0, 1)
    while at < seconds:
        found.append(Fault(at, rng.choices(kinds, weights)[0], rng.random(), rng.uniform(0.0, 1.0)))
        at += rng.expovariate(1 / mean_pause)
    return found


class FaultDriver:
    """Run it in the thread that made the stack. What it stopped it starts again, later faults notwithstanding."""

    def __init__(
        self, stack: ChaosStack, nodes: Sequence[str], known: Known, log: ClientLog, give_up: threading.Event
    ) -> None:
        self.injected: Counter[str] = Counter()
        #: Worker processes that were frozen past their lease, with the seconds of the epoch in between.
        self.frozen: list[tuple[str, float, float]] = []
        self._stack = stack
        self._nodes = nodes
        self._people = People(known, partial(Api, stack.url, log, give_up))
        self._log = log
        self._pending: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0
        self._down: set[str] = set()
        self._threads: list[threading.Thread] = []

    def run(self, faults: Sequence[Fault]) -> None:
        started = time.monotonic()
        for fault in faults:
            self._until(started + fault.at)
            if getattr(self, f"_{fault.kind}")(fault) is not False:
                self.injected[fault.kind] += 1
                self._log.write("fault", kind=fault.kind)
        while self._pending:
            self._until(self._pending[0][0])
        for thread in self._threads:
            thread.join()

    def _until(self, moment: float) -> None:
        """Sleep till then, mending on the way what is due."""
        while self._pending and self._pending[0][0] <= moment:
            due, _, mend = heapq.heappop(self._pending)
            time.sleep(max(0.0, due - time.monotonic()))
            mend()
        time.sleep(max(0.0, moment - time.monotonic()))

    def _later(self, seconds: float, mend: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._pending, (time.monotonic() + seconds, self._number, mend))

    # -- workers

    def _worker(self, fault: Fault) -> str | None:
        there = [place for place in WORKERS if place not in self._down]
        return there[int(fault.draw * len(there))] if there else None

    def _kill_worker(self, fault: Fault) -> bool:
        place = self._worker(fault)
        if place is None:
            return False
        self._stack.processes.kill9(self._stack.workers[place])
        self._replace(place, fault.seconds * 2)
        return True

    def _term_worker(self, fault: Fault) -> bool:
        place = self._worker(fault)
        if place is None:
            return False
        self._stack.processes.stop(self._stack.workers[place])
        self._replace(place, fault.seconds)
        return True

    def _replace(self, place: str, seconds: float) -> None:
        self._down.add(place)

        def start() -> None:
            self._stack.start_worker(place)
            self._down.discard(place)

        self._later(seconds, start)

    def _freeze_worker_past_lease(self, fault: Fault) -> bool:
        return self._freeze_worker(fault, LEASE_SECONDS + 0.5 + 3 * fault.seconds)

    def _freeze_worker_shortly(self, fault: Fault) -> bool:
        return self._freeze_worker(fault, LEASE_SECONDS * 0.6 * fault.seconds)

    def _freeze_worker(self, fault: Fault, seconds: float) -> bool:
        place = self._worker(fault)
        if place is None:
            return False
        name, pid, since = self._stack.workers[place], self._stack.worker_pid(place), time.time()
        os.kill(pid, signal.SIGSTOP)
        self._down.add(place)

        def thaw() -> None:
            os.kill(pid, signal.SIGCONT)
            self._down.discard(place)
            if seconds > LEASE_SECONDS:
                self.frozen.append((name, since, time.time()))
                self._log.write("thawed", worker=name, seconds=round(time.time() - since, 2))

        self._later(seconds, thaw)
        return True

    # -- the API

    def _kill_api_process(self, fault: Fault) -> bool:
        return bool(self._signal_api_process(fault, signal.SIGKILL))

    def _freeze_api_process(self, fault: Fault) -> bool:
        pid = self._signal_api_process(fault, signal.SIGSTOP)

        def thaw() -> None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

        self._later(1 + 2 * fault.seconds, thaw)
        return bool(pid)

    def _signal_api_process(self, fault: Fault, number: signal.Signals) -> int:
        """0 if there is none."""
        children = [] if "api" in self._down else self._stack.api_children()
        if not children:
            return 0
        pid = children[int(fault.draw * len(children))]
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        return pid

    def _kill_api_whole(self, fault: Fault) -> bool:
        if "api" in self._down:
            return False
        self._stack.processes.kill9("api")
        self._down.add("api")

        def start() -> None:
            self._stack.start_api(wait=False)
            self._down.discard("api")

        self._later(fault.seconds, start)
        return True

    # -- PostgreSQL

    def _restart_postgres_fast(self, fault: Fault) -> bool:
        return self._restart_postgres(fault, signal.SIGINT)

    def _restart_postgres_immediate(self, fault: Fault) -> bool:
        return self._restart_postgres(fault, signal.SIGQUIT)

    def _restart_postgres(self, fault: Fault, number: signal.Signals) -> bool:
        if "postgres" in self._down:
            return False
        server = self._stack.postgres_process
        os.kill(server.pid, number)
        server.stop()
        return self._postgres_again(fault)

    def _kill_postgres(self, fault: Fault) -> bool:
        """The whole server at once, as a power cut would: nothing is flushed by anybody."""
        if "postgres" in self._down:
            return False
        family = [psutil.Process(self._stack.postgres_process.pid)]
        family += family[0].children(recursive=True)
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._stack.postgres_process.kill()
        psutil.wait_procs(family, timeout=5)
        return self._postgres_again(fault)

    def _postgres_again(self, fault: Fault) -> bool:
        self._down.add("postgres")

        def start() -> None:
            self._stack.start_postgres()
            self._down.discard("postgres")

        self._later(fault.seconds, start)
        return True

    def _crash_postgres_backend(self, fault: Fault) -> bool:
        """One backend dies: the server ends all others and recovers from its log."""
        return self._on_backends(lambda pids: os.kill(pids[int(fault.draw * len(pids))], signal.SIGKILL))

    def _drop_all_connections(self, fault: Fault) -> bool:
        return self._on_backends(self._end_backends)

    def _drop_some_connections(self, fault: Fault) -> bool:
        return self._on_backends(lambda pids: self._end_backends(pids[:: 2 + int(fault.draw * 3)]))

    def _on_backends(self, act: Callable[[list[int]], None]) -> bool:
        if "postgres" in self._down:
            return False
        with contextlib.suppress(psycopg2.Error):
            rows = self._stack.query(
                "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'drydock%' ORDER BY pid"
            )
            if rows:
                act([pid for (pid,) in rows])
                return True
        return False

    def _end_backends(self, pids: list[int]) -> None:
        self._stack.query("SELECT pg_terminate_backend(pid) FROM unnest(%s) AS pid", pids)

    # -- people

    def _terminate_task(self, fault: Fault) -> bool:
        return self._in_background_if(self._people.terminate(fault.draw))

    def _terminate_subtask(self, fault: Fault) -> bool:
        return self._in_background_if(self._people.terminate(fault.draw, subtask=fault.seconds))

    def _pause_task(self, fault: Fault) -> bool:
        """Who waits for it resumes it."""
        return self._in_background_if(self._people.pause(fault.draw))

    def _hold_node(self, fault: Fault) -> None:
        node = self._node(fault)
        self._in_background(lambda: self._people.hold(node))
        self._later(0.5 + 3 * fault.seconds, lambda: self._in_background(lambda: self._people.release(node)))

    def _in_background_if(self, work: Callable[[], None] | None) -> bool:
        if work is not None:
            self._in_background(work)
        return work is not None

    # -- machines

    def _freeze_site(self, fault: Fault) -> bool:
        """The provisioner, all BMCs and all machines stand still for a moment."""
        pid = self._stack.processes["simulator"].pid
        os.kill(pid, signal.SIGSTOP)
        self._later(0.5 + 2 * fault.seconds, lambda: os.kill(pid, signal.SIGCONT))
        return True

    def _reset_machine(self, fault: Fault) -> None:
        def reset() -> None:
            with contextlib.suppress(requests.RequestException):
                machine = requests.get(f"{self._stack.simulator_url}/machines/{self._node(fault)}", timeout=5).json()
                if machine.get("state") in ("installing", "restarting", "running"):
                    system = f"{self._stack.simulator_url}/redfish/v1/Systems/{self._node(fault)}"
                    requests.post(
                        f"{system}/Actions/ComputerSystem.Reset", json={"ResetType": "ForceRestart"}, timeout=5
                    )

        self._in_background(reset)

    def _bmc_fault(self, fault: Fault) -> None:
        self._set_fault(fault, BMC_FAULTS)

    def _machine_fault(self, fault: Fault) -> None:
        self._set_fault(fault, MACHINE_FAULTS)

    def _set_fault(self, fault: Fault, choice: Sequence[str]) -> None:
        name = choice[int(fault.seconds * len(choice))]

        def put() -> None:
            with contextlib.suppress(requests.RequestException):
                base = f"{self._stack.simulator_url}/machines"
                requests.post(base, json={"name": self._node(fault)}, timeout=5)
                requests.put(f"{base}/{self._node(fault)}/faults", json={"faults": [name]}, timeout=5)

        self._in_background(put)

    def _node(self, fault: Fault) -> str:
        return self._nodes[int(fault.draw * len(self._nodes))]

    def _in_background(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        self._threads.append(thread)
