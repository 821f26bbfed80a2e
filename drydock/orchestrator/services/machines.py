"""What a machine asks and says beside its bundles and reports: the boot script, progress, build data."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from drydock.bootaction.keys import matches
from drydock.bootaction.scripts import boot_script_of
from drydock.db.database import Database
from drydock.db.unit_of_work import UnitOfWork
from drydock.errors import BootContextNotFound, Conflict, Forbidden, InvalidInput
from drydock.model.boot_context import BootContext
from drydock.model.cleaning import CLEANING
from drydock.model.machine import KeptAmounts, LogFile, MachineEvent, NewBuildData
from drydock.model.machine_limits import MAX_EVENTS, MAX_KEPT_BYTES, MAX_KEPT_ROWS, MAX_LOG_BYTES
from drydock.model.message import NewMessage
from drydock.orchestrator.services.outage_retry import outage_retry

#: Maximum number of log files left out that a message names.
NAMED = 5


@dataclass(frozen=True, slots=True)
class ScriptSettings:
    """URLs as machines reach them, with a slash at the end."""

    bootdata_url: str
    report_url: str
    start_units: bool


class MachineService:
    """``hold_seconds``: how long a machine is kept waiting for a database that does not answer. ``reserved``: the
    generators of build data that no machine sends.

    An event or build data whose commit got no answer is sent to the database again, and may then be there twice.
    """

    def __init__(
        self, database: Database, settings: ScriptSettings, *, hold_seconds: float, reserved: Collection[str]
    ) -> None:
        self._database = database
        self._settings = settings
        self._reserved = frozenset(reserved)
        self._retries = outage_retry(hold_seconds)

    def script(self, node: str, key: bytes) -> str:
        """The boot script for this node, without its key. Raises ``BootContextNotFound``, ``Forbidden``."""
        settings = self._settings
        return boot_script_of(
            node=self.admit(node, key),
            bootdata_url=settings.bootdata_url,
            report_url=settings.report_url,
            start_units=settings.start_units,
        )

    def admit(self, node: str, credential: bytes, *, events: bool = False) -> str:
        """The node's name as its design has it, if this is its key or, for ``events``, its installer's token.

        Raises as ``event``.
        """

        def look() -> str:
            with self._database.unit_of_work() as uow:
                return _admit(uow, node, credential, events=events).node

        return self._retries.run(look)

    def event(self, node: str, credential: bytes, event: MachineEvent) -> None:
        """Keep a step of the installer as a message of the node's subtask, and the log files that came with it.

        ``credential``: the node's key, or its installer's token. What exceeds the limits is not kept, which one
        message reports; the contact is recorded all the same. Raises ``BootContextNotFound``, ``Forbidden``.
        """
        self._retries.run(lambda: self._keep_event(node, credential, event))

    def _keep_event(self, node: str, credential: bytes, event: MachineEvent) -> None:
        with self._database.unit_of_work() as uow:
            context = _admit(uow, node, credential, events=True)
            before = uow.boot_contacts.record_contact(context.id, context.task_id, stage=event.stage)
            if before.events < MAX_EVENTS:
                sizes, lost = _keep_files(uow, context, event.files, before, event.origin)
                lines = [(_line(event), event.error, _extra(event))]
                if lost:
                    lines.append((_left_out(lost), False, {}))
                if before.events + 1 == MAX_EVENTS:
                    lines.append((f"{MAX_EVENTS} events of this machine are kept: no more will be", False, {}))
                uow.messages.add(
                    [
                        NewMessage(context.task_id, line, error, "installer", event.origin, extra)
                        for line, error, extra in lines
                    ]
                )
                uow.boot_contacts.keep(context.id, events=1, kept_bytes=sum(sizes), kept_rows=len(sizes))
            uow.task_signals.touch(context.task_id)
            uow.commit()

    def add_build_data(self, node: str, key: bytes, data: NewBuildData) -> None:
        """Raises ``InvalidInput`` for a reserved generator, ``BootContextNotFound``, ``Forbidden``; ``Conflict`` when
        the deployment has sent too much.
        """
        if data.generator.removesuffix(CLEANING) in self._reserved:
            raise InvalidInput("is the name of a driver, whose findings a machine cannot send", field="generator")
        self._retries.run(lambda: self._keep_build_data(node, key, data))

    def _keep_build_data(self, node: str, key: bytes, data: NewBuildData) -> None:
        size = len(data.data_element.encode("utf-8", "replace"))
        with self._database.unit_of_work() as uow:
            context = _admit(uow, node, key)
            before = uow.boot_contacts.record_contact(context.id, context.task_id)
            if before.kept_bytes + size > MAX_KEPT_BYTES:
                raise Conflict(f"no more build data is kept of this deployment: at most {MAX_KEPT_BYTES} bytes")
            if before.kept_rows >= MAX_KEPT_ROWS:
                raise Conflict(f"no more build data is kept of this deployment: at most {MAX_KEPT_ROWS} pieces")
            uow.build_data.add(
                node=context.node,
                task_id=context.task_id,
                generator=data.generator,
                data_format=data.data_format,
                data_element=data.data_element,
            )
            uow.boot_contacts.keep(context.id, kept_bytes=size, kept_rows=1)
            uow.task_signals.touch(context.task_id)
            uow.commit()


def _admit(uow: UnitOfWork, node: str, credential: bytes, *, events: bool = False) -> BootContext:
    """The node's context, if the key is its own; for ``events`` its installer's token will do."""
    context_id = uow.boot_contexts.live_context(node)
    if context_id is None:
        raise BootContextNotFound(f"node {node} has no boot context")
    context = uow.boot_contexts.get(context_id)
    if matches(credential, context.key_digest):
        return context
    token_digest = uow.boot_contacts.events_digest(context_id) if events else None
    if token_digest is not None and matches(credential, token_digest):
        return context
    raise Forbidden("the key is not this node's")


def _keep_files(
    uow: UnitOfWork, context: BootContext, files: Sequence[LogFile], before: KeptAmounts, origin: str
) -> tuple[list[int], list[str]]:
    """Log files as build data, each file a generator of its own so that ``latest`` shows the newest of each.

    Answers the bytes that were kept of each, and the paths of files for which there was no room.
    """
    kept: list[int] = []
    lost: list[str] = []
    for file in files:
        text = file.content[-MAX_LOG_BYTES:].decode("utf-8", "replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")
        size = len(text.encode())
        if before.kept_bytes + sum(kept) + size > MAX_KEPT_BYTES or before.kept_rows + len(kept) >= MAX_KEPT_ROWS:
            lost.append(file.path)
            continue
        kept.append(size)
        uow.build_data.add(
            node=context.node,
            task_id=context.task_id,
            generator=f"{origin}:{file.path}",
            data_format="text/plain",
            data_element=text,
        )
    return kept, lost


def _left_out(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
    return f"log files left out, for their size: {', '.join(paths[:NAMED])}{more}"


def _line(event: MachineEvent) -> str:
    text = f"{event.name}: {event.description}" if event.description else event.name
    return f"{text} ({event.result})" if event.result else text


def _extra(event: MachineEvent) -> dict[str, object]:
    return {"name": event.name, "event_type": event.event_type, **dict(event.extra)}
