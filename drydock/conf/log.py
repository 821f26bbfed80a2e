"""[DEFAULT] and [log]: what is logged, and in which form."""

from __future__ import annotations

from oslo_config import cfg

DEFAULT_OPTS: tuple[cfg.Opt, ...] = (
    cfg.BoolOpt("debug", default=False, help="Log Drydock's own debug messages. Other libraries stay at INFO."),
)

LOG_OPTS: tuple[cfg.Opt, ...] = (
    cfg.StrOpt(
        "format",
        default="text",
        choices=[
            ("text", "A line of text: time, level, logger, message, then fields as name=value. A traceback follows."),
            ("json", "A line with a JSON object: time, level, logger, message, the fields, and exc_info if any."),
        ],
        help="Form of the records that the API and the workers write to standard error.",
    ),
)
