"""What is known of the hardware of nodes: the newest facts of each finder, as build data holds them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from drydock.db.database import Database
from drydock.errors import NodeNotFound
from drydock.model.build_data import BuildData
from drydock.model.hardware_facts import HardwareFacts
from drydock.model.hardware_sources import FROM_NODE, MOST_BYTES, FoundFacts, found_facts, merged


@dataclass(frozen=True, slots=True)
class KnownHardware:
    """``facts``: merged of ``sources``, the newest of each finder. ``before``: of what these found the time before."""

    node: str
    facts: HardwareFacts
    before: HardwareFacts | None
    sources: tuple[FoundFacts, ...]


class HardwareService:
    """``provisioner``, ``oob_drivers``: names of drivers, whose facts count."""

    def __init__(self, database: Database, *, provisioner: str, oob_drivers: Iterable[str]) -> None:
        self._database = database
        self._provisioner = provisioner
        self._finders = finders(provisioner, oob_drivers)

    def of_node(self, node: str) -> KnownHardware:
        """Names are compared as in DNS. Raises ``NodeNotFound`` if no facts are known."""
        with self._database.statements() as uow:
            rows = uow.build_data.newest_of_nodes([node], self._finders, of_each=2, most_bytes=MOST_BYTES)
        newest, older = _newest(rows)
        facts = merged(newest, provisioner=self._provisioner)
        if facts is None:
            raise NodeNotFound(f"nothing is known of the hardware of node {node}")
        again = {found.generator for found in older}
        before = [*older, *(found for found in newest if found.generator not in again)] if older else []
        return KnownHardware(rows[0].node, facts, merged(before, provisioner=self._provisioner), tuple(newest))


def finders(provisioner: str, oob_drivers: Iterable[str]) -> frozenset[str]:
    """The generators whose build data may be facts."""
    return frozenset({provisioner, *oob_drivers, FROM_NODE})


def newest_facts(
    database: Database, nodes: Sequence[str], generators: Collection[str]
) -> Mapping[str, Sequence[FoundFacts]]:
    """By node as it is given, the newest facts of each finder; nodes without any are left out."""
    given = {node.lower(): node for node in nodes}
    with database.statements() as uow:
        rows = uow.build_data.newest_of_nodes(nodes, generators, of_each=1, most_bytes=MOST_BYTES)
    found: dict[str, list[FoundFacts]] = {}
    for row in rows:
        facts = found_facts(row)
        if facts is not None:
            found.setdefault(given.get(row.node.lower(), row.node), []).append(facts)
    return found


def _newest(rows: Iterable[BuildData]) -> tuple[list[FoundFacts], list[FoundFacts]]:
    """The newest of each finder, and those before them; ``rows``: newest first."""
    newest: dict[str, FoundFacts] = {}
    older: list[FoundFacts] = []
    for row in rows:
        found = found_facts(row)
        if found is not None and newest.setdefault(found.generator, found) is not found:
            older.append(found)
    return list(newest.values()), older
