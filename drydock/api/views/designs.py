"""Designs and what validation says of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from drydock.api.views.status import status_view
from drydock.api.views.times import timestamp
from drydock.counting import counted
from drydock.design.compiler import CompiledDesign
from drydock.design.message_form import message_form
from drydock.design.site_form import site_form, without_secrets
from drydock.model.design import DesignSnapshot, ValidationReport
from drydock.model.message import Level, ValidationMessage

Json = dict[str, Any]
REFERENCES = "docs/reference/design-documents.md#references"


def snapshot_view(snapshot: DesignSnapshot) -> Json:
    return {
        "digest": snapshot.digest,
        "design_ref": snapshot.ref,
        "size": snapshot.size,
        "created": timestamp(snapshot.created),
        "created_by": snapshot.created_by,
    }


def compiled_view(design: CompiledDesign, *, at: datetime) -> Json:
    """The effective site, without what is secret in it; None if the documents cannot be made one any more."""
    return {
        "digest": design.digest,
        "valid": design.valid,
        "site": None if design.broken else without_secrets(site_form(design.site)),
        "messages": message_views(design.messages, at=at),
    }


def validation_view(report: ValidationReport, *, at: datetime) -> Json:
    """The verdict; its ``code`` is the HTTP status it is sent with. Invalid ones also carry an error's keys."""
    errors = report.error_count
    view = status_view(
        code=200 if report.valid else 400,
        success=report.valid,
        message="the design is valid" if report.valid else f"the design has {counted(errors, 'error')}",
        reason="" if report.valid else "design_invalid",
        messages=message_views(report.messages, at=at),
        error_count=errors,
    )
    return view if report.valid else {**view, "type": "error", "retry": False}


def unreadable_view(message: str, *, reason: str, retry: bool, at: datetime) -> Json:
    """The verdict on a design that could not be had, in the same shape."""
    finding = ValidationMessage(reason, reason, message, Level.ERROR, diagnostic=f"See {REFERENCES}")
    view = status_view(
        code=400,
        success=False,
        message=message,
        reason=reason,
        messages=message_views([finding], at=at),
        error_count=1,
    )
    return {**view, "type": "error", "retry": retry}


def message_views(messages: Sequence[ValidationMessage], *, at: datetime) -> list[Json]:
    return [{**message_form(message), "kind": "ValidationMessage", "ts": timestamp(at)} for message in messages]
