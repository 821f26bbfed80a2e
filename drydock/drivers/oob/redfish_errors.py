"""What sushy raises, as ours: may it work later, or never? Messages name node and verb, never the credential."""

from __future__ import annotations

import requests
from sushy import exceptions as sushy_errors

from drydock.drivers.http_answers import answer_error
from drydock.drivers.oob import redfish_quirks as quirks
from drydock.drivers.oob.base import BmcAccess
from drydock.errors import DriverBusy, DriverError, DriverRefused, DriverUnavailable
from drydock.tls_refusals import reason as tls_reason

BUSY_STATUSES = frozenset({408, 409, 412, 425, 429})
"""4xx answers of a BMC that is at work on something else."""
NEVER_STATUSES = frozenset({501, 505})
LONGEST_DETAIL = 200

REFUSALS = (
    sushy_errors.MissingAttributeError,
    sushy_errors.MalformedAttributeError,
    sushy_errors.MissingActionError,
    sushy_errors.InvalidParameterValueError,
    sushy_errors.UnknownDefaultError,
)


def driver_error(exc: Exception, bmc: BmcAccess, verb: str) -> DriverError:
    """``exc`` is one of sushy's or requests' errors, or one of ours that does not name the node yet."""
    kind, reason = _kind_and_reason(exc)
    if bmc.credential:
        # A BMC may quote what it was sent.
        reason = reason.replace(bmc.credential, "***")
    return kind(f"{bmc.node}: {verb}: {reason}")


def _kind_and_reason(exc: Exception) -> tuple[type[DriverError], str]:
    if isinstance(exc, DriverError):
        return type(exc), exc.message
    if isinstance(exc, sushy_errors.HTTPError) and quirks.says_busy(f"{exc} {exc.extended_info}"):
        return DriverBusy, f"the BMC is at work on something else{_detail(exc)}"
    if isinstance(exc, sushy_errors.AccessError):
        return DriverRefused, f"the BMC does not accept the account's credentials (status {exc.status_code})"
    if isinstance(exc, sushy_errors.ResourceNotFoundError):
        return DriverRefused, "the BMC has no such system (status 404)"
    if isinstance(exc, sushy_errors.HTTPError):
        return _by_status(exc)
    if isinstance(exc, sushy_errors.ConnectionError):
        return _by_cause(exc.__context__)
    if isinstance(exc, REFUSALS):
        return DriverRefused, f"the BMC cannot do it: {_short(exc)}"
    if isinstance(exc, requests.RequestException):
        return DriverUnavailable, "the BMC's answer is not JSON"
    return DriverUnavailable, f"the BMC's answer is not understood: {_short(exc)}"


def _by_status(exc: sushy_errors.HTTPError) -> tuple[type[DriverError], str]:
    status = exc.status_code
    reason = f"the BMC answered {status}{_detail(exc)}"
    if status in NEVER_STATUSES:
        return DriverRefused, reason
    # NOTE: sushy keeps no headers of an answer.
    return type(answer_error(status, reason, {}, busy=BUSY_STATUSES)), reason


def _detail(exc: sushy_errors.HTTPError) -> str:
    return f": {str(exc.detail)[:LONGEST_DETAIL]}" if exc.detail else ""


def _by_cause(cause: BaseException | None) -> tuple[type[DriverError], str]:
    if isinstance(cause, requests.exceptions.SSLError):
        return DriverRefused, tls_reason(cause, "the BMC")
    if isinstance(cause, requests.Timeout):
        return DriverUnavailable, "the BMC did not answer in time"
    return DriverUnavailable, "the BMC cannot be reached"


def _short(exc: Exception) -> str:
    return str(exc)[:LONGEST_DETAIL]
