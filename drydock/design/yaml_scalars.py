"""Converts scalars of YAML 1.1 to values as ``yaml.safe_load`` does, within bounds."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

#: Maximum characters of a converted scalar: base 60 and printing of huge numbers take quadratic time.
MAX_CONVERTED = 100
#: Maximum characters of a key; libyaml's limit for keys without a question mark.
MAX_KEY = 1024
MAP, SEQ, STR, MERGE, BINARY, INT, FLOAT = (
    f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str", "merge", "binary", "int", "float")
)
#: Characters that are invisible, or look like a space.
_INVISIBLE = re.compile("[\u00a0\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


class ScalarRefusedError(Exception):
    """The text is the reason."""


def convert(event: Any, tag: str, shown: str) -> Any:
    """The value of a scalar event with this tag; ``shown`` names it in errors. Raises ``ScalarRefusedError``."""
    text, kind = event.value, f"{tag.rpartition(':')[2]:.100}"
    if len(text) > MAX_CONVERTED and tag != BINARY:
        raise ScalarRefusedError(
            f"{shown} is read as {kind} and has more than {MAX_CONVERTED} characters: "
            "put quotes around it if it is text"
        )
    try:
        value = SafeConstructor().construct_object(yaml.ScalarNode(tag, text, event.start_mark, event.end_mark))
    except yaml.MarkedYAMLError as exc:
        raise ScalarRefusedError(str(exc.problem)) from None
    except (ValueError, OverflowError, KeyError, IndexError, AttributeError) as exc:
        # NOTE: PyYAML raises these for texts such as 2017-13-45, 0b and !!bool maybe.
        raise ScalarRefusedError(f"not a valid {kind} value: {type(exc).__name__}") from None
    if isinstance(value, list | dict | set):
        raise ScalarRefusedError(f"tag {tag:.100} is not supported")
    if isinstance(value, float) and not math.isfinite(value):
        raise ScalarRefusedError(f"{shown} is not a finite number: put quotes around it if it is text")
    return value


def invisible(event: Any, shown: str) -> Iterator[str]:
    """A warning about invisible characters of a plain scalar; in quotes or blocks they are intended or harmless."""
    found = None if event.style else _INVISIBLE.search(event.value, 0, MAX_KEY)
    if found is not None:
        yield f"an invisible character, U+{ord(found[0]):04X}, in {shown!a:.100}"


def unfit_for_key(key: Any) -> bool:
    return isinstance(key, str) and (len(key) > MAX_KEY or _CONTROL.search(key) is not None)
