"""A client of the Drydock API: ``DrydockClient`` over any keystoneauth session.

Names are loaded on first use, because loading keystoneauth takes longer than most commands.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drydock.client.client import DrydockClient
    from drydock.client.credentials import Credentials
    from drydock.client.errors import ClientError
    from drydock.client.watching import NodeProgress, TaskSnapshot, follow

_MODULES = {
    "ClientError": "errors",
    "Credentials": "credentials",
    "DrydockClient": "client",
    "NodeProgress": "watching",
    "TaskSnapshot": "watching",
    "follow": "watching",
}

__all__ = ["ClientError", "Credentials", "DrydockClient", "NodeProgress", "TaskSnapshot", "follow"]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
