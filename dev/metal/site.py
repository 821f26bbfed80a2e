"""The site: its design, what Drydock's options are for it, and what Ironic's are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from dev.metal import disk_image
from dev.metal.disk_image import DiskImage
from dev.metal.machines import Machine
from dev.metal.network import ADDRESS
from dev.metal.ramdisk import Ramdisk
from dev.metal.tools import Tools
from dev.peers.ironic_server import IronicServer
from dev.peers.sushy_emulator import SushyEmulator

HERE = Path(__file__).parent
#: Of the agent's kernel. The certificate of the agent is made anew at each start and handed over with its heartbeat.
AGENT_PARAMETERS = f"console=ttyS0 quiet nofb nomodeset systemd.show_status=0 ipa-insecure=1 {disk_image.QUICK}"
#: Steps that take long in emulation.
SLOW = ("identify_node", "configure_hardware", "deploy_node", "bootaction_final_status", "destroy_node")
GRUB_TEMPLATE = """\
set default=0
set timeout=0
menuentry "boot_partition" {
linux {{ linux }} {{ kernel_params }} --
initrd {{ initrd }}
}
"""


ROOT_SIZE = "21g"


def design(
    machines: Sequence[Machine], bmc: SushyEmulator, *, tags: Mapping[str, str], root_sizes: Mapping[str, str]
) -> str:
    """By the names of machines: ``tags``, and what the root partition takes if not ``ROOT_SIZE``."""
    account, credential = bmc.auth
    documents = (
        (HERE / "design.yaml").read_text().format(account=account, credential=yaml.safe_dump(credential).split("\n")[0])
    )
    node = (HERE / "node.yaml").read_text()
    return documents + "".join(
        node.format(
            name=one.name, number=one.number, macs=one.macs, uuid=one.uuid,
            tags=[tags[one.name]] if one.name in tags else [], root_size=root_sizes.get(one.name, ROOT_SIZE),
        )
        for one in machines
    )  # fmt: skip


def ironic_settings(directory: Path, ramdisk: Ramdisk, image: DiskImage) -> Mapping[str, Mapping[str, object]]:
    """Besides those of ``ironic_configuration``. ``directory``: Ironic's."""
    for name in ("certificates", "deploy-logs"):
        (directory / name).mkdir(parents=True, exist_ok=True)
    template = directory / "grub.cfg.template"
    template.write_text(GRUB_TEMPLATE)
    files = {ramdisk.kernel.parent, image.path.parent}
    return {
        "DEFAULT": {"grub_config_path": "boot/grub/grub.cfg", "grub_config_template": template},
        # The agent's own heartbeats: one for each 20 to 40 s of this.
        "api": {"ramdisk_heartbeat_timeout": 60},
        "deploy": {
            "fast_track": True, "fast_track_timeout": 300,
            "erase_devices_priority": 0, "erase_devices_metadata_priority": 10,
            "ramdisk_image_download_source": "local",
        },
        "agent": {
            "image_download_source": "local", "certificates_path": directory / "certificates",
            "deploy_logs_collect": "on_failure", "deploy_logs_local_path": directory / "deploy-logs",
            "command_wait_interval": 2, "post_deploy_get_power_state_retry_interval": 2,
        },
        "conductor": {
            "automated_clean": True, "deploy_kernel": f"file://{ramdisk.kernel}",
            "deploy_ramdisk": f"file://{ramdisk.initramfs}", "bootloader": f"file://{ramdisk.esp}",
            "file_url_allowed_paths": ",".join(sorted(map(str, files))), "heartbeat_interval": 5,
        },
        "inspector": {
            "require_managed_boot": True, "power_off": False,
            "extra_kernel_params": "ipa-inspection-collectors=default ipa-collect-lldp=1 ipa-lldp-timeout=2",
            "hooks": "$default_hooks,memory,cpu-capabilities,boot-mode,parse-lldp,root-device",
        },
        "auto_discovery": {"enabled": False},
        "inventory": {"data_backend": "database"},
        "redfish": {"kernel_append_params": AGENT_PARAMETERS},
    }  # fmt: skip


def programs(tools: Tools, directory: Path) -> Path:
    """What Ironic starts: a directory for its PATH."""
    return tools.wrap(("mkisofs", "qemu-img"), directory)


def drydock_settings(
    directory: Path, port: int, ironic: IronicServer, bmc: SushyEmulator, image: DiskImage
) -> Mapping[str, Mapping[str, str]]:
    """Besides those of a development site (``site_files``)."""
    images = directory / "images.yaml"
    known = {
        "source": f"file://{image.path}", "checksum": image.checksum, "arch": "x86_64", "kernels": ["cloud"],
        "kernel_params": disk_image.KERNEL_PARAMETERS,
    }  # fmt: skip
    images.write_text(yaml.safe_dump({"debian": known}))
    endpoint = f"https://{{address}}:{bmc.port}"
    url = f"http://{ADDRESS}:{port}/api/v1.0"
    return {
        "api": {"bind_host": "0.0.0.0"},  # noqa: S104 - of a namespace without a way out
        "drivers": {"oob": "redfish", "node": "ironic"},
        "redfish": {"endpoint": endpoint, "ca_file": str(bmc.authority), "timeout": "60"},
        "ironic": {
            "auth_type": "http_basic", "endpoint_override": ironic.url, "username": ironic.user,
            "password": str(ironic.password), "images_file": str(images), "redfish_endpoint": endpoint,
            "interfaces": "boot:redfish-virtual-media,deploy:direct,inspect:agent,network:noop",
            "driver_info": f"redfish_verify_ca:{bmc.authority}",
        },
        "bootaction": {
            "report_url": f"{url}/bootaction/", "bootdata_url": f"{url}/bootdata/",
            "report_tool": "/usr/local/bin/drydock-report",
        },
        "orchestrator": {
            "poll_interval": "2", "lease_seconds": "20", "observe_interval": "2", "hardware_check": "fail",
        },
        "timeouts": dict.fromkeys(SLOW, "60"),
    }  # fmt: skip
