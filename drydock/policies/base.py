"""What all rules share: who is an administrator, who may read."""

from __future__ import annotations

from collections.abc import Sequence

from oslo_policy import policy

PREFIX = "physical_provisioner:"

ADMIN = "rule:admin_required"
READER = "rule:reader_required"


def rule(
    name: str, check: str, description: str, operations: Sequence[tuple[str, str]]
) -> policy.DocumentedRuleDefault:
    """A rule of ours. ``operations`` are (method, path below /api/v1.0) pairs."""
    return policy.DocumentedRuleDefault(
        name=PREFIX + name,
        check_str=check,
        description=description,
        operations=[{"method": method, "path": "/api/v1.0" + path} for method, path in operations],
    )


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
