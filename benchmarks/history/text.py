"""Text of the page ``history.md``, without its figures."""

TEXT = """\
# Held to history: the balance of power from 2021 to 2026, and the price of 2025

The rule `cn` on the 3,760 power units of [cn-national-2025](../instances/cn-national-2025/README.md), year by year,
beside official figures; then the price of compliance year 2025 under other assumptions beside the market's own.
`python -m benchmarks.history` makes this page, `history.json` and the pictures again. Marks: [A] official text; [B] a
secondary source that was read; [C] recalled or assumed, or one source alone; [D] computed from such figures.

![Gap of power by year and load share, and the official gap](history_gap.svg)

A gap is verified emissions less allowances; positive is short. Units with A = E count with both, also until 2024, when
they were outside the scope. Every allocation is solved and certified.

## Beside official figures

Goal: a gap of 2023 between 0.35 and 0.65 %, untuned. {goal}

{years}

- **2023 and 2024.** Emissions are scaled to the official ones and prove nothing. Allowances are not fitted: class
  intensities are the official balance values of 2023 [A].
- **2021 and 2022 are missed by 0.6 points**, 31 and 33 Mt. These plans measure net supply and correct cooling and heat
  supply, which the source of the units does not have. Class intensities are the official balance values of 2021 [B]
  instead, which contain these corrections. The change from 2021 to 2022 is near the official one, -10 against -12 Mt;
  the level is not. By those balance values class II is short by 1.6 % of its electricity and class I in surplus by
  0.1 %, so that no plausible mix of the two gives the published surplus [B]. The two sources may count different units
  or reliefs; neither says so. A miss of this size is 40 % of the gap of 2025.
- **2019 and 2020** cannot be computed: no balance values are published, and no allowances to compare with.
- **2025 and 2026** have no official figure yet. Their sign depends on the load share.
- **Sources.** 2021 and 2022: the ministry at a conference of 2024, as the press reports it [B]. 2023 and 2024:
  Development Reports 2025 and 2026 of the Ministry of Ecology and Environment [A].

## By class

Gap [%]. The order of surpluses that the Development Report 2026 states for 2024, gas, then I, II and III, follows from
benchmarks and balance values, so that it is a weak test.

{classes}

## Deficits

Owners of power units whose allowances are below their emissions, before trading. In the first cycle, 2019-2020, 847 of
2,011 entities (42 %) were short by 94 Mt a year [B]; the spread of intensities is set to that.

{deficits}

## By load share

Gap [%] by the share of the generation of conventional coal at 50 to 65 % load, which is not public; 0.3 is shipped. The
plans until 2024 correct these loads, that of 2025-2026 does not.

{loads}

## The price of 2025 beside the market's own

The model `pathway` on [cn-national-2025-2060](../instances/cn-national-2025-2060/README.md), with one assumption
changed at a time. Prices are CNY of 2024 per tonne of the compliance year. Allowances of 2025 are surrendered in 2026,
so that the market's own price beside them is that of 2026: 84 CNY on average from January to August [D], 97.9 on 31
August [A]. **Everything after 2026 is a scenario; nothing here is a forecast.**

![Price of compliance year 2025 with one assumption changed at a time, and the market's own](history_prices.svg)

- **The intensity trend of power moves the price most**, from -1.2 to 0 % a year; then the load share, benchmarks and
  the opening stock. All four decide how short power is until 2029.
- **There are two regimes, with nothing between them.** If stock, offsets and the first renewables cover the shortage,
  it is 30 to 123 CNY. If they do not, biomass burns until 2029, first where a MWh emits most, and it is 232 to 333
  CNY.
- **Where the bank lasts beyond 2029**, the price of 2025 is that of 2030, discounted: 30 to 43 CNY where power is
  hardly short, 47 to 83 CNY with constant benchmarks, an earlier or tighter cap, or high output.
- **Prices with an asterisk rest on one assumed cost**: above {biomass} CNY biomass sets them, at 350 CNY on average,
  within 130 to 470 in the sources. Little else of the list acts before 2030 between offsets and it.
- **That the shipped price is near the market's is no evidence.** The 80 CNY of 2026 are the assumed price of offsets,
  and the market prices offsets near allowances: 70.76 CNY on average in 2025, 86.51 in August 2026 [A].
- **The market's price fits sets of assumptions, not one.** At a load share of 0.3 the stock that gives 84 to 97.9 CNY
  is between 170 and 240 Mt; at 240 Mt the load share is between 0.3 and 0.5. Offsets at 105 CNY give 90.0.
- **Costs, the discount rate, output and the cap** leave 2025 between 50 and 123 CNY. They decide 2035, where costs and
  output move most. If all costs, offsets and the ceiling double, every price doubles, because the terminal price is 0.

{prices}

*Independent up to* is the terminal price below which no price changes. [national_path.md](national_path.md) has the
scenarios A to J until 2060. {proven}

### Load share and opening stock

Price of 2025 [CNY/t].

{grid}

## What such a model cannot explain

One price a year, perfect foresight and no risk leave out most of what a trader sees.

{facts}

{provenance} The {balances} balances took {balances_s:.0f} CPU s, the {paths} paths {paths_s:.0f}.
"""

FACTS = (
    (
        "the fourth quarter has 79 % of the volume of 2024 and 58 % of that of 2025",
        "Development Reports [A]",
        "a year has one price and one date",
    ),
    (
        "block trades are 77 % of all volume, on average 3.8 % below the close",
        "computed from daily data of the exchange [B]",
        "all trade at one price; read it as give or take 5 %",
    ),
    (
        "105.65 CNY on 13 November 2024, 51.24 on 29 October 2025, 97.90 on 31 August 2026",
        "Development Reports [A]",
        "with foresight a price grows by the discount rate, and not by 91 % in ten months",
    ),
    (
        "carry-over of 2019-2024 was 10,000 t and 1.5 times net sales: 40 % of a stock had to be sold first",
        "plan of 2023-2024 [A]; share [D]",
        "with foresight the old allowance stays at the later worth of a carried one, and does not fall",
    ),
    (
        "82.87 CNY on 5 June 2026, 97.81 on 20 August; between them the draft that ends the correction of loads of 50 "
        "to 65 %",
        "closes [C]; draft of 27 July 2026 [A]",
        "news is two runs, one before and one after; the jump between them is no result",
    ),
    (
        "groups hoard their surplus; whoever sells must hold, and there are no futures",
        "market rules [B]; hoarding [C]",
        "at most a smaller opening stock",
    ),
)
"""Facts of the market, their sources, and why the model cannot explain them."""
