"""Prices of China's whole system to 2060, by scenario; ``python -m benchmarks.national_path``.

Solves ``cn-national-2025-2060`` under each scenario with an allowance worth nothing and 300 CNY after 2060, each in a
process of its own. Writes ``benchmarks/national_path.json`` and, from it, ``national_path.md`` and
``national_path.svg``.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from typing import Any

from benchmarks.history.path import FILES, path_figures
from benchmarks.history.picture import paths
from benchmarks.reporting import FOLDER, child, fill, machine, provenance, table, versions, write_json

YEARS = (2025, 2026, 2027, 2030, 2035, 2060)
COMPARED = range(2025, 2036)
TERMINAL = 300.0
SAME = 0.001
"""Largest relative difference of prices that counts as none."""
GOAL_S, GOAL_MB = 60.0, 2000.0


@dataclass(frozen=True)
class Scenario:
    """A scenario: a file of changes of the policy, options of the build script, and earlier prices of ``YEARS``."""

    name: str
    earlier: tuple[int, ...]
    file: str | None = None
    options: dict[str, Any] = field(default_factory=dict)


SCENARIOS = {
    "A": Scenario("A, benchmarks for ever, no absolute cap", (56, 60, 65, 82, 121, 380), "a-no-cap"),
    "B": Scenario("B, the shipped policy", (37, 40, 43, 54, 64, 412)),
    "C": Scenario("C, tight cap", (47, 51, 55, 70, 90, 530), "c-tight"),
    "C2": Scenario("C2, cap from 2028", (45, 49, 53, 66, 90, 429), "c2-early"),
    "D": Scenario("D, loose cap", (46, 49, 53, 0, 0, 0), "d-loose"),
    "E": Scenario("E, 93 % of 2025 in 2035", (46, 49, 53, 12, 18, 120), "e-contribution-93"),
    "E'": Scenario("E', 90 % of 2025 in 2035", (46, 49, 53, 19, 28, 195), "e-contribution-90"),
    "F": Scenario("F, high power output", (55, 60, 64, 81, 119, 523), None, {"power": "high"}),
    "G": Scenario("G, low power output", (46, 49, 53, 0, 0, 0), None, {"power": "low"}),
    "H": Scenario(
        "H, load share 0.5, stock 150 Mt", (72, 78, 84, 60, 64, 412), None,
        {"load_share": 0.5, "opening_t": 150_000_000},
    ),
    "I": Scenario(
        "I, tight cap, load share 0.5, high output", (78, 84, 91, 115, 169, 596), "c-tight",
        {"load_share": 0.5, "power": "high"},
    ),
    "J": Scenario("J, petrochemicals and chemicals join", (), "j-petrochemicals"),
}  # fmt: skip
"""The earlier prices, of all but J, are of a linear program of four sectors with 26 measures, made before this instance
[CNY/t]."""

TEXT = """\
# Prices of the whole system to 2060

The model `pathway` on [cn-national-2025-2060](../instances/cn-national-2025-2060/README.md), by scenario.
`python -m benchmarks.national_path` makes this page and `national_path.json` again. **Everything after 2026 is a
scenario; nothing here is a forecast.** Prices are CNY of 2024 per tonne of the compliance year, whose allowances are
surrendered in the next calendar year. A to E' change the policy alone, by a file of `scenarios`; F to I need other
tables, which the build script makes. [history.md](history.md) has the price of 2025 with one assumption changed at a
time.

