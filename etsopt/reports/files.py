"""Files of pages: the name of that of an enterprise, and a folder with a page for each."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from etsopt.common.progress import checkpoint
from etsopt.data.files.atomic import file_in_errors
from etsopt.data.files.atomic_folder import replacing_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

PLAIN = re.compile(r"[\w-]{1,64}")


def file_name(enterprise: str) -> str:
    """Return an identifier as the name of a file; one with other characters than letters and digits gets a hash."""
    if PLAIN.fullmatch(enterprise):
        return enterprise
    return re.sub(r"[^\w-]+", "_", enterprise)[:50] + "_" + hashlib.sha256(enterprise.encode()).hexdigest()[:8]


def write_each(
    folder: Path, form: str, enterprises: Sequence[str], page: Callable[[str], str], doing: str
) -> list[Path]:
    """Write a page for each enterprise into a folder, all of them or none, and return the files.

    Parameters
    ----------
    folder
        Pages of earlier enterprises in it are replaced.
    form
        Names of the files, such as ``letter-{}.html``.
    page
        Returns the page of an enterprise.
    doing
        Words on the progress.

    Raises
    ------
    OSError
        With the name of the file that could not be written; the folder is unchanged.
    """
    names = [form.format(file_name(one)) for one in enterprises]
    with replacing_folder(folder, lambda: sorted(folder.glob(form.format("*")))) as aside:
        for number, (name, enterprise) in enumerate(zip(names, enterprises, strict=True)):
            checkpoint(doing, number, len(enterprises))
            with file_in_errors(aside / name):
                (aside / name).write_text(page(enterprise), encoding="utf-8", newline="\n")
    return [folder / name for name in names]
