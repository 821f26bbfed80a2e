"""Driver names to drivers, through entry points. A name that cannot be loaded stops the start."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from typing import Any, cast

from keystoneauth1.session import Session

from drydock.drivers.labels.base import MakeLabels, NodeLabels
from drydock.drivers.node.base import NodeProvisioner
from drydock.drivers.oob.base import OobDriver
from drydock.errors import ConfigurationError

OOB_DRIVERS = "drydock.oob_drivers"
NODE_DRIVERS = "drydock.node_drivers"
LABEL_DRIVERS = "drydock.label_drivers"


def names(group: str) -> Sequence[str]:
    """The drivers that are installed, sorted."""
    return sorted({point.name for point in metadata.entry_points(group=group)})


def load_oob_drivers(names: Sequence[str], options: Callable[[str], Mapping[str, Any]]) -> Mapping[str, OobDriver]:
    """The drivers by name; ``options``: of a driver, by its name. Raises ``ConfigurationError``."""
    return {name: cast(OobDriver, _load(OOB_DRIVERS, name, options(name))) for name in names}


def load_node_provisioner(name: str, options: Mapping[str, Any]) -> NodeProvisioner:
    """Raises ``ConfigurationError``."""
    return cast(NodeProvisioner, _load(NODE_DRIVERS, name, options))


def load_labels(name: str, options: Mapping[str, Any], session: Callable[[], Session]) -> NodeLabels:
    """``session``: as the protocol says of it. Raises ``ConfigurationError``."""
    return cast(MakeLabels, _factory(LABEL_DRIVERS, name))(options, session)


def _load(group: str, name: str, options: Mapping[str, Any]) -> object:
    return _factory(group, name)(options)


def _factory(group: str, name: str) -> Callable[..., object]:
    """An entry point is a callable that takes the driver's options and returns the driver."""
    found = {point.name: point for point in metadata.entry_points(group=group)}
    if name not in found:
        available = ", ".join(sorted(found)) or "none"
        raise ConfigurationError(f"there is no driver {name!r} in {group}; available: {available}")
    try:
        return cast(Callable[..., object], found[name].load())
    except (ImportError, AttributeError) as exc:
        raise ConfigurationError(f"the driver {name!r} in {group} cannot be loaded: {exc}") from exc
