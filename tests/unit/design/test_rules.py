"""What holds for every rule."""

from __future__ import annotations

from drydock.design.compiler import compile_design
from drydock.design.rules import RULES


def test_names_are_unique_and_codes_are_codes() -> None:
    assert len({rule.name for rule in RULES}) == len({rule.long_name for rule in RULES}) == len(RULES)
    assert all(rule.code.startswith("DD") and rule.code[2:].isdigit() for rule in RULES)


def test_every_rule_that_finds_no_error_says_so() -> None:
    passed = [message for message in compile_design(b"").messages if message.level == "Info"]
    assert [(message.code, message.rule, message.message) for message in passed] == [
        (rule.code, rule.name, f"{rule.long_name}: Validation successful.") for rule in RULES
    ]
    assert not any(message.error or message.documents for message in passed)
