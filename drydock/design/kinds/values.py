"""Checks and conversions of values that several kinds have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from drydock.errors import DesignInvalid


def required(data: Mapping[str, Any], key: str, where: str = "") -> Any:
    """A value that is required though the schema allows its absence. Raises ``DesignInvalid``."""
    value = data.get(key)
    if value is None:
        raise DesignInvalid(f"{where}{key} is missing")
    return value


def whole_number(value: int | float, field: str) -> int:
    """The schema allows any number; these must be whole. Raises ``DesignInvalid``."""
    if isinstance(value, int):
        return value
    if not value.is_integer():
        raise DesignInvalid(f"{field} must be a whole number, not {value}")
    return int(value)


def strings(value: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(value or ())


def text_map(value: Mapping[str, Any] | None) -> Mapping[str, str]:
    """Free maps hold any YAML scalar; in the model they hold text."""
    return MappingProxyType({key: str(item) for key, item in value.items()} if value else {})


def frozen(value: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return MappingProxyType(dict(value) if value else {})
