"""The small valid site of all tests that need a whole design; ``bench/gen_site.py`` writes large ones.

Tests of single rules put theirs together from ``documents.py``.
"""

from __future__ import annotations

from collections.abc import Sequence

_BASE = """
schema: drydock/Region/v1
metadata: {name: test}
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
data: {cidr: 10.1.0.0/16}
---
schema: drydock/Network/v1
metadata: {name: oob}
data: {cidr: 10.2.0.0/16}
---
schema: drydock/HardwareProfile/v1
metadata: {name: box}
data: {vendor: test}
---
schema: drydock/HostProfile/v1
metadata: {name: host}
data:
  hardware_profile: box
  primary_network: pxe
  oob: {type: redfish, network: oob, account: admin, credential: not-a-secret}
  platform: {image: jammy, kernel: ga-22.04}
  storage:
    physical_devices:
      sda:
        partitions:
          - {name: root, size: 30g, filesystem: {mountpoint: /}}
  interfaces:
    eno1: {device_link: pxe, slaves: [eno1], networks: [pxe]}
"""

_BOOT_ACTIONS = """
---
schema: drydock/BootAction/v1
metadata: {name: greet}
data:
  signaling: true
  assets:
    - path: /etc/greeting
      type: file
      permissions: '644'
      data: 'id {{ action.action_id }} key {{ action.action_key }} node {{ node.hostname }}'
      data_pipeline: [utf8_decode, template]
---
schema: drydock/BootAction/v1
metadata: {name: quiet}
data:
  signaling: false
  assets:
    - {path: /etc/quiet.conf, type: file, data: 'x = 1', data_pipeline: []}
"""

_NODE = """
---
schema: drydock/BaremetalNode/v1
metadata: {{name: {name}}}
data:
  host_profile: host
  metadata: {{tags: [test], rack: r1, boot_mac: '52:54:00:00:{high:02x}:{low:02x}'}}
  addressing:
    - {{network: pxe, address: 10.1.{high}.{low}}}
    - {{network: oob, address: 10.2.{high}.{low}}}
"""


_JOINS = """
---
schema: drydock/BootAction/v1
metadata: {name: joins}
data:
  signaling: false
  assets:
    - path: /etc/join
      type: file
      location: 'LOCATION&host={{ node.hostname }}&key={{ action.action_key }}'
      location_pipeline: [template]
      data_pipeline: []
"""


def site(nodes: Sequence[str] = ("n01", "n02", "n03"), boot_actions: str = _BOOT_ACTIONS) -> bytes:
    """A valid design of these nodes. Unless given, one boot action signals and one does not."""
    numbered = enumerate(nodes, start=10)
    return "".join(
        [
            _BASE,
            boot_actions,
            *(_NODE.format(name=name, high=number >> 8, low=number & 255) for number, name in numbered),
        ]
    ).encode()


def joining(location: str) -> str:
    """The boot action whose asset each node fetches from this URL, which has a query, with its name and its key."""
    return _JOINS.replace("LOCATION", location)
