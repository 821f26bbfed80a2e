"""Rules for the state of the service itself."""

from __future__ import annotations

from oslo_policy import policy

from drydock.policies.base import PREFIX, READER, rule

HEALTH_DATA = PREFIX + "health_data"


def list_rules() -> list[policy.RuleDefault]:
    return [rule("health_data", READER, "See which dependency is ill.", [("GET", "/health/extended")])]
