"""``drydock version``, ``health`` and ``completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from drydock import __version__
from drydock.cli.connection import client_of
from drydock.cli.exit_codes import FAILURE, SUCCESS
from drydock.cli.output import clean, console, is_data, output_option, print_data


@click.command()
@click.option("--server", is_flag=True, help="Also ask the server which versions of the API it has.")
@output_option
@click.pass_context
def version(ctx: click.Context, *, server: bool, output: str) -> None:
    """Print the version of this command."""
    versions = client_of(ctx).versions() if server else None
    if is_data(output):
        print_data({"drydock": __version__, **({} if versions is None else {"api": versions})}, output)
        return
    click.echo(f"drydock {__version__}")
    for name, entry in (versions or {}).items():
        status = entry.get("status") if isinstance(entry, dict) else ""
        click.echo(clean(f"API {name} {status or ''}".rstrip()))


@click.command()
@output_option
@click.pass_context
def health(ctx: click.Context, *, output: str) -> None:
    """Show the health of Drydock and of its dependencies.

    Exit status: 0 healthy, 1 not healthy.
    """
    found = client_of(ctx).health()
    if is_data(output):
        print_data(found, output)
    else:
        click.echo(clean(found.get("message") or ""))
        dependencies = [entry for entry in found.get("dependencies") or () if isinstance(entry, dict)]
        if dependencies:
            from drydock.cli.tables import Column, Table  # takes long to load

            rows = [
                [entry.get("name"), "well" if entry.get("healthy") else "not well", entry.get("detail")]
                for entry in dependencies
            ]
            columns = (Column("dependency"), Column("state"), Column("detail", rank=1, folds=True))
            console(wide=output == "wide").print(Table(columns, rows), crop=False)
    ctx.exit(SUCCESS if found.get("status") == "Success" else FAILURE)


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(*, shell: str) -> None:
    """Print a shell script that completes commands.

    \b
    Examples:
      eval "$(drydock completion bash)"                                   # in ~/.bashrc
      eval "$(drydock completion zsh)"                                    # in ~/.zshrc
      drydock completion fish > ~/.config/fish/completions/drydock.fish
    """
    from drydock.cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None, "click knows these shells"
    click.echo(kind(cli, {}, "drydock", "_DRYDOCK_COMPLETE").source())
