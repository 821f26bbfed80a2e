"""The policy rules with the operations that need them: the entry point of oslo.policy's sample generator."""

from __future__ import annotations

from oslo_policy import policy

from drydock.api.operations import TABLE
from drydock.policies import rules


def list_rules() -> list[policy.RuleDefault]:
    return [_documented(rule) for rule in rules.list_rules()]


def _documented(rule: policy.RuleDefault) -> policy.RuleDefault:
    """Unchanged if no operation needs it: another rule may."""
    operations: list[policy.Operation] = [
        {"method": method, "path": route.path}
        for route in TABLE
        for method, operation in route.operations.items()
        if rule.name in (operation.rule, *operation.also)
    ]
    if not operations:
        return rule
    return policy.DocumentedRuleDefault(
        name=rule.name, check_str=rule.check_str, description=rule.description or "", operations=operations
    )
