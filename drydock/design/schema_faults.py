"""Finds where a document's data violates its schema, lazily: the first faults cost no more than they must.

Knows the keywords that our schemas use. The compiled validators are faster, but collect and sort all faults.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drydock.design.secrecy import is_secret_name
from drydock.design.similar import did_you_mean

Schema = Mapping[str, Any]
Path = tuple[str | int, ...]
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "object": Mapping,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}
_JSON = (str, int, float, bool, type(None), Mapping, list)
_ANYTHING: Schema = {}


@dataclass(frozen=True, slots=True)
class SchemaFault:
    """``path``: where; ``text``: the fault, without secret or large values. ``key``: the key it is about."""

    path: Path
    text: str
    key: str | None = None

    @property
    def place(self) -> Path:
        return self.path if self.key is None else (*self.path, self.key)

    def __str__(self) -> str:
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part:.100}" for part in self.path).lstrip(".")
        return f"{where:.300}: {self.text}" if where else self.text


class SchemaWalk:
    """The faults against one schema, which may have ``$ref`` to its definitions."""

    def __init__(self, schema: Schema) -> None:
        self._root = schema

    def faults(self, data: Any) -> Iterator[SchemaFault]:
        """In document order, as a generator: takes no time beyond the last fault that is consumed."""
        return self._faults(self._root, data, ())

    def _faults(self, schema: Schema, value: Any, path: Path) -> Iterator[SchemaFault]:
        while "$ref" in schema:
            schema = self._root["definitions"][schema["$ref"].rpartition("/")[2]]
        wrong = _wrong(schema, value, path)
        if wrong is not None:
            yield SchemaFault(path, wrong)
        elif isinstance(value, Mapping):
            yield from self._in_object(schema, value, path)
        elif isinstance(value, list):
            items = schema.get("items", _ANYTHING)
            for index, item in enumerate(value):
                if not _fits(items, item):
                    yield from self._faults(items, item, (*path, index))

    def _in_object(self, schema: Schema, value: Mapping[Any, Any], path: Path) -> Iterator[SchemaFault]:
        properties, others = schema.get("properties", _ANYTHING), schema.get("additionalProperties", _ANYTHING)
        for key in schema.get("required", ()):
            if key not in value:
                yield SchemaFault(path, f'"{key}" is a required property')
        unexpected: list[str] = []
        for key, item in value.items():
            if not isinstance(key, str):
                yield SchemaFault(path, f"the key {key!s:.100} is not of type 'string': put it in quotes")
                continue
            within = properties.get(key, others)
            if within is False:
                unexpected.append(key)
            elif not _fits(within, item):
                yield from self._faults(within, item, (*path, key))
        if unexpected:
            yield SchemaFault(path, _unexpected(unexpected, properties), unexpected[0])


def _fits(schema: Schema, value: Any) -> bool:
    """Fast path: true for a plain string that is short enough, as most values are."""
    return (
        type(value) is str
        and schema.get("type") == "string"
        and "maxLength" in schema
        and len(schema) == 2
        and len(value) <= schema["maxLength"]
    )


def _wrong(schema: Schema, value: Any, path: Path) -> str | None:
    if not isinstance(value, _JSON):
        return f"a {type(value).__name__} is not of type 'string': put it in quotes"
    wanted = schema.get("type")
    if wanted is not None:
        types = [wanted] if isinstance(wanted, str) else wanted
        if not any(_is(value, name) for name in types):
            names = " or ".join(f'"{name}"' for name in types)
            return f"{_shown(value, path)} is not of type {names}"
    if "enum" in schema and value not in schema["enum"]:
        known = " or ".join(f'"{item}"' for item in schema["enum"])
        return f"{_shown(value, path)} is not one of {known}{did_you_mean(value, schema['enum'])}"
    if isinstance(value, str):
        if len(value) > schema.get("maxLength", len(value)):
            return f"a text of {len(value)} characters is longer than {schema['maxLength']}"
        if "pattern" in schema and not re.search(schema["pattern"], value):
            return f'{_shown(value, path)} does not match "{schema["pattern"]}"'
    if isinstance(value, list) and len(value) > schema.get("maxItems", len(value)):
        return f"a list of {len(value)} items is longer than {schema['maxItems']}"
    return None


def _is(value: Any, name: str) -> bool:
    return isinstance(value, _TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def _shown(value: Any, path: Path) -> str:
    """The value without subtrees and possible credentials."""
    if "oob" in path or any(is_secret_name(part) for part in path if isinstance(part, str)):
        return "the value"
    if isinstance(value, Mapping | list):
        return "the value" if value else str(value)
    if isinstance(value, str):
        return f'"{value:.100}"'
    return json.dumps(value)


def _unexpected(keys: Sequence[str], known: Mapping[str, Any]) -> str:
    shown = ", ".join(f"'{key:.100}'" for key in keys[:10])
    more = f" and {len(keys) - 10} more" if len(keys) > 10 else ""
    verb = "was" if len(keys) == 1 else "were"
    hint = did_you_mean(keys[0], known) or (f"; use one of {', '.join(known)}" if known else "")
    return f"Additional properties are not allowed ({shown}{more} {verb} unexpected){hint:.300}"
