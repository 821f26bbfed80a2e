"""What the simulator reads: fault and delay texts, user data, and the reports hidden in boot actions."""

from __future__ import annotations

import base64

import pytest

from drydock.simulator.actions import owed_reports
from drydock.simulator.delays import Delays, Dice, Range, parse_range
from drydock.simulator.errors import BadRequest, InstallationFailed
from drydock.simulator.faults import MEANING, Fault, Faults, parse_fault
from drydock.simulator.images import IMAGES, parse_images
from drydock.simulator.machine import check_name
from drydock.simulator.user_data import read_boot_environment

KEY = "0123456789abcdef" * 4
ULID = "00041061050R3GG28A1C60T3GF"
OTHER = "01J9ZQ4T8X0000000000000002"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0.5-3", Range(0.5, 3)), ("2", Range(2, 2)), ("0", Range(0, 0)), ("1-1", Range(1, 1))],
)
def test_ranges(text: str, expected: Range) -> None:
    assert parse_range(text) == expected


@pytest.mark.parametrize("text", ["", "-", "3-1", "-1", "a-b", "1-", "nan", "1-inf", "1-2-3"])
def test_bad_ranges(text: str) -> None:
    with pytest.raises(ValueError, match="seconds"):
        parse_range(text)


def test_the_same_seed_draws_the_same_delays() -> None:
    one, two = Dice(7), Dice(7)
    drawn = [one.draw(Delays().install) for _ in range(5)]
    assert drawn == [two.draw(Delays().install) for _ in range(5)]
    assert all(Delays().install.low <= seconds <= Delays().install.high for seconds in drawn)


def test_every_fault_is_explained() -> None:
    assert set(MEANING) == set(Fault)


def test_fault_texts() -> None:
    assert parse_fault("bmc_hangs:3") == (Fault.BMC_HANGS, 3)
    assert parse_fault("never_returns") == (Fault.NEVER_RETURNS, None)
    assert Faults(["bmc_hangs:3", "action_fails"]).texts() == ["bmc_hangs:3", "action_fails"]


@pytest.mark.parametrize("text", ["", "burns", "bmc_hangs:", "bmc_hangs:0", "bmc_hangs:-1", "bmc_hangs:x",
                                  "never_returns:2", "bmc_hangs:²", "bmc_hangs:99999999"])  # fmt: skip
def test_bad_fault_texts(text: str) -> None:
    with pytest.raises(BadRequest, match="fault"):
        parse_fault(text)


def test_counted_bmc_faults_go_away() -> None:
    faults = Faults(["bmc_refuses:2", "reports_twice"])
    assert [faults.take_bmc_fault() for _ in range(3)] == [Fault.BMC_REFUSES, Fault.BMC_REFUSES, None]
    assert Fault.REPORTS_TWICE in faults
    assert Faults(["bmc_hangs"]).take_bmc_fault() is Fault.BMC_HANGS


@pytest.mark.parametrize("name", ["n01", "rack1-n01.example.org", "a", "A_b", "x" * 253])
def test_names(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "-a", "a-", "a b", "é", "x" * 254, "n01\n", "n\x00", None, 3])
def test_bad_names(name: object) -> None:
    with pytest.raises(BadRequest, match="name"):
        check_name(name)


# -- user data

BOOT_ENV = f"""# written by Drydock
export DRYDOCK_NODE='n01'
DRYDOCK_BOOTDATA_URL="http://127.0.0.1:9000/api/v1.0/bootdata/n01/"
DRYDOCK_REPORT_URL=http://127.0.0.1:9000/api/v1.0/bootaction
DRYDOCK_BOOTACTION_KEY={KEY}
"""


def cloud_config(content: str, encoding: str = "") -> str:
    lines = "\n".join(f"    {line}" for line in content.splitlines())
    extra = f"  encoding: {encoding}\n" if encoding else ""
    return (
        f"#cloud-config\nwrite_files:\n- path: /etc/motd\n- path: /etc/drydock/boot.env\n{extra}  content: |\n{lines}\n"
    )


@pytest.mark.parametrize(
    "user_data",
    [cloud_config(BOOT_ENV), cloud_config(base64.b64encode(BOOT_ENV.encode()).decode(), "b64")],
)
def test_user_data(user_data: str) -> None:
    environment = read_boot_environment(user_data)
    assert environment.node == "n01"
    assert environment.bootdata_url == "http://127.0.0.1:9000/api/v1.0/bootdata/n01"
    assert environment.report_url == "http://127.0.0.1:9000/api/v1.0/bootaction"
    assert environment.key == KEY
    assert KEY not in repr(environment)


