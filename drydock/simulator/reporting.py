"""A running machine: sends the reports that its units' scripts would send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drydock.simulator.delays import Range
from drydock.simulator.exchange import Answer, NodeHttp
from drydock.simulator.faults import Fault
from drydock.simulator.life import Life
from drydock.simulator.machine import BootAction, Deployment, Machine, Phase, State

TRIES = 6
"""Pauses between retries after no answer or a 5xx, as ``curl --retry``: one second, two, four, …"""


class Reporting:
    def __init__(self, life: Life, http: NodeHttp) -> None:
        self._life = life
        self._http = http

    def come_up(self, machine: Machine, epoch: int) -> None:
        with self._life.still(machine, epoch) as lasts:
            if not lasts or machine.deployment is None:
                return
            if Fault.NEVER_RETURNS in machine.faults:
                machine.enter(State.SILENT, "does not come back")
                return
            machine.deployment.phase = Phase.DEPLOYED
            machine.deployment.detail = "running"
            machine.contact()
            machine.enter(State.RUNNING, "booted from disk")
            self._next(machine)

    def fail(self, machine: Machine, reason: str) -> None:
        """Report failure for all remaining boot actions, which would otherwise be waited for in vain."""
        with machine.lock:
            deployment = machine.deployment
            owed = list(deployment.owed) if deployment is not None and deployment.installed else []
        document = {"status": "failure", "details": [{"message": reason, "error": True}]}
        for action in owed:
            answer = self._http.post(action.url, action.key, document)
            with machine.lock:
                _record(machine, action, document, answer)

    def _next(self, machine: Machine) -> None:
        """Reported actions are removed: a machine that restarts does not report them again."""
        if machine.deployment is not None and machine.deployment.owed:
            self._life.later(machine, self._life.delays.action, self._progress)

    def _progress(self, machine: Machine, epoch: int) -> None:
        document = {"details": [{"message": f"{machine.name} runs the boot action", "error": False}]}
        self._post(machine, epoch, document, attempt=1)

    def _final(self, machine: Machine, epoch: int) -> None:
        fails = Fault.ACTION_FAILS in machine.faults
        status, message = ("failure", "the boot action failed") if fails else ("success", "the boot action is done")
        self._post(machine, epoch, {"status": status, "details": [{"message": message, "error": fails}]}, attempt=1)

    def _post(self, machine: Machine, epoch: int, document: Mapping[str, Any], attempt: int) -> None:
        with self._life.still(machine, epoch) as lasts:
            deployment = machine.deployment
            if not lasts or deployment is None or not deployment.owed:
                return
            action = deployment.owed[0]
        answer = self._http.post(action.url, action.key, document)
        with self._life.still(machine, epoch) as lasts:
            if not lasts:
                return
            _record(machine, action, document, answer)
            if answer.passing and attempt < TRIES:
                pause = float(2 ** (attempt - 1))
                self._life.later(
                    machine, Range(pause, pause), lambda m, e: self._post(m, e, document, attempt=attempt + 1)
                )
            elif "status" in document:
                self._after_final(machine, deployment, action, document)
            else:
                self._after_progress(machine)

    def _after_progress(self, machine: Machine) -> None:
        if Fault.GOES_SILENT in machine.faults:
            machine.enter(State.SILENT, "goes silent")
        else:
            self._life.later(machine, self._life.delays.action, self._final)

    def _after_final(
        self, machine: Machine, deployment: Deployment, action: BootAction, document: Mapping[str, Any]
    ) -> None:
        deployment.owed.pop(0)
        if Fault.REPORTS_TWICE in machine.faults:
            self._life.later(machine, self._life.delays.action, lambda m, e: self._again(m, e, action, document))
        else:
            self._next(machine)

    def _again(self, machine: Machine, epoch: int, action: BootAction, document: Mapping[str, Any]) -> None:
        answer = self._http.post(action.url, action.key, document)
        with self._life.still(machine, epoch) as lasts:
            if lasts:
                _record(machine, action, document, answer)
                self._next(machine)


def _record(machine: Machine, action: BootAction, document: Mapping[str, Any], answer: Answer) -> None:
    status = document.get("status")
    machine.note(f"POST {answer.url} ({status or 'progress'}): {answer.outcome}")
    machine.reported.append(
        {
            "action_id": action.id,
            "status": status,
            "message": document["details"][0]["message"],
            "url": answer.url,
            "http_status": answer.status,
            "error": answer.error,
        }
    )
