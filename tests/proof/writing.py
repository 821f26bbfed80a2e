"""One design written in many ways: the same documents, the same way for the same seed."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Sequence
from typing import Any

import yaml

Document = dict[str, Any]
Documents = Sequence[Document]

_STYLES = ("", "", "'", '"', "|", ">")
_COMMENTS = ("# Kept by hand.", "#", "# {not: yaml", "# 'neither", "#! &a *a")
_FOREIGN: Document = {
    "schema": "promenade/Genesis/v1",
    "metadata": {"schema": "metadata/Document/v1", "name": "genesis", "storagePolicy": "cleartext"},
    "data": {"hostname": "elsewhere", "labels": [1, 2, {"three": None}]},
}


def plainly(documents: Documents) -> bytes:
    return _joined([_dumped(document, yaml.CSafeDumper, sort_keys=False) for document in documents])


def oddly(documents: Documents, seed: int) -> bytes:
    """The same design in other words: layout, quotes, anchors, the order of keys and of documents, comments, what other
    services keep beside it.
    """
    chance = random.Random(seed)  # noqa: S311
    found = [_reordered(document, chance) for document in documents]
    if chance.random() < 0.7:
        chance.shuffle(found)
    if chance.random() < 0.2:
        found.insert(chance.randint(0, len(found)), copy.deepcopy(_FOREIGN))
    texts = []
    for document in found:
        if chance.random() < 0.3:
            document["metadata"]["layeringDefinition"] = {"abstract": False, "layer": "site"}
        if chance.random() < 0.5:
            document = _shared(document, {})
        texts.append(
            _dumped(
                document,
                _dumper(chance),
                sort_keys=False,
                default_flow_style=chance.choice((True, False, None)),
                indent=chance.randint(2, 8),
                width=chance.choice((20, 80, 4096)),
                allow_unicode=chance.random() < 0.5,
            )
        )
        if chance.random() < 0.3:
            texts[-1] = f"{chance.choice(_COMMENTS)}\n{texts[-1]}{chance.choice(_COMMENTS)}\n"
    content = _joined(texts)
    return content.replace(b"\n", b"\r\n") if chance.random() < 0.1 else content


def _joined(texts: Sequence[str]) -> bytes:
    return "".join(f"---\n{text}" for text in texts).encode()


def _dumped(document: Document, dumper: Any, **options: Any) -> str:
    text: str = yaml.dump(document, Dumper=dumper, **options)
    return text if text.endswith("\n") else text + "\n"


def _reordered(value: Any, chance: random.Random) -> Any:
    """A copy with the keys of each object in another order."""
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: _reordered(value[key], chance) for key in keys}
    return [_reordered(item, chance) for item in value] if isinstance(value, list) else value


def _shared(value: Any, known: dict[str, Any]) -> Any:
    """Equal parts as one object, which is written once, with an anchor."""
    if isinstance(value, dict):
        made: Any = {key: _shared(item, known) for key, item in value.items()}
    elif isinstance(value, list):
        made = [_shared(item, known) for item in value]
    else:
        return value
    return known.setdefault(json.dumps(made, sort_keys=True, default=str), made)


def _dumper(chance: random.Random) -> type[yaml.CSafeDumper]:
    """Writes each text in quotes or without, as a block or folded, as far as YAML lets it."""

    class Dumper(yaml.CSafeDumper):
        pass

    def text(dumper: Any, value: str) -> Any:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=chance.choice(_STYLES))

    represent: Callable[[Any, str], Any] = text
    Dumper.add_representer(str, represent)
    return Dumper
