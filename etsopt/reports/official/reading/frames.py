"""Frames of units and enterprises, as an instance has them, from joined annex tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from etsopt.reports.official.headings import NUMBERS_OF_USER, TEXTS_OF_USER
from etsopt.reports.official.reading.units import identifiers, texts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from etsopt.reports.official.reading.joined import Joined

PLAIN = {
    "emissions": "emissions_tco2e",
    "capacity": "capacity_mw",
    "generation": "generation_mwh",
    "heat": "heat_gj",
    "prior": "prior_emissions_tco2e",
}
"""Keys of headings, and the columns of an instance that hold the same figures."""

HEADINGS = {
    **{column: key for key, column in PLAIN.items()},
    "output_t": "output",
    "intensity_output_t": "output",
    "intensity_emissions_tco2e": "intensity",
    "load_factor": "load_percent",
    "carbide_slag_rate": "slag_percent",
    "unit_class": "unit_class",
    "special_case": "notes",
    "unit_id": "unit",
    "enterprise_id": "uscc",
    "province": "province",
    "name": "name",
    "pre_allocated_t": "pre_allocated",
}
"""Columns of an instance, and the keys of the headings that messages name instead."""

DECIMALS_OF_FRACTION, DECIMALS_OF_EMISSIONS = 11, 6
"""Decimals that are left of a percentage divided by 100, and of an intensity times its output."""


def units_frame(joined: Joined, cases: Sequence[str]) -> pd.DataFrame:
    """Return the units with the columns that the tables hold; rows are labelled with row and file."""
    rows = joined.units
    frame = pd.DataFrame(
        {
            "unit_id": identifiers(rows),
            "enterprise_id": rows["uscc"],
            "sector": rows["sector"],
            "province": rows["province"],
            "special_case": list(cases),
            "unit_class": texts_of(rows, "unit_class"),
        }
    ).astype(object)
    frame = frame.assign(**{column: rows[key].astype(float) for key, column in PLAIN.items()}, **_outputs(rows))
    frame["load_factor"] = np.round(rows["load_percent"] / 100, DECIMALS_OF_FRACTION)
    frame["carbide_slag_rate"] = np.round(rows["slag_percent"] / 100, DECIMALS_OF_FRACTION)
    frame = frame.assign(**_of_user(rows))
    frame.index = pd.Index([f"{row} of {place}" for row, place in zip(rows["row_2"], rows["place_2"], strict=True)])
    filled = [name for name in frame if (frame[name].notna() & (frame[name] != "")).any()]
    return frame[list(dict.fromkeys(["unit_id", "enterprise_id", "sector", "province", "emissions_tco2e", *filled]))]


def _outputs(rows: pd.DataFrame) -> dict[str, NDArray[np.float64]]:
    """Return output, and the part of output and emissions on which intensity is measured where that is another."""
    figures = {key: rows[key].to_numpy(dtype=float) for key in ("output", "crude_steel", "intensity", "emissions")}
    steel = (rows["sector"] == "steel").to_numpy()
    output = np.where(steel, figures["crude_steel"], figures["output"])
    part = np.where(steel & ~(figures["output"] == figures["crude_steel"]), figures["output"], np.nan)
    measured = np.round(figures["intensity"] * figures["output"], DECIMALS_OF_EMISSIONS)
    both = rows["iron_emissions"].to_numpy() + rows["sinter_emissions"].to_numpy()
    measured = np.where(steel & ~np.isnan(both), both, measured)
    rounding = rows["intensity_within"].to_numpy() * figures["output"]
    # The emissions of a unit outside the scope are 0 in the tables, and no rule measures its intensity.
    same = (np.abs(measured - figures["emissions"]) <= rounding) | rows["outside"].to_numpy()
    return {
        "output_t": np.where(output > 0, output, np.nan),
        "intensity_output_t": np.where(part > 0, part, np.nan),
        "intensity_emissions_tco2e": np.where(same, np.nan, measured),
    }


def _of_user(rows: pd.DataFrame) -> dict[str, Any]:
    """Return the columns of which an instance knows nothing, ``x_`` before their keys."""
    columns: dict[str, Any] = {f"x_{key}": rows[key].astype(float) for key in NUMBERS_OF_USER if key in rows}
    return columns | {f"x_{key}": texts_of(rows, key) for key in TEXTS_OF_USER if key in rows}


def enterprises_frame(joined: Joined) -> pd.DataFrame:
    """Return the enterprises: code, name, and the tonnes to be deducted, summed over their rows."""
    rows = joined.every_row[joined.every_row["uscc"] != ""]
    names = rows[rows["name"] != ""].drop_duplicates("uscc").set_index("uscc")["name"]
    codes = sorted(set(joined.units["uscc"]))
    table = pd.DataFrame({"enterprise_id": codes, "name": [names.get(code, "") for code in codes]}, dtype=object)
    table["name"] = table["name"].where(table["name"] != table["enterprise_id"], "")
    after = joined.issue_after
    later = after["determined"] - after["issued_in_all"] + after["remaining"]
    due = after["to_deduct"].where(after["to_deduct"].notna(), later)
    tonnes = due.groupby(after["uscc"]).sum().reindex(codes).to_numpy()
    if (tonnes > 0).any():
        table["deduction_t"] = np.where(tonnes > 0, tonnes, np.nan)
    first = rows.drop_duplicates("uscc").set_index("uscc")
    table.index = pd.Index([f"{first.loc[code, 'row']} of {first.loc[code, 'place']}" for code in codes])
    return table


def at_risk(joined: Joined) -> list[str]:
    """Return the enterprises whose allowances the account of the province gets, other than for closed units."""
    codes: set[str] = set()
    for rows in (joined.issued, joined.pre_issued):
        if len(rows):
            marked = (rows["differentiated"] == "是") & ~rows["reason"].str.contains("关停")
            codes |= set(rows.loc[marked | rows["reason"].str.contains("履约风险"), "uscc"])
    return sorted(codes & set(joined.units["uscc"]))
