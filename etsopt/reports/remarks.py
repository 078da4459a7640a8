"""Remarks on a result as a whole: what bands move, what was taken as given, and keys whose effect may surprise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etsopt.common.language import _, in_chinese, joined
from etsopt.common.units import format_tonnes
from etsopt.common.vocabulary import word
from etsopt.data.policy.plausibility import doubtful_values
from etsopt.presenting.documents.document import Paragraph
from etsopt.running.results.claims import is_checked
from etsopt.running.results.notices import notices

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etsopt.common.provenance import BandMove, OwnParameter, OwnRule
    from etsopt.reports.run import Run


def warnings(run: Run) -> tuple[Paragraph, ...]:
    """Return what a reader has to know before any figure."""
    return tuple(Paragraph(text, "warning") for text in _remarks(run))


def _remarks(run: Run) -> Iterator[str]:
    yield from own_rule(run.about.own_rule)
    yield from map(_moved_by_band, run.about.moved_by_band or ())
    yield from notices(run.about)
    yield from _targets_without_effect(run)
    yield from doubtful_values(run.policy)
    yield from _profitable_banking(run)
    yield from _cap_of_a_year_before(run)


def own_rule(rule: OwnRule | None) -> Iterator[str]:
    """Yield the limit of a certificate under a rule from outside the package."""
    if rule:
        yield _(
            "The rule {name}{file} is your own: its reference allowances are taken as given, not derived again.",
            name=rule.name,
            file=_(" of {file}", file=rule.file) if rule.file else "",
        )


def _moved_by_band(entry: BandMove) -> str:
    """Return how many units and tonnes of the rule a band moves."""
    lower, upper = (f"{100 * side:g}" for side in (entry.lower, entry.upper))
    band, tonnes = f"±{upper}" if lower == upper else f"-{lower}/+{upper}", format_tonnes(entry.tonnes)
    if entry.units == 1:
        return _("At the band of {band} %: 1 unit, {tonnes} t moved.", band=band, tonnes=tonnes)
    text = _("At the band of {band} %: {count:,} units, {tonnes} t moved.")
    return _(text, band=band, count=entry.units, tonnes=tonnes)


def own_parameters(entries: list[OwnParameter]) -> Iterator[str]:
    """Yield the parameters that differ from the official ones."""
    for entry in entries:
        years = entry.years
        when = f"{years[0]}" if len(years) == 1 else f"{years[0]}-{years[-1]}"
        of = f"{when}{'，' if in_chinese() else ', '}{joined(word('sector', name) for name in entry.sectors)}"
        yield _(
            "{key}: official {official} ({of}), here {stated} (user)",
            key=entry.key,
            official=entry.official,
            of=of,
            stated=_stated(entry.here),
        )


def _stated(value: Any) -> str:
    """Return a number, a list of names, or numbers by year as a policy states them."""
    if isinstance(value, dict):
        return joined(_("{number:,} from {year}", number=number, year=year) for year, number in value.items())
    return (joined(value) or _("none")) if isinstance(value, list) else f"{value:,}"


def ignored(run: Run) -> Iterator[str]:
    """Yield one line on the policy keys that the model does not read; `result.json` lists each."""
    sections: dict[str, list[str]] = {}
    for key in run.about.ignored:
        sections.setdefault(key.partition(".")[0], []).append(key)
    parts = [
        stated[0] if len(stated) == 1 else _("{name} ({count} keys)", name=name, count=len(stated))
        for name, stated in sections.items()
    ]
    if parts:
        yield _("Policy keys that {model} does not use: {parts}.", model=run.about.model, parts=joined(parts))


def _targets_without_effect(run: Run) -> Iterator[str]:
    """Yield the stated targets of sectors whose units all get A = E."""
    if "sectors" not in run.tables or not is_checked(run.results):
        return
    table = run.tables["sectors"]
    for name in table.loc[table["units"] == table["units_fixed"], "sector"]:
        stated = (run.policy.get("sectors") or {}).get(name) or {}
        if stated.get("target_change") or "target_t" in stated or "target_intensity" in stated:
            yield _(
                "The target of {name} has no effect: each of its units gets A = E (special case or "
                "below the threshold) or is outside the scope. Check that emissions are in tonnes.",
                name=word("sector", name),
            )


def _profitable_banking(run: Run) -> Iterator[str]:
    """Yield a warning if the terminal price exceeds the cost of an allowance: enterprises then buy what they may."""
    market = run.policy.get("market") or {}
    prices, terminal = market.get("prices_cny_per_t"), market.get("terminal_price_cny_per_t", 0.0)
    if run.about.model not in ("abatement", "compliance") or prices is None:
        return
    price = list(prices.values())[-1] if isinstance(prices, dict) else prices
    if price + market.get("transaction_cost_cny_per_t", 0.0) < terminal:
        yield _(
            "An allowance banked to the end is worth {terminal:g} CNY/t "
            "(market.terminal_price_cny_per_t) and costs {price:g}: every enterprise keeps what "
            "it has and buys as much as it may.",
            terminal=terminal,
            price=price,
        )


def _cap_of_a_year_before(run: Run) -> Iterator[str]:
    """Yield that a cap of a year before the first one decides those of later years, by the line between both."""
    stated = sorted(map(int, (run.policy.get("pathway") or {}).get("cap_t") or {}))
    first = (run.policy.get("horizon") or {}).get("first_year") or run.policy["year"]
    before, after = [year for year in stated if year < first], [year for year in stated if year >= first]
    if run.about.model not in ("outlook", "pathway") or not before or after[:1] == [first]:
        return
    if after:
        text = _(
            "pathway.cap_t.{before} is of a year before the first, {first}: until {after} caps are on the straight "
            "line from it."
        )
        yield _(text, before=before[-1], first=first, after=after[0])
    else:
        text = _("pathway.cap_t.{before} is of a year before the first, {first}, and the cap of every year.")
        yield _(text, before=before[-1], first=first)
