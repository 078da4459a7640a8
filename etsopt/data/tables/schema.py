"""Schema of the tables of an instance: columns, units, ranges and meanings.

The validator, the generator, the writer and the documentation derive from it.
"""

from __future__ import annotations

from dataclasses import replace

from etsopt.common.language import _
from etsopt.data.tables.evidence import EVIDENCE
from etsopt.data.tables.forecast_columns import forecast_table
from etsopt.data.tables.measure_columns import COST_COLUMNS, LARGEST_NEW_SHARE
from etsopt.data.tables.power_columns import POWER_COLUMNS
from etsopt.data.tables.report_columns import REPORT_COLUMNS
from etsopt.data.tables.scenario_columns import scenarios_table
from etsopt.data.tables.supply_columns import supply_table
from etsopt.data.tables.table import Column, Table

SECTORS = ("cement", "steel", "aluminium", "power")
"""Sectors of China's plans; under another rule an instance may have sectors of its own."""

INDUSTRY_CASES = ("new", "closed", "white_clinker", "carbide_slag", "gypsum_acid", "hydrogen_furnace")
"""Special cases of units, outside the formula of a plan: first year, closed before allocation, and kilns and furnaces
of the 2026 plan (consultation draft of 27 July 2026). `etsopt.data.policy.official` lists those of each plan."""

POWER_CASES = (
    *("biomass", "own_gas", "biomass_and_gas", "special_gas", "waste_gas", "converted", "oil_or_engine", "igcc"),
    *("reserve", "hydrogen_ammonia"),
)
"""Special cases of power units in the same draft: biomass above 20 % of heat, own secondary energy above 10 %, both
together above 20 %, special gases alone (coal-bed methane, blast-furnace, coke-oven, converter gas), own waste gas
alone, boilers converted to gas, oil or engines, gasification, emergency reserve, green hydrogen or ammonia above 20 %.
Like units of industry, power units may be new or closed."""

SPECIAL_CASES = (*INDUSTRY_CASES, *POWER_CASES)

VINTAGES = range(2019, 2037)
"""Vintages that an enterprise may hold at the start: up to the year after 2035, the last year of shipped instances."""

USER_COLUMN_PREFIX = "x_"
LONGEST_IDENTIFIER = 64
LONGEST_TEXT = 131_072
"""Largest number of characters in a text cell, the limit of Python's CSV reader."""
PLAUSIBLE_INTENSITY = {"cement": 0.83, "steel": 0.88, "aluminium": 1.57, "power": 0.84}
"""Typical intensity of a sector [tCO2e per t of intensity output; power per MWh].

Cement and aluminium: sector emissions of 2024 over output; steel: ironmaking and sintering per tonne of iron with
the guideline's gas deduction, 0.83-0.93 (derived figures); power: 2025 output intensity of the development report.
Used only to detect wrong units of measure, never in an allocation.
"""

UNITS = Table(
    "units",
    _("the allocation units: steel enterprises, clinker lines, electrolysis processes, power units"),
    ("unit_id",),
    (
        Column("unit_id", _("identifies the unit"), required=True, identifier=True),
        Column("enterprise_id", _("identifies the enterprise that owns it"), required=True, identifier=True),
        Column("name", _("name of the unit")),
        Column("sector", _("sector of the unit"), required=True, choices=SECTORS),
        Column("province", _("province that allocates to it"), required=True, identifier=True),
        Column(
            "emissions_tco2e",
            _("verified emissions: base of the allocation, and the obligation"),
            "tCO2e",
            number=True,
            required=True,
            at_least=0,
        ),
        Column(
            "output_t",
            _("output of product; needed by rules and targets that use it; a power unit has generation_mwh instead"),
            "t",
            number=True,
            above=0,
            at_zero=_(
                "Empty the cell of a unit that stood still all year. With emissions 0 it gets no allowances; with "
                "emissions above 0 it needs a special_case, such as closed: no plan measures intensity without output."
            ),
        ),
        Column(
            "intensity_output_t",
            _("output on which the rule measures intensity (steel: iron); default output_t"),
            "t",
            number=True,
            above=0,
        ),
        Column(
            "intensity_emissions_tco2e",
            _(
                "emissions on which the rule measures intensity (steel: ironmaking and sintering); default "
                "emissions_tco2e"
            ),
            "tCO2e",
            number=True,
            at_least=0,
        ),
        Column(
            "special_case",
            _("special case of the plan: by the year of the rule, allowances equal to emissions, or outside the scope"),
            choices=SPECIAL_CASES,
        ),
        Column(
            "carbide_slag_rate",
            _(
                "clinker line: carbide slag consumed times its deduction factor, over clinker output times the process "
                "factor; above the year's limit the line is the special case carbide_slag"
            ),
            "fraction",
            number=True,
            at_least=0,
            at_most=1,
        ),
        *POWER_COLUMNS,
        Column("prior_emissions_tco2e", _("last year's verified emissions"), "tCO2e", number=True, at_least=0),
        Column("pre_allocated_t", _("pre-allocated allowances"), "t", number=True, at_least=0),
        Column("reference_t", _("reference allowances, for the rule 'given'"), "t", number=True, at_least=0),
        *REPORT_COLUMNS,
    ),
)

