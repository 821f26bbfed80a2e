"""A design whose nodes each run two boot actions that report and one that does not."""

from __future__ import annotations

from collections.abc import Sequence

SIGNALING = ("first", "second")

_SITE = """
schema: drydock/Region/v1
metadata: {name: e2e}
data: {}
---
schema: drydock/NetworkLink/v1
metadata: {name: pxe}
data: {allowed_networks: [pxe], trunking: {mode: disabled, default_network: pxe}}
---
schema: drydock/NetworkLink/v1
metadata: {name: oob}
data: {allowed_networks: [oob], trunking: {mode: disabled, default_network: oob}}
---
schema: drydock/Network/v1
metadata: {name: pxe}
data: {cidr: 192.0.2.0/25}
---
schema: drydock/Network/v1
metadata: {name: oob}
data: {cidr: 192.0.2.128/25}
---
schema: drydock/HardwareProfile/v1
metadata: {name: server}
data: {vendor: example}
---
schema: drydock/HostProfile/v1
metadata: {name: host}
data:
  hardware_profile: server
  primary_network: pxe
  oob: {type: redfish, network: oob, account: admin, credential: not-a-secret}
  platform: {image: jammy, kernel: ga-22.04}
  storage:
    physical_devices:
      sda: {partitions: [{name: root, size: 30g, filesystem: {mountpoint: /}}]}
  interfaces:
    eno1: {device_link: pxe, slaves: [eno1], networks: [pxe]}
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

_NODE = """
---
schema: drydock/BaremetalNode/v1
metadata: {{name: {name}}}
data:
  host_profile: host
  metadata: {{rack: r1, boot_mac: '52:54:00:00:00:{number:02x}'}}
  addressing:
    - {{network: pxe, address: 192.0.2.{number}}}
    - {{network: oob, address: 192.0.2.{oob}}}
"""


def site(nodes: Sequence[str]) -> str:
    actions = "".join(_ACTION.replace("NAME", name) for name in SIGNALING)
    machines = "".join(
        _NODE.format(name=name, number=number, oob=128 + number) for number, name in enumerate(nodes, start=1)
    )
    return _SITE + actions + machines
