"""Limits on what is kept of one machine in one deployment, as it may be hostile. The rest is refused or left out."""

from __future__ import annotations

#: Installer events that become messages.
MAX_EVENTS = 1000
#: Rows and bytes of build data, log files among them.
MAX_KEPT_ROWS = 1000
MAX_KEPT_BYTES = 32 * 1024 * 1024
#: Of one log file the end is kept.
MAX_LOG_BYTES = 1024 * 1024
#: Messages of boot-action reports: once there are this many, or this many bytes of them, no more are stored.
MAX_MESSAGES = 10_000
MAX_MESSAGE_BYTES = 32 * 1024 * 1024
#: Idempotency keys of one boot action's reports, beside that of its final status.
MAX_REMEMBERED = 1000
