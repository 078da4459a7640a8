"""The store of monthly reports: one embedded file with the register and every version of every row.

The file is a DuckDB database, which needs the extra ``mrv``. Every function opens it by its path and closes it again.
"""

from etsopt.accounting.store.exporting import export_reports
from etsopt.accounting.store.importing import Imported, import_reports
from etsopt.accounting.store.journal import store_log, verify_store
from etsopt.accounting.store.ledger import Alteration, StoreVerification
from etsopt.accounting.store.opening import SUFFIX, is_store, open_store
from etsopt.accounting.store.reading import Content, read_store

__all__ = [
    "SUFFIX",
    "Alteration",
    "Content",
    "Imported",
    "StoreVerification",
    "export_reports",
    "import_reports",
    "is_store",
    "open_store",
    "read_store",
    "store_log",
    "verify_store",
]
