"""Writes the tables of docs/security.md that follow from the code: who may do what on NATS and in Valkey.

python tools/security.py
"""

from pathlib import Path

from narthex.bus.permissions import ROLES, may_publish, may_subscribe
from narthex.bus.streams import EVENTS, REQUESTS
from narthex.routing.users import VALKEY_USERS

PAGE = Path(__file__).parents[1] / "docs" / "security.md"
BEGIN, END = "<!-- from here to the next mark: python tools/security.py -->", "<!-- end -->"


def tables() -> str:
    """The tables, as they stand between the marks."""
    parts = ["\n".join(_nats()), "\n".join(_valkey())]
    return "\n\n".join(parts)


def page(text: str) -> str:
    """The page with today's tables in it."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables()}\n\n{END}{after}"


def _nats() -> list[str]:
    lines = ["### NATS", "", "| User | May publish | May subscribe |", "|---|---|---|"]
    for name, role in ROLES.items():
        lines.append(f"| {name} | {_cell(_grouped(may_publish(name, role)))} | {_cell(may_subscribe(name, role))} |")
    return lines


def _valkey() -> list[str]:
    lines = ["### Valkey", "", "| User | Keys | Commands |", "|---|---|---|"]
    for name, (keys, commands) in VALKEY_USERS.items():
        lines.append(f"| {name} | {_cell(list(keys))} | {_cell(sorted(set(commands)))} |")
    return lines


def _grouped(subjects: list[str]) -> list[str]:
    """Every stored event in one word, where all of them are there."""
    stored = {*EVENTS.subjects, *REQUESTS.subjects}
    if not stored <= set(subjects):
        return subjects
    return ["every stored event", *(subject for subject in subjects if subject not in stored)]


def _cell(words: list[str]) -> str:
    told = [word if " " in word else f"`{word.replace('|', ' ')}`" for word in words]
    return "<br>".join(told) if told else "nothing"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
