"""Default factors of the accounting guidelines, with source and confidence.

`etsopt.accounting.factors` replaces those that a user states. Marks are those of `etsopt.data.policy.official`.
"""

from __future__ import annotations

from dataclasses import dataclass

from etsopt.accounting.vocabulary import ITEMS
from etsopt.common.language import _

STEEL_GUIDELINE = "CETS-AG-03.01-V01-2024"
CEMENT_GUIDELINE = "CETS-AG-02.01-V01-2024"
ALUMINIUM_GUIDELINE = "CETS-AG-04.01-V01-2024"
POWER_GUIDELINE = "CETS-AG-01.01-V04-2026"
POWER_VERIFICATION = "CETS-VG-01.01-V02-2026"
GUIDELINES = {
    **{"steel": STEEL_GUIDELINE, "cement": CEMENT_GUIDELINE, "aluminium": ALUMINIUM_GUIDELINE},
    "power": POWER_GUIDELINE,
}

SOURCES = {
    **{
        f"steel {table}": _(
            "{guideline} (环办气候函〔2025〕27号), table {table}", guideline=STEEL_GUIDELINE, table=table
        )
        for table in ("A.1", "A.2")
    },
    "steel A.1 for cement": _(
        "{steel}, table A.1, taken for clinker lines: the text of {cement} (环办气候函〔2024〕321号) was not obtained",
        steel=STEEL_GUIDELINE,
        cement=CEMENT_GUIDELINE,
    ),
    "cement": _(
        "a third-party program after {guideline}, whose text was not obtained; the allocation plan confirms that both "
        "kinds of factor exist",
        guideline=CEMENT_GUIDELINE,
    ),
    "aluminium": _(
        "secondary sources; the text of {guideline} (环办气候函〔2024〕321号) was not obtained",
        guideline=ALUMINIUM_GUIDELINE,
    ),
    "anode effect": _(
        "a broker's reading of the draft of {guideline}, 25 June 2024: with its anode figure it gives the official "
        "total of the sector",
        guideline=ALUMINIUM_GUIDELINE,
    ),
    "older rule": _("the accounting rules before 2024, whose default of the anode effect is 0.26316 tCO2e/t"),
    "power gas": _(
        "{verification}, tables 11 and 12: the default applies, and is 5.9642 tC/10^4 Nm3; {steel}, table A.1, has its "
        "two factors",
        verification=POWER_VERIFICATION,
        steel=STEEL_GUIDELINE,
    ),
    "power carbon": _(
        "{guideline}, not obtained. {verification}, table 8: a month without a valid test takes its default. A "
        "secondary source on the notice of 8 June 2022 has 0.03085 tC/GJ for any coal, in 2021 and 2022",
        guideline=POWER_GUIDELINE,
        verification=POWER_VERIFICATION,
    ),
    "power heat": _(
        "{guideline}, not obtained. {verification}, table 9: a day or batch without a test takes its default",
        guideline=POWER_GUIDELINE,
        verification=POWER_VERIFICATION,
    ),
    "power appendix": _("appendix A of the power guideline, not obtained"),
    "power update": _(
        "update of the power guideline of 23 June 2026, annex 1, which quotes 6.2.5.1 of the text before it: 99 % for "
        "coal"
    ),
    "power database": _(
        "national database of emission factors, edition of 31 October of the year before, by boiler type and altitude "
        "(update of the power guideline of 23 June 2026, annex 1): figures not obtained"
    ),
    "power grid": _(
        "grid factor of the year, published by the ministry, not read for all years; from 2026 on bought electricity "
        "emits nothing (update of the power guideline of 23 June 2026, annex 1, part 2)"
    ),
    "warming": _(
        "contents page of {guideline}, and the fifth assessment report of the IPCC", guideline=ALUMINIUM_GUIDELINE
    ),
}
"""Sources by their short names in the table."""


@dataclass(frozen=True)
class Figure:
    """A default factor, or a choice between formulas.

    Parameters
    ----------
    key
        Dotted key by which parameters replace it.
    value
        A number, True or False, or one of ``choices``; NaN for a figure to be stated, as no text that was read has it.
    unit
        Unit of a number.
    source, confidence
        Key of `SOURCES`, and A, B or C.
    meaning
        Description.
    at_most
        Largest value; None without one. The least is 0.
    choices
        The only texts allowed.
    """

    key: str
    value: float | bool | str
    unit: str
    source: str
    confidence: str
    meaning: str
    at_most: float | None = None
    choices: tuple[str, ...] = ()


