"""Runs the rules over a site and collects their messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

from drydock.design.broken_documents import BrokenDocuments
from drydock.design.findings import messages
from drydock.design.rules import RULES
from drydock.design.rules.base import Finding, Rule, schema
from drydock.model.message import Level, ValidationMessage
from drydock.model.site import SiteDesign

NONE_BROKEN = BrokenDocuments()


def validate(
    site: SiteDesign, rules: Sequence[Rule] = RULES, broken: BrokenDocuments = NONE_BROKEN
) -> Iterator[ValidationMessage]:
    """Every finding of every rule, and for a rule without errors an informational message.

    For a site that lacks ``broken`` documents, only findings that their absence cannot explain, and no rule is
    reported as passed.
    """
    lost = broken.schemas
    for rule in rules:
        findings = (finding for finding in rule.check(site) if not broken or _stands(finding, broken, lost))
        found = list(messages(rule, findings, site))
        yield from found
        if not broken and not any(message.error for message in found):
            yield from messages(rule, [Finding(Level.INFO, "Validation successful.")], site)


def _stands(finding: Finding, broken: BrokenDocuments, lost: Set[str]) -> bool:
    """True if the finding holds even with the broken documents; ``lost``: their schemas."""
    if finding.level is Level.INFO or (finding.missing is not None and broken.explains(finding.missing)):
        return False
    return not finding.kinds or not (broken.unknown or any(schema(kind) in lost for kind in finding.kinds))
