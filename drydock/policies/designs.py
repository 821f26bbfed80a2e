"""Rules for design documents and their validation."""

from __future__ import annotations

from oslo_policy import policy

from drydock.policies.base import ADMIN, PREFIX, READER, rule

READ_DATA = PREFIX + "read_data"
INGEST_DATA = PREFIX + "ingest_data"
VALIDATE_SITE_DESIGN = PREFIX + "validate_site_design"


def list_rules() -> list[policy.RuleDefault]:
    return [
        rule(
            "read_data",
            READER,
            "See stored designs, with all they contain (also the credentials of BMCs), and nodes.",
            [("GET", "/designs"), ("GET", "/designs/{digest}"), ("GET", "/nodes"), ("POST", "/nodefilter")],
        ),
        rule("ingest_data", ADMIN, "Upload designs.", [("POST", "/designs")]),
        rule("validate_site_design", READER, "Have a design validated.", [("POST", "/validatedesign")]),
    ]
