"""Build the instance ``eu-2019``: cement, steel and primary aluminium in the EU ETS, as observed in 2019.

    python instances/build_eu_2019.py FOLDER_WITH_RAW_FILES

writes ``units.csv`` into ``instances/eu-2019``, the same bytes each time. The folder holds

- ``eu_ets_2019.csv``: European Commission, EU Transaction Log, reuse with attribution under Decision
  2011/833/EU; the installations of the activities cement clinker, pig iron and steel, and primary aluminium
  with the tonnes allocated, verified and surrendered for 2019 and the compliance code.

Nothing is added, and nothing is changed but the names of columns and sectors.
"""

from __future__ import annotations

import argparse
import re
import unicodedata
from pathlib import Path

import pandas as pd

TARGET = Path(__file__).parent / "eu-2019"
SECTORS = {"cement_clinker": "cement", "steel": "steel", "primary_aluminium": "aluminium"}
LONGEST_IDENTIFIER = 64  # characters


def units(folder: Path) -> pd.DataFrame:
    """Return every installation of the file as a unit, with its free allocation as reference."""
    raw = pd.read_csv(folder / "eu_ets_2019.csv", dtype=str, keep_default_na=False)
    raw = raw.sort_values(["country", "installation_id"], ignore_index=True)
    # Installation numbers are unique within a country only.
    unit_id = raw["country"] + "-" + raw["installation_id"]
    operator = raw["operator"].str.strip()
    owner = (raw["country"] + "-" + operator.map(slug)).str[:LONGEST_IDENTIFIER]
    return pd.DataFrame(
        {
            "unit_id": unit_id,
            "enterprise_id": owner.where(operator != "", unit_id),
            "name": raw["installation_name"].str.strip(),
            "sector": raw["sector"].map(SECTORS),
            "province": raw["country"],
            "emissions_tco2e": raw["verified_emissions"].map(tonnes),
            "reference_t": raw["allocated_total"].map(tonnes),
            "x_operator": operator,
            "x_surrendered_t": raw["surrendered"].map(tonnes),
            "x_compliance_code": raw["compliance_code"].str.strip(),
        }
    )


def slug(name: str) -> str:
    """Return an identifier for a name: letters of any alphabet, without case and punctuation."""
    return re.sub(r"[\W_]+", "-", unicodedata.normalize("NFKC", name).casefold()).strip("-")


def tonnes(cell: str) -> str:
    """Format a whole number of tonnes without decimals; an empty cell stays empty: not reported is not zero."""
    if not cell:
        return ""
    if not float(cell).is_integer():
        raise ValueError(f"{cell} is not a whole number of tonnes")
    return f"{float(cell):.0f}"


def main() -> None:
    """Read the raw file, write the table and print the totals."""
    parser = argparse.ArgumentParser(description="Build the instance eu-2019 from the EU Transaction Log.")
    parser.add_argument("raw_folder", type=Path, help="folder with eu_ets_2019.csv")
    table = units(parser.parse_args().raw_folder)
    table.to_csv(TARGET / "units.csv", index=False, encoding="utf-8", lineterminator="\n")
    totals = table[["emissions_tco2e", "reference_t"]].astype("int64").groupby(table["sector"])
    print(totals.sum().assign(units=totals.size()))


if __name__ == "__main__":
    main()
