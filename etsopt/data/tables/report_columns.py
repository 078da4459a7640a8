"""Columns of units whose emissions come from monthly reports; `etsopt.accounting.reported` fills them."""

from __future__ import annotations

from etsopt.common.language import _
from etsopt.data.tables.table import Column

VERIFIED, ACCOUNTED = "verified", "accounted"
EMISSIONS_STATUSES = (VERIFIED, ACCOUNTED, "lowest", "reconciled", "highest")

REPORT_COLUMNS = (
    Column(
        "emissions_status",
        _(
            "what emissions_tco2e is: verified, accounted from monthly reports, or what reconciliation of these "
            "finds: the "
            "estimate, or an end of its interval; absent: verified"
        ),
        choices=EMISSIONS_STATUSES,
    ),
    Column(
        "accounted_emissions_tco2e",
        _("emissions as accounted from monthly reports, while they are not verified"),
        "tCO2e",
        number=True,
    ),
    Column(
        "doubtful_months",
        _("months of the reports whose open findings put more than a tenth of the year in doubt, apart by spaces"),
    ),
    Column("doubtful_rate", _("share of the year that is in doubt by them"), "fraction", number=True, at_least=0),
    Column("missing_months", _("months of the year without a report, apart by spaces: the year is without them")),
    Column("reports_sha256", _("SHA-256 of the monthly reports of the unit"), identifier=True),
)

SHOWN_WITH_RESULTS = (
    *("emissions_status", "accounted_emissions_tco2e", "doubtful_months", "doubtful_rate", "missing_months"),
)
"""Those that tables of an allocation have as well."""
