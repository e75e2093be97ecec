"""Looking for bytes in what is kept as base64, without decoding it: an expression that matches the base64 of any text
with these bytes in it, and no other. Pure.

Not every build of the engine can decode base64. Bytes may lie in three ways on its four letters; letters that they
share with unknown neighbours may be any that have the known bits.
"""

import re

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def expression(needle: bytes) -> str:
    """The expression, for RE2."""
    return f"^(?:.{{4}})*(?:{'|'.join(_at(needle, offset) for offset in range(3))})"


def _at(needle: bytes, offset: int) -> str:
    """Where the bytes begin at this one of the three that make four letters."""
    known = "".join(f"{byte:08b}" for byte in needle)
    bits = "?" * 8 * offset + known
    bits += "?" * (-len(bits) % 6)
    return "".join(_letter(bits[start : start + 6]) for start in range(0, len(bits), 6))


def _letter(bits: str) -> str:
    if "?" not in bits:
        return re.escape(_LETTERS[int(bits, 2)])
    if bits == "??????":
        return "."
    fits = re.compile(bits.replace("?", "."))
    return "[" + "".join(letter for value, letter in enumerate(_LETTERS) if fits.fullmatch(f"{value:06b}")) + "]"
