"""A design whose nodes each run two boot actions that report and one that does not."""

from __future__ import annotations

from collections.abc import Sequence

from tests.factories import site as small_site

SIGNALING = ("first", "second")

_QUIET = """
---
schema: drydock/BootAction/v1
metadata: {name: quiet}
data:
  signaling: false
  assets:
    - {path: /etc/quiet.conf, type: file, permissions: '644', data: 'quiet = yes', data_pipeline: []}
"""

_ACTION = """
---
schema: drydock/BootAction/v1
metadata: {name: NAME}
data:
  signaling: true
  assets:
    - path: /etc/systemd/system/NAME.service
      type: unit
      permissions: '444'
      data_pipeline: [utf8_decode]
      data: |
        [Service]
        Type=oneshot
        ExecStart=/opt/NAME.sh
        [Install]
        WantedBy=multi-user.target
    - path: /opt/NAME.sh
      type: file
      permissions: '700'
      data_pipeline: [utf8_decode, template]
      data: |
        #!/bin/sh
        curl -H 'X-Bootaction-Key: {{ action.action_key }}' -H 'Content-Type: application/json' \\
          -d '{"status": "Success"}' {{ action.report_url }}{{ action.action_id }}
"""


def site(nodes: Sequence[str]) -> str:
    actions = "".join(_ACTION.replace("NAME", name) for name in SIGNALING)
    return small_site.site(nodes, _QUIET + actions).decode()
