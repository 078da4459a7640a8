"""Declaration of a table of an instance: columns with units, ranges, meanings and defaults."""

from __future__ import annotations

from dataclasses import dataclass

from etsopt.common.language import _, chain


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    name, meaning
        Name in the file, and description.
    unit
        Unit of the numbers; empty for text.
    number
        True if the cells are numbers.
    required
        True if the column must be present and filled. An optional column may have empty cells.
    identifier
        True if the cells are identifiers: short, one line, compared after Unicode normalisation.
    verbatim
        True if the cells are evidence, which is kept to the letter: no full-width sign becomes another one.
    above, at_least, at_most
        Exclusive and inclusive lower limit of the numbers, and inclusive upper limit.
    whole
        True if the numbers are whole, such as years.
    choices
        The only texts allowed, if not empty.
    default
        Value of an absent cell: a number, a text, or for numbers the name of the column that replaces it; None if it
        stays absent.
    at_zero
        Remedy for a cell with 0, where that is out of range and yet true.
    """

    name: str
    meaning: str
    unit: str = ""
    number: bool = False
    required: bool = False
    identifier: bool = False
    verbatim: bool = False
    above: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    whole: bool = False
    choices: tuple[str, ...] = ()
    default: float | str | None = None
    at_zero: str = ""

    @property
    def limits(self) -> str:
        """The range of the numbers as text; empty if there is none."""
        words = [_("at least {limit:g}", limit=self.at_least)] if self.at_least is not None else []
        words += [_("above {limit:g}", limit=self.above)] if self.above is not None else []
        words += [_("at most {limit:g}", limit=self.at_most)] if self.at_most is not None else []
        return chain(words, _("{first} and {second}")) if words else ""


@dataclass(frozen=True)
class Table:
    """A table of an instance, in a CSV or Parquet file of that name; the columns ``key`` identify a row."""

    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def file(self) -> str:
        """Name of the table's CSV file."""
        return f"{self.name}.csv"

    @property
    def files(self) -> tuple[str, str]:
        """Names of the table's possible files, in CSV and Parquet."""
        return self.file, f"{self.name}.parquet"

    def column(self, name: str) -> Column:
        """Return the column of that name."""
        return next(column for column in self.columns if column.name == name)
