"""Instances that come with the package: their names and folders."""

from __future__ import annotations

from pathlib import Path


def root() -> Path:
    """Return the folder of the shipped instances: in the package when installed, beside it in a checkout."""
    checkout = Path(__file__).parents[3] / "instances"
    return checkout if checkout.is_dir() else Path(__file__).parents[2] / "instances"


def names() -> list[str]:
    """Return the names of the shipped instances, in alphabetical order."""
    return sorted(path.parent.name for path in root().glob("*/policy.toml"))


def folder(name: str) -> Path:
    """Return the folder of the shipped instance of that name."""
    return root() / name
