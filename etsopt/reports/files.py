"""Names of the files of pages."""

from __future__ import annotations

import hashlib
import re

PLAIN = re.compile(r"[\w-]{1,64}")


def file_name(enterprise: str) -> str:
    """Return an identifier as the name of a file; one with other characters than letters and digits gets a hash."""
    if PLAIN.fullmatch(enterprise):
        return enterprise
    return re.sub(r"[^\w-]+", "_", enterprise)[:50] + "_" + hashlib.sha256(enterprise.encode()).hexdigest()[:8]
