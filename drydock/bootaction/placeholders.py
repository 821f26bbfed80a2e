"""What stands in for the values that are each deployment's own, so that two renderings of one asset can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drydock.bootaction.context import action_variables
from drydock.bootaction.template_pool import Render, RenderedText

#: NOTE: recorded digests are of what is rendered with these; another value would be a change of every such asset.
KEY = bytes(32)
PLACEHOLDERS: Mapping[str, str] = action_variables(
    "0" * 26, key=KEY, report_url="http://drydock.invalid/", design_ref="drydock://designs/" + "0" * 64
)
_OTHERS = {name: f"{value}1" for name, value in PLACEHOLDERS.items()}
#: A source without these words renders alike in each deployment: names and filters stand in it as they are.
_OWN_WORDS = ("action", "random")


class NotComparable(Exception):
    """The asset's content differs between deployments by its nature."""


class Remembered:
    """Renders a node's assets twice: as they are, and with placeholders. What is alike in both is rendered once."""

    def __init__(self, render: Render, repeatable: Render) -> None:
        self._render = render
        self._repeatable = repeatable
        self._known: dict[str, RenderedText] = {}

    def as_is(self, source: str, variables: Mapping[str, Any]) -> RenderedText:
        found = self._render(source, variables)
        if not _is_own(source):
            self._known[source] = found
        return found

    def repeatable(self, source: str, variables: Mapping[str, Any]) -> RenderedText:
        """``variables``: those that ``as_is`` was given, with placeholders."""
        return self._known.get(source) or self._repeatable(source, variables)


def of_address(render: Render) -> Render:
    """Renders addresses of references; raises ``NotComparable`` where they depend on placeholders."""

    def rendered(source: str, variables: Mapping[str, Any]) -> RenderedText:
        found = render(source, variables)
        if "random" in source or (_is_own(source) and render(source, {**variables, "action": _OTHERS}) != found):
            raise NotComparable("its content is not compared: its address is another one for each deployment")
        return found

    return rendered


def _is_own(source: str) -> bool:
    return any(word in source for word in _OWN_WORDS)
