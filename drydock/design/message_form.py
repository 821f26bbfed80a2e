"""A finding about a design as JSON: in the API's replies and in the output of the CLI."""

from __future__ import annotations

from typing import Any

from drydock.model.message import ValidationMessage


def message_form(message: ValidationMessage) -> dict[str, Any]:
    """By the names that upstream Drydock gives these fields; the API adds ``kind`` and the time, ``ts``."""
    return {
        "name": message.code,
        "rule": message.rule,
        "message": message.message,
        "error": message.error,
        "level": message.level.value,
        "diagnostic": message.diagnostic,
        "documents": [{"schema": document.schema, "name": document.name} for document in message.documents],
    }
