"""`narthex domains`: names of your own under which a service is reached too."""

from typing import Annotated

import typer

from narthex.cli.exits import Exit
from narthex.cli.options import Json, Project, ServiceName
from narthex.cli.output import Column, complain, notice, show_list, show_one
from narthex.cli.session import connect
from narthex.contracts.api import DomainDetail

app = typer.Typer(no_args_is_help=True, help="Names of your own under which a service is reached too.")

Domain = Annotated[str, typer.Argument(metavar="DOMAIN", help="A DNS name, e.g. shop.example.com.")]

COLUMNS: list[Column[DomainDetail]] = [
    Column("DOMAIN", lambda domain: domain.host),
    Column("VERIFIED", lambda domain: domain.verified),
    Column("TXT RECORD", lambda domain: domain.txt_name),
    Column("PROBLEM", lambda domain: domain.problem, flexible=True),
]


@app.command("list")
def list_domains(context: typer.Context, service: ServiceName, project: Project = None, json: Json = False) -> None:
    """The domains of a service."""
    with connect(context, project, service=service) as api:
        show_list(api.domains.list(service), COLUMNS, json)


@app.command("add")
def add_domain(
    context: typer.Context, service: ServiceName, domain: Domain, project: Project = None, json: Json = False
) -> None:
    """Claim a domain for a service; says what to publish to show that it is yours."""
    with connect(context, project, service=service) as api:
        made = api.domains.add(service, domain)
        show_one(made, json)
    notice(
        f"Show that {made.host} is yours: make a TXT record {made.txt_name} with the text {made.text}, "
        f"or serve that text at {made.file_url}. Then: narthex domains verify {service} {made.host}"
    )


@app.command("verify")
def verify_domain(
    context: typer.Context, service: ServiceName, domain: Domain, project: Project = None, json: Json = False
) -> None:
    """Look for the proof now. Exits with 1 when there is none."""
    with connect(context, project, service=service) as api:
        found = api.domains.verify(service, domain)
        show_one(found, json)
    if not found.verified:
        complain(f"{found.host} was not shown to be yours: {found.problem}")
        raise typer.Exit(Exit.FAILED)
    notice(f"Point {found.host} at the routers (CNAME or A). Its certificate is ordered now.")


@app.command("remove")
def remove_domain(context: typer.Context, service: ServiceName, domain: Domain, project: Project = None) -> None:
    """Let go of a domain: its certificate and key are thrown away. For 30 days nobody else can claim it."""
    with connect(context, project, service=service) as api:
        api.domains.remove(service, domain)
    notice(f"removed domain {domain} from service {service}")
