"""Turns findings of rules into messages, one for a finding that many nodes share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from drydock.design.doc_link import doc_link
from drydock.design.messages import MAX_DOCUMENTS, MAX_OF_RULE, listed
from drydock.design.rules.base import NODE, Finding, Rule, document
from drydock.design.similar import Similar
from drydock.model.message import DocumentRef, Level, ValidationMessage
from drydock.model.site import SiteDesign

#: Distinct findings of one rule that are processed; further ones change nothing once it has an error.
_MOST = 20 * MAX_OF_RULE


def messages(rule: Rule, findings: Iterable[Finding], site: SiteDesign) -> Iterator[ValidationMessage]:
    """Messages in the order of the first node of each."""
    similar: dict[str, Similar] = {}
    for finding, nodes in _grouped(findings):
        text = finding.text
        if finding.missing is not None:
            schema = finding.missing.schema
            hint = similar.setdefault(schema, Similar(_known(site, schema))).hint(finding.missing.name)
            text = f"{text.removesuffix('.')}{hint}" if hint else text
        yield ValidationMessage(
            code=rule.code,
            rule=rule.name,
            message=f"{rule.long_name}: {_named(text, nodes)}",
            level=finding.level,
            documents=(*_documents(nodes, site), *finding.documents),
            diagnostic=" ".join(filter(None, (finding.diagnostic, doc_link(rule.code, rule.name)))),
        )


def _grouped(findings: Iterable[Finding]) -> Iterator[tuple[Finding, list[str]]]:
    groups: dict[Any, tuple[Finding, list[str]]] = {}
    failed = False
    for finding in findings:
        about = (finding.level, finding.text, finding.documents, finding.diagnostic) if finding.node else len(groups)
        if about not in groups:
            failed |= finding.level is Level.ERROR
            if len(groups) >= _MOST and failed:
                break
            groups[about] = (finding, [])
        if finding.node:
            groups[about][1].append(finding.node)
    yield from groups.values()


def _named(text: str, nodes: list[str]) -> str:
    if NODE in text:
        return text.replace(NODE, listed(nodes))
    return f"{text} On BaremetalNode {listed(nodes)}." if len(nodes) > 1 else text


def _documents(nodes: list[str], site: SiteDesign) -> Iterator[DocumentRef]:
    """References to some of the nodes, and to the profile if they share one."""
    yield from (document("BaremetalNode", name) for name in nodes[: MAX_DOCUMENTS // 2])
    profiles = {site.nodes[name].host_profile for name in nodes} if len(nodes) > 1 else set()
    profile = profiles.pop() if len(profiles) == 1 else None
    if profile is not None:
        yield document("HostProfile", profile)


def _known(site: SiteDesign, schema: str) -> Mapping[str, Any]:
    by_schema: Mapping[str, Mapping[str, Any]] = {
        document("Network", "").schema: site.networks,
        document("NetworkLink", "").schema: site.network_links,
        document("Rack", "").schema: site.racks,
    }
    return by_schema.get(schema, {})
