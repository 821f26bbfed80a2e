"""What commits and what reads at once are two types: mypy refuses to mix them up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

USES = """\
from drydock.db.database import Database
from drydock.db.unit_of_work import UnitOfWork


def in_a_transaction(uow: UnitOfWork) -> None: ...


def use(database: Database) -> None:
    with database.unit_of_work() as uow:
        uow.tasks
        uow.outcomes
        in_a_transaction(uow)
        uow.confirmations.ask
        uow.confirmations.confirm
        uow.plans.add
        uow.plans.apply
        uow.boot_contexts.replace
        uow.boot_contacts.record_contact
        uow.boot_contacts.keep
        uow.deployed_nodes.record
        uow.retries.lock
        uow.task_queue.add_subtasks
        uow.task_signals.terminate
        uow.commit()
    with database.statements() as statements:
        statements.tasks
        statements.plans.get
        statements.boot_contexts.end
        statements.task_queue.add
        statements.task_signals.wake
        statements.confirmations.ask  # [attr-defined]
        statements.confirmations.confirm  # [attr-defined]
        statements.plans.add  # [attr-defined]
        statements.plans.apply  # [attr-defined]
        statements.boot_contexts.replace  # [attr-defined]
        statements.boot_contacts.record_contact  # [attr-defined]
        statements.boot_contacts.keep  # [attr-defined]
        statements.deployed_nodes.record  # [attr-defined]
        statements.retries.lock  # [attr-defined]
        statements.task_queue.add_subtasks  # [attr-defined]
        statements.task_signals.terminate  # [attr-defined]
        statements.commit()  # [attr-defined]
        statements.outcomes  # [attr-defined]
        in_a_transaction(statements)  # [arg-type]
"""


def test_mypy_refuses_what_needs_a_transaction_where_there_is_none(tmp_path: Path) -> None:
    file = tmp_path / "uses.py"
    file.write_text(USES)
    command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", "--no-error-summary", str(file)]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found = [line.partition("error:") for line in checked.stdout.splitlines()]
    expected = [(number, line.rpartition("# ")[2]) for number, line in enumerate(USES.splitlines(), 1) if "# [" in line]
    assert [(int(place.split(":")[1]), text.rpartition(" ")[2]) for place, _, text in found] == expected, checked
