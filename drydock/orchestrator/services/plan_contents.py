"""What is in the assets of deployed nodes, against what would be in them now: references are fetched and templates
rendered, once for all nodes that have them in common, and within a limit of time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from drydock.bootaction.content_record import Sealer
from drydock.bootaction.contents import SiteContents
from drydock.bootaction.prompt_sources import FetchWithin, PromptFetch, PromptSources
from drydock.bootaction.template_limits import LimitExceededError, TemplateLimits
from drydock.bootaction.template_pool import RenderedText, TemplatePool
from drydock.bootaction.time_budget import TimeBudget
from drydock.db.database import Database
from drydock.errors import RendererUnavailable
from drydock.model.site import SiteDesign
from drydock.orchestrator.services.content_comparison import ContentComparison

OPTION = "[references] plan_seconds"


@dataclass(frozen=True, slots=True)
class ContentSettings:
    """``secrets`` of ``[bootaction]``. ``fetches``: references fetched at a time. ``seconds``: for one plan; 0: what is
    in assets is not compared.
    """

    secrets: Sequence[bytes] = field(repr=False)
    limits: TemplateLimits
    fetches: int
    seconds: float


class PlanContents:
    """Safe to share between threads."""

    def __init__(self, database: Database, fetch: FetchWithin, settings: ContentSettings) -> None:
        """``fetch``: what a reference has now, from no cache."""
        self._database = database
        self._settings = settings
        self._fetches = PromptFetch(fetch, at_most=settings.fetches)
        self._templates = TemplatePool(settings.limits, processes=1)
        self._sealers = [Sealer(secret) for secret in settings.secrets]

    @contextmanager
    def of_site(self, site: SiteDesign) -> Iterator[ContentComparison | None]:
        """For one plan; None if contents are not compared."""
        settings = self._settings
        if not settings.seconds:
            yield None
            return
        budget = TimeBudget(settings.seconds)
        template = self._templates.for_task(uuid4(), repeatable=True, left=budget.left)

        def render(source: str, variables: Mapping[str, Any]) -> RenderedText:
            try:
                return template(source, variables)
            except (LimitExceededError, RendererUnavailable):
                if budget.left() > 0:
                    raise
                raise RendererUnavailable(f"not rendered within {settings.seconds:g} s ({OPTION})") from None

        sources = PromptSources(self._fetches, budget)
        contents = SiteContents(site, sources=sources, render=render, max_bytes=settings.limits.max_bytes)
        try:
            yield ContentComparison(self._database, budget, sources, contents, self._sealers)
        finally:
            # Plans are rare; the processes of the API are many.
            self._templates.close()
