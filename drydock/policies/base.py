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
    # NOTE: Keystone lists implied roles in a token, so an admin's token also holds manager, member and reader.
    return [
        policy.RuleDefault("admin_required", "role:admin", description="Who may change machines and data."),
        policy.RuleDefault("reader_required", "role:reader", description="Who may read."),
    ]
