"""Rows of the repository: supply chain, supported Pythons, code, and cost of use."""

from benchmarks.reliability import budgets, interpreters, static_checks, supply_chain
from benchmarks.reliability.row import Row

ROWS: list[Row] = [
    Row(
        "D1",
        "the supply chain: hashes, licences, two builds of wheel and sdist, and commands with the network blocked",
        "Every package that is installed is named with version and hashes and has a permissive licence; two builds "
        "have the same bytes; no file names a package host; no command reaches for the network.",
        supply_chain.COUNT,
        5,
        supply_chain.supply_chain,
    ),
    Row(
        "D2",
        f"the installed package under Python {', '.join(interpreters.PYTHONS)}, each with {len(interpreters.SETTINGS)} "
        "settings of locale, encoding, time zone, warnings and pyarrow",
        "Each Python that is there solves, checks and compares under each setting, with the same values and hashes.",
        interpreters.COUNT,
        0,
        interpreters.interpreters,
        chunk=len(interpreters.SETTINGS),
        patience_s=1800.0,
    ),
    Row(
        "D3",
        "ruff, mypy and the layers, and commands with every warning as an error, of default encodings too",
        "No error and no warning.",
        static_checks.COUNT,
        3,
        static_checks.static_checks,
    ),
    Row(
        "D4",
        "CPU time of `etsopt --help`, size of what is installed, share of the check in a large solve",
        "`etsopt --help` loads neither pandas nor anything heavy; the figures are measured, not judged.",
        budgets.COUNT,
        1,
        budgets.budgets,
        alone=True,
    ),
]
