"""A client of the Drydock API: ``DrydockClient`` over any keystoneauth session."""

from drydock.client.client import DrydockClient
from drydock.client.credentials import Credentials
from drydock.client.errors import ClientError
from drydock.client.watching import NodeProgress, TaskSnapshot, follow

__all__ = ["ClientError", "Credentials", "DrydockClient", "NodeProgress", "TaskSnapshot", "follow"]
