"""The options of drivers: each driver names its own by an entry point, whatever package it is in.

An entry point of ``drydock.driver_options`` has the driver's name and leads to a sequence of ``oslo_config.cfg.Opt``:
the group of that name. Keep it in another module than the driver, as every process loads the options of all drivers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from importlib import metadata
from typing import Any

from oslo_config import cfg

from drydock.errors import ConfigurationError

ENTRY_POINTS = "drydock.driver_options"


def driver_groups(taken: Collection[str]) -> Mapping[str, Sequence[cfg.Opt]]:
    """The options of every driver that is installed, by group; ``taken``: groups that are no driver's.

    Raises ``ConfigurationError``.
    """
    groups: dict[str, Sequence[cfg.Opt]] = {}
    for point in sorted(metadata.entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
        if point.name in taken or point.name in groups:
            raise ConfigurationError(f"{ENTRY_POINTS}: there are two groups of options [{point.name}]; rename a driver")
        groups[point.name] = _options(point)
    return groups


def driver_options(conf: cfg.ConfigOpts, name: str) -> Mapping[str, Any]:
    """The values of a driver's group; empty if the driver has no options."""
    try:
        group = conf[name]
    except cfg.NoSuchOptError:
        return {}
    return dict(group) if isinstance(group, cfg.ConfigOpts.GroupAttr) else {}


def _options(point: metadata.EntryPoint) -> Sequence[cfg.Opt]:
    try:
        options = point.load()
    except (ImportError, AttributeError) as exc:
        raise ConfigurationError(f"{ENTRY_POINTS}: the options of {point.name!r} cannot be loaded: {exc}") from exc
    if not isinstance(options, Sequence) or not all(isinstance(option, cfg.Opt) for option in options):
        raise ConfigurationError(f"{ENTRY_POINTS}: {point.value} is not a sequence of oslo.config options")
    return options
