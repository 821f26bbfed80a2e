"""Rules for build data of nodes and tasks."""

from __future__ import annotations

from oslo_policy import policy

from drydock.policies.base import READER, rule
from drydock.policies.names import READ_BUILD_DATA


def list_rules() -> list[policy.RuleDefault]:
    return [rule(READ_BUILD_DATA, READER, "See what was found out about nodes while they were built.")]