ENTERPRISES = Table(
    "enterprises",
    _("the enterprises that own the units"),
    ("enterprise_id",),
    (
        Column("enterprise_id", _("identifies the enterprise"), required=True, identifier=True),
        Column("name", _("name of the enterprise")),
        Column("province", _("province of its seat")),
        Column("city", _("city of its seat")),
        Column(
            "net_sales_t",
            _("sales minus purchases of vintages 2019-2024 from 1 January 2024 to 31 December 2025"),
            "t",
            number=True,
        ),
        Column(
            "deduction_t",
            _("allowances to be deducted from the year's own for earlier shortfalls; read by the model compliance"),
            "t",
            number=True,
            at_least=0,
        ),
        Column(
            "outstanding_t",
            _("obligations of earlier years that are still due; read by the model compliance"),
            "t",
            number=True,
            at_least=0,
        ),
        Column(
            "at_risk_tco2e",
            _("tonnes at risk, such as findings; read by the model review_plan; absent: emissions of its units"),
            "tCO2e",
            number=True,
            at_least=0,
        ),
        Column(
            "review_days",
            _(
                "reviewer days that one review takes; read by the model review_plan; absent: "
                "review_plan.days_per_review"
            ),
            "days",
            number=True,
            at_least=0.01,
            at_most=10_000,
        ),
        *(
            Column(
                f"opening_{year}_t",
                _("allowances of vintage {vintage} held at the start", vintage=year),
                "t",
                number=True,
                at_least=0,
            )
            for year in VINTAGES
        ),
    ),
)

MEASURES = Table(
    "measures",
    _("the abatement measures, each at a unit or at every unit of a sector; those of a unit make at most 4,096 sets"),
    ("measure_id", "unit_id", "sector"),
    (
        Column("measure_id", _("identifies the measure, one word"), required=True, identifier=True),
        Column("name", _("name of the measure")),
        Column(
            "unit_id", _("unit of the measure; this or sector, and a unit's own row takes precedence"), identifier=True
        ),
        Column("sector", _("sector, for all its units; this or unit_id"), choices=SECTORS),
        Column(
            "abatement_rate",
            _("fraction of the unit's emissions, net of earlier measures, that it abates where it is applied"),
            "fraction",
            number=True,
            required=True,
            at_least=0,
            at_most=1,
        ),
        Column(
            "intensity_abatement_rate",
            _("the same for the emissions on which the rule measures intensity"),
            "fraction",
            number=True,
            at_least=0,
            at_most=1,
            default="abatement_rate",
        ),
        Column(
            "output_abatement_rate",
            _(
                "fraction of the unit's output that goes with the emissions where it is applied; abatement_rate "
                "includes "
                "it, and before an absolute cap allowances fall with it"
            ),
            "fraction",
            number=True,
            at_least=0,
            at_most=1,
            default=0.0,
        ),
        Column(
            "maximum_share",
            _("fraction of the unit to which it can be applied; abatement and costs are proportional to it"),
            "fraction",
            number=True,
            at_least=0,
            at_most=1,
            default=1.0,
        ),
        LARGEST_NEW_SHARE,
        Column(
            "first_year",
            _("earliest compliance year in which it can run; absent: any"),
            "year",
            number=True,
            at_least=2000,
            at_most=2100,
            whole=True,
        ),
        Column(
            "lifetime_years",
            _("years from one investment to the next"),
            "years",
            number=True,
            required=True,
            at_least=1,
            at_most=100,
            whole=True,
        ),
        *COST_COLUMNS,
        Column(
            "stops",
            _(
                "yes: may run in some years and not in others, and costs only while it runs; else it runs to the "
                "last year"
            ),
            choices=("yes", "no"),
            default="no",
        ),
        Column("exclusive_group", _("group of which a unit applies at most one measure"), identifier=True),
        Column("requires", _("measure_ids, separated by spaces, that must run as well")),
        Column(
            "electricity_only",
            _(
                "saves electricity alone, so no emissions under this system: abatement_rate 0, never chosen, "
                "listed for "
                "completeness"
            ),
            choices=("yes", "no"),
            default="no",
        ),
        Column(
            "price_year",
            _("price year of the costs, that of the policy"),
            "year",
            number=True,
            at_least=2000,
            at_most=2100,
            whole=True,
        ),
        Column("confidence", _("A official text, B secondary source, C general knowledge"), choices=("A", "B", "C")),
        Column("source", _("source of the figures")),
    ),
)

FORECAST = forecast_table(SECTORS)

SCENARIOS = scenarios_table(SECTORS)

SUPPLY = supply_table(SECTORS)


def with_own_sectors(table: Table) -> Table:
    """Return a table in which any identifier names a sector."""
    columns = (
        replace(column, choices=(), identifier=True) if column.choices == SECTORS else column
        for column in table.columns
    )
    return replace(table, columns=tuple(columns))


TABLES = (UNITS, ENTERPRISES, MEASURES, FORECAST, SCENARIOS, SUPPLY, *EVIDENCE)
