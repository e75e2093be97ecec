"""Which names a service may have of its owner's own. Pure.

Ownership is proven for each; here are the names that nobody gets, whatever they prove: those of the platform, those
that belong to nobody, and those that are made to be taken for others.
"""

import unicodedata
from functools import cache
from typing import Any

from narthex.contracts.errors import Invalid
from narthex.contracts.names import parse_hostname

# RFC 6761, RFC 8375, RFC 7686 and what networks use inside: no CA issues for these.
NOBODYS = frozenset({"localhost", "local", "internal", "invalid", "test", "example", "onion", "arpa", "lan", "home"})
# Labels by which browsers and mail clients find settings (T36).
READ_BY_PROGRAMS = frozenset({"autodiscover", "autoconfig", "wpad", "localhost", "isatap"})
# Letters of other scripts that are drawn like those of ASCII (Unicode TR 39, those that IDNA allows).
_LOOKS_LIKE = str.maketrans("аеорсухіјѕԁһԛԝ" + "αορνικτυ", "aeopcyxijsdhqw" + "aopviktu")


def allowed(text: str, platform: str) -> str:
    """The name as it is kept; Invalid, with the reason, when no service may have it."""
    try:
        host = parse_hostname(text)
    except ValueError as error:
        raise Invalid(f"host: {error}") from None
    labels = host.split(".")
    if labels[-1].isdecimal():
        raise Invalid("host: must be a DNS name, not an IP address")
    if related(host, platform):
        raise Invalid(f"host: {host} belongs to this installation, whose own names are below {platform}")
    if len(labels) < 2 or labels[-1] in NOBODYS:
        raise Invalid(f"host: {host} is not a name on the Internet, so nobody can show that it is theirs")
    if labels[0] in READ_BY_PROGRAMS:
        raise Invalid(f"host: {labels[0]} is a label that programs take their settings from; choose another")
    if _public_suffixes().is_public(host):
        raise Invalid(f"host: under {host} others register names, so it is nobody's own")
    for label in labels:
        _honest(label)
    return host


def related(one: str, other: str) -> bool:
    """Whether two names are the same, or one is below the other."""
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")


def _honest(label: str) -> None:
    """Refuse a label in punycode that is not what it should be, or looks like something else (T37)."""
    if not label.startswith("xn--"):
        if label[2:4] == "--":
            raise Invalid(f"host: {label} has dashes where only xn-- may have them (RFC 5891)")
        return
    try:
        shown = label[4:].encode().decode("punycode")
        same = shown.encode("idna").decode() == label
    except UnicodeError:
        raise Invalid(f"host: {label} is no internationalized name (RFC 5891)") from None
    if not same or shown.isascii():
        raise Invalid(f"host: {label} is no internationalized name (RFC 5891)")
    scripts = {_script(letter) for letter in shown if letter.isalpha()}
    if len(scripts) > 1 and not scripts <= {"CJK", "HIRAGANA", "KATAKANA"}:
        raise Invalid(f"host: {shown} mixes letters of several scripts, as look-alikes of other names do")
    if shown.translate(_LOOKS_LIKE).isascii():
        raise Invalid(f"host: {shown} looks like {shown.translate(_LOOKS_LIKE)}")


def _script(letter: str) -> str:
    return unicodedata.name(letter, "UNKNOWN").split(" ")[0]


@cache
def _public_suffixes() -> Any:
    from publicsuffixlist import PublicSuffixList  # 4 MB, for the first domain that is added

    return PublicSuffixList()
