"""What nothing reads is said: misspelt names, those of upstream's Drydock, and those of the environment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from drydock import conf
from drydock.conf.upstream import INSTEAD
from drydock.start import Checks


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever this machine has in /etc is not read."""
    empty = tmp_path / "empty.conf"
    empty.touch()
    monkeypatch.setenv("DRYDOCK_CONFIG_FILE", str(empty))


def unread(tmp_path: Path, text: str) -> Sequence[str]:
    file = tmp_path / "drydock.conf"
    file.write_text(text)
    said = Checks(conf.load(["--config-file", str(file)], env={})).unread()
    return [each.replace(str(file), "FILE") for each in said]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[api]\nprot = 9\n", "[api] prot in FILE: NO; did you mean port?"),
        ("[databse]\nurl = x\n", "[databse] in FILE: NO GROUP; did you mean [database]?"),
        ("[default]\ndebug = true\n", "[default] in FILE: NO GROUP; did you mean [DEFAULT]?"),
        ("[api]\ndebug = true\n", "[api] debug in FILE: NO; did you mean the one of [DEFAULT]?"),
        ("[redfish]\nverify_tsl = no\n", "[redfish] verify_tsl in FILE: NO; did you mean verify_tls?"),
        ("[oslo_policy]\npolicyfile = x\n", "[oslo_policy] policyfile in FILE: NO; did you mean policy_file?"),
        ("[keystone_authtoken]\nuser_name_x = x\n", "[keystone_authtoken] user_name_x in FILE: NO"),
        ("[nova]\nx = y\n", "[nova] in FILE: NO GROUP"),
        ("[api]\nport = 1\nport = 2\n", "[api] port in FILE: is set 2 times; the last one is used"),
    ],
)  # fmt: skip
def test_of_files(tmp_path: Path, text: str, said: str) -> None:
    (found,) = unread(tmp_path, text)
    said = said.replace("NO GROUP", "there is no such group").replace("NO;", "there is no such option;")
    assert found.startswith(said.removesuffix(" NO"))


def test_a_piece_of_a_broken_secret_is_no_name(tmp_path: Path) -> None:
    (found,) = unread(tmp_path, f"[bootaction]\nsecrets = {'ab' * 16}\n{'cd' * 16}== \n")
    assert "cd" * 8 not in found
    assert "not shown" in found


def test_each_option_of_upstream_has_its_name_here(tmp_path: Path) -> None:
    groups = dict.fromkeys(group for group, _ in INSTEAD)
    text = "".join(
        f"[{group}]\n" + "".join(f"{name} = 1\n" for place, name in INSTEAD if place == group) for group in groups
    )
    said = unread(tmp_path, text)
    assert len(said) == len(INSTEAD)
    for (group, name), instead in INSTEAD.items():
        assert any(each.startswith(f"[{group}] {name} in FILE: ") and each.endswith(instead) for each in said)


def test_the_names_that_upstreams_are_told_exist() -> None:
    import re

    options = {(group, each.name) for group, members in conf.list_opts() for each in members}
    for instead in INSTEAD.values():
        for group, name in re.findall(r"\[(\w+)\] (\w+)", instead):
            assert (group, name) in options, instead


def test_what_libraries_read_is_known(tmp_path: Path) -> None:
    text = """
[keystone_authtoken]
auth_type = password
auth_url = http://k/v3
auth-url = http://k/v3
username = u
user_name = u
tenant_name = t
memcached_servers = a:1
memcache_servers = a:1
auth_section = keystone_authtoken
auth_plugin = password
[oslo_policy]
policy_dirs = a
policy_dirs = b
[cache]
enabled = true
[API]
port = 9
"""
    assert unread(tmp_path, text) == []


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("OS_API__PROT", "did you mean OS_API__PORT?"),
        ("OS_APII__PORT", "did you mean OS_API__PORT?"),
        ("OS_DATABSE__URL", "did you mean OS_DATABASE__URL?"),
        ("OS_API_PORT", "did you mean OS_API__PORT?"),
        ("os_api__port", "OS_API__PORT"),
        ("Os_Api__Port", "OS_API__PORT"),
        ("OS_KEYSTONE_AUTHTOKEN__PASSWORT", "did you mean OS_KEYSTONE_AUTHTOKEN__PASSWORD?"),
        ("DRYDOCK_DATABASE_URI", "did you mean DRYDOCK_DATABASE_URL?"),
        ("drydock_config_file", "DRYDOCK_CONFIG_FILE"),
    ],
)
def test_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, said: str) -> None:
    monkeypatch.setenv(variable, "s3cret")
    (found,) = unread(tmp_path, "")
    assert found.startswith(f"{variable} in the environment: ")
    assert said in found
    assert "s3cret" not in found


@pytest.mark.parametrize(
    "variable",
    [
        "OS_AUTH_URL", "OS_USERNAME", "OS_AUTH_TYPE", "OS_PLACEMENT_DATABASE__CONNECTION", "OS_NOVA__X", "OS_TOKEN",
        "OS_CACERT", "DRYDOCK_URL", "DRYDOCK_PORT_9000_TCP_ADDR", "DRYDOCK_API_SERVICE_HOST", "DRYDOCK_HEALTH_URL",
        "OS_API__THREADS", "OS_DEFAULT__DEBUG", "OS_KEYSTONE_AUTHTOKEN__AUTH_URL",
    ],
)  # fmt: skip
def test_variables_of_others_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "1")
    assert unread(tmp_path, "") == []


@pytest.mark.parametrize("value", ["a$username", "a${username}", "a$$$username"])
def test_a_replaced_piece_of_a_secret_is_said(tmp_path: Path, value: str) -> None:
    (found,) = unread(tmp_path, f"[keystone_authtoken]\nusername = u\npassword = {value}\n")
    assert found.startswith("[keystone_authtoken] password in FILE: $NAME in it is replaced")
    assert "username" not in found


@pytest.mark.parametrize("value", ["a$$username", "a\\$username", "a$1", "a$"])
def test_other_dollars_are_not(tmp_path: Path, value: str) -> None:
    assert unread(tmp_path, f"[keystone_authtoken]\nusername = u\npassword = {value}\n") == []
