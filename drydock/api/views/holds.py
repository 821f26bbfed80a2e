"""Holds as clients see them."""

from __future__ import annotations

from typing import Any

from drydock.api.views.times import optional_timestamp, timestamp
from drydock.model.operator_hold import OperatorHold


def hold_view(hold: OperatorHold) -> dict[str, Any]:
    return {
        "hostname": hold.node,
        "kind": hold.kind,
        "reason": hold.reason,
        "created_by": hold.created_by,
        "created": timestamp(hold.created),
        "until": optional_timestamp(hold.until),
    }
