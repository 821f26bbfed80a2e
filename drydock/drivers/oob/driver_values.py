"""The values of a driver's options, checked for names and types where a driver is made without oslo.config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drydock.errors import ConfigurationError


def known_values(
    driver: str, known: Mapping[str, type | tuple[type, ...]], options: Mapping[str, Any]
) -> dict[str, Any]:
    """The options as they are, if the driver knows them and they are of the right type. None means the default.

    Raises ``ConfigurationError``.
    """
    for name, value in options.items():
        if name not in known:
            raise ConfigurationError(f"{driver}: there is no option {name!r}; there are {', '.join(known)}")
        if value is not None and not isinstance(value, known[name]):
            raise ConfigurationError(f"{driver}: the option {name} cannot be a {type(value).__name__}")
    return {name: value for name, value in options.items() if value is not None}
