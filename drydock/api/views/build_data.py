"""Build data as clients see it."""

from __future__ import annotations

from typing import Any

from drydock.api.views.times import timestamp
from drydock.model.build_data import BuildData


def build_data_view(item: BuildData) -> dict[str, Any]:
    return {
        "node_name": item.node,
        "task_id": str(item.task_id),
        "collected_date": timestamp(item.collected),
        "generator": item.generator,
        "data_format": item.data_format,
        "data_element": item.data_element,
    }