FUELS: dict[str, tuple[float, float, float]] = {
    "anthracite": (25.024, 0.02749, 0.99),
    "bituminous": (23.736, 0.02618, 0.99),
    "lignite": (15.250, 0.02797, 0.99),
    "washed_coking_coal": (26.344, 0.02541, 0.99),
    "other_washed_coal": (12.545, 0.02541, 0.99),
    "coal_gangue": (8.374, 0.02541, 0.99),
    "coal_slime": (12.545, 0.02541, 0.99),
    "coke": (28.435, 0.02942, 0.99),
    "semi_coke": (28.435, 0.02942, 0.99),
    "petroleum_coke": (32.500, 0.02750, 0.99),
    "other_coal_products": (17.460, 0.03356, 0.99),
    "crude_oil": (41.816, 0.02008, 0.98),
    "fuel_oil": (41.816, 0.02110, 0.98),
    "gasoline": (43.070, 0.01890, 0.98),
    "diesel": (42.652, 0.02020, 0.98),
    "kerosene": (43.070, 0.01960, 0.98),
    "other_petroleum_products": (41.031, 0.02000, 0.98),
    "lng": (51.498, 0.01720, 0.98),
    "lpg": (50.179, 0.01720, 0.98),
    "coal_tar": (33.453, 0.02200, 0.98),
    "refinery_dry_gas": (45.998, 0.01820, 0.98),
    "natural_gas": (389.310, 0.01532, 0.99),
    "blast_furnace_gas": (33.000, 0.07080, 0.99),
    "converter_gas": (84.000, 0.04960, 0.99),
    "coke_oven_gas": (173.854, 0.01210, 0.99),
    "other_gas": (52.270, 0.01220, 0.99),
}
"""Net calorific value [GJ/t, GJ/10^4 Nm3], carbon content [tC/GJ] and oxidation rate of the 25 fuels of table A.1, and
of semi-coke, which by its note 8 may take those of coke."""

MATERIALS: dict[str, float] = {
    "limestone": 0.440,
    "dolomite": 0.476,
    "electrode": 3.663,
    "ferronickel": 0.037,
    "ferromolybdenum": 0.018,
    "ferrosilicon": 0.007,
    "silicomanganese": 0.092,
    "low_carbon_silicomanganese": 0.011,
    "blast_furnace_ferromanganese": 0.275,
    "eaf_high_carbon_ferromanganese": 0.275,
    "micro_carbon_ferromanganese": 0.004,
    "high_carbon_ferrochrome": 0.348,
    "pig_iron": 0.172,
    "direct_reduced_iron": 0.073,
    "scrap": 0.037,
    "crude_steel": 0.037,
    "tar": 2.699,
    "crude_benzol": 3.382,
}
"""Factors of the 18 materials of table A.2 [tCO2/t]."""

CLINKERS: dict[str, float] = {
    "portland_clinker": 0.535,
    "white_portland_clinker": 0.550,
    "sulphoaluminate_clinker": 0.413,
    "aluminate_clinker": 0.292,
}
"""Process emissions of clinker [tCO2/t]."""

_BY_DEDUCTION: dict[float, tuple[str, ...]] = {
    0.600: ("desulphurisation_powder", "slaked_lime"),
    0.480: ("carbide_slag", "magnesium_slag"),
    0.375: ("paper_white_mud", "caf2_sludge", "phosphorus_slag"),
    0.305: ("vanadium_titanium_slag", "nitrogen_slag", "waste_incineration_fly_ash", "ferroalloy_slag"),
    0.245: (
        *("desulphurisation_gypsum", "phosphogypsum", "titanogypsum", "fluorogypsum", "borogypsum"),
        *("moulding_gypsum", "citric_acid_slag"),
    ),
    0.215: ("steel_slag", "nickel_slag"),
    0.135: ("manganese_slag", "zinc_slag", "tin_slag"),
    0.055: (
        *("municipal_sludge", "aluminium_slag", "sulphuric_acid_slag", "copper_slag", "lead_zinc_slag"),
        *("fly_ash", "red_mud"),
    ),
}
DEDUCTIONS: dict[str, float] = {name: value for value, names in _BY_DEDUCTION.items() for name in names}
"""Process emissions that a tonne of non-carbonate raw material avoids [tCO2/t]."""


def fuel_keys(sector: str, fuel: str) -> tuple[str, str, str]:
    """Return the keys of calorific value, carbon content and oxidation rate of a fuel in a sector."""
    stem = f"{sector}.fuels.{ITEMS[fuel].own_of or fuel}"
    oxidation = f"power.oxidation.{KIND_BY_PHASE[ITEMS[fuel].phase]}" if sector == "power" else f"{stem}.oxidation"
    return f"{stem}.ncv_gj_per_unit", f"{stem}.carbon_tc_per_gj", oxidation


KIND_BY_PHASE = {"solid": "coal", "liquid": "oil", "gas": "gas"}
"""Kinds of fuel for which the power guideline has oxidation rates, by phase."""


def factor_key(kind: str, item: str) -> str:
    """Return the key of the factor of a material, clinker or deduction."""
    room = {"material": "steel.materials", "clinker": "cement.clinkers", "deduction": "cement.deductions"}[kind]
    return f"{room}.{item}.tco2_per_t"


