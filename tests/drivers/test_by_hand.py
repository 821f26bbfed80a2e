"""A driver without a BMC fits the protocol: the contract."""

from __future__ import annotations

import pytest

from drydock.drivers.oob.base import BmcAccess
from tests.drivers.oob_contract import OobDriverContract
from tests.orchestrator.by_hand import ByHand


class TestContract(OobDriverContract):
    member = "by hand"

    @pytest.fixture
    def driver(self) -> ByHand:
        return ByHand()

    @pytest.fixture
    def bmc(self, name: str) -> BmcAccess:
        return BmcAccess(name, "by-hand", None)
