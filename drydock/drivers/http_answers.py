"""An answer that is no success, as a driver's error: by the rule of ``http_status``."""

from __future__ import annotations

from collections.abc import Mapping

from drydock.errors import DriverBusy, DriverError, DriverRefused, DriverUnavailable
from drydock.http_status import is_not_yet, may_pass, retry_after


def answer_error(
    status: int, text: str, headers: Mapping[str, str], *, busy: frozenset[int] = frozenset()
) -> DriverError:
    """``busy``: statuses by which this kind of server says that it is at work on something else."""
    wait = retry_after(headers.get("Retry-After"))
    if is_not_yet(status, wait, also=busy):
        return DriverBusy(text, look_in=wait)
    return DriverUnavailable(text) if may_pass(status) else DriverRefused(text)
