"""Schemas of what the API answers with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drydock.model.task import ResultStatus, TaskStatus

Schema = Mapping[str, Any]

TEXT: Schema = {"type": "string"}
MAYBE_TEXT: Schema = {"type": ["string", "null"]}
FLAG: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
TIME: Schema = {"type": "string", "format": "date-time"}
MAYBE_TIME: Schema = {"type": ["string", "null"], "format": "date-time"}
UUID: Schema = {"type": "string", "format": "uuid"}
MAYBE_UUID: Schema = {"type": ["string", "null"], "format": "uuid"}


def record(properties: Mapping[str, Schema], *, optional: Mapping[str, Schema] | None = None) -> Schema:
    """An object with all of these keys, perhaps the optional ones, and no others."""
    return {
        "type": "object",
        "properties": {**properties, **(optional or {})},
        "required": list(properties),
        "additionalProperties": False,
    }


def array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def by_name(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


def maybe(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


TASK_MESSAGE = record(
    {
        "message": TEXT,
        "error": FLAG,
        "context_type": TEXT,
        "context": TEXT,
        "ts": TIME,
        "extra": {"description": "Further keys of a machine's report, of any kind."},
    }
)
DETAILS = record({"errorCount": COUNT, "messageList": array(TASK_MESSAGE)})
RESULT = record(
    {
        "kind": {"const": "Status"},
        "apiVersion": TEXT,
        "metadata": {"type": "object"},
        "message": TEXT,
        "reason": TEXT,
        # A row of another version may hold a word that this one does not know.
        "status": {"type": "string", "examples": [str(status) for status in ResultStatus]},
        "successes": array(TEXT),
        "failures": array(TEXT),
        "links": array(record({"rel": TEXT, "href": {"type": "string", "format": "uri"}})),
        "details": DETAILS,
    }
)
BUILD_DATA = record(
    {
        "node_name": TEXT,
        "task_id": UUID,
        "collected_date": TIME,
        "generator": TEXT,
        "data_format": TEXT,
        "data_element": TEXT,
    }
)
TASK = record(
    {
        "kind": {"const": "Task"},
        "apiVersion": TEXT,
        "task_id": UUID,
        "action": TEXT,
        "parent_task_id": MAYBE_UUID,
        "design_ref": TEXT,
        "status": {"type": "string", "examples": [str(status) for status in TaskStatus]},
        "result": RESULT,
        "node_filter": {"description": "As it was sent."},
        "subtask_id_list": array(UUID),
        "created": TIME,
        "created_by": TEXT,
        "updated": TIME,
        "terminated": MAYBE_TIME,
        "terminated_by": MAYBE_TEXT,
        "terminate": FLAG,
        "retry": COUNT,
        "node": MAYBE_TEXT,
        "step": MAYBE_TEXT,
        "step_since": MAYBE_TIME,
        "deadline_at": MAYBE_TIME,
        "attempt": COUNT,
        "reason": TEXT,
        "last_error": TEXT,
        "error_attempts": COUNT,
        "force": FLAG,
        "retry_of": MAYBE_UUID,
        "expect_nodes": {"type": ["integer", "null"]},
        "all_nodes": FLAG,
        "rollout": {"description": "As it was sent, with what was left out."},
        "plan": MAYBE_TEXT,
        "paused": MAYBE_TIME,
        "paused_by": MAYBE_TEXT,
        "progress": maybe(
            record(
                {"total": COUNT, "by_status": by_name(COUNT), "by_step": by_name(COUNT)},
                optional={"wave": COUNT, "waves": {"type": ["integer", "null"]}},
            )
        ),
        "design_digest": MAYBE_TEXT,
        "confirmations": array(
            record({"step": TEXT, "asked": TIME, "confirmed": MAYBE_TIME, "confirmed_by": MAYBE_TEXT, "note": TEXT})
        ),
        "machine": maybe(record({"first_contact": MAYBE_TIME, "last_contact": MAYBE_TIME, "stage": MAYBE_TEXT})),
    },
    optional={"build_data": array(BUILD_DATA), "subtask_errors": {"type": "object"}},
)
#: With ``layers``: the tasks by their ids.
LAYERS: Schema = {
    "type": "object",
    "properties": {"init_task_id": UUID, "subtask_errors": {"type": "object"}},
    "required": ["init_task_id"],
    "additionalProperties": TASK,
}
TASK_OR_LAYERS: Schema = {"anyOf": [TASK, LAYERS]}
_STATUS = {
    "kind": {"const": "Status"},
    "apiVersion": TEXT,
    "metadata": {"type": "object"},
    "status": {"enum": ["Success", "Failure"]},
    "code": COUNT,
    "message": TEXT,
    "reason": TEXT,
}
ERROR = record(
    {
        **_STATUS,
        "details": record(
            {
                "errorCount": COUNT,
                "messageList": array(record({"message": TEXT, "error": FLAG}, optional={"field": TEXT})),
            }
        ),
        "type": {"const": "error"},
        "retry": FLAG,
    }
)
VALIDATION_MESSAGE = record(
    {
        "name": TEXT,
        "rule": TEXT,
        "message": TEXT,
        "error": FLAG,
        "level": {"enum": ["Error", "Warning", "Info"]},
        "diagnostic": TEXT,
        "kind": {"const": "ValidationMessage"},
        "ts": TIME,
        "documents": array(record({"schema": TEXT, "name": TEXT})),
    }
)
VALIDATION = record(
    {**_STATUS, "details": record({"errorCount": COUNT, "messageList": array(VALIDATION_MESSAGE)})},
    optional={"type": {"const": "error"}, "retry": FLAG},
)
_SNAPSHOT = {"digest": TEXT, "design_ref": TEXT, "size": COUNT, "created": TIME, "created_by": TEXT}
SNAPSHOT = record(_SNAPSHOT)
UPLOADED = record({**_SNAPSHOT, "messages": array(VALIDATION_MESSAGE)})
COMPILED = record(
    {"digest": TEXT, "valid": FLAG, "site": {"type": ["object", "null"]}, "messages": array(VALIDATION_MESSAGE)}
)
_NEIGHBOUR = record({"chassis_id": MAYBE_TEXT, "system_name": MAYBE_TEXT, "port_id": MAYBE_TEXT})
_MAYBE_NUMBER: Schema = {"type": ["integer", "null"]}
_DISK = record(
    {
        "name": MAYBE_TEXT,
        "serial": MAYBE_TEXT,
        "size_bytes": _MAYBE_NUMBER,
        "bus_address": MAYBE_TEXT,
        "rotational": {"type": ["boolean", "null"]},
    }
)
_NIC = record(
    {
        "mac": TEXT,
        "name": MAYBE_TEXT,
        "bus_address": MAYBE_TEXT,
        "speed_mbit": _MAYBE_NUMBER,
        "neighbour": maybe(_NEIGHBOUR),
    }
)
#: None stands for what no finder knows.
HARDWARE_FACTS = record(
    {
        **dict.fromkeys(("vendor", "product", "serial", "arch", "bios_version", "firmware"), MAYBE_TEXT),
        "cpu_count": _MAYBE_NUMBER,
        "memory_mib": _MAYBE_NUMBER,
        "disks": maybe(array(_DISK)),
        "nics": maybe(array(_NIC)),
    }
)
HOLD = record(
    {
        "hostname": TEXT,
        "kind": TEXT,
        "reason": TEXT,
        "created_by": TEXT,
        "created": TIME,
        "until": MAYBE_TIME,
    }
)
KNOWN_NODE = record(
    {
        "hostname": TEXT,
        "facts": maybe(HARDWARE_FACTS),
        "facts_before": maybe(HARDWARE_FACTS),
        "sources": array(record({"generator": TEXT, "collected": TIME, "task_id": UUID})),
        "deployed": maybe(
            record(
                {
                    "design_digest": TEXT,
                    "image": MAYBE_TEXT,
                    "task_id": UUID,
                    "deployed": TIME,
                    "deployed_by": TEXT,
                    "fingerprints": {"type": "object"},
                    "sections": {"type": ["object", "null"]},
                }
            )
        ),
        "hold": maybe(HOLD),
    }
)
NODE = record(
    {
        "hostname": TEXT,
        "memory": {"type": "number"},
        "cpu_count": {"type": "number"},
        "status_name": TEXT,
        "boot_mac": TEXT,
        "power_state": TEXT,
        "power_address": TEXT,
        "boot_ip": TEXT,
    }
)
HEALTH = record(
    {
        **_STATUS,
        "details": record({"errorCount": COUNT, "messageList": array(record({"message": TEXT, "error": FLAG}))}),
        "dependencies": array(
            record({"name": TEXT, "healthy": FLAG, "detail": TEXT, "seconds": {"type": "number", "minimum": 0}})
        ),
    }
)
VERSIONS = by_name(record({"path": TEXT, "status": TEXT}))
BOOT_ACTION = record(
    {"node_name": TEXT, "action_id": TEXT, "action_name": TEXT, "task_id": UUID, "action_status": TEXT}
)
EMPTY = record({})
PLAN = record(
    {
        "plan_id": TEXT,
        "design_digest": TEXT,
        "waves": {
            "type": "array",
            "items": COUNT,
            "description": "How many nodes have begun after each wave, by default.",
        },
        "applied_by": MAYBE_TEXT,
        "node_filter": {"description": "As it was sent."},
        "destroy_unlisted": FLAG,
        "counts": by_name(COUNT),
        "site": array(record({"path": TEXT, "old": {}, "new": {}})),
        "estimate": maybe(record({"p50": {"type": "number"}, "p90": {"type": "number"}, "samples": COUNT})),
        "created": TIME,
        "created_by": TEXT,
    }
)
PLANNED_NODE = record(
    {
        "position": COUNT,
        "node": TEXT,
        "rack": MAYBE_TEXT,
        "decision": {"enum": ["keep", "deploy", "redeploy", "destroy", "blocked"]},
        "reasons": array(record({"kind": TEXT, "text": TEXT, "path": MAYBE_TEXT, "old": {}, "new": {}})),
    }
)
