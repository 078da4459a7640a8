"""What a summary says of an answer as a whole: what is not proven of it, and on what it does not stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from rich.text import Text

if TYPE_CHECKING:
    from etsopt.results.results import LevelResult, Results

TERMINATION_IN_WORDS = {
    "time_limit": "stopped by the time limit",
    "interrupted": "interrupted",
    "memory": "out of memory",
    "solver_error": "the solver failed",
}


def open_gaps(found: Results) -> str:
    """What is not proven of an answer that keeps every limit, by how much, and what would close it."""
    if "equilibrium" in found.tables:
        return _without_fixed_point(found)
    asked = float(found.provenance["options"]["gap"])
    words = [f"{level.name} {_in_percent(level)}" for level in found.levels if not level.certified]
    proven = f"Every limit holds. Not proven: {', '.join(words)}." if words else "Every limit holds."
    if found.termination in TERMINATION_IN_WORDS:
        return f"{proven}\nMore time may close it: --time-limit."
    largest = max((_relative(level) for level in found.levels if not level.certified), default=np.inf)
    if not words:
        return proven
    accepts = f"`--gap {largest * 1.01:.1e}` accepts it; " if asked < largest < 1 else ""
    return f"{proven}\nAsked for was a gap of {100 * asked:.2g} %: {accepts}another --method or --seed may close it."


def remarks(found: Results) -> list[str]:
    """What of the policy works otherwise than one may have meant."""
    policy = found.provenance["policy"]
    lines = []
    if "sectors" in found.tables:
        frame = found.tables["sectors"]
        for name in frame.loc[frame["units"] == frame["units_fixed"], "sector"]:
            stated = policy.get("sectors", {}).get(name, {})
            if stated.get("target_change") or "target_t" in stated or "target_intensity" in stated:
                lines.append(
                    f"The target of {name} limits nothing: each of its units gets A = E as a special case or below the "
                    "threshold, or is outside the scope. Are emissions in tonnes?"
                )
    for name, stated in policy.get("sectors", {}).items():
        band = stated.get("band") or {}
        widest = max(band.get("lower", 0.0), band.get("upper", 0.0))
        if widest >= 1:
            lines.append(f"The band of {name} is {100 * widest:g} % of emissions; 0.03 is 3 %.")
    return [*lines, *_kept_to_the_end(found)]


def _kept_to_the_end(found: Results) -> list[str]:
    """Say that everybody buys what he may where an allowance is worth more at the end than it costs."""
    market = found.provenance["policy"].get("market", {})
    prices, worth = market.get("prices_cny_per_t"), market.get("terminal_price_cny_per_t", 0.0)
    if found.provenance["model"] not in ("abatement", "compliance") or prices is None:
        return []
    price = list(prices.values())[-1] if isinstance(prices, dict) else prices
    if price + market.get("transaction_cost_cny_per_t", 0.0) >= worth:
        return []
    return [
        f"An allowance kept to the end is worth {worth:g} CNY/t (market.terminal_price_cny_per_t) and costs {price:g}: "
        "everyone buys as much as may be bought."
    ]


def _without_fixed_point(found: Results) -> str:
    """Sectors and years in which best responses reproduce no balance value."""
    frame = found.tables["equilibrium"]
    round_ = frame[frame["status"] == "cycle"]
    where = ", ".join(f"{row['sector']} {row['year']}" for row in round_.to_dict("records"))
    return (
        f"No balance value reproduces itself in {where}: best responses go round, as the table cycles shows.\n"
        "At the value that is shown every unit responds best, and the sector does not balance."
    )


def _relative(level: LevelResult) -> float:
    """Gap of a level against its value; infinite where the value is zero or the gap is not known."""
    return abs(level.gap / level.value) if level.value and np.isfinite(level.gap) else np.inf


def _in_percent(level: LevelResult) -> str:
    share = _relative(level)
    return f"within {100 * share:.2g} %" if np.isfinite(share) else "at all"


def ignored(model: str, keys: list[str]) -> str:
    """Return one line on the keys of the policy that the model does not read; `result.json` lists each."""
    sections: dict[str, list[str]] = {}
    for key in keys:
        sections.setdefault(key.partition(".")[0], []).append(key)
    parts = [stated[0] if len(stated) == 1 else f"{name} ({len(stated)} keys)" for name, stated in sections.items()]
    return f"Not read by {model}, and ignored: {', '.join(parts)}."


def own_rule(rule: dict[str, Any]) -> Text:
    """Return what a certificate leaves open where the rule comes from outside the package."""
    file = f" of {rule['file']}" if "file" in rule else ""
    what = (
        f"The rule {rule['name']}{file} is your own: its reference allowances are taken as given, not derived again.\n"
    )
    return Text(what, style="yellow")


def own_parameters(own: list[dict[str, Any]]) -> Text:
    """Parameters of the user's own beside the official ones."""
    lines = []
    for entry in own:
        years = entry["years"]
        when = f"{years[0]}" if len(years) == 1 else f"{years[0]}-{years[-1]}"
        here = (", ".join(entry["here"]) or "none") if isinstance(entry["here"], list) else f"{entry['here']:,}"
        of = f"{when}, {', '.join(entry['sectors'])}"
        lines.append(f"{entry['key']}: official {entry['official']} ({of}), here {here} (user)")
    return Text("\n".join([*lines, ""]), style="yellow")
