"""`narthex certs`: the certificates that routers serve with, and those that could not be made."""

from typing import Annotated

import typer

from narthex.cli.exits import Exit
from narthex.cli.options import Json
from narthex.cli.output import Column, complain, notice, show_list, show_one, waiting
from narthex.cli.session import connect
from narthex.contracts.api import CertificateState

app = typer.Typer(no_args_is_help=True, help="Certificates of the services' hosts.")

Host = Annotated[str, typer.Argument(metavar="HOST", help="A host that the certificate covers.")]


def _how_it_is(state: CertificateState) -> str:
    """A certificate's state in a few words."""
    if state.reason:
        return f"failed {state.failures} times: {state.reason}" if state.failures else state.reason
    if state.step:
        return f"being obtained ({state.step})"
    return "good" if state.certificate is not None else "waiting for its turn"


COLUMNS: list[Column[CertificateState]] = [
    Column("HOSTS", lambda state: state.hosts, flexible=True),
    Column("ISSUER", lambda state: state.certificate.issuer if state.certificate else state.issuer, flexible=True),
    Column("NOT AFTER", lambda state: state.certificate.not_after if state.certificate else None),
    Column("RENEWED AT", lambda state: state.renew_at, wide=True),
    Column("STATE", _how_it_is, flexible=True),
]


@app.command("list")
def list_certificates(context: typer.Context, json: Json = False) -> None:
    """Every certificate that there is or ought to be, its dates, and what keeps it from being made."""
    with connect(context) as api:
        show_list(api.certificates.states(), COLUMNS, json)


@app.command("show")
def show_certificate(context: typer.Context, host: Host, json: Json = False) -> None:
    """How things stand with the certificate for a host; a failure with the CA's own words."""
    with connect(context) as api:
        show_one(api.certificates.get(host), json)


@app.command("renew")
def renew_certificate(context: typer.Context, host: Host, json: Json = False) -> None:
    """Renew a certificate now, whatever its age; the one that is held serves until then."""
    with connect(context) as api:
        show_one(api.certificates.renew(api.certificates.get(host).id), json)


@app.command("rehearse")
def rehearse(
    context: typer.Context,
    hosts: Annotated[list[str] | None, typer.Argument(metavar="[HOST]…", help="Default: one that is wanted.")] = None,
    json: Json = False,
) -> None:
    """Go through a whole order at the CA's staging directory, of which nothing is kept."""
    with connect(context) as api, waiting("rehearsing an order"):
        answer = api.certificates.rehearse(hosts or [])
    if json:
        show_one(answer, json)
    else:
        for step in answer.steps:
            notice(step)
    if not answer.passed:
        complain(answer.reason)
        raise typer.Exit(Exit.FAILED)
    notice("the rehearsal passed: an order that counts would come to its end as well")


@app.command("change-account-key")
def change_account_key(context: typer.Context, json: Json = False) -> None:
    """Have the installation's account at the CA go on with a new key; certificates stay as they are."""
    with connect(context) as api:
        show_one(api.certificates.change_account_key(), json)
