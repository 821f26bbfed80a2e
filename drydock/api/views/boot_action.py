"""A boot action as the node that reported on it sees it; never the key."""

from __future__ import annotations

from typing import Any

from drydock.model.boot_action import BootAction


def boot_action_view(action: BootAction) -> dict[str, Any]:
    return {
        "node_name": action.node,
        "action_id": action.id,
        "action_name": action.name,
        "task_id": str(action.task_id),
        "action_status": "incomplete" if action.status is None else action.status.value,
    }
