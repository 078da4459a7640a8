"""Results of a command, repeated when it is shown at another width or in the other language.

Reading, solving, checking and writing know no width, and take nearly all of the time. So they run once for a case;
after that their results, errors and warnings come from here, in the order of the calls. A nightly test in
`test_commands.py` sees that a command without this memory shows the same.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any
from unittest import mock

import pytest

OF_BOTH_LANGUAGES = {
    "etsopt.running.run": ("solve", "check"),
    "etsopt.running.reading": ("read",),
    "etsopt.running.roll": ("roll_over",),
    "etsopt.running.results.results": ("load", "load_both"),
    "etsopt.running.results.results.Results": ("save", "explain"),
    "etsopt.data.files.read": ("read_instance",),
    "etsopt.studies.sweeping.engine.Engine": ("outcome",),
    "etsopt.studies.curves": ("curve",),
    "etsopt.studies.curves.box.Box": ("sample",),
    "etsopt.studies.curves.result.Curve": ("save",),
    "etsopt.studies.forecasting.api": ("forecast",),
    "etsopt.reports": ("official_tables",),
    "etsopt.reports.official.reading": ("read_back",),
    "etsopt.accounting": (
        *("account", "evidence_of", "history", "inclusion", "monitor", "read_monitor"),
        *(
            "read_parameters",
            "read_register",
            "read_reports",
            "read_source",
            "review",
            "review_with_causes",
            "review_plan_instance",
            "screen",
            "import_findings",
        ),
        "verify",
    ),
    "etsopt.accounting.store": ("export_reports", "import_reports", "store_log", "verify_store"),
    "etsopt.accounting.store.ledger": ("line_at",),
}
"""Functions whose results are repeated, by the modules and classes where commands find them."""

OF_ONE_LANGUAGE = {
    "etsopt.accounting": ("decide",),
    "etsopt.accounting.save": ("save", "save_monitoring", "save_plan", "save_review", "save_screening"),
    "etsopt.presenting.charts.plots.Plots": ("save",),
    "etsopt.data.files.instance_sheets": ("write_workbook",),
    "etsopt.data.files.write": ("write_instance",),
    "etsopt.studies.designing.page": ("write_design_report", "charts_of"),
    "etsopt.reports": ("compliance_page", "write_monthly_sheets", "write_official_tables"),
    "etsopt.reports.letters": ("write_letter",),
    "etsopt.reports.write": ("write_comparison", "write_report"),
    "etsopt.reports.workbook": ("write_result_workbook",),
    "etsopt.studies.sweeping.page": ("write_sweep_report", "charts_of"),
}
"""Functions that write files in a language, or name items in it, whose results are repeated in that language only."""


@dataclass
class Call:
    """An outcome of a function, and the warnings that came before it."""

    name: str
    result: Any = None
    error: Exception | None = None
    warned: list[tuple[Any, ...]] = field(default_factory=list)

    def again(self, name: str) -> Any:
        """Warn, raise and return as the function did."""
        assert name == self.name, f"{name} is called, where {self.name} was before"
        for arguments in self.warned:
            warnings.showwarning(*arguments)
        if self.error is not None:
            raise self.error
        return _own(self.result)


def _own(result: Any) -> Any:
    """Return a list as a new one, since commands add to lists of files."""
    return [*result] if isinstance(result, list) else result


class Memory:
    """Calls of one command, in their order: of both languages, and of each."""

    def __init__(self) -> None:
        self.calls: dict[str, list[Call]] = {}
        self._used = self._inside = False

    @contextmanager
    def used(self, lang: str) -> Iterator[None]:
        """Let the first command inside compute, and repeat its results in every further one."""
        # Every module is there before the first function is replaced, which some import by name.
        tables = (("", OF_BOTH_LANGUAGES), (lang, OF_ONE_LANGUAGE))
        owners = {place: _found(place) for _, table in tables for place in table}
        with pytest.MonkeyPatch.context() as patch:
            for key, table in tables:
                known = self.calls.get(key)
                left = None if known is None else iter(known)
                for place, names in table.items():
                    for name in names:
                        own = self._repeating(key, f"{place}.{name}", getattr(owners[place], name), left)
                        patch.setattr(owners[place], name, own)
                self.calls.setdefault(key, [])
            self._used = True
            try:
                yield
            finally:
                self._used = False

    def _repeating(
        self, key: str, name: str, function: Callable[..., Any], left: Iterator[Call] | None
    ) -> Callable[..., Any]:
        def called(*arguments: Any, **named: Any) -> Any:
            if self._inside or not self._used:
                return function(*arguments, **named)
            if left is not None:
                return next(left).again(name)
            self._inside = True
            call = Call(name)
            self.calls[key].append(call)
            try:
                with _heard(call.warned):
                    call.result = _own(result := function(*arguments, **named))
            except Exception as error:
                call.error = error
                raise
            finally:
                self._inside = False
            return result

        return called


@cache
def _found(place: str) -> Any:
    """Return a module or a class by its name."""
    try:
        return import_module(place)
    except ModuleNotFoundError:
        module, _, name = place.rpartition(".")
        return getattr(import_module(module), name)


@contextmanager
def _heard(warned: list[tuple[Any, ...]]) -> Iterator[None]:
    """Keep the warnings inside, and show them as before."""
    show = warnings.showwarning

    def heard(*arguments: Any) -> None:
        warned.append(arguments)
        show(*arguments)

    with mock.patch.object(warnings, "showwarning", heard):
        yield
