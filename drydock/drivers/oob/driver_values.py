"""The values of a driver's options, checked for names and types where a driver is made without oslo.config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drydock.errors import ConfigurationError


def known_values(
    driver: str, known: Mapping[str, type | tuple[type, ...]], options: Mapping[str, Any]
) -> dict[str, Any]:
    """The options as they are, if they are those that the driver knows, all of them, and of the right type.

    Raises ``ConfigurationError``.
    """
    for name, value in options.items():
        if name not in known:
            raise ConfigurationError(f"{driver}: there is no option {name!r}; there are {', '.join(known)}")
        if not isinstance(value, known[name]):
            raise ConfigurationError(f"{driver}: the option {name} cannot be a {type(value).__name__}")
    if lacking := [name for name in known if name not in options]:
        raise ConfigurationError(f"{driver}: the options {', '.join(lacking)} are needed")
    return dict(options)
