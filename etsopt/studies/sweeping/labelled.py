"""Numbers of a sweep as labelled arrays of xarray, with the scenario as a dimension."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from etsopt.common.errors import UsageError
from etsopt.common.language import _
from etsopt.common.modules import optional

if TYPE_CHECKING:
    import xarray

DIMENSIONS = ("scenario", "sector", "province", "year", "id")


def load_xarray() -> Any:
    """Return the package of labelled arrays.

    Raises
    ------
    UsageError
        If it is not installed.
    """
    return optional(
        "xarray",
        _("Labelled arrays need xarray, which is not installed."),
        _('Install it: pip install "etsopt[xarray]"'),
    )


def as_dataset(values: pd.DataFrame, table: str) -> xarray.Dataset:
    """Return the numbers of one table as arrays.

    Parameters
    ----------
    values
        Numbers of a sweep: `Sweep.numbers`, or ``values.csv``.
    table
        Name of the table, such as ``sectors`` or ``years``.

    Returns
    -------
    xarray.Dataset
        A variable for each column of the table, with the attribute ``units``, over the dimensions ``scenario`` and
        those of ``sector, province, year, id`` that the table has; NaN where there is no number. Years are whole
        numbers. The statuses of scenarios are the coordinate ``status`` if the values have them.

    Raises
    ------
    UsageError
        If xarray is not installed, or no scenario has the table.

    Examples
    --------
    >>> import etsopt
    >>> swept = etsopt.sweep(etsopt.read("tiny"), {"today": {}, "tighter": {"sectors.cement.target_change": -0.006}})
    >>> sectors = as_dataset(swept.numbers, "sectors")
    >>> sectors["allowance_t"].dims, sectors["allowance_t"].attrs
    (('scenario', 'sector'), {'units': 't'})
    """
    arrays = load_xarray()
    rows = values[(values["table"] == table) & values["value"].notna()]
    if rows.empty:
        raise UsageError(_("The sweep has no table {table!r}.", table=table), _advice(values))
    present = rows[list(DIMENSIONS)].replace("", None).notna().any()
    dimensions = [name for name in DIMENSIONS if present[name]]
    # Types of numpy alone: files of arrays have no others, and a year is then found by its number.
    years = {"year": int if rows["year"].notna().all() else float} if present["year"] else {}
    rows = rows.astype({"value": float, **years})
    found = {str(quantity): _array(part, dimensions, arrays) for quantity, part in rows.groupby("quantity", sort=False)}
    dataset: xarray.Dataset = arrays.Dataset(found).reindex(scenario=list(dict.fromkeys(values["scenario"])))
    if "status" in values:
        status = values.drop_duplicates("scenario").set_index("scenario")["status"]
        dataset = dataset.assign_coords(status=("scenario", status.loc[dataset["scenario"].to_numpy()].to_numpy()))
    return dataset


def _advice(values: pd.DataFrame) -> str:
    """Return the tables that a sweep has, or why it has none: the first message of a scenario."""
    if known := ", ".join(values["table"][values["value"].notna()].unique()):
        return _("Choose one of {known}.", known=known)
    # A scenario without a number has its message as id, in what `etsopt.sweep` returns.
    said = values[values["id"].notna() & (values["id"] != "")]
    if said.empty:
        return _("No scenario has an answer.")
    name, why = said.iloc[0][["scenario", "id"]]
    return _("No scenario has an answer; of the first, {name}: {why}", name=name, why=why)


def _array(rows: pd.DataFrame, dimensions: list[str], arrays: Any) -> Any:
    """Return one column of a table as an array; units that differ by row are all named."""
    array = arrays.DataArray.from_series(rows.set_index(dimensions)["value"])
    return array.assign_attrs(units=", ".join(rows["unit"].fillna("").unique()))
