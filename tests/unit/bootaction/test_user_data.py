"""User-data: what it says, to a shell and to cloud-init."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from uuid import UUID

import pytest
import yaml

from dev import machine_tools
from drydock.bootaction.keys import events_token
from drydock.bootaction.scripts import assignments, boot_script, boot_script_of, boot_settings
from drydock.bootaction.user_data import user_data
from tests.unit.bootaction.sites import KEY


def made(**changes: object) -> str:
    settings: dict[str, object] = {
        "deployment": UUID(int=7),
        "node": "n01",
        "key": KEY,
        "bootdata_url": "http://h:9000/api/v1.0/bootdata/",
        "report_url": "http://h:9000/api/v1.0/bootaction/",
        "packages": {},
        "authorized_keys": (),
        "start_units": True,
        "installer_events": False,
    }
    return user_data(**settings | changes)  # type: ignore[arg-type]


def full() -> str:
    return made(packages={"a": None, "b": "1.0-1"}, authorized_keys=["ssh-ed25519 AAAA me"], installer_events=True)


def test_the_document() -> None:
    text = full()
    assert text.startswith("#cloud-config\n")
    document = yaml.safe_load(text)
    env, unit, script = document["write_files"]
    assert (env["path"], env["permissions"], env["owner"]) == ("/etc/drydock/boot.env", "0600", "root:root")
    assert (script["path"], script["permissions"]) == ("/usr/local/sbin/drydock-boot", "0700")
    assert script["content"] == boot_script()
    assert document["packages"] == ["a", ["b", "1.0-1"]]
    assert document["ssh_authorized_keys"] == ["ssh-ed25519 AAAA me"]
    done = f"/var/lib/drydock/boot-{UUID(int=7)}.done"
    assert (unit["path"], unit["permissions"]) == ("/etc/systemd/system/drydock-boot.service", "0644")
    assert f"ConditionPathExists=!{done}\n" in unit["content"]
    assert "Restart=on-failure\n" in unit["content"]
    assert dict(word.split("=", 1) for word in shlex.split(env["content"])) == {
        "DRYDOCK_NODE": "n01",
        "DRYDOCK_BOOTDATA_URL": "http://h:9000/api/v1.0/bootdata/n01",
        "DRYDOCK_REPORT_URL": "http://h:9000/api/v1.0/bootaction/",
        "DRYDOCK_BOOT_START": "yes",
        "DRYDOCK_BOOT_DONE": done,
        "DRYDOCK_BOOTACTION_KEY": KEY.hex(),
    }


def test_cloud_init_posts_its_progress_with_a_token_that_is_not_the_key() -> None:
    (reporter,) = yaml.safe_load(full())["reporting"].values()
    assert reporter["endpoint"] == "http://h:9000/api/v1.0/bootdata/n01/events"
    assert reporter["token_secret"] == events_token(KEY).hex() != KEY.hex()
    assert reporter["token_secret"] not in reporter["endpoint"]


def test_nothing_to_say_is_not_said() -> None:
    assert set(yaml.safe_load(made())) == {"bootcmd", "write_files", "runcmd"}


def test_values_are_quoted_for_the_shell() -> None:
    values = boot_settings(
        node="n1; reboot", bootdata_url="http://h/$(id)/", report_url="http://h/'x", start_units=True
    )
    shown = subprocess.run(
        [
            "sh",
            "-c",
            f'{assignments(values)}\nprintf "%s|" "$DRYDOCK_NODE" "$DRYDOCK_BOOTDATA_URL" "$DRYDOCK_REPORT_URL"',
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert shown.stdout == "n1; reboot|http://h/$(id)/n1%3B%20reboot|http://h/'x|"


def test_the_script_of_a_node_knows_all_but_the_key() -> None:
    text = boot_script_of(node="n1", bootdata_url="http://h/b/", report_url="http://h/r/", start_units=False)
    assert text.startswith("#!/bin/sh\nDRYDOCK_NODE=n1\nDRYDOCK_BOOTDATA_URL=http://h/b/n1\n")
    assert "DRYDOCK_BOOT_START=no" in text
    assert "DRYDOCK_BOOTACTION_KEY=" not in text


@pytest.mark.parametrize("text", [made(), full()], ids=["least", "full"])
def test_cloud_init_finds_nothing_wrong(tmp_path: Path, text: str) -> None:
    python = machine_tools.python_of_cloud_init()
    if python is None:
        pytest.skip(machine_tools.NEEDS_CLOUD_INIT)
    file = tmp_path / "user-data"

    def findings() -> str:
        file.write_text(text)
        done = subprocess.run(
            [*python, "-m", "cloudinit.cmd.main", "schema", "--config-file", str(file), "--annotate"],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        return re.sub(r"\s+", " ", done.stdout + done.stderr) if done.returncode else ""

    assert findings() == ""
    text = text.replace("permissions:", "permission:")
    assert findings(), "it looks at nothing"


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("needs systemd-analyze: install systemd")
    for entry in yaml.safe_load(full())["write_files"]:
        file = tmp_path / entry["path"].lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(entry["content"])
        file.chmod(int(entry["permissions"], 8))
    for name in ("network-online.target", "sysinit.target", "basic.target", "shutdown.target"):
        (tmp_path / "etc/systemd/system" / name).write_text("[Unit]\n")
    done = subprocess.run(
        [program, "verify", f"--root={tmp_path}", "drydock-boot.service"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
