"""/designs, /designs/{digest}, /validatedesign."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import falcon

from drydock.api.access import is_allowed
from drydock.api.addresses import Addresses
from drydock.api.head import WithHead
from drydock.api.operations.designs import YAML
from drydock.api.reply import reply_created, reply_json
from drydock.api.requests import read_content, read_json, read_query
from drydock.api.route import PREFIX, Authorizer
from drydock.api.views.designs import (
    compiled_view,
    message_views,
    snapshot_view,
    unreadable_view,
    validation_view,
)
from drydock.context import RequestContext
from drydock.design.masking import without_secrets
from drydock.errors import DesignError, DesignNotFound
from drydock.orchestrator.services.designs import DesignService
from drydock.policies.names import READ_SECRETS


class DesignsResource(WithHead):
    def __init__(self, designs: DesignService, addresses: Addresses) -> None:
        self._designs = designs
        self._addresses = addresses

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        reply_json(resp, [snapshot_view(snapshot) for snapshot in self._designs.list()])

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Only designs without errors are kept: errors are reported here, not by each task that uses the design."""
        caller: RequestContext = req.context.caller
        content = read_content(req)
        report = self._designs.validate_content(content)
        if not report.valid:
            reply_json(resp, validation_view(report, at=datetime.now(UTC)), status=400)
            return
        snapshot = self._designs.store(content, created_by=caller.user)
        messages = message_views(report.messages, at=datetime.now(UTC))
        location = self._addresses.of(req).path(f"{PREFIX}/designs/{snapshot.digest}")
        reply_created(resp, location, {**snapshot_view(snapshot), "messages": messages})


class DesignResource(WithHead):
    def __init__(self, designs: DesignService, policy: Authorizer) -> None:
        self._designs = designs
        self._policy = policy

    def on_get(self, req: falcon.Request, resp: falcon.Response, digest: str) -> None:
        """The documents as uploaded, for callers that may read secrets; ``compiled=true``: the site that they make."""
        compiled = read_query(req)["compiled"]
        if not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise DesignNotFound("there is no design with this digest; digests are SHA-256 in lower-case hex")
        if compiled:
            reply_json(resp, compiled_view(self._designs.checked(digest), at=datetime.now(UTC)))
            return
        content = self._designs.read(digest)
        resp.content_type = YAML
        if is_allowed(self._policy, req.context.caller, READ_SECRETS):
            resp.data, resp.etag = content, digest
        else:
            resp.data, resp.etag = without_secrets(content), f"{digest}-without-secrets"


class ValidateDesignResource:
    def __init__(self, designs: DesignService) -> None:
        self._designs = designs

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """200 or 400, always a verdict; also on a design that cannot be had."""
        ref = read_json(req)["href"]
        try:
            view = validation_view(self._designs.validate(ref), at=datetime.now(UTC))
        except (DesignError, DesignNotFound) as exc:
            view = unreadable_view(f"href: {exc}", reason=exc.code, retry=exc.retry, at=datetime.now(UTC))
        reply_json(resp, view, status=view["code"])
