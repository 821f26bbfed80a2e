"""The error table: each of our exceptions has a status, and a code of its own."""

from __future__ import annotations

import pytest

from drydock import errors
from drydock.api.errors import status_of
from drydock.api.views.status import error_view


def _all(base: type[errors.DrydockError]) -> list[type[errors.DrydockError]]:
    return [base, *(below for child in base.__subclasses__() for below in _all(child))]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidInput("m", field="f"), 400),
        (errors.NotAuthenticated("m"), 401),
        (errors.Forbidden("m"), 403),
        (errors.TaskNotFound("m"), 404),
        (errors.BootContextNotFound("m"), 404),
        (errors.BootActionFinal("m"), 409),
        (errors.IdempotencyConflict("m"), 409),
        (errors.InvalidReference("m"), 400),
        (errors.ReferenceUnavailable("m"), 400),
        (errors.DriverRefused("m"), 502),
        (errors.DriverUnavailable("m"), 503),
        (errors.DatabaseUnavailable("m"), 503),
        (errors.ConfigurationError("m"), 500),
        (errors.LeaseLost("m"), 500),
    ],
)
def test_each_error_has_its_status(error: errors.DrydockError, status: int) -> None:
    assert status_of(error) == status


def test_codes_are_unique() -> None:
    codes = [error.code for error in _all(errors.DrydockError) if "code" in vars(error)]
    assert len(codes) == len(set(codes))


def test_an_error_has_the_keys_of_old_clients_and_of_a_status_document() -> None:
    view = error_view(code=400, message="f: m", reason="invalid_input", retry=False, field="f")
    assert (view["type"], view["message"], view["retry"]) == ("error", "f: m", False)
    assert (view["kind"], view["apiVersion"], view["status"], view["code"]) == ("Status", "v1.0", "Failure", 400)
    assert view["reason"] == "invalid_input"
    assert view["details"] == {"errorCount": 1, "messageList": [{"message": "f: m", "error": True, "field": "f"}]}
