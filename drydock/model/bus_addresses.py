"""Bus addresses of devices: the one place that decides whether a device is at the address of a design.

A design's address may be ``regexp:`` and a regular expression. It comes from a document that anyone may have written,
and is matched in processes that serve others: by RE2, in a time that grows with the length of the address only.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import re2

REGEXP = "regexp:"
#: Bytes that one compiled expression may take.
_MOST_MEMORY = 1 << 20
_PCI = re.compile(r"(?:([0-9a-f]{1,8}):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})\.([0-7])")
#: As lshw writes it, and as the kernel does.
_SCSI = re.compile(r"([0-9]{1,20}):([0-9]{1,20})([.:])([0-9]{1,20})\3([0-9]{1,20})")


def is_pattern(wanted: str) -> bool:
    """Whether a design's address is a regular expression."""
    return wanted.startswith(REGEXP)


def matches(wanted: str, address: str) -> bool:
    """Whether ``wanted``, of a design, is ``address``, of a machine. An expression need only match its beginning, and
    one that cannot be compiled matches nothing.
    """
    if not is_pattern(wanted):
        return normal(wanted) == normal(address)
    try:
        found = _compiled(wanted).match(normal(address).encode("utf-8", "replace"))
    except (re2.error, ValueError):
        return False
    return found is not None


def pattern_fault(wanted: str) -> str | None:
    """What is wrong with a design's address that is an expression; None if nothing is, or it is none."""
    if not is_pattern(wanted):
        return None
    try:
        _compiled(wanted)
    except re2.error as exc:
        text = exc.args[0] if exc.args else b""
        return text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    except ValueError:
        return "it is no text"
    return None


@lru_cache(maxsize=4096)
def normal(address: str) -> str:
    """In one form, whatever a design or a machine leaves out: ``2:0.1`` is ``0000:02:00.1``, and ``2:0:0:0`` of the
    kernel ``2:0.0.0``, as lshw writes it and designs do.
    """
    address = address.strip().lower()
    scsi = hctl(address)
    if scsi is not None:
        host, channel, target, lun = scsi
        return f"{host}:{channel}.{target}.{lun}"
    pci = _PCI.fullmatch(address)
    if pci is None:
        return address
    domain, bus, slot, function = pci.groups()
    return f"{(domain or '').lstrip('0'):0>4}:{bus:0>2}:{slot:0>2}.{function}"


def hctl(address: str) -> tuple[int, int, int, int] | None:
    """Host, channel, target and logical unit of a SCSI address; None for another."""
    scsi = _SCSI.fullmatch(address.strip())
    if scsi is None:
        return None
    host, channel, target, lun = map(int, scsi.group(1, 2, 4, 5))
    return host, channel, target, lun


@lru_cache(maxsize=128)
def _compiled(wanted: str) -> Any:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = _MOST_MEMORY
    return re2.compile(wanted.removeprefix(REGEXP), options)
