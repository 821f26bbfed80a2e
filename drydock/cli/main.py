"""The ``drydock`` command: shared options, and errors as one line."""

from __future__ import annotations

import logging
import os
from typing import Any

import click

from drydock import __version__
from drydock.cli.exit_codes import INTERRUPTED, is_for_diff, wrong_usage_fails
from drydock.cli.lazy import Lazy, LazyGroup
from drydock.cli.output import clean, is_finding, message_line
from drydock.client.credentials import Credentials
from drydock.client.errors import (
    AuthenticationFailed,
    ClientError,
    ConnectionFailed,
    Forbidden,
    ReplyError,
    Unauthorized,
)

ADVICE: dict[type[ClientError], str] = {
    Unauthorized: "Source your openrc again, or give another --os-token.",
    Forbidden: "You usually need the role admin in your project (reader to read).",
    AuthenticationFailed: "Check OS_AUTH_URL, OS_USERNAME, OS_PASSWORD and OS_PROJECT_NAME.",
    ConnectionFailed: "Check --url (DRYDOCK_URL) or OS_AUTH_URL, and that the service runs.",
}


COMMANDS = {
    "completion": Lazy("drydock.cli.service", "completion", "Print a shell script that completes commands."),
    "design": Lazy(
        "drydock.cli.designs",
        "design",
        "Check, compile and render site designs on this machine; store and list them in Drydock.",
    ),
    "health": Lazy("drydock.cli.service", "health", "Show the health of Drydock and of its dependencies."),
    "node": Lazy("drydock.cli.nodes", "node", "List, show and hold machines."),
    "plan": Lazy("drydock.cli.plans", "plan", "Plan what would be done to each node of a design, show why, and do it."),
    "task": Lazy("drydock.cli.tasks", "task", "Create tasks on machines and follow them."),
    "version": Lazy("drydock.cli.service", "version", "Print the version of this command."),
}


class OneLineErrors(LazyGroup):
    """A group that prints a ClientError of a command as a line on stderr, not as a traceback."""

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **extra: Any) -> click.Context:
        with wrong_usage_fails(when=is_for_diff(args)):
            return super().make_context(info_name, args, *rest, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ClientError as error:
            raise click.ClickException(described(error)) from error
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)
            ctx.exit(INTERRUPTED)


def described(error: ClientError) -> str:
    """What happened and what to do; each message of the server's list on a line of its own."""
    advice = ADVICE.get(type(error))
    lines = [clean(f"{str(error).rstrip('.')}. {advice}" if advice else error)]
    if isinstance(error, ReplyError):
        # A plain error repeats itself as the only entry of its list.
        shown = [entry for entry in error.messages if is_finding(entry) and entry.get("message") != error.message]
        shown.sort(key=lambda entry: entry.get("level") != "Error")
        lines += [f"  {message_line(entry)}" for entry in shown]
    return "\n".join(lines)


@click.group(
    cls=OneLineErrors,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.option("--url", envvar="DRYDOCK_URL", metavar="URL", help="URL of Drydock; default: from Keystone's catalogue.")
@click.option("--os-token", envvar="OS_TOKEN", metavar="TOKEN", help="A token to send (needs --url).")
@click.option("--os-cacert", envvar="OS_CACERT", metavar="FILE", help="Certificates to trust instead of the system's.")
@click.option("--insecure", envvar="OS_INSECURE", is_flag=True, help="Do not verify TLS certificates.")
@click.option("--debug", is_flag=True, help="Show HTTP requests and replies on stderr (tokens hashed).")
@click.version_option(__version__, prog_name="drydock")
@click.pass_context
def cli(
    ctx: click.Context, *, url: str | None, os_token: str | None, os_cacert: str | None, insecure: bool, debug: bool
) -> None:
    """Turn a site design into running machines.

    Credentials come from the OS_* variables of an openrc file (password, application credential, token, ...), and
    Drydock's URL from Keystone's catalogue or DRYDOCK_URL. Without Keystone: --url and --os-token.

    \b
    Examples:
      source .run/openrc
      drydock design upload site.yaml
      drydock task create --action deploy_nodes --design-ref latest --wait
      drydock task show latest
      drydock --url http://127.0.0.1:9000 --os-token admin node list

    \b
    Exit status: 0 success, 1 failure, 2 wrong usage, 3 partial success, 124 --timeout passed, 130 Ctrl-C.
    """
    # NOTE: without a handler the libraries' warnings about their retries appear on stderr.
    logging.basicConfig(level=logging.DEBUG if debug else logging.CRITICAL, format="%(name)s: %(message)s")
    ctx.obj = Credentials(os.environ, url, os_token, os_cacert, verify=not insecure)


def main() -> None:
    cli(prog_name="drydock")
