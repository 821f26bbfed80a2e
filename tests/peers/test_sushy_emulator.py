"""sushy-tools' emulator: fake systems over TLS with authentication."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import sushy
from sushy import auth as sushy_auth

from dev.peers.certificates import Authority
from dev.peers.sushy_emulator import SushyEmulator, mac

pytest.importorskip("sushy_tools", reason="sushy-tools is not installed")


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SushyEmulator]:
    names = [f"n{number:03}" for number in range(100)]
    with SushyEmulator.fake(tmp_path_factory.mktemp("sushy"), names=names) as running:
        yield running


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def test_a_client_switches_a_system_on(emulator: SushyEmulator) -> None:
    client = sushy.Sushy(
        f"{emulator.url}/redfish/v1", verify=str(emulator.authority), auth=sushy_auth.BasicAuth(*emulator.auth)
    )
    try:
        system = client.get_system(emulator.path("n042"))
        assert system.power_state == sushy.PowerState.OFF
        system.reset_system(sushy.ResetType.ON)
        system.refresh(force=True)
        assert system.power_state == sushy.PowerState.ON
        assert [each.mac_address.lower() for each in system.ethernet_interfaces.get_members()] == [mac(42)]
        assert len(client.get_system_collection().members_identities) == 100
    finally:
        client._conn.close()


def test_a_wrong_password_is_refused(emulator: SushyEmulator, http: requests.Session) -> None:
    url = f"{emulator.url}{emulator.path('n001')}"
    assert http.get(url, verify=str(emulator.authority), auth=(emulator.user, "wrong")).status_code == 401
    assert http.get(url, verify=str(emulator.authority)).status_code == 401


def test_an_authority_that_is_not_its_own_is_refused(
    emulator: SushyEmulator, http: requests.Session, tmp_path: Path
) -> None:
    other = Authority(tmp_path).certificate
    with pytest.raises(requests.exceptions.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        http.get(f"{emulator.url}/redfish/v1", verify=str(other))


@pytest.mark.parametrize(
    ("wrong", "reason"), [({"expired": True}, "expired"), ({"addresses": ("127.0.0.9",)}, "IP address mismatch")]
)
def test_certificates_that_a_client_refuses(tmp_path: Path, wrong: dict[str, object], reason: str) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("bmc", **wrong)  # type: ignore[arg-type]
    with SushyEmulator.fake(tmp_path, names=["n1"], certificate=pair) as emulator:
        context = ssl.create_default_context(cafile=str(authority.certificate))
        with (
            socket.create_connection(("127.0.0.1", emulator.port)) as connection,
            pytest.raises(ssl.SSLCertVerificationError, match=reason),
        ):
            context.wrap_socket(connection, server_hostname="127.0.0.1")


def test_it_stops_and_starts_again_at_its_address(tmp_path: Path, http: requests.Session) -> None:
    with SushyEmulator.fake(tmp_path, names=["n1"], tls=False) as emulator:
        url = f"{emulator.url}{emulator.path('n1')}"
        http.post(f"{url}/Actions/ComputerSystem.Reset", json={"ResetType": "On"}, auth=emulator.auth)
        emulator.stop()
        with pytest.raises(requests.ConnectionError):
            http.get(url, auth=emulator.auth)
        emulator.start()
        assert http.get(url, auth=emulator.auth).json()["PowerState"] == "On"
