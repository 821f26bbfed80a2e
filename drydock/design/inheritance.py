"""Merges host profiles and nodes with their parents; pure, on the documents' data.

Per kind of field: a *scalar* is the child's if set (``!`` unsets it), else the parent's. A *dict* has the parent's
entries, then the child's, which win (``!k`` takes the parent's ``k`` away). A *list* has the child's entries, then the
parent's that are new (``!x`` takes ``x`` away). *Named* things merge field by field under the same name, in the
parent's order, new ones last; ``!x`` takes the parent's ``x`` away, and so does null for interfaces, devices and volume
groups. Data without any parent is used literally.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from drydock.design.similar import Similar
from drydock.errors import DesignInvalid

Data = Mapping[str, Any]
#: Maximum number of inherited values of one design: it grows with profiles times nodes.
MAX_INHERITED = 5_000_000
_TOO_MUCH = f"profiles and nodes inherit more than {MAX_INHERITED} values in total"
_Merge = Callable[[Any, Any], Any]
_UNSET = "!"


class Lineage:
    """The profiles of one design. Each is merged with its ancestors once, at first use."""

    def __init__(self, profiles: Mapping[str, Data]) -> None:
        self._profiles = profiles
        self._effective: dict[str, Data] = {}
        self._unusable: dict[str, str] = {}
        self._weights: dict[str, int] = {}
        self._similar = Similar(profiles)
        self._left = MAX_INHERITED

    def effective(self, data: Data) -> Data:
        """``data`` of a node or profile with everything it inherits. Raises ``DesignInvalid``."""
        parent = data.get("host_profile")
        if parent is None:
            return data
        inherited = self.profile(parent)
        return self._inherit(data, parent, inherited)

    def profile(self, name: str) -> Data:
        """The effective data of a profile. Raises ``DesignInvalid`` for an unknown profile or a cycle."""
        chain: dict[str, None] = {}
        ancestor: str | None = name
        while ancestor is not None and ancestor not in self._effective:
            reason = self._unusable.get(ancestor) or self._unusable_now(ancestor, chain)
            if reason:
                # Remember every profile of the chain, which may be long.
                self._unusable.update(dict.fromkeys(chain, reason))
                raise DesignInvalid(reason)
            chain[ancestor] = None
            ancestor = self._profiles[ancestor].get("host_profile")
        for heir in reversed(chain):
            data = self._profiles[heir]
            own = data if ancestor is None else self._inherit(data, ancestor, self._effective[ancestor])
            self._effective[heir] = own
            ancestor = heir
        return self._effective[name]

    def _unusable_now(self, name: str, chain: dict[str, None]) -> str:
        if self._left < 0:
            return _TOO_MUCH
        if name in chain:
            return f"host profiles inherit in a circle: {' < '.join([*list(chain)[:20], name])}"
        if name not in self._profiles:
            by = f", which HostProfile {next(reversed(chain))} inherits from," if chain else ""
            return f"HostProfile {name}{by} does not exist{self._similar.hint(name)}"
        return ""

    def _inherit(self, data: Data, parent: str, inherited: Data) -> Data:
        if parent not in self._weights:
            self._weights[parent] = _weight(inherited)
        self._left -= self._weights[parent]
        if self._left < 0:
            raise DesignInvalid(_TOO_MUCH)
        return inherit(data, inherited)


def _weight(value: Any) -> int:
    if isinstance(value, Mapping):
        return len(value) + sum(map(_weight, value.values()))
    if isinstance(value, list):
        return 1 + sum(map(_weight, value))
    return 1 + len(value) // 64 if isinstance(value, str) else 1


def inherit(child: Data, parent: Data) -> Data:
    """The child's data merged with its parent's. Changes neither argument; the result may share subtrees."""
    return _fields(child, parent, _HOST)


def _scalar(child: Any, parent: Any) -> Any:
    if child is None:
        return parent
    return None if child == _UNSET else child


def _own(child: Any, _parent: Any) -> Any:
    return child


def _dict(child: Data | None, parent: Data | None) -> Data | None:
    if not child:
        return child if parent is None else parent
    merged = {key: value for key, value in (parent or {}).items() if _UNSET + key not in child}
    merged.update((key, value) for key, value in child.items() if not key.startswith(_UNSET))
    return merged


def _oob(child: Data | None, parent: Data | None) -> Data | None:
    merged = _dict(child, parent)
    if not merged or merged.get("type") != _UNSET:
        return merged
    return {key: value for key, value in merged.items() if key != "type"}


def _list(child: Sequence[str] | None, parent: Sequence[str] | None) -> Sequence[str] | None:
    if not child:
        return child if parent is None else parent
    merged = [item for item in child if not item.startswith(_UNSET)]
    known = {*merged, *(item[1:] for item in child if item.startswith(_UNSET))}
    return [*merged, *(item for item in parent or () if item not in known)]


def _fields(child: Data | None, parent: Data | None, fields: Mapping[str, _Merge]) -> Data:
    """Field by field; a field without a rule is the child's if set, else the parent's."""
    if not child and _own not in fields.values():
        return parent or {}
    child, parent = child or {}, parent or {}
    merged: dict[str, Any] = {}
    for key in (*parent, *(key for key in child if key not in parent)):
        value = fields.get(key, _scalar)(child.get(key), parent.get(key))
        if value is not None:
            merged[key] = value
    return merged


def _record(fields: Mapping[str, _Merge]) -> _Merge:
    return lambda child, parent: _fields(child, parent, fields)


def _named(fields: Mapping[str, _Merge]) -> _Merge:
    """For a mapping from name to entry. A null entry removes an inherited one."""

    def merge(child: Mapping[str, Data | None] | None, parent: Mapping[str, Data | None] | None) -> Any:
        if not child:
            return child if parent is None else parent
        parent = parent or {}
        merged: dict[str, Data | None] = {}
        for name, inherited in parent.items():
            if _UNSET + name in child or (name in child and child[name] is None):
                continue
            merged[name] = _fields(child[name], inherited, fields) if name in child else inherited
        for name, entry in child.items():
            new = name not in parent or _UNSET + name in child
            if new and not name.startswith(_UNSET) and entry is not None:
                merged[name] = entry
        return merged

    return merge


def _named_list(fields: Mapping[str, _Merge]) -> _Merge:
    """For a list of entries, each with a ``name``."""

    def merge(child: Sequence[Data] | None, parent: Sequence[Data] | None) -> Any:
        if not child:
            return child if parent is None else parent
        parent = parent or ()
        own: dict[Any, Data] = {}
        for entry in child:
            own.setdefault(entry.get("name"), entry)
        inherited = {entry.get("name") for entry in parent if f"{_UNSET}{entry.get('name')}" not in own}
        merged = [
            _fields(own.get(entry.get("name")), entry, fields)
            for entry in parent
            if f"{_UNSET}{entry.get('name')}" not in own
        ]
        new = (entry for entry in child if entry.get("name") not in inherited)
        return [*merged, *(entry for entry in new if not str(entry.get("name")).startswith(_UNSET))]

    return merge


_FILESYSTEM = _record({})
_HOST: Mapping[str, _Merge] = {
    "host_profile": _own,
    "addressing": _own,
    "oob": _oob,
    "platform": _record({"kernel_params": _dict}),
    "metadata": _record({"tags": _list, "owner_data": _dict, "boot_mac": _own}),
    "interfaces": _named({"slaves": _list, "networks": _list, "sriov": _record({}), "labels": _dict}),
    "storage": _record(
        {
            "physical_devices": _named(
                {
                    "labels": _dict,
                    "partitions": _named_list({"labels": _dict, "filesystem": _FILESYSTEM}),
                }
            ),
            "volume_groups": _named({"logical_volumes": _named_list({"filesystem": _FILESYSTEM})}),
        }
    ),
}
