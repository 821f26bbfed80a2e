"""``drydock-simulator``: simulated BMCs, machines and their provisioner, on one port."""

from __future__ import annotations

import pathlib
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence

import click

from drydock.simulator.delays import Delays, Range, parse_range
from drydock.simulator.errors import BadRequest
from drydock.simulator.faults import MEANING, parse_fault
from drydock.simulator.images import parse_images
from drydock.simulator.machine import check_name
from drydock.simulator.server import Plan, Server

DEFAULTS = Delays()
EPILOG = "\b\nFaults:\n" + "\n".join(f"  {fault.value:16} {meaning}" for fault, meaning in MEANING.items())


def _seconds(_context: click.Context, _option: click.Parameter, text: str) -> Range:
    try:
        return parse_range(text)
    except ValueError as exc:
        raise click.BadParameter(str(exc)) from None


def _delay(option: str, default: Range, text: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option(
        option, callback=_seconds, metavar="MIN-MAX", default=f"{default.low}-{default.high}", help=text
    )


@click.command(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--host", default="127.0.0.1", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=9100, help="Port to listen on; 0 takes a free one.")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=pathlib.Path),
    required=True,
    help="Directory for the machines' root directories, one for each machine, by name.",
)
@click.option("--machine", "machines", multiple=True, metavar="NAME", help="A machine in the rack. Repeatable.")
@click.option("--rack-on-demand", is_flag=True, help="Create machines on first request, powered off.")
@_delay("--power-delay", DEFAULTS.power, "Seconds until a power change takes effect.")
@_delay("--boot-delay", DEFAULTS.boot, "Seconds from power on to a system that is up.")
@_delay("--install-delay", DEFAULTS.install, "Seconds to write the image.")
@_delay("--action-delay", DEFAULTS.action, "Seconds between two reports of a boot action.")
@click.option("--seed", type=int, help="Draw the same delays each time.")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME=FAULT[:COUNT]",
    help="A fault of a machine; faults of a BMC may end after COUNT requests. Repeatable.",
)
@click.option(
    "--image",
    "images",
    multiple=True,
    metavar="NAME=KERNEL[,KERNEL]",
    help="An image of the provisioner, with its kernels. Repeatable; default: Ubuntu since 16.04.",
)
@click.option("--bmc-account", help="Account of all BMCs; without one, any credentials are accepted.")
@click.option("--bmc-password", envvar="DRYDOCK_SIMULATOR_BMC_PASSWORD", show_envvar=True, help="Their password.")
@click.option("--threads", type=click.IntRange(1, 512), default=32, help="Threads for the machines' requests.")
def main(
    *,
    host: str, port: int, directory: pathlib.Path, machines: tuple[str, ...], rack_on_demand: bool,
    power_delay: Range, boot_delay: Range, install_delay: Range, action_delay: Range, seed: int | None,
    faults: tuple[str, ...], images: tuple[str, ...], bmc_account: str | None, bmc_password: str | None, threads: int,
) -> None:  # fmt: skip
    """Simulate a site: machines that power on, install, fetch their boot actions and report.

    Serves on one port: /redfish/v1 (a BMC for each machine), /provisioner/v1 (the provisioner) and /machines
    (state and events of each, and PUT /machines/NAME/faults). All state is in memory. The machines fetch the
    URLs in their user data: do not expose this port to untrusted networks.
    """
    if (bmc_account is None) != (bmc_password is None):
        raise click.UsageError("--bmc-account and --bmc-password go together")
    plan = Plan(
        directory=directory.absolute(),
        machines=tuple(_named(machines)),
        on_demand=rack_on_demand,
        delays=Delays(power=power_delay, boot=boot_delay, install=install_delay, action=action_delay),
        seed=seed,
        faults=_faults(faults, None if rack_on_demand else machines),
        images=_images(images),
        bmc_credentials=None if bmc_account is None or bmc_password is None else (bmc_account, bmc_password),
        threads=threads,
    )
    serve(plan, host, port)


def serve(plan: Plan, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    try:
        plan.directory.mkdir(parents=True, exist_ok=True)
        listener = socket.create_server((host, port), backlog=1024)
    except OSError as exc:
        raise click.ClickException(f"cannot serve on {host}:{port}: {exc}") from exc
    address, bound_port = listener.getsockname()[:2]
    click.echo(f"drydock-simulator: serving on http://{address}:{bound_port}")
    Server(plan, listener).run()


def _named(names: Iterable[str]) -> Iterable[str]:
    for name in names:
        try:
            yield check_name(name)
        except BadRequest as exc:
            raise click.BadParameter(f"{name!r}: {exc}", param_hint="--machine") from None


def _images(texts: Iterable[str]) -> Mapping[str, Sequence[str]]:
    try:
        return parse_images(texts)
    except BadRequest as exc:
        raise click.BadParameter(str(exc), param_hint="--image") from None


def _faults(texts: Iterable[str], known: Iterable[str] | None) -> dict[str, list[str]]:
    """Faults by machine. ``known``: names of the machines; None if any may be created."""
    faults: dict[str, list[str]] = {}
    for text in texts:
        name, _, fault = text.partition("=")
        try:
            check_name(name)
            parse_fault(fault)
        except BadRequest as exc:
            raise click.BadParameter(f"{text!r}: {exc}", param_hint="--fault") from None
        if known is not None and name not in known:
            raise click.BadParameter(f"{text!r}: there is no machine {name!r}", param_hint="--fault")
        faults.setdefault(name, []).append(fault)
    return faults