@pytest.mark.parametrize(
    ("user_data", "reason"),
    [
        ("#!/bin/sh\n", "#cloud-config"),
        ("#cloud-config\n", "write_files"),
        ("#cloud-config\nwrite_files: {}\n", "write_files"),
        ("#cloud-config\nwrite_files: [1]\n", "write_files"),
        ("#cloud-config\n{a: [\n", "YAML"),
        ("#cloud-config\nwrite_files: []\n", "does not write /etc/drydock/boot.env"),
        ("#cloud-config\nwrite_files: [{path: /etc/drydock/boot.env}]\n", "content"),
        (cloud_config("'"), "shell assignments"),
        (cloud_config("!!!", "b64"), "decoded"),
        (cloud_config(BOOT_ENV.replace("DRYDOCK_REPORT_URL", "REPORT")), "does not set DRYDOCK_REPORT_URL"),
        (cloud_config(BOOT_ENV.replace(KEY, KEY[:-1])), "64 hexadecimal"),
        (cloud_config(BOOT_ENV).replace("    export", " export"), "YAML"),
    ],
)
def test_bad_user_data(user_data: str, reason: str) -> None:
    with pytest.raises(InstallationFailed, match=reason) as caught:
        read_boot_environment(user_data)
    assert KEY[:-1] not in str(caught.value)


# -- reports

UNIT = b"[Unit]\nDescription=x\n[Service]\nExecStart=-/opt/report.sh --now\n"


def script(action: str, key: str = KEY, url: str = "http://drydock:9000/api/v1.0/bootaction") -> bytes:
    return f'curl -X POST -H "X-Bootaction-Key: {key}" -d \'{{"status": "success"}}\' "{url}/{action}"\n'.encode()


def test_the_script_of_a_unit_is_found() -> None:
    (action,) = owed_reports({"/etc/systemd/system/a.service": UNIT}, {"/opt/report.sh": script(ULID)}, "f" * 64)
    assert (action.id, action.key) == (ULID, KEY)
    assert action.url == f"http://drydock:9000/api/v1.0/bootaction/{ULID}"
    assert KEY not in repr(action)


def test_the_plural_and_a_trailing_slash() -> None:
    text = f"wget https://[::1]:9000/api/v1.0/bootactions/{ULID}/ -O -".encode()
    (action,) = owed_reports({"/a.service": UNIT}, {"/opt/report.sh": text}, KEY)
    assert action.url == f"https://[::1]:9000/api/v1.0/bootactions/{ULID}"
    assert action.key == KEY


def test_each_action_once_units_first() -> None:
    files = {
        "/opt/else.sh": script(OTHER) + script(ULID),
        "/opt/report.sh": script(ULID),
        "/bin/x": b"\0" + script(ULID),
    }
    actions = owed_reports({"/a.service": UNIT}, files, KEY)
    assert [action.id for action in actions] == [ULID, OTHER]


def test_a_unit_that_reports_by_itself() -> None:
    unit = b"[Service]\nExecStart=/usr/bin/" + script(ULID)
    assert [action.id for action in owed_reports({"/a.service": unit}, {}, KEY)] == [ULID]


def test_nothing_runs_without_a_unit() -> None:
    assert owed_reports({}, {"/opt/report.sh": script(ULID)}, KEY) == []


@pytest.mark.parametrize("text", [b"http://d/bootaction/0123", b"http://d/bootaction/" + ULID.encode() + b"0",
                                  b"http://d/nodes/" + ULID.encode(), b"\xff\xfe", b""])  # fmt: skip
def test_what_is_not_a_report(text: bytes) -> None:
    assert owed_reports({"/a.service": UNIT}, {"/opt/report.sh": text}, KEY) == []


def test_image_texts() -> None:
    assert parse_images(["a=k1,k2", "b/c=k3"]) == {"a": ("k1", "k2"), "b/c": ("k3",)}
    assert parse_images([]) == IMAGES
    assert {"ga-24.04", "hwe-24.04"} <= set(IMAGES["noble"])


@pytest.mark.parametrize("text", ["", "noble", "noble=", "=k", "noble=k,", "noble=,k"])
def test_bad_image_texts(text: str) -> None:
    with pytest.raises(BadRequest, match="NAME=KERNEL"):
        parse_images([text])
