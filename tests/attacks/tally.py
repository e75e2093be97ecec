"""How a long run of mutations went, in figures."""

from dataclasses import dataclass

from attacks.harness import Outcome


@dataclass
class Tally:
    """Messages thrown at the router, by what became of them, and how often it failed its promises."""

    thrown: int = 0
    served: int = 0
    refused: int = 0
    waiting: int = 0  # for bytes that did not come
    malformed: int = 0  # messages that reached the origin so, or that other parsers read otherwise than we did
    unanswered: int = 0  # requests at the origin
    canaries: int = 0  # that failed
    other: int = 0

    def add(self, outcome: Outcome, disagreements: list[str]) -> list[str]:
        """Count one; returns all that was wrong with it."""
        self.thrown += 1
        self.served += outcome.served
        self.refused += bool(outcome.answers) and not outcome.served
        self.waiting += not outcome.answers
        self.malformed += bool(outcome.malformed or disagreements)
        self.unanswered += outcome.unanswered
        self.canaries += bool(outcome.canary)
        self.other += bool(outcome.misjudged) and not outcome.unanswered
        return outcome.breaches + disagreements

    def said(self) -> str:
        return (
            f"{self.thrown:,} thrown: {self.served:,} served, {self.refused:,} refused, {self.waiting:,} endless; "
            f"malformed forwarded {self.malformed}, requests at the origin without an answer {self.unanswered}, "
            f"failed canaries {self.canaries}, other breaches {self.other}"
        )
