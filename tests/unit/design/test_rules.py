"""What holds for every rule."""

from __future__ import annotations

from pathlib import Path

from drydock.design.compiler import compile_design
from drydock.design.doc_link import PAGE
from drydock.design.rules import RULES

ROOT = Path(__file__).resolve().parents[3]


def test_names_are_unique_and_codes_are_codes() -> None:
    assert len({rule.name for rule in RULES}) == len({rule.long_name for rule in RULES}) == len(RULES)
    assert all(rule.code.startswith("DD") and rule.code[2:].isdigit() for rule in RULES)


def test_every_rule_that_finds_no_error_says_so() -> None:
    messages = compile_design(b"").messages
    passed = [message for message in messages if message.message.endswith(": Validation successful.")]
    assert [(message.code, message.rule, message.message) for message in passed] == [
        (rule.code, rule.name, f"{rule.long_name}: Validation successful.") for rule in RULES
    ]
    assert not any(message.error or message.documents for message in passed)


def test_every_message_says_where_to_read_on_and_there_is_something_to_read() -> None:
    headings = {line[3:] for line in (ROOT / PAGE).read_text().splitlines() if line.startswith("## ")}
    sections = [(rule.code, rule.name) for rule in RULES]
    sections += [("DD000", name) for name in ("document", "duplicate-name", "suspicious", "inheritance")]
    sections += [("DD000", "kernel-parameter-reference"), ("DD001", "schema")]
    assert {f"{code} {name}" for code, name in sections} == headings
    broken = compile_design(b"a: [").messages
    assert all(f"{PAGE}#" in message.diagnostic for message in (*broken, *compile_design(b"").messages))
