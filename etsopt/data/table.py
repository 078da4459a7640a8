"""What a table of an instance is: columns with units, ranges, meanings and defaults."""

from __future__ import annotations

from dataclasses import dataclass


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
    above, at_least, at_most
        Exclusive and inclusive lower limit of the numbers, and inclusive upper limit.
    whole
        Whether the numbers are whole ones, such as years.
    choices
        The only texts allowed, if not empty.
    default
        What an absent cell stands for: a number, a text, or for numbers the name of the column that stands in;
        None where absent stays absent.
    """

    name: str
    meaning: str
    unit: str = ""
    number: bool = False
    required: bool = False
    identifier: bool = False
    above: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    whole: bool = False
    choices: tuple[str, ...] = ()
    default: float | str | None = None

    @property
    def limits(self) -> str:
        """The range of the numbers in words; empty where there is none."""
        words = [f"at least {self.at_least:g}"] if self.at_least is not None else []
        words += [f"above {self.above:g}"] if self.above is not None else []
        words += [f"at most {self.at_most:g}"] if self.at_most is not None else []
        return " and ".join(words)


@dataclass(frozen=True)
class Table:
    """A table of an instance: a file of that name, in CSV or Parquet; the columns ``key`` are together unique in it."""

    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def file(self) -> str:
        """Name of the file that holds the table, where it is one in CSV."""
        return f"{self.name}.csv"

    @property
    def files(self) -> tuple[str, str]:
        """Names of the files of which one may hold the table."""
        return self.file, f"{self.name}.parquet"

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)
