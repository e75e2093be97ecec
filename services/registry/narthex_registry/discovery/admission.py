"""Which of the things that a source names are taken. Pure: every rule for every provider is here."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from ipaddress import ip_address

from narthex.contracts.names import MAX_PORT, parse_identity, parse_instance_address
from narthex.contracts.reach import Reach, inner
from narthex_registry.discovery.found import Found, Refused, Snapshot

MAX_WEIGHT = 1000
MAX_ID = 400
MAX_METADATA = 32  # entries
MAX_VALUE = 256
EXAMPLES = 3


@dataclass(frozen=True)
class Admission:
    """The rules of this installation."""

    reach: Reach
    most: int
    # A file is the installation's own word. What comes from elsewhere must not lead to servers that trust this machine.
    loopback: bool = False

    def admit(self, snapshot: Snapshot, held: Collection[str]) -> Snapshot:
        """The snapshot with what is fit to be registered; where there is too much, what is held already stays."""
        admitted: dict[str, Found] = {}
        refused = list(snapshot.refused)
        for found in snapshot.found:
            try:
                admitted[found.key] = self._checked(found)
            except ValueError as objection:
                refused.append(Refused(str(found), str(objection)))
        if len(admitted) > self.most:
            first = sorted(admitted, key=lambda key: (key not in held, key))
            refused += [self._too_many(admitted.pop(key)) for key in first[self.most :]]
        return replace(snapshot, found=tuple(admitted.values()), refused=tuple(refused))

    def _checked(self, found: Found) -> Found:
        address = parse_address(found.address)
        if found.port is not None and not 1 <= found.port <= MAX_PORT:
            raise ValueError(f"the port must be between 1 and {MAX_PORT}")
        if not 1 <= found.weight <= MAX_WEIGHT:
            raise ValueError(f"the weight must be between 1 and {MAX_WEIGHT}")
        if found.identity is not None:
            _identity(found.identity)
        if len(found.id) > MAX_ID:
            raise ValueError(f"the id must have {MAX_ID} characters at most")
        if len(found.metadata) > MAX_METADATA or any(len(k + v) > MAX_VALUE for k, v in found.metadata.items()):
            raise ValueError(f"the metadata must be {MAX_METADATA} entries of {MAX_VALUE} characters at most")
        if objection := self._out_of_reach(address, found.port or 0):
            raise ValueError(objection)
        return replace(found, address=address)

    def _out_of_reach(self, address: str, port: int) -> str:
        """Why there may be no instance; empty when there may. The address is left out: many have the same cause."""
        if why := self.reach.refusal(address, port):
            return why.replace(address, "the address", 1)
        if self.loopback or not _is_loopback(address) or self.reach.allows(address):
            return ""
        return "the address is this machine's own loopback, which only NARTHEX_INSTANCES_ALLOW can allow"

    def _too_many(self, found: Found) -> Refused:
        return Refused(str(found), f"the source names more than {self.most} instances")


def _identity(text: str) -> None:
    try:
        parse_identity(text)
    except ValueError as error:
        raise ValueError(f"the identity {error}") from None


def parse_address(text: str) -> str:
    try:
        return parse_instance_address(text)
    except ValueError as error:
        raise ValueError(f"the address {error}") from None


def _is_loopback(address: str) -> bool:
    try:
        return inner(ip_address(address)).is_loopback
    except ValueError:
        return address == "localhost" or address.endswith(".localhost")


def told(refused: Iterable[Refused]) -> list[str]:
    """A sentence for each cause, with how often it was met and the first few that it hit."""
    causes = Counter(each.why for each in refused)
    examples: dict[str, list[str]] = {}
    for each in refused:
        if len(shown := examples.setdefault(each.why, [])) < EXAMPLES:
            shown.append(each.what[:200])
    return [
        f"{', '.join(examples[why])}{f' and {count - EXAMPLES} more' if count > EXAMPLES else ''}: {why}"
        for why, count in causes.most_common()
    ]
