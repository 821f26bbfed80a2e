"""Rules for build data of nodes and tasks, and for holds."""

from __future__ import annotations

from oslo_policy import policy

from drydock.policies.base import ADMIN, READER, rule
from drydock.policies.names import HOLD_NODE, READ_BUILD_DATA, READ_HOLDS


def list_rules() -> list[policy.RuleDefault]:
    return [
        rule(READ_BUILD_DATA, READER, "See what was found out about nodes while they were built."),
        rule(READ_HOLDS, READER, "See which nodes are held."),
        rule(HOLD_NODE, ADMIN, "Hold nodes, so that no action changes them, and release them."),
    ]
