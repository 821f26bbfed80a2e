"""Which statuses may pass."""

from __future__ import annotations

import pytest

from drydock.http_status import may_pass


@pytest.mark.parametrize("status", [408, 429, 500, 501, 502, 503, 504, 599])
def test_may_pass(status: int) -> None:
    assert may_pass(status)


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 409, 410, 499])
def test_is_final(status: int) -> None:
    assert not may_pass(status)
