"""What plans fetch: side by side, and within a limit of time."""

from __future__ import annotations

from hashlib import sha256

import pytest

from drydock.bootaction.prompt_sources import PromptFetch, PromptSources
from drydock.bootaction.time_budget import TimeBudget
from drydock.errors import ReferenceUnavailable
from tests.no_threads import no_more_threads


def test_without_a_thread_it_is_unavailable_and_keeps_no_slot() -> None:
    fetches = PromptFetch(str.encode, at_most=1)
    with no_more_threads(), pytest.raises(ReferenceUnavailable, match="no more threads"):
        PromptSources(fetches, TimeBudget(10)).digest("http://a/1")
    assert PromptSources(fetches, TimeBudget(10)).digest("http://a/1") == sha256(b"http://a/1").digest()
