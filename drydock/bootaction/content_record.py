"""What is kept of the contents of a node's assets, and how it is compared.

    {
        "key": "5f2a90c1", "renderer": "0.3.0/3.1.6",
        "assets": {"greet": {"/etc/motd": {"inputs": "…", "rendered": "…"}, "/opt/join": null}}
    }

Digests are keyed with a secret of ``[bootaction] secrets``: a plain one would confirm a guess of what is in a file.
``key`` names the secret, so that a new one does not make all contents different. ``renderer``: the versions of
Drydock and Jinja. null: not comparable.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from drydock.bootaction.contents import AssetContent, rendered_digest, renderer
from drydock.errors import DrydockError
from drydock.keyed_digests import KeyedDigests

Record = Mapping[str, Any]

#: Of a deployed node: its section with the record, and its fingerprint, which is of the inputs.
CONTENTS = "contents"


class Sealer:
    """Keys digests with one secret. ``name``: of the secret."""

    def __init__(self, secret: bytes) -> None:
        digests = KeyedDigests(secret, b"drydock-contents")
        self.name = digests.name
        self.seal = digests.of
        self._renderer = "/".join(renderer())

    def inputs(self, contents: Iterable[AssetContent]) -> str:
        """One fingerprint of the inputs of all; as ``inputs_of`` the record of the same."""
        return _fingerprint(
            self.name,
            [
                (content.action, content.asset, None if content.inputs is None else self.seal(content.inputs))
                for content in contents
            ],
        )

    def record(self, contents: Iterable[AssetContent]) -> Record:
        """With the digests of the rendered bytes; of what cannot be rendered with placeholders only of its inputs."""
        assets: dict[str, dict[str, Any]] = {}
        for content in contents:
            assets.setdefault(content.action, {})[content.asset] = self._entry(content)
        return {"key": self.name, "renderer": self._renderer, "assets": assets}

    def basis(self, inputs: str) -> str:
        """What a plan rests on of contents: what makes their fingerprint, and the fingerprint."""
        return f"{self.name} {self._renderer} {inputs}"

    def _entry(self, content: AssetContent) -> Mapping[str, str | None] | None:
        if content.inputs is None:
            return None
        rendered = None
        with suppress(DrydockError):
            rendered = self.seal(rendered_digest(content))
        return {"inputs": self.seal(content.inputs), "rendered": rendered}


def inputs_of(record: Record) -> str:
    """Equal for two records if, and only if, all inputs are equal, and the secret is."""
    return _fingerprint(
        record["key"],
        [
            (action, asset, None if entry is None else entry["inputs"])
            for action, assets in record["assets"].items()
            for asset, entry in assets.items()
        ],
    )


def is_other(record: Record, planned: str) -> bool:
    """Whether contents are others than a plan rests on. Not known, and so not, if the plan was made with another secret
    or by other versions.
    """
    known, _, inputs = planned.rpartition(" ")
    return known == f"{record['key']} {record['renderer']}" and inputs != inputs_of(record)


def sealer_of(name: str, sealers: Sequence[Sealer]) -> Sealer | None:
    """The one with this name; None if its secret is configured no more."""
    return next((sealer for sealer in sealers if sealer.name == name), None)


def _fingerprint(key: str, entries: Iterable[tuple[str, str, str | None]]) -> str:
    # Sorted: in JSON that was stored, the order of keys is the database's.
    text = json.dumps([key, sorted(entries, key=lambda entry: entry[:2])])
    return hashlib.sha256(text.encode()).hexdigest()
