"""Writes a valid site design of any size: racks of servers with bonds, inherited disks, and boot actions.

python -m bench.gen_site 1000 > site.yaml
"""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Iterator

PER_RACK = 32
NETWORKS = {"oob": 40, "boot": 41, "control": 42, "pods": 43, "disks": 44}

_HEAD = """---
schema: drydock/Region/v1
metadata: {schema: metadata/Document/v1, name: meadow}
data:
  authorized_keys:
    - ssh-ed25519 AAAAexample operator@example.invalid
  repositories:
    main_archive:
      repo_type: apt
      url: http://archive.example.invalid/ubuntu
      components: [main, universe]
---
schema: drydock/HardwareProfile/v1
metadata: {schema: metadata/Document/v1, name: two-socket}
data:
  vendor: Example
  generation: '3'
  boot_mode: uefi
  bootstrap_protocol: pxe
  device_aliases:
    lom0: {bus_type: pci, address: '0000:01:00.0', dev_type: 10G NIC}
    fast0: {bus_type: pci, address: '0000:3b:00.0', dev_type: 25G NIC}
    fast1: {bus_type: pci, address: '0000:3b:00.1', dev_type: 25G NIC}
    system: {bus_type: scsi, address: 0:0.0.0, dev_type: SSD}
    bulk: {bus_type: scsi, address: 0:0.1.0, dev_type: SSD}
  cpu_sets:
    guests: 8-63
  hugepages:
    guests: {size: 1G, count: 96}
---
schema: drydock/NetworkLink/v1
metadata: {schema: metadata/Document/v1, name: oob}
data:
  trunking: {mode: disabled, default_network: oob}
  allowed_networks: [oob]
---
schema: drydock/NetworkLink/v1
metadata: {schema: metadata/Document/v1, name: boot}
data:
  trunking: {mode: disabled, default_network: boot}
  allowed_networks: [boot]
---
schema: drydock/NetworkLink/v1
metadata: {schema: metadata/Document/v1, name: fast}
data:
  mtu: 9000
  bonding: {mode: 802.3ad, hash: layer3+4, mon_rate: 100, up_delay: 1000, down_delay: 1000}
  trunking: {mode: 802.1q}
  allowed_networks: [control, pods, disks]
---
schema: drydock/HostProfile/v1
metadata: {schema: metadata/Document/v1, name: any-server}
data:
  hardware_profile: two-socket
  primary_network: control
  oob: {type: ipmi, network: oob, account: operator, credential: not-a-secret}
  platform:
    image: jammy
    kernel: ga-22.04
    kernel_params: {console: 'ttyS0,115200n8', quiet: true}
  interfaces:
    lom0: {device_link: boot, slaves: [lom0], networks: [boot]}
    bond0: {device_link: fast, slaves: [fast0, fast1], networks: [control, pods, disks]}
  storage:
    physical_devices:
      system:
        labels: {bootdrive: 'true'}
        partitions:
          - {name: root, size: 60g, bootable: true, filesystem: {mountpoint: /, fstype: ext4}}
          - {name: boot, size: 2g, filesystem: {mountpoint: /boot}}
          - {name: logs, size: '>40g', filesystem: {mountpoint: /var/log}}
      bulk: {volume_group: bulk}
    volume_groups:
      bulk:
        logical_volumes:
          - {name: guests, size: 90%, filesystem: {mountpoint: /var/lib/guests, fstype: xfs}}
---
schema: drydock/HostProfile/v1
metadata: {schema: metadata/Document/v1, name: worker}
data:
  host_profile: any-server
  platform:
    kernel_params:
      isolcpus: hardwareprofile:cpuset.guests
      hugepagesz: hardwareprofile:hugepages.guests.size
      hugepages: hardwareprofile:hugepages.guests.count
  metadata:
    tags: [worker]
    owner_data: {role: worker}
---
schema: drydock/HostProfile/v1
metadata: {schema: metadata/Document/v1, name: steward}
data:
  host_profile: any-server
  metadata:
    tags: [steward]
    owner_data: {role: steward}
---
schema: drydock/BootAction/v1
metadata: {schema: metadata/Document/v1, name: hosts-file}
data:
  assets:
    - path: /etc/site/self
      type: file
      permissions: '644'
      data_pipeline: [utf8_decode, template]
      data: |
        {{ node.hostname }}.{{ node.domain }} {{ node.network.control.ip }}
---
schema: drydock/BootAction/v1
metadata: {schema: metadata/Document/v1, name: guest-tuning}
data:
  signaling: false
  node_filter:
    filter_set_type: union
    filter_set:
      - filter_type: intersection
        node_tags: [worker]
        node_labels: {role: worker}
  assets:
    - path: /etc/modprobe.d/guests.conf
      type: file
      permissions: '644'
      data_pipeline: [utf8_decode]
      data: |
        options kvm nested=1
    - type: pkg_list
      data: {qemu-kvm: '1:6.2+dfsg-2ubuntu6'}
"""

