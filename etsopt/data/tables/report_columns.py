"""Columns of units whose emissions come from monthly reports; `etsopt.accounting.reported` fills them."""

from __future__ import annotations

from etsopt.data.tables.table import Column
from etsopt.language import _

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
    Column("reports_sha256", _("SHA-256 of the monthly reports of the unit"), identifier=True),
)

SHOWN_WITH_RESULTS = ("emissions_status", "accounted_emissions_tco2e")
"""Those that tables of an allocation have as well."""
