"""What is in the assets of deployed nodes, as it was recorded and as it would be now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from drydock.bootaction.content_record import CONTENTS, Record, Sealer, sealer_of
from drydock.bootaction.contents import AssetContent, SiteContents, rendered_digest
from drydock.bootaction.prompt_sources import PromptSources
from drydock.bootaction.time_budget import TimeBudget
from drydock.db.database import Database
from drydock.design.secrecy import masked_text
from drydock.errors import DrydockError
from drydock.model.deployed_node import DeployedNode
from drydock.plan.decision import NOT_COMPARED, ComparedContents

_NOT_RECORDED = "the content of its assets was not recorded when it was deployed, and is not compared"
_UNREADABLE = "the content of its assets was recorded with what [bootaction] secrets has no more, and is not compared"


class ContentComparison:
    """For the nodes of one site, in one plan. Not safe for threads.

    An asset whose inputs are as recorded is as recorded; only others are rendered.
    """

    def __init__(
        self,
        database: Database,
        budget: TimeBudget,
        sources: PromptSources,
        contents: SiteContents,
        sealers: Sequence[Sealer],
    ) -> None:
        """``contents``: made of ``sources``, which have the same budget. ``sealers``: the one that seals first."""
        self._database = database
        self._budget = budget
        self._sources = sources
        self._contents = contents
        self._sealers = sealers
        self._rendered: dict[bytes, bytes] = {}
        self._failed: dict[tuple[bytes, str, str], str] = {}

    def compare(self, recorded: Mapping[str, DeployedNode]) -> Mapping[str, ComparedContents]:
        """By node, for nodes of the site that are deployed."""
        known = {name: each.fingerprints[CONTENTS] for name, each in recorded.items() if CONTENTS in each.fingerprints}
        found = {name: self._not_recorded(name) for name in recorded if name not in known}
        differing: dict[str, Sequence[AssetContent]] = {}
        with self._budget.spent():
            self._sources.fetch_all(url for name in known for url in self._contents.addresses(name))
            for name, before in known.items():
                contents = self._contents.of_node(name)
                inputs = self._sealers[0].inputs(contents)
                found[name] = self._unchanged(contents, inputs)
                if found[name].unknown or inputs != before:
                    differing[name] = contents
            return {**found, **dict(self._looked_into(differing, found))} if differing else found

    def _not_recorded(self, node: str) -> ComparedContents:
        return ComparedContents(notes=(_NOT_RECORDED,)) if self._contents.any_of_node(node) else NOT_COMPARED

    def _unchanged(self, contents: Sequence[AssetContent], inputs: str) -> ComparedContents:
        unknown = tuple(masked_text(each.problem) for each in contents if each.inputs is None and not each.by_nature)
        return ComparedContents(
            unknown=unknown,
            notes=tuple(each.problem for each in contents if each.by_nature),
            rests_on=None if unknown else self._sealers[0].basis(inputs),
        )

    def _looked_into(
        self, differing: Mapping[str, Sequence[AssetContent]], found: Mapping[str, ComparedContents]
    ) -> Iterator[tuple[str, ComparedContents]]:
        with self._database.statements() as statements:
            records = statements.deployed_nodes.contents(list(differing))
        for name, contents in differing.items():
            if name in records:
                yield name, self._compared(contents, records[name], found[name])

    def _compared(self, contents: Sequence[AssetContent], record: Record, known: ComparedContents) -> ComparedContents:
        sealer = sealer_of(record["key"], self._sealers)
        if sealer is None:
            return replace(known, notes=(*known.notes, _UNREADABLE))
        changed: list[tuple[str, str]] = []
        unrecorded: list[tuple[str, str]] = []
        unknown = list(known.unknown)
        for content in contents:
            entry = record["assets"].get(content.action, {}).get(content.asset)
            if content.inputs is None:
                continue
            if entry is None:
                unrecorded.append((content.action, content.asset))
                continue
            if entry["inputs"] == sealer.seal(content.inputs):
                continue
            rendered = self._digest(content)
            if isinstance(rendered, str):
                unknown.append(rendered)
            elif entry["rendered"] != sealer.seal(rendered):
                changed.append((content.action, content.asset))
        rests_on = None if unknown else known.rests_on
        return replace(
            known, changed=tuple(changed), unrecorded=tuple(unrecorded), unknown=tuple(unknown), rests_on=rests_on
        )

    def _digest(self, content: AssetContent) -> bytes | str:
        """Of the rendered bytes; or in words why they are not known."""
        inputs = content.inputs or b""
        if inputs in self._rendered:
            return self._rendered[inputs]
        # Errors name the asset: another one may have the same inputs.
        key = (inputs, content.action, content.asset)
        if key not in self._failed:
            try:
                return self._rendered.setdefault(inputs, rendered_digest(content))
            except DrydockError as exc:
                self._failed[key] = masked_text(exc.message)
        return self._failed[key]
