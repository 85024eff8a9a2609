"""Commands about the door, the one way out of the desk."""

import os
from enum import StrEnum
from typing import Annotated

import typer

from paperdesk.app.cli_options import ConfigOption

door = typer.Typer(no_args_is_help=True, help="The door: the one way out of the desk, and what may pass it.")


class Format(StrEnum):
    """How the list is printed."""

    TABLE = "table"
    JSON = "json"
    NFTABLES = "nftables"
    K8S = "k8s"


@door.command("list")
def show_list(
    form: Annotated[
        Format,
        typer.Option("--format", help="table: for people. nftables, k8s: rules for a firewall and for a cluster."),
    ] = Format.TABLE,
    config: ConfigOption = None,
) -> None:
    """Print all that may leave: hosts, methods, paths, parameters, what may be sent over streams, and the senders of your settings."""
    from paperdesk.safety.allowlist import ALLOWED
    from paperdesk.safety.export import export
    from paperdesk.safety.settings import read_settings

    typer.echo(export(form.value, (*ALLOWED, *read_settings(os.environ, config).door.senders)), nl=False)
