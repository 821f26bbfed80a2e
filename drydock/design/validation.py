"""Runs the rules over a site and collects their messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from drydock.design.read_on import read_on
from drydock.design.rules import RULES
from drydock.design.rules.base import Finding, Rule
from drydock.model.message import DocumentRef, Level, ValidationMessage
from drydock.model.site import SiteDesign


def validate(site: SiteDesign, rules: Sequence[Rule] = RULES) -> Iterator[ValidationMessage]:
    """Every finding of every rule, and for a rule without errors a message that says so."""
    for rule in rules:
        findings = list(rule.check(site))
        yield from (_message(rule, finding) for finding in findings)
        if not any(finding.level is Level.ERROR for finding in findings):
            yield _message(rule, Finding(Level.INFO, "Validation successful."))


def errors_of(
    site: SiteDesign, broken: frozenset[DocumentRef], rules: Sequence[Rule] = RULES
) -> Iterator[ValidationMessage]:
    """For a site that lacks its ``broken`` documents: only errors, and none that a missing document explains."""
    for rule in rules:
        for finding in rule.check(site):
            if finding.level is Level.ERROR and finding.missing not in broken:
                yield _message(rule, finding)


def _message(rule: Rule, finding: Finding) -> ValidationMessage:
    return ValidationMessage(
        code=rule.code,
        rule=rule.name,
        message=f"{rule.long_name}: {finding.text}",
        level=finding.level,
        documents=finding.documents,
        diagnostic=" ".join(filter(None, (finding.diagnostic, read_on(rule.code, rule.name)))),
    )
