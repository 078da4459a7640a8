"""What every room uses and what uses none: words, numbers, errors, progress, the clock."""

__version__ = "0.2.0"
