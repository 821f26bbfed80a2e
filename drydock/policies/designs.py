"""Rules for design documents and their validation."""

from __future__ import annotations

from oslo_policy import policy

from drydock.policies.base import ADMIN, PREFIX, READER, rule

READ_DATA = PREFIX + "read_data"
READ_SECRETS = PREFIX + "read_secrets"
INGEST_DATA = PREFIX + "ingest_data"
VALIDATE_SITE_DESIGN = PREFIX + "validate_site_design"


def list_rules() -> list[policy.RuleDefault]:
    return [
        rule(
            "read_data",
            READER,
            "See stored designs, but for what is secret in them, and nodes.",
            [("GET", "/designs"), ("GET", "/designs/{digest}"), ("GET", "/nodes"), ("POST", "/nodefilter")],
        ),
        rule(
            "read_secrets",
            ADMIN,
            "See stored designs as they were uploaded, with the credentials of BMCs and the data of boot actions. The "
            "rule read_data is needed as well.",
            [("GET", "/designs/{digest}")],
        ),
        rule("ingest_data", ADMIN, "Upload designs.", [("POST", "/designs")]),
        rule("validate_site_design", READER, "Have a design validated.", [("POST", "/validatedesign")]),
    ]
