"""What all rules share: who is an administrator, who may read."""

from __future__ import annotations

from oslo_policy import policy

from drydock.api.operations import TABLE

ADMIN = "rule:admin_required"
READER = "rule:reader_required"


def rule(name: str, check: str, description: str) -> policy.DocumentedRuleDefault:
    """A rule of ours, with the operations of the route table that need it."""
    operations: list[policy.Operation] = [
        {"method": method, "path": route.path}
        for route in TABLE
        for method, operation in route.operations.items()
        if name in (operation.rule, *operation.also)
    ]
    return policy.DocumentedRuleDefault(name=name, check_str=check, description=description, operations=operations)


def list_rules() -> list[policy.RuleDefault]:
    # NOTE: a Keystone where admin implies manager, member and reader lists all four in an admin's token. Where nothing
    # is implied, who may do more must be able to read all the same.
    return [
        policy.RuleDefault("admin_required", "role:admin", description="Who may change machines and data."),
        policy.RuleDefault(
            "reader_required",
            "role:reader or role:member or role:manager or rule:admin_required",
            description="Who may read.",
        ),
    ]
