"""A row of the matrix: its trials, their number, and forbidden outcomes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Found:
    """Outcomes with counts, figures, trials listed by themselves, and failures."""

    outcomes: Counter[str] = field(default_factory=Counter)
    largest: dict[str, float] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    listed: list[str] = field(default_factory=list)

    def saw(self, outcome: str, times: int = 1) -> None:
        self.outcomes[outcome] += times

    def measured(self, what: str, value: float) -> None:
        """Keep the largest value of a figure, whose name includes its unit."""
        self.largest[what] = max(value, self.largest.get(what, value))

    def failed(self, number: int, words: str) -> None:
        self.failures.append(f"{number}: {words}")

    def named(self, number: int, words: str) -> None:
        """List a trial that is no failure but deserves a line of its own."""
        self.listed.append(f"{number}: {words}")

    def tried(self, number: int, outcome: str, wrong: str) -> None:
        """Count the outcome of a trial, and keep its error, if any."""
        self.saw(outcome)
        if wrong:
            self.failed(number, wrong)

    def add(self, other: Found) -> None:
        self.outcomes.update(other.outcomes)
        self.failures += other.failures
        self.listed += other.listed
        for what, value in other.largest.items():
            self.measured(what, value)

    def as_json(self) -> dict[str, Any]:
        return {
            "outcomes": dict(self.outcomes),
            "largest": self.largest,
            "failures": self.failures,
            "listed": self.listed,
        }

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Found:
        return cls(Counter(content["outcomes"]), content["largest"], content["failures"], content.get("listed", []))


@dataclass(frozen=True)
class Row:
    """A row of the matrix.

    Attributes
    ----------
    name
        Letter and number, as in ``A1``.
    title
        Description of the trials, in a sentence.
    goal
        Required outcome.
    count
        Number of trials of the whole matrix. Each trial has a number, which is its seed.
    share
        Number of first trials that the test suite runs; 0 for none.
    work
        Runs the trials of some numbers.
    chunk
        Number of trials per process.
    patience_s
        Time after which a running process counts as hung [s].
    alone
        True if nothing else may run beside it.
    publish
        Takes the outcomes after all trials, to write them to another page as well.
    """

    name: str
    title: str
    goal: str
    count: int
    share: int
    work: Callable[[Iterable[int]], Found]
    chunk: int = 100
    patience_s: float = 600.0
    alone: bool = False
    publish: Callable[[Found], None] | None = None
