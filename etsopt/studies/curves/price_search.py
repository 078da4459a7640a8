"""Cover a line of policies of a market with pieces of its price, each proven by the answers at its ends.

An answer gives a line that touches the least cost: of a side of the market the bound by its multipliers, below; of the
terminal price the cost of its decisions, above. Where the lines of two answers meet is the next solve. If the least
cost is there on both lines, a kink is found and both sides are proven; else a line between is
(Eisner and Severance 1976). Nothing of that is trusted: `etsopt.checking.price_segments` proves each piece.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from etsopt.checking import Answer, Question
from etsopt.checking.price_segments import End, PriceVerdict, bends_before_answers, bends_of_ends, certify, line_of
from etsopt.checking.readings.instance_inputs import InstanceInputs
from etsopt.checking.theorem import UNMET
from etsopt.common.errors import StoppedError, UsageError
from etsopt.common.language import _, chain
from etsopt.common.progress import checkpoint, quietly, tell
from etsopt.rules import as_given
from etsopt.running import library
from etsopt.running.policy_reads import reads_years
from etsopt.running.results.claims import check_claims, is_stopped
from etsopt.running.run import solve
from etsopt.studies.curves.axes import corners, instance_at
from etsopt.studies.curves.line import FRUITLESS_MAX, NARROW, SLIVER, Cover

if TYPE_CHECKING:
    from collections.abc import Iterable

    from etsopt.checking.verdict import Violation
    from etsopt.common.language import Text
    from etsopt.data.instance import Instance
    from etsopt.running.results.results import Results
    from etsopt.studies.curves.axes import Axis


@dataclass(frozen=True, eq=False)
class Priced:
    """The answer at a place of the line, from 0 to 1, and what the checker reads of it."""

    place: float
    results: Results
    end: End


@dataclass(frozen=True)
class PricePiece:
    """A stretch between two answers.

    Parameters
    ----------
    first, last
        Answers at its ends.
    owner
        Answer whose multipliers, or of the terminal price whose decisions, serve all of it.
    verdict
        What is proven of it.
    """

    first: Priced
    last: Priced
    owner: Priced
    verdict: PriceVerdict

    @classmethod
    def of(cls, first: Priced, last: Priced, owners: Iterable[Priced]) -> PricePiece:
        """Return a piece of the owner that proves it; if none does, of the last."""
        for owner in owners:
            piece = cls(first, last, owner, certify(first.end, last.end, owner.end))
            if piece.certified:
                break
        return piece

    @property
    def start(self) -> float:
        """Place of its first end."""
        return self.first.place

    @property
    def end(self) -> float:
        """Place of its last end."""
        return self.last.place

    @property
    def certified(self) -> bool:
        """True if every place of it is proven."""
        return self.verdict.certified


class PriceSolver:
    """What answers at places of a line of policies of a market.

    Parameters
    ----------
    instance, axis, model
        The instance, the keys that move, and the model of the market.

    Raises
    ------
    DataError, UsageError
        If a key or value is wrong, or something bends, with the reasons.
    """

    def __init__(self, instance: Instance, axis: Axis, model: str) -> None:
        self.instance, self.axis, self.model = instance, axis, model
        self.solves = 0
        first, last = (InstanceInputs.of(self._taken(one)) for one in corners(instance, (axis,)))
        refuse(bends_before_answers(first, last, model))

    def _taken(self, instance: Instance) -> Instance:
        return as_given(instance, reads_years(library.choose(self.model)))

    def results(self, place: float) -> Results:
        """Solve and check at a place, with all tables."""
        self.solves += 1
        return solve(instance_at(self.instance, (self.axis,), [place]), self.model)

    def priced(self, place: float) -> Priced:
        """Return the answer at a place.

        Raises
        ------
        StoppedError
            At the deadline.
        """
        results = self.results(place)
        if is_stopped(results):
            raise StoppedError(results.termination)
        return self.read(place, results)

    def read(self, place: float, results: Results) -> Priced:
        """Return what the checker reads of the results at a place."""
        question = Question(self._taken(results.instance), self.model)
        return Priced(place, results, End.of(question, Answer(results.tables, results.levels)))

    def refused(self, priced: Priced) -> list[Violation]:
        """Return what the results at a place claim of themselves, and is otherwise."""
        results = priced.results
        return check_claims(self._taken(results.instance), results, priced.end.verdict)

    def ends(self) -> tuple[Priced, Priced]:
        """Return the answers at both ends of the line.

        Raises
        ------
        UsageError
            If the market does not clear at one of them, or something bends between.
        """
        first, last = self.priced(0.0), self.priced(1.0)
        for one in (first, last):
            unmet, where = one.results.infeasible_by_t, {"key": self.axis.name, "value": self.axis.shown(one.place)}
            if unmet is None:
                continue
            if one.results.levels[-1].name != UNMET:
                what = _("No allocation exists at {key} = {value:g}, from which the market would start.", **where)
                raise UsageError(what, _("Solve it there: the summary says what to relax."))
            what = _("The market does not clear at {key} = {value:g}: {unmet:,.0f} t stay unmet.", unmet=unmet, **where)
            raise UsageError(what, _("Vary the key over values at which it clears."))
        refuse(bends_of_ends(first.end, last.end))
        return first, last


def refuse(reasons: Iterable[Text | str]) -> None:
    """Refuse a curve for some reasons, if there are any.

    Raises
    ------
    UsageError
        With the reasons.
    """
    if found := list(dict.fromkeys(reasons)):
        what = _("No curve of prices can be certified: {reasons}.", reasons=chain(found, _("{first}; {second}")))
        raise UsageError(what, _("Change what is named, or vary another key; etsopt sweep solves single values."))


def cover_prices(solver: PriceSolver) -> Cover[PricePiece]:
    """Cover a line; at a deadline or Ctrl-C what is found by then is kept."""
    found, waiting = Cover[PricePiece](), list[tuple[Priced, Priced]]()
    try:
        whole = solver.ends()
        waiting.append(whole)
        fruitless = 0
        while waiting:
            checkpoint()
            first, last = waiting[-1]
            # The share of the range behind is shown, and not what each solve on the way does.
            tell(_("{phase} {done:,} of {of:,}", phase=_("percent of the range:"), done=int(100 * first.place), of=100))
            piece = PricePiece.of(first, last, (first, last))
            place = _meeting(whole, first, last)
            if piece.certified or place is None or fruitless >= FRUITLESS_MAX:
                found.pieces.append(piece)
                fruitless = 0 if piece.certified else fruitless
                waiting.pop()
                continue
            fruitless += 1
            with quietly():
                middle = solver.priced(place)
            waiting[-1:] = [(middle, last), (first, middle)]
    except StoppedError as stopped:
        found.termination = stopped.termination
    found.pieces += [PricePiece.of(first, last, (first, last)) for first, last in waiting]
    found.pieces.sort(key=lambda piece: piece.start)
    _join(found.pieces)
    return found


def _meeting(whole: tuple[Priced, Priced], first: Priced, last: Priced) -> float | None:
    """Return the place between two answers at which their lines meet, else the middle; None if they are too close."""
    if last.place - first.place <= NARROW or not (first.end.read and last.end.read):
        return None
    one, other = (line_of(whole[0].end, whole[1].end, owner.end) for owner in (first, last))
    apart = (one[1] - one[0]) - (other[1] - other[0])
    place = (other[0] - one[0]) / apart if apart else -1.0
    inside = first.place + SLIVER < place < last.place - SLIVER
    return place if inside else (first.place + last.place) / 2


def _join(pieces: list[PricePiece]) -> None:
    """Make one piece of neighbours that one of their answers proves together."""
    place = 1
    while place < len(pieces):
        before, after = pieces[place - 1], pieces[place]
        wider = PricePiece.of(before.first, after.last, (before.owner, after.owner))
        if wider.certified:
            pieces[place - 1 : place + 1] = [wider]
        else:
            place += 1
