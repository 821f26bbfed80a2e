"""Bodies about tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drydock.api.schemas.design_ref import DESIGN_REF
from drydock.api.text import ONE_LINE_PATTERN
from drydock.model.actions import REQUESTABLE, Action

CREATE_TASK: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "action": {"enum": list(REQUESTABLE)},
        "design_ref": DESIGN_REF,
        # Looked into by the model's own parser, which names the exact field.
        "node_filter": {"type": ["object", "null"]},
        "force": {"type": "boolean"},
        "expect_nodes": {"type": ["integer", "null"], "minimum": 0, "maximum": 1_000_000},
        "all_nodes": {"type": "boolean"},
        # As node_filter.
        "rollout": {"type": ["object", "null"]},
        # With action apply_plan, which takes its design and its nodes from the plan.
        "plan": {"type": ["string", "null"], "pattern": "^[0-9a-f]{64}$"},
        # With this one the others may be left out: action and design_ref are those of the task that is retried.
        "retry_of": {"type": ["string", "null"], "maxLength": 255},
    },
    "if": {"properties": {"retry_of": {"type": "string"}}, "required": ["retry_of"]},
    "else": {
        "if": {"properties": {"action": {"const": Action.APPLY_PLAN.value}}, "required": ["action"]},
        "then": {"required": ["plan"], "properties": {"plan": {"type": "string"}}},
        "else": {"required": ["action", "design_ref"]},
    },
    "additionalProperties": False,
}

CONFIRMATION: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "note": {"type": "string", "maxLength": 1000, "pattern": ONE_LINE_PATTERN},
        # Of which step: a request that is repeated once the task has gone on then confirms nothing else.
        "step": {"type": "string", "minLength": 1, "maxLength": 100},
    },
    "additionalProperties": False,
}
