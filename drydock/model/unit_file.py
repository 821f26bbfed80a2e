"""Classifies systemd unit files: which can be enabled, and which start others."""

from __future__ import annotations

import re

_KINDS = "service|socket|target|timer|mount|automount|path|swap|slice"
_UNIT = re.compile(rf"[^/@]+(?:@[^/@]+)?\.(?:{_KINDS})")
_TEMPLATE = re.compile(rf"[^/@]+@\.(?:{_KINDS})")
_INSTALL = re.compile(rb"^[ \t]*\[Install\][ \t]*\r?$", re.MULTILINE)
_DIRECTORIES = ("/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system")
_MORE = ("/usr/lib/systemd/system", "/lib/systemd/system")


def is_template(path: str) -> bool:
    """``worker@.service``: a template; only its instances are units."""
    return _TEMPLATE.fullmatch(path.rpartition("/")[2]) is not None


def is_drop_in(path: str) -> bool:
    """``ssh.service.d/10-limits.conf``, or something in a ``.wants`` or ``.requires`` directory."""
    return path.rpartition("/")[0].endswith((".d", ".wants", ".requires"))


def can_be_enabled(path: str) -> bool:
    return not is_drop_in(path) and _UNIT.fullmatch(path.rpartition("/")[2]) is not None


def is_searched(path: str) -> bool:
    """True if it is in a directory of system units, or a drop-in there."""
    directory = path.rpartition("/")[0]
    if is_drop_in(path):
        directory = directory.rpartition("/")[0]
    return directory in (*_DIRECTORIES, *_MORE)


def has_install(content: bytes) -> bool:
    """True if the unit has an [Install] section."""
    return _INSTALL.search(content) is not None


def starts(path: str, unit: str) -> bool:
    """True if a timer, socket or path unit starts this service, by its name."""
    stem, _, kind = path.rpartition("/")[2].rpartition(".")
    return kind in ("timer", "socket", "path") and unit == f"{stem}.service"
