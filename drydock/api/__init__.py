"""The HTTP API: routes, access, resources, schemas, views."""

from drydock.api.app import create_app
from drydock.api.limits import Limits

__all__ = ["Limits", "create_app"]