![Price of an allowance from 2025 to 2060 by scenario, and the market's own of 2026](national_path.svg)

{prices}

## What sets the prices

The lines of the command line about the end of the path, with an allowance worth nothing after 2060.

{lines}

## Solved again with another terminal price

At 300 CNY, and where the line ends below that, at 95 % of its figure. Where the line says independent, prices of 2025
to 2035 have to agree to 0.1 %. {agreement}

{again}

## Time and memory

Goals: below 60 CPU s and 2,000 MB for each solve, imports, reading and check included. {goal}

{costs}

## Beside an earlier calculation

Prices of a linear program of four sectors, with the same paths of output and caps and 26 divisible measures that ramp
up. Its costs of power were assumed; it had 250 Mt of opening stock, offsets at 70 CNY and a ceiling of 1,500 CNY.

{earlier}

- **Until 2029** prices are higher here. The earlier calculation had retrofits at 45 and 120 CNY and flexible operation
  at 30 CNY, 4 % of power's emissions in all, and waste-derived fuel at 60 CNY. Here the intensity trend holds the
  retrofits, flexible operation abates nothing, and measures without regret are left out. Scrap at 60 CNY, offsets at 80
  CNY, less clinker at 80 CNY and carbide slag are what is left, beside a smaller stock; then biomass at 350 CNY, which
  A, H and I need for a few years and give up again.
- **From 2030** the first block of renewables costs 56 instead of 90 CNY. It is built in five steps from 2026 on, as it
  earns under the cap. In B prices of 2035 and 2060 are close: the cap of the last years decides them in both.
- **2060** depends on capture: here 31 % of power's emissions at 375 CNY, from 2047 on, instead of 45 % at 380 CNY.
- **A cap is a limit here**: allowances are the lesser of the cap and the rule. The earlier calculation gave out the
  whole cap, so that prices fell to zero in D and G, where the baseline falls below it, and hung on the terminal price.
- **In A** output that renewables displace earns about nothing in both, as there is no cap.
- Balance values of industry fall by 0.6 % a year at a slope of 0.20 to 0.25, a shortage of 0.1 to 0.4 % until 2029; it
  was 0.5 to 1.5 %. In A they fall by 2 %.

{provenance}
"""


def one(key: str, terminal: float) -> dict[str, Any]:
    """Return the figures of one scenario at one terminal price, solved and checked."""
    scenario = SCENARIOS[key]
    return path_figures(scenario.file, scenario.options, {"market.terminal_price_cny_per_t": terminal})


def change(found: dict[str, Any], at: str = "300") -> float:
    """Return the largest relative change of the compared prices by the terminal price of another run."""
    first, again = found["0"]["prices"], found[at]["prices"]
    return max(abs(again[str(y)] - first[str(y)]) / max(first[str(y)], 1.0) for y in COMPARED)


def within(found: dict[str, Any]) -> list[str]:
    """Return the runs at terminal prices at which the line says that prices stay."""
    limit = found["0"]["unchanged_up_to_cny_per_t"]
    return [at for at in found if 0 < float(at) < limit]


def solved(key: str) -> dict[str, Any]:
    """Return the figures of a scenario by terminal price: 0, 300, and one below the limit if that is less than 300."""
    runs = {f"{at:.0f}": child("benchmarks.national_path", key, str(at)) for at in (0.0, TERMINAL)}
    limit = runs["0"]["unchanged_up_to_cny_per_t"]
    if 1 < limit < TERMINAL:
        below = f"{0.95 * limit:.0f}"
        runs[below] = child("benchmarks.national_path", key, below)
    return runs


def price_cells(found: dict[str, Any]) -> list[str]:
    """Return the prices of ``YEARS`` as a page shows them."""
    return [f"{found['prices'][str(year)]:,.1f}" for year in YEARS]


def up_to(found: dict[str, Any]) -> str:
    """Return the terminal price up to which prices stay, as a page shows it."""
    limit: float = found["unchanged_up_to_cny_per_t"]
    return f"yes, up to {limit:,.0f}" if limit > 0.5 else "**no**"


def price_rows(figures: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return the rows of the table of prices."""
    return [(SCENARIOS[key].name, *price_cells(found["0"]), up_to(found["0"])) for key, found in figures.items()]


def page(figures: dict[str, Any], about: dict[str, Any]) -> str:
    """Return the page from the figures of all scenarios."""
    names = {key: SCENARIOS[key].name for key in figures}
    lines = "\n".join(f"- {names[key]}: {' '.join(found['0']['lines'])}" for key, found in figures.items())
    tested = [(key, at) for key, found in figures.items() for at in within(found)]
    wrong = [f"{names[key]} at {at} CNY" for key, at in tested if change(figures[key], at) > SAME]
    again = [
        (names[key], at, "yes" if (key, at) in tested else "no", *price_cells(run), f"{100 * change(found, at):,.3f}")
        for key, found in figures.items()
        for at, run in found.items()
        if at != "0"
    ]
    runs = [(key, at, run) for key, found in figures.items() for at, run in found.items()]
    missed = sorted({key for key, _, run in runs if run["cpu_s"] >= GOAL_S or run["peak_mb"] >= GOAL_MB})
    costs = [
        (names[key], at, run["status"].replace("_", " "), f"{run['cpu_s']:.0f}", f"{run['peak_mb']:,}")
        for key, at, run in runs
    ]
    years = tuple(map(str, YEARS))
    known = {key: found for key, found in figures.items() if SCENARIOS[key].earlier}
    pairs = {key: zip(price_cells(found["0"]), SCENARIOS[key].earlier, strict=True) for key, found in known.items()}
    beside = [(names[key], *(f"{new} ({old})" for new, old in both)) for key, both in pairs.items()]
    return TEXT.format(
        prices=table(("scenario", *years, "independent of the terminal price"), price_rows(figures)),
        lines=lines,
        agreement=f"They do in all {len(tested)} cases." if not wrong else f"Missed: {', '.join(wrong)}.",
        again=table(
            ("scenario", "terminal price", "independent by the line", *years, "largest change until 2035 [%]"), again
        ),
        goal="Met by all." if not missed else f"Missed by {', '.join(missed)}; met by the others.",
        costs=table(("scenario", "terminal price", "status", "CPU s", "peak memory [MB]"), costs),
        earlier=table(("scenario, here (earlier)", *years), beside),
        provenance=provenance(about["machine"], about["versions"]),
    )


def publish(content: dict[str, Any]) -> None:
    """Write the page of the benchmark and its picture, and the table of prices into the page of the instance."""
    figures = content["scenarios"]
    (FOLDER / "national_path.md").write_text(page(figures, content), encoding="utf-8")
    rows = table(("scenario", *map(str, YEARS), "independent of the terminal price"), price_rows(figures))
    fill("prices", rows, FILES.parent / "README.md")
    paths(figures, FOLDER / "national_path.svg")


def main() -> None:
    """Solve all scenarios, or one of them for the parent process."""
    if len(sys.argv) == 3:
        print(json.dumps(one(sys.argv[1], float(sys.argv[2]))))
        return
    figures: dict[str, Any] = {}
    for key in SCENARIOS:
        figures[key] = solved(key)
        print(key, {at: run.get("lines", run["status"]) for at, run in figures[key].items()}, flush=True)
    about = {"machine": machine(), "versions": versions(("etsopt", "highspy", "numpy", "pandas"))}
    content = {"scenarios": figures, **about}
    write_json("national_path.json", content)
    publish(content)


if __name__ == "__main__":
    main()
