"""Design against design: which nodes change, and how; nodes with equal changes are one group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drydock.model.site import SiteDesign
from drydock.plan.difference import Change, Comparison
from drydock.plan.sections import DEPLOYED, SiteSections


@dataclass(frozen=True, slots=True)
class Group:
    """Nodes that change alike. The first name of a change's path is the section."""

    nodes: tuple[str, ...]
    changes: tuple[Change, ...]

    @property
    def needs_deployment(self) -> bool:
        """Whether an installed machine differs from the new design until it is deployed again."""
        return any(change.path[0] in DEPLOYED for change in self.changes)


@dataclass(frozen=True, slots=True)
class DesignDifference:
    """``groups``: the largest first. ``site``: what belongs to no node."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    groups: tuple[Group, ...]
    unchanged: int
    site: tuple[Change, ...]

    @property
    def empty(self) -> bool:
        return not (self.added or self.removed or self.groups or self.site)


def design_difference(old: SiteDesign, new: SiteDesign, nodes: Sequence[str] | None = None) -> DesignDifference:
    """``nodes``: compare these only, and nothing of the site; None for all."""
    chosen = None if nodes is None else frozenset(nodes)
    before, after = SiteSections(old), SiteSections(new)
    comparison = Comparison()
    both = [name for name in new.nodes if name in old.nodes and (chosen is None or name in chosen)]
    changed: dict[str, tuple[Change, ...]] = {}
    for name in both:
        changes = node_changes(comparison, before.of_node(name), after.of_node(name))
        if changes:
            changed[name] = changes
    return DesignDifference(
        added=_missing(new.nodes, old.nodes, chosen),
        removed=_missing(old.nodes, new.nodes, chosen),
        groups=grouped(changed),
        unchanged=len(both) - len(changed),
        site=comparison.changes(before.of_site(), after.of_site()) if chosen is None else (),
    )


def grouped(changed: Mapping[str, tuple[Change, ...]]) -> tuple[Group, ...]:
    """Nodes with equal changes together, the largest group first, names sorted."""
    groups: dict[object, tuple[tuple[Change, ...], list[str]]] = {}
    for name, changes in changed.items():
        groups.setdefault(tuple(change.key for change in changes), (changes, []))[1].append(name)
    found = (Group(tuple(sorted(names)), changes) for changes, names in groups.values())
    return tuple(sorted(found, key=lambda group: (-len(group.nodes), group.nodes)))


def node_changes(
    comparison: Comparison, old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]
) -> tuple[Change, ...]:
    """Of one node's sections; the path of each change begins with its section.

    A section that ``old`` has not is of a version that did not record it: nothing is known to have changed.
    """
    return tuple(
        Change((section, *change.path), change.old, change.new)
        for section in new
        if section in old
        for change in comparison.fields(old[section], new[section])
    )


def _missing(names: Iterable[str], others: Mapping[str, object], chosen: frozenset[str] | None) -> tuple[str, ...]:
    return tuple(name for name in names if name not in others and (chosen is None or name in chosen))
