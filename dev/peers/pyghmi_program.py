"""BMCs of pyghmi's own class: ``python -m dev.peers.pyghmi_program DIRECTORY PORT...``,
the password in its file ``password``.

Files ``power-PORT`` and ``boot-PORT`` there show what each BMC has been set to. With a file ``stuck-PORT`` it accepts
changes of power and makes none; with ``busy-PORT`` it answers each command with "node busy" (0xc0), with
``short-PORT`` with success and no data.
"""

from __future__ import annotations

import sys
import uuid
from pathlib import Path
from typing import Any

from pyghmi.ipmi import bmc
from pyghmi.ipmi.private import session

from dev.peers.ipmi_sim import USER
from dev.ports import LOOPBACK

#: Of an RMCP+ Open Session Request: the type of message, where its payload and its authentication algorithm begin.
OPEN_SESSION = b"\x06\x10"
HEADER = 16
ALGORITHM = HEADER + 12
SHA1 = 1
#: Status code of the response.
INVALID_ALGORITHM = 4
#: Completion code.
NODE_BUSY = 0xC0


class FileBmc(bmc.Bmc):  # type: ignore[misc]
    """One BMC; its state is in files."""

    def __init__(self, directory: Path, port: int, password: str) -> None:
        super().__init__({USER: password}, port=port, bmcuuid=uuid.UUID(int=port), address=LOOPBACK)
        self._stuck, self._busy = directory / f"stuck-{port}", directory / f"busy-{port}"
        self._short = directory / f"short-{port}"
        self._power, self._boot = directory / f"power-{port}", directory / f"boot-{port}"

    def sessionless_data(self, data: bytes, sockaddr: tuple[str, int]) -> None:
        """Refuse a session with another algorithm than SHA-1: the class would accept it and not speak it."""
        if len(data) > ALGORITHM and data[4:6] == OPEN_SESSION and data[ALGORITHM] != SHA1:
            tag, client = data[HEADER : HEADER + 1], data[HEADER + 4 : HEADER + 8]
            refusal = tag + bytes([INVALID_ALGORITHM, 0, 0]) + client
            header = b"\x06\x00\xff\x07\x06\x11" + bytes(8) + len(refusal).to_bytes(2, "little")
            self.serversocket.sendto(header + refusal, sockaddr)
            return
        super().sessionless_data(data, sockaddr)

    def get_system_guid(self) -> uuid.UUID:
        return self.uuid  # type: ignore[no-any-return]

    def get_power_state(self) -> str:
        return self._power.read_text() if self._power.exists() else "off"

    def handle_raw_request(self, request: dict[str, Any], session: Any) -> None:
        if self._busy.exists():
            session.send_ipmi_response(code=NODE_BUSY)
        elif self._short.exists():
            session.send_ipmi_response()
        else:
            super().handle_raw_request(request, session)

    def power_on(self) -> None:
        self._set("on")

    def power_off(self) -> None:
        self._set("off")

    def _set(self, power: str) -> None:
        if not self._stuck.exists():
            self._power.write_text(power)

    def power_shutdown(self) -> None:
        self.power_off()

    def power_reset(self) -> int:
        """Refused (0xd5: not in this state) when off, as by hardware."""
        return 0 if self.get_power_state() == "on" else 0xD5

    power_cycle = power_reset

    def get_boot_device(self) -> str:
        return self._boot.read_text() if self._boot.exists() else "default"

    def set_boot_device(self, bootdevice: str) -> None:
        self._boot.write_text(bootdevice)


def main() -> None:
    directory = Path(sys.argv[1])
    password = (directory / "password").read_text()
    served = [FileBmc(directory, int(port), password) for port in sys.argv[2:]]
    print(f"{len(served)} BMCs", flush=True)
    while True:
        session.Session.wait_for_rsp(30)


if __name__ == "__main__":
    main()
