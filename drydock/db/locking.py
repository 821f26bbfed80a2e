"""The order in which several rows of tasks are locked; docs/development/locking.md lists the statements."""

from __future__ import annotations

from drydock.db.tables import tasks

#: Parents before subtasks, then by id. Two transactions that lock in another order may wait for each other in a circle.
LOCK_ORDER = (tasks.c.parent_id.is_not(None), tasks.c.id)
