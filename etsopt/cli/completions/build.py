"""Write the completion scripts of the shells from the parser of the command line; `make docs` calls it.

shtab makes them; it is needed for development only.
"""

from __future__ import annotations

from pathlib import Path

from etsopt.cli import parser_of
from etsopt.cli.completions import FILES

HERE = Path(__file__).parent


def scripts() -> dict[str, str]:
    """Return the script of each file."""
    import shtab

    return {FILES[shell]: shtab.complete(parser_of(), shell) for shell in FILES}


if __name__ == "__main__":
    for name, script in scripts().items():
        (HERE / name).write_text(script, encoding="utf-8", newline="\n")
