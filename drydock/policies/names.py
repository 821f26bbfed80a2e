"""Names of the policy rules."""

from __future__ import annotations

from collections.abc import Mapping

from drydock.model.actions import REQUESTABLE, Action

PREFIX = "physical_provisioner:"

READ_TASK = PREFIX + "read_task"
CREATE_TASK = PREFIX + "create_task"
TERMINATE_TASK = PREFIX + "terminate_task"
CONFIRM_TASK = PREFIX + "confirm_task"
PAUSE_TASK = PREFIX + "pause_task"
DELETE_TASKS = PREFIX + "delete_tasks"
READ_DATA = PREFIX + "read_data"
READ_SECRETS = PREFIX + "read_secrets"
INGEST_DATA = PREFIX + "ingest_data"
VALIDATE_SITE_DESIGN = PREFIX + "validate_site_design"
READ_BUILD_DATA = PREFIX + "read_build_data"
HOLD_NODE = PREFIX + "hold_node"
READ_HOLDS = PREFIX + "read_holds"
HEALTH_DATA = PREFIX + "health_data"
READ_PLAN = PREFIX + "read_plan"
CREATE_PLAN = PREFIX + "create_plan"

#: The rule that creating a task of an action needs besides CREATE_TASK.
ACTION_RULES: Mapping[Action, str] = {action: PREFIX + action.value for action in dict.fromkeys(REQUESTABLE.values())}
