"""The command `etsopt completion`: the script by which a shell completes commands and options."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from etsopt.cli.completions import FILES
from etsopt.common.language import _

if TYPE_CHECKING:
    from argparse import Namespace

    from etsopt.cli.parsing import Commands


def register(commands: Commands) -> None:
    """Add the command."""
    text = _("print the completion script of a shell, such as: etsopt completion bash >> ~/.bashrc")
    commands.add("completion", text, completion).add_argument(
        "shell", choices=("bash", "zsh", "fish"), help=_("the shell")
    )


def completion(options: Namespace) -> int:
    """Print the completion script of a shell."""
    from importlib.resources import files

    sys.stdout.write((files("etsopt.cli.completions") / FILES[options.shell]).read_text(encoding="utf-8"))
    return 0