def _fuels(sector: str, source: str, mark: str) -> list[Figure]:
    figures = []
    for fuel, values in FUELS.items():
        meanings = ("net calorific value", "carbon content", "oxidation rate")
        # The table prints GJ/t, and GJ/10^4 Nm3 for gases.
        units = ("GJ/unit", "tC/GJ", "fraction")
        for key, value, unit, what in zip(fuel_keys(sector, fuel), values, units, meanings, strict=True):
            most = 1.0 if unit == "fraction" else None
            figures.append(Figure(key, value, unit, source, mark, f"{what} of {fuel}", most))
    return figures


def _factors(kind: str, values: dict[str, float], source: str, mark: str, what: str) -> list[Figure]:
    return [
        Figure(factor_key(kind, name), value, "tCO2/t", source, mark, f"{what} {name}")
        for name, value in values.items()
    ]


def _power() -> list[Figure]:
    """Return the figures of power units; most have to be stated, as the text that has them was not obtained."""
    absent = float("nan")
    figures = []
    for fuel in FUELS:
        gas = fuel == "natural_gas"
        coal = ITEMS[fuel].phase == "solid"
        values = FUELS[fuel][:2] if gas else (absent, absent)
        sources = ("power gas",) * 2 if gas else ("power heat", "power carbon") if coal else ("power appendix",) * 2
        meanings = (("net calorific value", "GJ/unit"), ("carbon content", "tC/GJ"))
        for key, value, source, (what, unit) in zip(
            fuel_keys("power", fuel)[:2], values, sources, meanings, strict=True
        ):
            figures.append(
                Figure(key, value, unit, source, "A" if gas else "C", f"{what} of {fuel} that was not tested")
            )
    for kind in KIND_BY_PHASE.values():
        coal = kind == "coal"
        before = (0.99, "power update", "A") if coal else (absent, "power appendix", "C")
        text = f"oxidation rate of {kind} in months before 2026"
        figures.append(Figure(f"power.oxidation_to_2025.{kind}", before[0], "fraction", *before[1:], text, 1.0))
        text = f"oxidation rate of {kind} from 2026 on, of units that report none"
        figures.append(Figure(f"power.oxidation.{kind}", absent, "fraction", "power database", "C", text, 1.0))
    text = "carbon dioxide of bought electricity in months before 2026"
    return [*figures, Figure("power.bought_electricity.tco2_per_mwh", absent, "tCO2/MWh", "power grid", "C", text)]


METHODS = ("default", "mass", "slope")

FIGURES: dict[str, Figure] = {
    figure.key: figure
    for figure in (
        *_fuels("steel", "steel A.1", "A"),
        *_factors("material", MATERIALS, "steel A.2", "A", "carbon dioxide of"),
        *_fuels("cement", "steel A.1 for cement", "C"),
        *_factors("clinker", CLINKERS, "cement", "C", "process emissions of"),
        *_factors("deduction", DEDUCTIONS, "cement", "C", "process emissions avoided by"),
        *_power(),
        Figure("cement.oxidation", True, "", "cement", "C", _("true if fuels of clinker lines have an oxidation rate")),
        Figure("cement.deduct", True, "", "cement", "C", _("true if non-carbonate raw materials are deducted")),
        Figure("aluminium.anode_loss", 0.1518, "fraction", "aluminium", "C", _("anode not consumed, as butts"), 1.0),
        Figure("aluminium.anode_sulphur", 0.02, "fraction", "aluminium", "C", _("sulphur of the anode"), 1.0),
        Figure("aluminium.anode_ash", 0.004, "fraction", "aluminium", "C", _("ash of the anode"), 1.0),
        Figure(
            "aluminium.anode_effect",
            "default",
            "",
            "anode effect",
            "C",
            _("formula of the anode effect: by tonne, by mass of both gases, or by minutes of anode effect"),
            choices=METHODS,
        ),
        Figure("aluminium.default_tco2e_per_t", 0.1454, "tCO2e/t", "anode effect", "C", _("anode effect, by tonne")),
        Figure("aluminium.cf4_kg_per_t", 0.034, "kg/t", "older rule", "C", _("CF4, by mass")),
        Figure("aluminium.c2f6_kg_per_t", 0.0034, "kg/t", "older rule", "C", _("C2F6, by mass")),
        Figure("aluminium.cf4_slope", 0.143, "kg/t per min/pot-day", "older rule", "C", _("CF4, by minutes")),
        Figure("aluminium.c2f6_per_cf4", 0.1, "kg/kg", "older rule", "C", _("C2F6 over CF4, by minutes and by tonne")),
        Figure("aluminium.cf4_gwp", 6630.0, "tCO2e/t", "warming", "B", _("global warming potential of CF4")),
        Figure("aluminium.c2f6_gwp", 11100.0, "tCO2e/t", "warming", "B", _("global warming potential of C2F6")),
    )
}
"""All figures by key."""
