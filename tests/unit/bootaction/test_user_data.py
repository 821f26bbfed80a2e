"""User-data, and its boot script run for real against a server."""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
import yaml

from drydock.bootaction.rendered import RenderedAsset
from drydock.bootaction.tarball import pack
from drydock.bootaction.user_data import boot_env, boot_script, user_data
from drydock.model.boot_asset import AssetType
from tests.unit.bootaction.sites import KEY
from tests.unit.design.http_peer import Answer, Peer, serving


def made(**changes: object) -> str:
    settings: dict[str, object] = {
        "node": "n01",
        "key": KEY,
        "bootdata_url": "http://h:9000/api/v1.0/bootdata/",
        "report_url": "http://h:9000/api/v1.0/bootaction/",
        "packages": {},
        "authorized_keys": (),
    }
    return user_data(**settings | changes)  # type: ignore[arg-type]


def test_the_document() -> None:
    text = made(packages={"a": None, "b": "1.0-1"}, authorized_keys=["ssh-ed25519 AAAA me"])
    assert text.startswith("#cloud-config\n")
    document = yaml.safe_load(text)
    env, script = document["write_files"]
    assert (env["path"], env["permissions"], env["owner"]) == ("/etc/drydock/boot.env", "0600", "root:root")
    assert (script["path"], script["permissions"]) == ("/usr/local/sbin/drydock-boot", "0700")
    assert script["content"] == boot_script()
    assert document["packages"] == ["a", ["b", "1.0-1"]]
    assert document["ssh_authorized_keys"] == ["ssh-ed25519 AAAA me"]
    assert document["runcmd"] == [["/usr/local/sbin/drydock-boot"]]
    assert dict(word.split("=", 1) for word in shlex.split(env["content"])) == {
        "DRYDOCK_NODE": "n01",
        "DRYDOCK_BOOTDATA_URL": "http://h:9000/api/v1.0/bootdata/n01",
        "DRYDOCK_REPORT_URL": "http://h:9000/api/v1.0/bootaction/",
        "DRYDOCK_BOOTACTION_KEY": KEY.hex(),
    }


def test_nothing_to_say_is_not_said() -> None:
    assert set(yaml.safe_load(made())) == {"write_files", "runcmd"}


