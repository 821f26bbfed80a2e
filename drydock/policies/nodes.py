"""Rules for build data of nodes and tasks."""

from __future__ import annotations

from oslo_policy import policy

from drydock.policies.base import PREFIX, READER, rule

READ_BUILD_DATA = PREFIX + "read_build_data"


def list_rules() -> list[policy.RuleDefault]:
    return [
        rule(
            "read_build_data",
            READER,
            "See what was found out about nodes while they were built.",
            [
                ("GET", "/nodes/{hostname}/builddata"),
                ("GET", "/tasks/{task_id}/builddata"),
                ("GET", "/tasks/{task_id}?builddata=true"),
            ],
        ),
    ]
