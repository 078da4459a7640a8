"""Tables of results by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from etsopt.common.errors import UsageError
from etsopt.common.language import _
from etsopt.data.messages import did_you_mean

if TYPE_CHECKING:
    import pandas as pd


class UnknownTableError(UsageError, KeyError):
    """A table that results do not have."""

    __str__ = UsageError.__str__


class NamedTables(dict[str, "pd.DataFrame"]):
    """Tables by name, which tell what they are asked for in vain.

    >>> NamedTables({"sectors": None, "units": None})["sector"]
    Traceback (most recent call last):
        ...
    etsopt.running.results.named_tables.UnknownTableError: There is no table 'sector'.
    <BLANKLINE>
    Did you mean 'sectors'? Choose one of sectors, units.
    """

    def __missing__(self, name: object) -> NoReturn:
        what = _("There is no table {name!r}.", name=name)
        if not self:
            raise UnknownTableError(what, "The results have no tables: their status tells why.")
        advice = _("{guess}Choose one of {known}.", guess=did_you_mean(str(name), self), known=", ".join(sorted(self)))
        raise UnknownTableError(what, advice)