def test_values_are_quoted_for_the_shell() -> None:
    env = boot_env(node="n1; reboot", key=KEY, bootdata_url="http://h/$(id)/", report_url="http://h/'x")
    shown = subprocess.run(
        ["sh", "-c", f'{env}\nprintf "%s|" "$DRYDOCK_NODE" "$DRYDOCK_BOOTDATA_URL" "$DRYDOCK_REPORT_URL"'],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert shown.stdout == "n1; reboot|http://h/$(id)/n1%3B%20reboot|http://h/'x|"


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_shellcheck() -> None:
    subprocess.run(
        ["shellcheck", "-s", "sh", "-e", "SC1090", "-"], input=boot_script().encode(), check=True, timeout=60
    )


class Machine:
    """Runs the script with its files in a directory, and instead of systemd a program that takes notes."""

    def __init__(self, directory: Path, peer: Peer, tool: str) -> None:
        self._directory = directory
        self._tools = directory / "bin"
        self._tools.mkdir()
        (directory / "run").mkdir()
        for name in ("sh", "mktemp", "rm", "tar", "gzip", "mkdir", tool):
            (self._tools / name).symlink_to(str(shutil.which(name)))
        self._program("systemctl", f'echo "$*" >> {directory}/systemctl; [ "$3" != broken.service ]')
        self._program("sleep", f'echo "$1" >> {directory}/sleeps')
        env = boot_env(node="n1", key=KEY, bootdata_url=peer.url("/bootdata/"), report_url="http://x/")
        (directory / "boot.env").write_text(env)

    def _program(self, name: str, body: str) -> None:
        (self._tools / name).write_text(f"#!/bin/sh\n{body}\n")
        (self._tools / name).chmod(0o755)

    def boot(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", boot_script()],
            env={
                "PATH": str(self._tools),
                "TMPDIR": str(self._directory / "run"),
                "DRYDOCK_BOOT_ENV": str(self._directory / "boot.env"),
                "DRYDOCK_BOOT_ATTEMPTS": "4",
                "http_proxy": "http://127.0.0.1:1",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def noted(self, name: str) -> list[str]:
        path = self._directory / name
        return path.read_text().splitlines() if path.exists() else []

    def left_behind(self) -> list[str]:
        return os.listdir(self._directory / "run")


@pytest.fixture(params=["curl", "wget"])
def tool(request: pytest.FixtureRequest) -> str:
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    return str(request.param)


def asset(path: Path, kind: str, mode: int = 0o600) -> RenderedAsset:
    return RenderedAsset("act", AssetType(kind), str(path), mode, b"content\n")


def test_a_boot(tmp_path: Path, tool: str) -> None:
    target = tmp_path / "root"
    bodies = {
        "/bootdata/n1/units": pack(
            [asset(target / "units" / name, "unit", 0o444) for name in ("a.service", "b.timer")]
        ),
        "/bootdata/n1/files": pack([asset(target / "opt" / "run.sh", "file", 0o750)]),
    }
    troubles = iter([Answer(503), Answer(body=b"<html>not a tarball"), Answer(404)])
    with serving(lambda path: next(troubles, None) or Answer(body=bodies[path])) as peer:
        machine = Machine(tmp_path, peer, tool)
        done = machine.boot()
    assert (done.returncode, done.stderr.count("drydock-boot: attempt")) == (0, 3)
    assert (target / "opt" / "run.sh").read_bytes() == b"content\n"
    assert stat.S_IMODE((target / "opt" / "run.sh").stat().st_mode) == 0o750
    assert stat.S_IMODE((target / "opt").stat().st_mode) == 0o755
    enabled = [line for line in machine.noted("systemctl") if line.startswith("enable")]
    assert enabled == ["enable -- a.service", "enable -- b.timer"]
    assert machine.noted("sleeps") == ["1", "2", "4"]
    assert {headers["X-Bootaction-Key"] for _, headers in peer.requests} == {KEY.hex()}
    assert [path for path, _ in peer.requests][-2:] == ["/bootdata/n1/units", "/bootdata/n1/files"]
    assert machine.left_behind() == []


def test_a_machine_without_boot_actions(tmp_path: Path, tool: str) -> None:
    with serving(lambda _: Answer(body=pack([]))) as peer:
        machine = Machine(tmp_path, peer, tool)
        assert machine.boot().returncode == 0
    assert not [line for line in machine.noted("systemctl") if line.startswith("enable")]


def test_giving_up_unpacks_nothing(tmp_path: Path, tool: str) -> None:
    target = tmp_path / "never"
    units = pack([asset(target, "unit")])
    with serving(lambda path: Answer(body=units) if path.endswith("units") else Answer(403)) as peer:
        machine = Machine(tmp_path, peer, tool)
        done = machine.boot()
    assert (done.returncode, target.exists(), machine.noted("systemctl")) == (1, False, [])
    assert "no files after 4 attempts" in done.stderr
    assert KEY.hex() not in done.stdout + done.stderr
    assert machine.left_behind() == []


def test_a_unit_that_cannot_be_enabled_stops_no_other(tmp_path: Path, tool: str) -> None:
    units = pack([asset(tmp_path / "u" / name, "unit") for name in ("broken.service", "good.service")])
    with serving(lambda path: Answer(body=units if path.endswith("units") else pack([]))) as peer:
        machine = Machine(tmp_path, peer, tool)
        assert machine.boot().returncode == 1
    assert "enable -- good.service" in machine.noted("systemctl")


def test_the_key_is_on_no_command_line() -> None:
    uses = [line.strip() for line in boot_script().splitlines() if "DRYDOCK_BOOTACTION_KEY" in line]
    assert len(uses) == 2
    # printf is built into every POSIX shell that cloud images have; it starts no process.
    assert all(line.startswith("printf ") for line in uses)
