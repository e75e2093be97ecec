"""Instances that discovery answers for are not stopped by hand: they would be back in a moment."""

from collections.abc import Collection

from narthex.contracts.errors import Conflict
from narthex_registry import tables


def refuse_by_hand(instance: tables.Instance, providers: Collection[str]) -> None:
    """Raise Conflict where one of this installation's providers names the instance.

    What a provider left behind that is switched off now is anybody's to stop.
    """
    if instance.source in providers and instance.remove_at is None:
        told = instance.labels.get("discovery.id", "")
        raise Conflict(
            f"this instance was found by discovery ({instance.source}: {told}) and goes when that no longer names it; "
            "stop it there"
        )
