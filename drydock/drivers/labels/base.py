"""The protocol of what keeps the labels of nodes that are part of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from keystoneauth1.session import Session


class NodeLabels(Protocol):
    """Shared by all threads. All verbs raise ``DriverUnavailable`` (try again), ``DriverBusy`` (not yet) or
    ``DriverRefused`` (a final no).
    """

    name: str

    def check(self) -> None:
        """Return if we may give labels. Changes nothing and asks about no node."""
        ...

    def put(self, node: str, labels: Mapping[str, str]) -> None:
        """Give a node its labels; the same again change nothing."""
        ...


class MakeLabels(Protocol):
    """What an entry point of ``drydock.label_drivers`` is.

    ``session`` answers a session with the service's own token, for what is asked with Keystone's; it raises
    ``ConfigurationError`` where there are no credentials.
    """

    def __call__(self, options: Mapping[str, Any], session: Callable[[], Session]) -> NodeLabels: ...