_NETWORK = """---
schema: drydock/Network/v1
metadata: {{schema: metadata/Document/v1, name: {name}}}
data:
  cidr: 10.{second}.0.0/16
{more}  dns: {{domain: meadow.example.invalid, servers: '10.42.0.2,10.42.0.3'}}
  routes:
    - {{subnet: 10.200.{second}.0/24, gateway: 10.{second}.0.1, metric: 10}}
  ranges:
    - {{type: reserved, start: 10.{second}.0.1, end: 10.{second}.0.255}}
    - {{type: static, start: 10.{second}.1.0, end: 10.{second}.239.255}}
    - {{type: dhcp, start: 10.{second}.240.0, end: 10.{second}.254.255}}
"""

_RACK = """---
schema: drydock/Rack/v1
metadata: {{schema: metadata/Document/v1, name: {name}}}
data:
  tor_switches:
    {name}-a: {{mgmt_ip: 10.45.{high}.{low}, sdn_api_url: 'https://sdn.example.invalid/{name}'}}
  location: {{clli: MEADOW, grid: {name}}}
  local_networks: [boot]
  labels: {{feed: '{feed}'}}
"""

_NODE = """---
schema: drydock/BaremetalNode/v1
metadata: {{schema: metadata/Document/v1, name: {name}}}
data:
  host_profile: {profile}
  metadata:
    rack: {rack}
    boot_mac: '52:54:01:{mac}'
{more}  addressing:
{addresses}"""


def documents(nodes: int) -> Iterator[str]:
    """One YAML document, or a few, at a time. Up to 60,000 nodes."""
    yield _HEAD
    for name, second in NETWORKS.items():
        tagged = name in ("control", "pods", "disks")
        yield _NETWORK.format(name=name, second=second, more=f"  vlan: '{second + 100}'\n  mtu: 9000\n" * tagged)
    for number in range((nodes + PER_RACK - 1) // PER_RACK):
        high, low = divmod(number, 250)
        yield _RACK.format(name=f"m{number:04}", high=high, low=low + 1, feed="ab"[number % 2])
    for number in range(nodes):
        yield node(number)


def node(number: int) -> str:
    addresses = "".join(
        f"    - {{network: {name}, address: {ipaddress.IPv4Address((10 << 24) + (second << 16) + 256 + number)}}}\n"
        for name, second in NETWORKS.items()
        if name != "boot"
    )
    return _NODE.format(
        name=f"m{number // PER_RACK:04}u{number % PER_RACK:02}",
        profile="steward" if number % 50 == 0 else "worker",
        rack=f"m{number // PER_RACK:04}",
        mac=":".join(f"{number >> shift & 255:02x}" for shift in (16, 8, 0)),
        more=f"    owner_data: {{zone: z{number % 3}}}\n    tags: [spare]\n" if number % 6 == 1 else "",
        addresses=addresses + "    - {network: boot, address: dhcp}\n",
    )


def site(nodes: int) -> bytes:
    return "".join(documents(nodes)).encode()


if __name__ == "__main__":
    sys.stdout.writelines(documents(int(sys.argv[1]) if len(sys.argv) > 1 else 100))
