"""`narthex certs`: the certificates that routers serve with."""

import typer

from narthex.cli.options import Json
from narthex.cli.output import Column, show_list
from narthex.cli.session import connect
from narthex.contracts.api import Certificate

app = typer.Typer(no_args_is_help=True, help="Certificates of the services' hosts.")

COLUMNS: list[Column[Certificate]] = [
    Column("HOSTS", lambda certificate: certificate.hosts, flexible=True),
    Column("ISSUER", lambda certificate: certificate.issuer, flexible=True),
    Column("NOT BEFORE", lambda certificate: certificate.not_before),
    Column("NOT AFTER", lambda certificate: certificate.not_after),
    Column("SERIAL", lambda certificate: certificate.serial),
]


@app.command("list")
def list_certificates(context: typer.Context, json: Json = False) -> None:
    """The certificates, with the hosts they cover and their dates."""
    with connect(context) as api:
        show_list(api.certificates.list(), COLUMNS, json)
