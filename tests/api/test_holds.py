"""Operators hold nodes, and release them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import create_engine, update

from drydock.db.engine import driver_url
from drydock.db.tables import operator_holds
from tests.api.conftest import Client

HOLD = {"kind": "maintenance", "reason": "DIMM replaced"}


@pytest.fixture(autouse=True)
def _released(admin: Client, reader: Client) -> Iterator[None]:
    yield
    for hold in reader.get("/holds").json:
        admin("DELETE", f"/nodes/{hold['hostname']}/hold")


def test_a_node_is_held_shown_and_released(admin: Client, reader: Client) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    held = admin("PUT", "/nodes/n07/hold", json={**HOLD, "until": until.isoformat()})
    assert held.status_code == 200
    assert {key: held.json[key] for key in ("hostname", "kind", "reason", "created_by", "until")} == {
        "hostname": "n07",
        "created_by": "admin",
        "until": until.isoformat(),
        **HOLD,
    }
    assert reader.get("/holds").json == [held.json]
    assert admin("DELETE", "/nodes/N07/hold").status_code == 204
    assert reader.get("/holds").json == []
    gone = admin("DELETE", "/nodes/n07/hold")
    assert (gone.status_code, gone.json["reason"]) == (404, "hold_not_found")


@pytest.mark.parametrize("name", ["n07", "N07"])
def test_a_second_hold_names_the_first(admin: Client, reader: Client, name: str) -> None:
    admin("PUT", "/nodes/n07/hold", json=HOLD)
    second = admin("PUT", f"/nodes/{name}/hold", json={"kind": "other", "reason": "mine"})
    assert (second.status_code, second.json["reason"]) == (409, "node_held")
    assert "n07 is held by admin (maintenance: DIMM replaced) until it is released" in second.json["message"]
    assert [hold["reason"] for hold in reader.get("/holds").json] == ["DIMM replaced"]


def test_a_hold_that_has_expired_counts_no_more(admin: Client, reader: Client, api_database: str) -> None:
    admin("PUT", "/nodes/n07/hold", json=HOLD)
    engine = create_engine(driver_url(api_database))
    with engine.begin() as connection:
        connection.execute(update(operator_holds).values(until=datetime.now(UTC) - timedelta(seconds=1)))
    engine.dispose()
    assert reader.get("/holds").json == []
    assert admin("DELETE", "/nodes/n09/hold").status_code == 404
    assert admin("PUT", "/nodes/n07/hold", json={**HOLD, "reason": "again"}).status_code == 200
    assert [hold["reason"] for hold in reader.get("/holds").json] == ["again"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "maintenance"}, "reason"),
        ({**HOLD, "reason": ""}, "reason"),
        ({**HOLD, "reason": "a\nb"}, "reason"),
        ({**HOLD, "until": "tomorrow"}, "until"),
        ({**HOLD, "until": "2030-01-01T00:00:00"}, "until"),
        ({**HOLD, "until": "2020-01-01T00:00:00Z"}, "until"),
        ({**HOLD, "until": "9999-12-31T23:59:59-01:00"}, "until"),
        ({**HOLD, "until": "0001-01-01T00:00:00+01:00"}, "until"),
        ({**HOLD, "more": 1}, "more"),
    ],
)
def test_bad_input_names_the_field(admin: Client, body: dict[str, Any], field: str) -> None:
    refused = admin("PUT", "/nodes/n07/hold", json=body)
    assert refused.status_code == 400
    assert field in refused.json["message"]


def test_who_may(reader: Client, nobody: Client) -> None:
    assert reader("PUT", "/nodes/n07/hold", json=HOLD).status_code == 403
    assert reader("DELETE", "/nodes/n07/hold").status_code == 403
    assert nobody.get("/holds").status_code == 401


def test_any_zone_of_iso_8601_is_taken(admin: Client, reader: Client) -> None:
    """Python has more of them than PostgreSQL."""
    assert admin("PUT", "/nodes/n07/hold", json={**HOLD, "until": "2130-01-02T00:00:00+23:59"}).status_code == 200
    assert [hold["until"] for hold in reader.get("/holds").json] == ["2130-01-01T00:01:00+00:00"]


@pytest.mark.parametrize("name", ["%C3%84", "%C4%B0"])
def test_a_name_whose_lower_case_is_another_in_the_database_is_held_once(admin: Client, name: str) -> None:
    admin("PUT", f"/nodes/{name}/hold", json=HOLD)
    second = admin("PUT", f"/nodes/{name}/hold", json={**HOLD, "reason": "mine"})
    assert (second.status_code, second.json["reason"]) == (409, "node_held")


def test_a_hold_that_is_sent_again_is_the_same(admin: Client, reader: Client) -> None:
    """As clients do that got no answer."""
    body = {**HOLD, "until": "2130-01-02T00:00:00+01:00"}
    first = admin("PUT", "/nodes/n07/hold", json=body)
    again = admin("PUT", "/nodes/N07/hold", json=body)
    assert (again.status_code, again.json) == (200, first.json)
    assert admin("PUT", "/nodes/n07/hold", json={**body, "until": None}).status_code == 409
