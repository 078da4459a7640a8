"""Every table of an instance: its columns, units, ranges and meanings.

The single source: the validator, the generator, the writer and the documentation derive from it.
"""

from __future__ import annotations

from dataclasses import dataclass

SECTORS = ("cement", "steel", "aluminium", "power")

SPECIAL_CASES = ("new", "closed", "white_clinker", "carbide_slag", "gypsum_acid", "hydrogen_furnace")
"""Units that get allowances equal to their emissions: first year, closed before allocation, and the kilns and
furnaces that the 2026 plan (consultation draft of 27 July 2026, section on special cases) takes out of the formula."""

USER_COLUMN_PREFIX = "x_"
LONGEST_IDENTIFIER = 64

PLAUSIBLE_INTENSITY = {"cement": 0.83, "steel": 0.88, "aluminium": 1.57, "power": 0.84}
"""Typical intensity of a sector [tCO2e per t of intensity output; power per MWh].

Cement and aluminium: sector emissions of 2024 over output; steel: ironmaking and sintering per tonne of iron with
the guideline's gas deduction, 0.83-0.93 (derived figures); power: 2025 output intensity of the development report.
Used only to recognise slips of units, never in an allocation.
"""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    name, meaning
        As in the file, and in words.
    unit
        Unit of the numbers; empty for text.
    number
        Whether the cells are numbers.
    required
        Whether the column must be there. An optional column may also have empty cells: absent is absent.
    identifier
        Whether the cells name something: short, one line, compared after Unicode normalisation.
    above, at_least
        Exclusive and inclusive lower limit of the numbers.
    choices
        The only texts allowed, if not empty.
    """

    name: str
    meaning: str
    unit: str = ""
    number: bool = False
    required: bool = False
    identifier: bool = False
    above: float | None = None
    at_least: float | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A table of an instance: a file of that name with ``.csv``; ``key`` is unique in it."""

    name: str
    meaning: str
    key: str
    columns: tuple[Column, ...]

    @property
    def file(self) -> str:
        """Name of the file that holds the table."""
        return f"{self.name}.csv"

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)


UNITS = Table(
    "units",
    "the allocation units: steel enterprise, clinker line, electrolysis series, power unit",
    "unit_id",
    (
        Column("unit_id", "identifies the unit", required=True, identifier=True),
        Column("enterprise_id", "identifies the enterprise that owns it", required=True, identifier=True),
        Column("name", "name of the unit"),
        Column("sector", "sector of the unit", required=True, choices=SECTORS),
        Column("province", "province that allocates to it", required=True, identifier=True),
        Column(
            "emissions_tco2e",
            "verified emissions: base of the allocation, and the obligation",
            "tCO2e",
            number=True,
            required=True,
            at_least=0,
        ),
        Column("output_t", "product; where a rule or a target uses output", "t", number=True, above=0),
        Column(
            "intensity_output_t",
            "output on which the rule measures intensity (steel: iron); default output_t",
            "t",
            number=True,
            above=0,
        ),
        Column(
            "intensity_emissions_tco2e",
            "emissions on which it does (steel: ironmaking and sintering); default emissions_tco2e",
            "tCO2e",
            number=True,
            at_least=0,
        ),
        Column("case", "special case of the plan that gets allowances equal to emissions", choices=SPECIAL_CASES),
        Column("prior_emissions_tco2e", "last year's verified emissions", "tCO2e", number=True, at_least=0),
        Column("pre_allocated_t", "allowances issued in advance", "t", number=True, at_least=0),
        Column("reference_t", "reference allowances, for the rule 'given'", "t", number=True, at_least=0),
    ),
)

ENTERPRISES = Table(
    "enterprises",
    "the enterprises that own the units",
    "enterprise_id",
    (
        Column("enterprise_id", "identifies the enterprise", required=True, identifier=True),
        Column("name", "name of the enterprise"),
        Column("province", "province of its seat"),
        Column("city", "city of its seat"),
    ),
)

TABLES = (UNITS, ENTERPRISES)
