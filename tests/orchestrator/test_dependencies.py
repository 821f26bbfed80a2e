"""The state of each dependency, whatever becomes of the others' checks."""

from __future__ import annotations

from drydock.orchestrator.services.health import Health
from tests.orchestrator.world import World


def broken() -> None:
    raise KeyError("of a driver, with hunter3")


def test_a_check_that_breaks_hides_no_other(world: World) -> None:
    found = {each.name: each for each in Health(world.database, {"provisioner": broken}).dependencies()}
    assert found["database"].healthy
    assert (found["provisioner"].healthy, found["provisioner"].detail) == (
        False,
        "the check failed; see the log of the API",
    )
