"""``drydock design render`` works without a server, and allows what a server allows by default."""

from __future__ import annotations

from drydock.bootaction.render import TemplateLimits
from drydock.cli import design_render
from drydock.conf.bootaction import OPTS


def test_the_limits_are_the_defaults_of_the_options() -> None:
    defaults = {option.dest: option.default for option in OPTS}
    by_default = TemplateLimits(max_seconds=defaults["template_max_seconds"], max_bytes=defaults["template_max_bytes"])
    assert by_default == design_render.LIMITS
