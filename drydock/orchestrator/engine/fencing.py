"""Drivers that do nothing for a worker that is not certainly the task's any more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar, cast

from drydock.orchestrator.workflows.workflow import StepServices

Driver = TypeVar("Driver")


def fenced(driver: Driver, check: Callable[[], None]) -> Driver:
    """The same driver, but ``check`` is called right before each verb, and may raise instead of it.

    Machines know no epochs: a worker that was frozen in the middle of a step would go on where it stopped, and
    install or switch off what is another task's by now. Looking once, when a step begins, would not be enough.
    """
    return cast(Driver, _Fenced(driver, check))


def fenced_services(services: StepServices, check: Callable[[], None]) -> StepServices:
    """The same; ``check`` is called before each verb of a driver, and may raise ``LeaseLost`` instead of it."""
    return replace(
        services,
        provisioner=fenced(services.provisioner, check),
        oob_drivers={kind: fenced(driver, check) for kind, driver in services.oob_drivers.items()},
        labels=None if services.labels is None else fenced(services.labels, check),
    )


class _Fenced:
    def __init__(self, driver: object, check: Callable[[], None]) -> None:
        self._driver = driver
        self._check = check

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._driver, name)
        if not callable(verb):
            return verb

        def checked(*arguments: Any, **named: Any) -> Any:
            self._check()
            return verb(*arguments, **named)

        return checked
