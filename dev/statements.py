"""The engine's statements as SQL, for docs/reference/statements.sql: ``python -m dev.statements``.

They are written in Python, where names are checked, and read best as SQL. ``:name`` is a parameter.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from sqlalchemy import ClauseElement
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.sql.compiler import SQLCompiler

from drydock.db import (
    boot_contacts,
    boot_contexts,
    bundles,
    confirmations,
    holds,
    lease_statements,
    messages,
    one_task,
    outcome_statements,
    queue_numbers,
    report_statements,
    rollouts,
    task_queue,
    task_signals,
    termination,
)
from drydock.model.boot_context import BundleKind
from drydock.model.task import Lane

_DIALECT = PGDialect_psycopg2(paramstyle="named")  # type: ignore[no-untyped-call]
WIDTH = 110
#: Stands for a space in quotes while lines are wrapped.
_SPACE = "\x1f"
HEADER = """\
-- The statements of the engine, of machines' requests and of task requests, as they are sent to PostgreSQL.
-- Generated from drydock/db by `make samples`; do not edit. `:name` is a parameter. docs/development/locking.md says
-- which rows each locks.
"""

#: Title with the module, and the statement.
STATEMENTS: tuple[tuple[str, ClauseElement], ...] = (
    ("Enqueue a task (task_queue.ADD)", task_queue.ADD),
    ("Enqueue its subtasks (task_queue.ADD_SUBTASKS)", task_queue.ADD_SUBTASKS),
    ("Claim due tasks (lease_statements.CLAIM)", lease_statements.CLAIM),
    ("Seconds until the next task is due (lease_statements.NEXT_DUE)", lease_statements.NEXT_DUE[frozenset(Lane)]),
    ("Renew leases (lease_statements.RENEW)", lease_statements.RENEW),
    ("Due tasks of an unknown kind (lease_statements.UNKNOWN)", lease_statements.UNKNOWN),
    ("Lock one's own tasks (outcome_statements.LOCK_MINE)", outcome_statements.LOCK_MINE),
    ("Lock those that have not ended (outcome_statements.LOCK_GOING_ON)", outcome_statements.LOCK_GOING_ON),
    ("Hold nodes (holds.HOLD)", holds.HOLD),
    ("Enter a step (outcome_statements.ENTER)", outcome_statements.ENTER),
    ("Pause (outcome_statements.PAUSE)", outcome_statements.PAUSE),
    ("Finish (outcome_statements.FINISH)", outcome_statements.FINISH),
    ("Add messages (messages.ADD_MESSAGES)", messages.ADD_MESSAGES),
    ("Release nodes and slots (holds.RELEASE)", holds.RELEASE),
    ("Wake what an end unblocks (task_signals.WAKE_AFTER_END)", task_signals.WAKE_AFTER_END),
    ("Wake a task (task_signals.WAKE)", task_signals.WAKE),
    ("Mark a task as changed (task_signals.TOUCH)", task_signals.TOUCH),
    ("Mark tasks as to terminate (termination.MARK)", termination.MARK),
    ("Lock tasks with a rollout (rollouts.LOCK)", rollouts.LOCK),
    ("Lock them with their subtasks (rollouts.LOCK_TREES)", rollouts.LOCK_TREES),
    ("Begin a wave (rollouts.RELEASE_WAVE)", rollouts.RELEASE_WAVE),
    ("Have subtasks wait for their wave (rollouts.PARK_UNBEGUN)", rollouts.PARK_UNBEGUN),
    ("The same, of claimed ones (rollouts.PARK_THESE)", rollouts.PARK_THESE),
    ("End subtasks that have not begun (rollouts.END_UNBEGUN)", rollouts.END_UNBEGUN),
    ("The same, of claimed ones (rollouts.END_THESE)", rollouts.END_THESE),
    ("Lock tasks that wait for a person (confirmations.LOCK_ASKED)", confirmations.LOCK_ASKED),
    ("Confirm (confirmations.CONFIRM)", confirmations.CONFIRM),
    ("Wake what was confirmed (confirmations.WAKE_CONFIRMED)", confirmations.WAKE_CONFIRMED),
    ("Store what nodes boot with (boot_contexts.ADD_CONTEXTS)", boot_contexts.ADD_CONTEXTS),
    ("Revoke keys of nodes (boot_contexts.END)", boot_contexts.END),
    ("Revoke keys of deployments (boot_contexts.END_OF_TASKS)", boot_contexts.END_OF_TASKS),
    ("Read a bundle (bundles.BUNDLES)", bundles.BUNDLES[BundleKind.FILE].statement),
    ("Read the key of a report (report_statements.REPORT_KEY)", report_statements.REPORT_KEY.statement),
    ("Lock a boot action (report_statements.LOCK_ACTION)", report_statements.LOCK_ACTION),
    ("Store a report (report_statements.STORE_REPORT)", report_statements.STORE_REPORT),
    ("Record contacts of machines (boot_contacts.RECORD_CONTACTS)", boot_contacts.RECORD_CONTACTS),
    ("Read a task with its details (one_task.TASK)", one_task.TASK.statement),
    ("Numbers of the queue (queue_numbers.QUEUE_NUMBERS)", queue_numbers.QUEUE_NUMBERS),
)
#: What begins a line of its own.
_CLAUSES = "FROM|WHERE|SET|VALUES|SELECT|ORDER BY|GROUP BY|LIMIT|FOR (?:NO KEY )?UPDATE|RETURNING|ON CONFLICT|UNION ALL"
_BREAK = re.compile(rf"(?<!epoch)\s+(?=(?:{_CLAUSES})\b)|(?<=\bAS)\s+(?=\()|\n")


def main() -> None:
    print(HEADER + "".join(_section(title, statement) for title, statement in STATEMENTS), end="")


def _section(title: str, statement: ClauseElement) -> str:
    return f"\n-- {title}\n" + "\n".join(_wrapped(_sql(statement))) + ";\n"


def _sql(statement: ClauseElement) -> str:
    """With the values that are part of the statement in their places."""
    columns = list(task_queue.ADD_TASK.columns) if statement is task_queue.ADD else None
    compiled = statement.compile(dialect=_DIALECT, column_keys=columns)
    assert isinstance(compiled, SQLCompiler)
    text = str(compiled)
    for name, bind in compiled.binds.items():
        if not bind.required:
            text = re.sub(rf"(?<!:):{re.escape(name)}(?!\w)", _literal(bind.value).replace("\\", r"\\"), text)
    # Lists that are written out when the statement is executed.
    return re.sub(r"\(__\[POSTCOMPILE_(\w+)\]\)", lambda found: _literal(compiled.binds[found[1]].value), text)


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:g}" if isinstance(value, float) else str(value)
    if isinstance(value, list | tuple):
        return "(" + ", ".join(map(_literal, value)) + ")"
    return "'" + str(value).replace("'", "''") + "'"


def _wrapped(sql: str) -> Iterator[str]:
    """Lines are indented by the parentheses that are open. Spaces in quotes are not broken at."""
    sql = re.sub(r"'[^']*'", lambda quoted: quoted[0].replace(" ", _SPACE), sql)
    depth = 0
    for line in _BREAK.split(sql):
        text = line.strip()
        if text:
            indent = "  " * depth
            lines = textwrap.wrap(
                text,
                WIDTH,
                initial_indent=indent,
                subsequent_indent=indent + "    ",
                break_long_words=False,
                break_on_hyphens=False,
            )
            yield from (each.replace(_SPACE, " ") for each in lines)
        depth += text.count("(") - text.count(")")


if __name__ == "__main__":
    main()
