"""The commands ``account``, ``screen`` and ``inclusion``: emissions of monthly reports, their flaws, and the list."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from etsopt.cli.options import add_set, add_state, pairs
from etsopt.cli.printing import print_files, print_json, records
from etsopt.common.errors import UsageError
from etsopt.common.language import _

if TYPE_CHECKING:
    from argparse import Namespace

    import pandas as pd

    from etsopt.accounting import Accounts, Reports
    from etsopt.cli.parsing import Commands


def register(commands: Commands) -> None:
    """Add the commands."""
    _register_account(commands)
    _register_screen(commands)
    _register_inclusion(commands)


def _register_account(commands: Commands) -> None:
    text = _("compute emissions by unit, month, process and gas from monthly reports")
    command = commands.add("account", text, account)
    text = _("a folder with register.csv and reports/*.csv, a workbook with both, or a store")
    command.add_argument("data", nargs="?", metavar="DATA", help=text)
    text = _("folder to write the tables, their trail and units.csv to")
    command.add_argument("--out", type=Path, metavar="DIR", help=text)
    add_set(command, _("replace a factor, such as aluminium.default_tco2e_per_t=0.26316; repeatable"))
    text = _("list all factors with source and confidence instead")
    command.add_argument("--factors", action="store_true", help=text)
    add_state(command)


def _register_screen(commands: Commands) -> None:
    text = _("look for missing and late months, jumps, unlikely ratios and copies in monthly reports")
    command = commands.add("screen", text, screen)
    command.add_argument(
        "data", nargs="?", metavar="DATA", help=_("a folder, workbook or store as above, or cn-2025-reports")
    )
    command.add_argument("--out", type=Path, metavar="DIR", help=_("folder to write the findings to"))
    text = _("a Python file with rules of your own, beside those of the package; repeatable")
    command.add_argument("--rule", type=Path, action="append", default=[], metavar="FILE", help=text)
    add_set(command, _("replace a threshold, such as late_month.days=45, or a factor as in account; repeatable"))
    text = _("list all rules with kind, thresholds and source instead")
    command.add_argument("--rules", action="store_true", help=text)
    add_state(command)


def _register_inclusion(commands: Commands) -> None:
    text = _("list the entities that a year covers, those outside it and why, and those near the line")
    command = commands.add("inclusion", text, inclusion)
    text = _("a folder with register.csv, a workbook of reports, a store, an instance, or a shipped one")
    command.add_argument("data", metavar="DATA", help=text)
    text = _("year of the list (default: two years after the emissions)")
    command.add_argument("--year", type=int, help=text)
    text = _("year of the emissions (default: two years before --year, else the last of the reports)")
    command.add_argument("--emissions-year", type=int, metavar="YEAR", help=text)
    add_state(command)


def account(options: Namespace) -> int:
    """Account for the monthly reports of a folder, or list the factors."""
    from etsopt import accounting
    from etsopt.accounting.factors import Factors
    from etsopt.accounting.save import save
    from etsopt.cli import terminal
    from etsopt.common import progress
    from etsopt.reports.monthly import accounts as told

    changes = pairs(options.set, "--set")
    if options.factors:
        of_state = (options.as_of, options.wait)
        stated = {} if options.data is None else accounting.read_parameters(options.data, *of_state)
        table = Factors.of({**stated, **changes}).table()
        if options.json:
            print_json(table.to_dict("records"))
        else:
            terminal.show_blocks(told.factors(table).blocks)
        return 0
    if options.data is None:
        raise UsageError(_("No folder is named."), _("For example: etsopt account plants --out accounts"))
    with terminal.waiting(quiet=options.json) as tell, progress.watched(None, tell):
        source = accounting.read_source(options.data, options.as_of, options.wait)
        reports = source.reports
        accounts = accounting.account(reports, {**source.parameters, **changes})
        files = [] if options.out is None else save(accounts, options.out)
    if options.json:
        print_json(_content(reports, accounts, files))
        return 0
    terminal.show(told.accounts(reports, accounts))
    print_files(files, options.out)
    return 0


def screen(options: Namespace) -> int:
    """Screen the monthly reports of a folder, or list the rules."""
    from etsopt import accounting
    from etsopt.accounting import screening
    from etsopt.accounting.save import save_screening
    from etsopt.accounting.vocabulary import ACCOUNTED
    from etsopt.cli import terminal
    from etsopt.common import progress
    from etsopt.presenting.documents.document import Document
    from etsopt.reports.monthly import screening as told

    for path in options.rule:
        screening.load_file(path)
    changes = pairs(options.set, "--set")
    # Keys of factors begin with their sector, those of thresholds with their rule.
    factors = {key: value for key, value in changes.items() if key.partition(".")[0] in ACCOUNTED}
    thresholds = {key: value for key, value in changes.items() if key not in factors}
    if options.rules:
        table = screening.rules_table(thresholds)
        if options.json:
            print_json(table.to_dict("records"))
        else:
            terminal.show(Document("", "", "", sections=tuple(told.rules(table))))
        return 0
    if options.data is None:
        raise UsageError(_("No folder is named."), _("For example: etsopt screen plants --out findings"))
    with terminal.waiting(quiet=options.json) as tell, progress.watched(None, tell):
        source = accounting.read_source(options.data, options.as_of, options.wait, to_screen=True)
        found = accounting.screen(source.reports, {**source.parameters, **factors}, thresholds)
        files = [] if options.out is None else save_screening(found, options.out)
    if options.json:
        content = {
            "unit_months": len(found.accounts.unit_months),
            "flagged_unit_months": len(found.unit_months),
            "causes": records(found.causes),
            "findings": records(found.findings),
            "rules": records(found.rules),
            "files": files,
        }
        print_json(content)
        return 0
    terminal.show(told.screening(found))
    print_files(files, options.out)
    return 0


def inclusion(options: Namespace) -> int:
    """Print the entities on the list of a year, and why the others are not on it."""
    from etsopt import accounting
    from etsopt.cli import terminal
    from etsopt.common import progress
    from etsopt.reports.monthly import inclusion as told

    with terminal.waiting(quiet=options.json) as tell, progress.watched(None, tell):
        register, accounts, of_tables = _units_of(options)
        year = options.year if options.year is not None or of_tables is None else of_tables + 2
        found = accounting.inclusion(register, accounts, year, options.emissions_year)
    if options.json:
        content = {
            "year": found.year,
            "emissions_year": found.emissions_year if found.emissions_year is not None else of_tables,
            "threshold_tco2e": found.threshold_tco2e,
            "activities_assumed": of_tables is not None,
            "sectors": records(found.sectors),
            "entities": records(found.entities),
        }
        print_json(content)
        return 0
    terminal.show(told.inclusion(found, of_tables))
    return 0


def _units_of(options: Namespace) -> tuple[pd.DataFrame, Accounts | None, int | None]:
    """Return a register, its accounts if it has reports, and the year of an instance, whose activities are assumed."""
    import pandas as pd

    from etsopt import accounting
    from etsopt.accounting.rows import is_book
    from etsopt.accounting.schema import REGISTER
    from etsopt.accounting.store import is_store
    from etsopt.data.files.read import REPORTS, find_folder, read_instance, reports_in

    folder = None if is_store(options.data) or is_book(options.data) else find_folder(options.data)
    place = None if folder is None else reports_in(folder)
    # A register alone states its emissions.
    if folder is None or (place is not None and (is_store(place) or (folder / REPORTS).exists())):
        source = accounting.read_source(options.data, options.as_of, options.wait)
        accounts = accounting.account(source.reports, source.parameters)
        others = _beside_reports(folder)
        if others is None:
            return accounts.register, accounts, None
        apart = others[~others["unit_id"].isin([*accounts.register["unit_id"], *accounts.register["complex_id"]])]
        return pd.concat([accounts.register, apart], ignore_index=True), accounts, None
    if options.as_of is not None:
        raise UsageError(_("A folder has no earlier state."), _("Name a store, or leave out --as-of."))
    if (folder / REGISTER.file).is_file():
        return accounting.read_register(folder), None, None
    instance = read_instance(options.data)
    return accounting.register_of(instance), None, instance.policy.year


def _beside_reports(folder: Path | None) -> pd.DataFrame | None:
    """Return the units of an instance with reports and ``units.csv`` as a register; None for other folders."""
    from etsopt import accounting
    from etsopt.data.files.read import POLICY
    from etsopt.data.tables.schema import UNITS
    from etsopt.running import reading

    if folder is None or not all((folder / name).is_file() for name in (POLICY, UNITS.file)):
        return None
    return accounting.register_of(reading.read(folder))


def _content(reports: Reports, accounts: Accounts, files: list[str]) -> dict[str, Any]:
    """Return accounts as plain values: units by year, processes by year, and factors that are not of confidence A."""
    factors = accounts.factors
    return {
        "rows": len(reports.rows),
        "replaced_rows": int((~reports.current).sum()),
        "units": records(accounts.unit_years),
        "annual": records(accounts.annual),
        "factors": records(factors[factors["confidence"] != "A"]),
        "files": files,
    }
