"""The configuration of a standalone Ironic for tests: one process, SQLite, no message bus, quick."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

Sections = Mapping[str, Mapping[str, object]]

#: Per hardware interface: those of fake-hardware and those of redfish.
INTERFACES = {
    "bios": "no-bios,fake",
    "boot": "redfish-virtual-media,fake",
    "console": "no-console,fake",
    "deploy": "direct,ramdisk,fake",
    "firmware": "no-firmware,fake",
    "inspect": "redfish,agent,no-inspect,fake",
    "management": "redfish,fake",
    "network": "noop",
    "power": "redfish,fake",
    "raid": "no-raid,fake",
    "rescue": "no-rescue,fake",
    "storage": "noop,fake",
    "vendor": "no-vendor,fake",
}
DIRECTORIES = ("http", "tmp", "state", "images", "master_instance", "master_iso", "locks")


def sections(
    directory: Path, *, address: str, port: int, file_port: int, accounts: Path | None
) -> dict[str, dict[str, object]]:
    """All options; ``accounts`` is the htpasswd file of HTTP basic authentication, None for no authentication."""
    return {
        "DEFAULT": {
            "auth_strategy": "http_basic" if accounts else "noauth",
            **({"http_basic_auth_user_file": accounts} if accounts else {}),
            "rpc_transport": "none",
            "host": "peer",
            "my_ip": address,
            "tempdir": directory / "tmp",
            "state_path": directory / "state",
            "enabled_hardware_types": "redfish,fake-hardware",
            **{f"enabled_{name}_interfaces": value for name, value in INTERFACES.items()},
            "minimum_memory_warning_only": True,
            "force_raw_images": False,
        },
        "api": {"host_ip": address, "port": port, "api_workers": 1},
        "database": {"connection": f"sqlite:///{directory / 'ironic.sqlite'}"},
        "dhcp": {"dhcp_provider": "none"},
        "service_catalog": {"auth_type": "none", "endpoint_override": f"http://{address}:{port}"},
        "deploy": {
            "http_url": f"http://{address}:{file_port}",
            "http_root": directory / "http",
            "iso_master_path": directory / "master_iso",
            "default_boot_mode": "uefi",
        },
        "pxe": {"images_path": directory / "images", "instance_master_path": directory / "master_instance"},
        "conductor": {
            "automated_clean": False,
            "file_url_allowed_paths": directory,
            "enable_mdns": False,
            "sync_power_state_interval": 10,
        },
        "oslo_concurrency": {"lock_path": directory / "locks"},
        "sensor_data": {"send_sensor_data": False},
    }


def write(path: Path, options: Sections, more: Sections) -> None:
    """Write ``options``, with those of ``more`` in addition or instead."""
    lines = []
    for section in [*options, *(name for name in more if name not in options)]:
        lines.append(f"[{section}]")
        values = {**options.get(section, {}), **more.get(section, {})}
        lines += [f"{name} = {value}" for name, value in values.items()]
    path.write_text("\n".join(lines) + "\n")
