"""Input and output types of the segments of an asset's pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Form(StrEnum):
    """Type of a value in a pipeline. Inline data and fetched data are bytes, a location is text."""

    TEXT = "text"
    BYTES = "bytes"


@dataclass(frozen=True, slots=True)
class SegmentForms:
    """``takes`` None: bytes and text."""

    takes: Form | None
    gives: Form


TEMPLATE = "template"
FORMS: Mapping[str, SegmentForms] = {
    "utf8_decode": SegmentForms(Form.BYTES, Form.TEXT),
    "utf8_encode": SegmentForms(Form.TEXT, Form.BYTES),
    "base64_encode": SegmentForms(Form.BYTES, Form.BYTES),
    "base64_decode": SegmentForms(None, Form.BYTES),
    TEMPLATE: SegmentForms(Form.TEXT, Form.TEXT),
}


def misfit(segments: Sequence[str], form: Form) -> str | None:
    """The error of the first segment that does not accept its input, ``form`` at first; None if all do."""
    for position, name in enumerate(segments, 1):
        known = FORMS.get(name)
        if known is None:
            return f"segment {position}, {name:.60}, is unknown; use one of {', '.join(FORMS)}"
        if known.takes not in (None, form):
            before = "utf8_decode" if form is Form.BYTES else "utf8_encode"
            return f"segment {position}, {name}, needs {known.takes}, but gets {form}: put {before} before it"
        form = known.gives
    return None
