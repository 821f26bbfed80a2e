"""What all rules share: who is an administrator, who may read."""

from __future__ import annotations

from oslo_policy import policy

ADMIN = "rule:admin_required"
READER = "rule:reader_required"


def rule(name: str, check: str, description: str) -> policy.RuleDefault:
    """A rule of ours. Which operations need it stands in the route table."""
    return policy.RuleDefault(name=name, check_str=check, description=description)


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
