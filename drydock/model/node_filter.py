"""Node filters, of a request for a task or of a boot action."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from drydock.errors import InvalidInput


class Combine(StrEnum):
    UNION = "union"
    INTERSECTION = "intersection"


@dataclass(frozen=True, slots=True)
class NodeFilter:
    """Criteria, combined by ``combine``; an empty criterion is no constraint."""

    combine: Combine
    node_names: tuple[str, ...] = ()
    node_tags: tuple[str, ...] = ()
    node_labels: Mapping[str, str] = field(default_factory=dict)
    rack_names: tuple[str, ...] = ()
    rack_labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def unlimited(self) -> bool:
        """Whether it selects every node of any design."""
        criteria = (self.node_names, self.node_tags, self.node_labels, self.rack_names, self.rack_labels)
        return self.combine is Combine.INTERSECTION and not any(criteria)


@dataclass(frozen=True, slots=True)
class NodeFilterSet:
    """Filters, whose results are combined by ``combine``."""

    combine: Combine
    filters: tuple[NodeFilter, ...] = ()

    @property
    def unlimited(self) -> bool:
        """Whether it selects every node of any design."""
        combine = all if self.combine is Combine.INTERSECTION else any
        return combine(one.unlimited for one in self.filters)


_NAME_LISTS = ("node_names", "node_tags", "rack_names")
_LABELS = ("node_labels", "rack_labels")


def parse_node_filter(value: object, *, field: str = "node_filter") -> NodeFilterSet | None:
    """A filter set from its JSON form; None (no filter) for null.

    Members that are missing, null or empty add no constraint. Raises ``InvalidInput`` with the path of the field.
    """
    if value is None:
        return None
    body = _object(value, field, ("filter_set_type", "filter_set"))
    combine = _combine(body, "filter_set_type", field)
    if "filter_set" not in body:
        raise InvalidInput("is required", field=f"{field}.filter_set")
    filters = _array(body["filter_set"], f"{field}.filter_set")
    return NodeFilterSet(
        combine, tuple(_filter(item, f"{field}.filter_set[{index}]") for index, item in enumerate(filters))
    )


def _filter(value: object, field: str) -> NodeFilter:
    body = _object(value, field, ("filter_type", *_NAME_LISTS, *_LABELS))
    names = {key: _names(body.get(key), f"{field}.{key}") for key in _NAME_LISTS}
    labels = {key: _labels(body.get(key), f"{field}.{key}") for key in _LABELS}
    return NodeFilter(
        combine=_combine(body, "filter_type", field),
        node_names=names["node_names"],
        node_tags=names["node_tags"],
        node_labels=labels["node_labels"],
        rack_names=names["rack_names"],
        rack_labels=labels["rack_labels"],
    )


def _combine(body: Mapping[str, Any], key: str, field: str) -> Combine:
    value = body.get(key)
    if value is None:
        raise InvalidInput("is required: union or intersection", field=f"{field}.{key}")
    if value not in ("union", "intersection"):
        raise InvalidInput("must be union or intersection", field=f"{field}.{key}")
    return Combine(value)


def _object(value: object, field: str, keys: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidInput("must be an object", field=field)
    for key in value:
        if key not in keys:
            raise InvalidInput(f"is unknown; use one of {', '.join(keys)}", field=f"{field}.{key}"[:200])
    return value


def _array(value: object, field: str) -> Sequence[Any]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise InvalidInput("must be an array", field=field)
    return value


def _names(value: object, field: str) -> tuple[str, ...]:
    names = _array(value, field)
    for index, name in enumerate(names):
        if not isinstance(name, str):
            raise InvalidInput("must be a string", field=f"{field}[{index}]")
    return tuple(names)


def _labels(value: object, field: str) -> Mapping[str, str]:
    """Label values of other scalar types match by their text, as they do in design documents (``1`` is ``"1"``)."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidInput("must be an object", field=field)
    for key, item in value.items():
        if not isinstance(key, str) or not isinstance(item, str | int | float):
            raise InvalidInput("must be a string", field=f"{field}.{key}"[:200])
    return {key: str(item) for key, item in value.items()}
