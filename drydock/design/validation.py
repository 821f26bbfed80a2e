"""Runs the rules over a site and collects their messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from drydock.design.broken import Broken
from drydock.design.read_on import read_on
from drydock.design.rules import RULES
from drydock.design.rules.base import Finding, Rule, schema
from drydock.model.message import Level, ValidationMessage
from drydock.model.site import SiteDesign

WHOLE = Broken()


def validate(site: SiteDesign, rules: Sequence[Rule] = RULES, broken: Broken = WHOLE) -> Iterator[ValidationMessage]:
    """Every finding of every rule, and for a rule without errors a message that says so.

    Of a site that lacks ``broken`` documents, what is wrong with the rest: nothing that their absence may explain,
    and no rule is said to have passed.
    """
    for rule in rules:
        findings = [finding for finding in rule.check(site) if not broken or _stands(finding, broken)]
        yield from (_message(rule, finding) for finding in findings)
        if not broken and not any(finding.level is Level.ERROR for finding in findings):
            yield _message(rule, Finding(Level.INFO, "Validation successful."))


def _stands(finding: Finding, broken: Broken) -> bool:
    """Whether it would be found if nothing were broken."""
    if finding.level is Level.INFO or (finding.missing is not None and broken.explains(finding.missing)):
        return False
    return not broken.holds([schema(kind) for kind in finding.kinds])


def _message(rule: Rule, finding: Finding) -> ValidationMessage:
    return ValidationMessage(
        code=rule.code,
        rule=rule.name,
        message=f"{rule.long_name}: {finding.text}",
        level=finding.level,
        documents=finding.documents,
        diagnostic=" ".join(filter(None, (finding.diagnostic, read_on(rule.code, rule.name)))),
    )
