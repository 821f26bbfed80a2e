"""Rules for plans."""

from __future__ import annotations

from oslo_policy import policy

from drydock.policies.base import ADMIN, READER, rule
from drydock.policies.names import CREATE_PLAN, READ_PLAN


def list_rules() -> list[policy.RuleDefault]:
    return [
        rule(READ_PLAN, READER, "See plans."),
        rule(CREATE_PLAN, ADMIN, "Make plans, for which the provisioner is asked about every node."),
    ]
