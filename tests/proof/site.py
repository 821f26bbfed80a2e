"""The documents of a site, as what changes them sees them."""

from __future__ import annotations

import copy
import random
from collections.abc import Mapping
from typing import Any

import yaml

from bench.gen_site import node, site
from tests.proof.writing import Document

Named = dict[str, Any]


class Site:
    """The documents of a site, and the chance that changes them. ``nodes``: how many at first.

    ``files``: what is behind references, by the name in their URL, which begins with ``url``.
    """

    def __init__(self, nodes: int, chance: random.Random, url: str) -> None:
        self.chance = chance
        self.url = url
        self.files: dict[str, str] = {}
        self.documents: list[Document] = [
            document for document in yaml.load_all(site(nodes), yaml.CSafeLoader) if document is not None
        ]
        self._made = nodes
        self.named("HostProfile", "any-server")["oob"]["type"] = "redfish"
        for number in range(4):
            name, feed = f"r{number}", {"feed": "ab"[number % 2]}
            self.add("Rack", name, {"tor_switches": {name: {"mgmt_ip": f"10.45.9.{number}"}}, "labels": feed})
        for document in self.of("BaremetalNode"):
            document["data"]["metadata"]["rack"] = f"r{chance.randrange(4)}"

    def changed(self) -> Site:
        """A copy to be changed."""
        other = copy.copy(self)
        other.documents = copy.deepcopy(self.documents)
        other.files = dict(self.files)
        return other

    def of(self, kind: str) -> list[Document]:
        return [document for document in self.documents if document["schema"] == f"drydock/{kind}/v1"]

    def named(self, kind: str, name: str) -> Named:
        """The data of this document."""
        found: Named = next(item for item in self.of(kind) if item["metadata"]["name"] == name)["data"]
        return found

    def has(self, kind: str, name: str) -> bool:
        return any(item["metadata"]["name"] == name for item in self.of(kind))

    def any(self, kind: str) -> tuple[str, Named]:
        """A document's name and data."""
        document = self.chance.choice(self.of(kind))
        return document["metadata"]["name"], document["data"]

    def add(self, kind: str, name: str, data: Named) -> None:
        self.documents.append({"schema": f"drydock/{kind}/v1", "metadata": {"name": name}, "data": data})

    def new_node(self) -> Document:
        document: Document = yaml.load(node(self._made).removeprefix("---\n"), yaml.CSafeLoader)
        self._made += 1
        document["data"]["metadata"]["rack"] = f"r{self.chance.randrange(4)}"
        document["data"]["host_profile"] = self.any("HostProfile")[0]
        return document

    def host(self) -> tuple[str, Named]:
        """A node or, less often, one of its profiles."""
        return self.any("HostProfile") if self.chance.random() < 0.35 else self.any("BaremetalNode")


def put(holder: Named, chance: random.Random, values: Mapping[str, tuple[Any, ...]]) -> str:
    """One of these fields gets another value, or goes; None in place of a value: it goes."""
    field = chance.choice(sorted(values))
    value = chance.choice([value for value in (*values[field], None) if value != holder.get(field)])
    if value is None:
        holder.pop(field, None)
    else:
        holder[field] = value
    return f"{field} is {value!r}"
