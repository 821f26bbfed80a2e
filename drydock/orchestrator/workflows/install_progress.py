"""The progress of an installation: its stage or since when the machine is silent, and when to look again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from drydock.drivers.node.base import Observation
from drydock.model.machine import MachineContact
from drydock.model.task import Task

#: A machine without contact for longer is silent. Installers are quiet while they unpack an image.
SILENT_AFTER = timedelta(minutes=2)
#: The longest pause between two looks at a machine, in usual pauses.
SELDOM = 4


def silence(task: Task, now: datetime, contact: MachineContact | None, seen: Observation) -> str:
    """Why an installation is waited for. ``now``: of any clock, as it only chooses the words.

    Contacts with this service and with the provisioner count alike.
    """
    with_us = contact.last_contact if contact is not None else None
    contacts = [when for when in (with_us, seen.last_contact) if when is not None]
    started = contact.first_contact if contact is not None and contact.first_contact else task.step_since
    since = f" (installer started {_clock(started)})" if started is not None else ""
    # A contact from before the installation, such as the machine's discovery, says nothing about it.
    last = max((when for when in contacts if task.step_since is None or when >= task.step_since), default=None)
    if last is None:
        return f"no contact from {task.node} yet{since}"
    if now - last > SILENT_AFTER:
        return f"no contact from {task.node} since {_clock(last)}{since}"
    stage = (contact.stage if contact is not None else "") or seen.detail or seen.state
    return f"{stage}, last contact {_clock(last)} UTC{since}"


def pause(task: Task, now: datetime, usual: float) -> float:
    """Seconds until the next look: what has taken long already may be seen a twentieth of that later, up to a bound.

    A machine whose boot actions report is not seen later for it: their final status wakes the task.
    """
    elapsed = 0.0 if task.step_since is None else (now - task.step_since).total_seconds()
    return min(max(usual, elapsed / 20), SELDOM * usual)


def _clock(when: datetime) -> str:
    return f"{when.astimezone(UTC):%H:%M:%S}"
