"""Completion scripts for bash, zsh and fish, which `etsopt completion` prints."""

FILES = {"bash": "etsopt.bash", "zsh": "_etsopt", "fish": "etsopt.fish"}
"""File of each shell, by the name that the shell looks for."""
