"""The HTTP API: routes, access, resources, schemas, views."""

from drydock.api.app import create_app
from drydock.api.limits import Limits
from drydock.api.middleware import RequestId

__all__ = ["Limits", "RequestId", "create_app"]
