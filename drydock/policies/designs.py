"""Rules for design documents and their validation."""

from __future__ import annotations

from oslo_policy import policy

from drydock.policies.base import ADMIN, READER, rule
from drydock.policies.names import INGEST_DATA, READ_DATA, READ_SECRETS, VALIDATE_SITE_DESIGN


def list_rules() -> list[policy.RuleDefault]:
    return [
        rule(READ_DATA, READER, "See stored designs, but for what is secret in them, and nodes."),
        rule(
            READ_SECRETS,
            ADMIN,
            "See stored designs as they were uploaded, with the credentials of BMCs and the data of boot actions. The "
            "rule read_data is needed as well.",
        ),
        rule(INGEST_DATA, ADMIN, "Upload designs."),
        rule(VALIDATE_SITE_DESIGN, READER, "Have a design validated."),
    ]
