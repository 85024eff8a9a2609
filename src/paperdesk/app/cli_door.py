"""Commands about the door, the one way out of the desk."""

from enum import StrEnum
from typing import Annotated

import typer

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
) -> None:
    """Print all that may leave: hosts, methods, paths, parameters, and what may be sent over streams."""
    from paperdesk.safety.export import export

    typer.echo(export(form.value), nl=False)
