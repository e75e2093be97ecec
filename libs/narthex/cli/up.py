"""`narthex up`: the whole system on this machine, in the foreground."""

from pathlib import Path
from typing import Annotated

import typer

from narthex.cli.serve import missing_extra
from narthex.contracts.errors import Misconfigured

Directory = Annotated[Path | None, typer.Option(help="Everything that is kept lies here. [default: ./.narthex]")]
Domain = Annotated[str | None, typer.Option(help="Services live at <id>.services.<domain>. [default: localhost]")]
HttpPort = Annotated[int | None, typer.Option(help="Redirects to HTTPS. [default: 8080]")]
HttpsPort = Annotated[int | None, typer.Option(help="Where services are reached. [default: 8443]")]
ApiPort = Annotated[int | None, typer.Option(help="REST API and web app. [default: 8000]")]
Bind = Annotated[str | None, typer.Option(help="Address to listen on. [default: 127.0.0.1]")]
Workers = Annotated[int | None, typer.Option(help="Router processes. [default: one a core]")]
AllowPublic = Annotated[
    bool | None, typer.Option("--allow-public/--no-allow-public", help="May services without authentication exist?")
]
LogLevel = Annotated[str | None, typer.Option(help="debug, info, warning or error. [default: info]")]


def up(
    data_dir: Directory = None,
    domain: Domain = None,
    http_port: HttpPort = None,
    https_port: HttpsPort = None,
    api_port: ApiPort = None,
    bind: Bind = None,
    router_workers: Workers = None,
    allow_public: AllowPublic = None,
    log_level: LogLevel = None,
) -> None:
    """Run the whole system on this machine until Ctrl-C. Each flag has a NARTHEX_* variable, e.g. NARTHEX_API_PORT."""
    try:
        from narthex.runtime import embedded
    except ModuleNotFoundError as error:
        raise Misconfigured(missing_extra("narthex up", error)) from None
    settings = embedded.read_settings(
        data_dir=data_dir,
        domain=domain,
        http_port=http_port,
        https_port=https_port,
        api_port=api_port,
        bind=bind,
        router_workers=router_workers,
        allow_public=allow_public,
        log_level=log_level,
    )
    raise typer.Exit(embedded.up(settings))
