"""Rules for the state of the service itself."""

from __future__ import annotations

from oslo_policy import policy

from drydock.policies.base import READER, rule
from drydock.policies.names import HEALTH_DATA


def list_rules() -> list[policy.RuleDefault]:
    return [rule(HEALTH_DATA, READER, "See which dependency is ill.")]
