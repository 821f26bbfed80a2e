"""Reads the user data of a deployment like cloud-init, as far as simulated machines need it."""

from __future__ import annotations

import base64
import binascii
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from drydock.simulator.errors import InstallationFailed

BOOT_ENVIRONMENT = "/etc/drydock/boot.env"
KEY = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class BootEnvironment:
    """Drydock's settings for a machine. URLs have no slash at the end."""

    node: str
    bootdata_url: str
    report_url: str
    key: str = field(repr=False)


def read_boot_environment(user_data: str) -> BootEnvironment:
    """Raises ``InstallationFailed`` with the reason, never with the key."""
    for entry in _written_files(user_data):
        if entry.get("path") == BOOT_ENVIRONMENT:
            return _boot_environment(_assignments(_content(entry)))
    raise InstallationFailed(f"the user data does not write {BOOT_ENVIRONMENT}")


def _written_files(user_data: str) -> list[Mapping[str, Any]]:
    if not user_data.startswith("#cloud-config"):
        raise InstallationFailed("the user data does not begin with #cloud-config")
    try:
        document = yaml.safe_load(user_data)
    except yaml.YAMLError:
        # The parser's message quotes the invalid text, which may contain the key.
        raise InstallationFailed("the user data is not valid YAML") from None
    files = document.get("write_files") if isinstance(document, dict) else None
    if not isinstance(files, list) or not all(isinstance(entry, dict) for entry in files):
        raise InstallationFailed("the user data has no list write_files")
    return files


def _content(entry: Mapping[str, Any]) -> str:
    content, encoding = entry.get("content"), entry.get("encoding", "text/plain")
    if not isinstance(content, str | bytes):
        raise InstallationFailed(f"{BOOT_ENVIRONMENT} has no content")
    try:
        raw = content.encode() if isinstance(content, str) else content
        if encoding in ("b64", "base64"):
            raw = base64.b64decode(b"".join(raw.split()), validate=True)
        return raw.decode()
    except (binascii.Error, UnicodeDecodeError):
        raise InstallationFailed(f"the content of {BOOT_ENVIRONMENT} cannot be decoded") from None


def _assignments(text: str) -> dict[str, str]:
    try:
        words = shlex.split(text, comments=True)
    except ValueError:
        raise InstallationFailed(f"{BOOT_ENVIRONMENT} is not a list of shell assignments") from None
    return {name: value for name, equals, value in (word.partition("=") for word in words) if equals}


def _boot_environment(values: Mapping[str, str]) -> BootEnvironment:
    wanted = ("DRYDOCK_NODE", "DRYDOCK_BOOTDATA_URL", "DRYDOCK_REPORT_URL", "DRYDOCK_BOOTACTION_KEY")
    for name in wanted:
        if not values.get(name):
            raise InstallationFailed(f"{BOOT_ENVIRONMENT} does not set {name}")
    node, bootdata_url, report_url, key = (values[name] for name in wanted)
    if not KEY.fullmatch(key):
        raise InstallationFailed("DRYDOCK_BOOTACTION_KEY is not 64 hexadecimal digits")
    return BootEnvironment(node, bootdata_url.rstrip("/"), report_url.rstrip("/"), key)
