"""Profiles: where the API's address, the token and the CA come from.

In this order: flags; NARTHEX_API_URL with NARTHEX_TOKEN (and NARTHEX_CA_FILE); `.narthex/profile.json` in the
current directory or the nearest parent; the `current` one of `$XDG_CONFIG_HOME/narthex/profiles.json`.

The one thing to know: a token goes only to the address it was given with. A profile found in a directory may
come from somebody else, so it must belong to this user and its token file must lie beside it; and a token from
the environment is not sent to an address from a profile.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from narthex.client.stored import DIRECTORY, StoredProfile, StoredProfiles, read, user_file
from narthex.contracts.errors import Misconfigured


@dataclass(frozen=True)
class Flags:
    """What the command line says; each is optional."""

    api_url: str | None = None
    token: str | None = None
    token_file: Path | None = None
    ca_file: Path | None = None
    profile: str | None = None
    project: str | None = None


@dataclass(frozen=True)
class Profile:
    """A resolved profile: everything a client needs."""

    api_url: str
    token: str
    project: str = "default"
    token_file: Path | None = None
    ca_file: Path | None = None
    data_dir: Path | None = None
    source: str = ""  # where it was found, for people


def resolve(flags: Flags | None = None, environ: Mapping[str, str] = os.environ, cwd: Path | None = None) -> Profile:
    """The profile to use; Misconfigured with what to do when there is none or it cannot be used."""
    flags = flags or Flags()
    profile = _from_flags(flags, environ, cwd) or _from_environment(environ, flags) or _from_files(flags, environ, cwd)
    if profile is None:
        raise Misconfigured(
            'no Narthex is known here: start one with "narthex up", or set NARTHEX_API_URL and NARTHEX_TOKEN'
        )
    return profile


def _from_flags(flags: Flags, environ: Mapping[str, str], cwd: Path | None) -> Profile | None:
    if flags.api_url is None:
        return None
    token, token_file = _flag_token(flags), flags.token_file
    ca_file = flags.ca_file or _path(environ.get("NARTHEX_CA_FILE"))
    if token is None:
        token = environ.get("NARTHEX_TOKEN")
    if token is None:
        # The same address as a profile's: its token was given with it.
        known = _from_files(flags, environ, cwd)
        if known is None or known.api_url != api_base(flags.api_url):
            raise Misconfigured("--api-url needs a token: give --token-file, or set NARTHEX_TOKEN")
        token, token_file, ca_file = known.token, known.token_file, ca_file or known.ca_file
    project = flags.project or environ.get("NARTHEX_PROJECT", "default")
    return Profile(api_base(flags.api_url), clean(token), project, token_file, ca_file, source="the command line")


def _from_environment(environ: Mapping[str, str], flags: Flags) -> Profile | None:
    url, token = environ.get("NARTHEX_API_URL"), _flag_token(flags) or environ.get("NARTHEX_TOKEN")
    if flags.profile is not None:
        return None
    if not url and environ.get("NARTHEX_TOKEN") and _flag_token(flags) is None:
        raise Misconfigured("NARTHEX_TOKEN is set and NARTHEX_API_URL is not: set both, or neither to use a profile")
    if not url:
        return None
    if not token:
        raise Misconfigured("NARTHEX_API_URL is set and NARTHEX_TOKEN is not: set both, or neither to use a profile")
    project = flags.project or environ.get("NARTHEX_PROJECT", "default")
    ca_file = flags.ca_file or _path(environ.get("NARTHEX_CA_FILE"))
    return Profile(api_base(url), clean(token), project, flags.token_file, ca_file, source="the environment")


def _from_files(flags: Flags, environ: Mapping[str, str], cwd: Path | None) -> Profile | None:
    found = None
    if flags.profile is None:
        found = _in_directory(cwd or Path.cwd())
    if found is None:
        found = _of_user(user_file(environ), flags.profile)
    if found is None:
        return None
    path, stored = found
    token = _flag_token(flags)
    token_file = flags.token_file or _beside(path, stored.token_file)
    if token is None:
        token = stored.token or (read_token(token_file) if token_file else None)
    if token is None:
        raise Misconfigured(f"the profile in {path} has no token")
    return Profile(
        api_base(stored.api_url),
        clean(token),
        flags.project or environ.get("NARTHEX_PROJECT") or stored.project,
        token_file,
        flags.ca_file or _beside(path, stored.ca_file),
        _beside(path, stored.data_dir),
        str(path),
    )


def _in_directory(start: Path) -> tuple[Path, StoredProfile] | None:
    """The nearest directory profile, going up; one that another user made is passed by."""
    for folder in (start.absolute(), *start.absolute().parents):
        path = folder / DIRECTORY / "profile.json"
        try:
            mine = path.stat().st_uid == os.getuid()
        except OSError:
            continue
        if mine:
            return path, _confined(path, read(path, StoredProfile))
    return None


def _confined(path: Path, stored: StoredProfile) -> StoredProfile:
    """A directory profile's token file lies beside it, or it could have any file of the user's sent away."""
    if stored.token_file is not None:
        token_file = (path.parent / stored.token_file).resolve()
        if not token_file.is_relative_to(path.parent.resolve()):
            raise Misconfigured(f"{path} names a token file outside its own directory; it is not used")
    return stored


def _of_user(path: Path, name: str | None) -> tuple[Path, StoredProfile] | None:
    if not path.exists():
        if name is not None:
            raise Misconfigured(f"there is no profile {name!r}: {path} does not exist")
        return None
    stored = read(path, StoredProfiles)
    wanted = name or stored.current
    if wanted in stored.profiles:
        return path, stored.profiles[wanted]
    if name is not None:
        known = ", ".join(sorted(stored.profiles)) or "none"
        raise Misconfigured(f"there is no profile {name!r} in {path}; there are: {known}")
    return None


def api_base(url: str) -> str:
    """The API's address with its version: `http://127.0.0.1:8000` becomes `http://127.0.0.1:8000/v2.1`."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # half an IPv6 address, a port above 65535
        usable = False
    if not usable:
        raise Misconfigured(f"{url!r} is not the address of an API: it must look like http://127.0.0.1:8000")
    base = url.rstrip("/")
    return base if re.search(r"/v[0-9][0-9.]*$", parts.path.rstrip("/")) else f"{base}/v2.1"


def read_token(path: Path) -> str:
    """The token in a file."""
    try:
        return path.read_text()
    except FileNotFoundError:
        raise Misconfigured(
            f'the token file {path} does not exist: start the Narthex it belongs to with "narthex up", '
            "or name another one with --token-file, --profile or NARTHEX_API_URL and NARTHEX_TOKEN"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise Misconfigured(f"cannot read the token file {path}: {reason}") from None


def clean(token: str) -> str:
    """The bare token. Checked here, because a bad character would surface as an error that quotes the token."""
    token = token.strip().removeprefix("Token ").strip()
    if not re.fullmatch(r"[!-~]+", token):
        raise Misconfigured("the token is empty or has characters that no token has")
    return token


def _flag_token(flags: Flags) -> str | None:
    if flags.token is not None:
        return flags.token
    return read_token(flags.token_file) if flags.token_file is not None else None


def _beside(file: Path, path: Path | None) -> Path | None:
    return None if path is None else file.parent / path


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None
