"""Masks of numbers and line ends that differ between runs, machines or versions of Python.

A digit becomes a zero, which is as wide, so that a table keeps its columns.
"""

from __future__ import annotations

import re

DIGIT = re.compile(r"\d")

NUMBERS = (
    re.compile(r"\b\d\.\de(?:-\d\d|\+00)"),  # Gaps and tolerances, many of which are rounding.
    re.compile(r"\d(?:\.\d+)?e-(?:09|[1-9]\d)"),  # Amounts of rounding.
    re.compile(
        r"\d+(?= it\.| iterations| Newton| nodes| 次迭代| 次牛顿| 个节点)"
        r"|(?<=simplex, )\d+|(?<=prices, )\d+|(?<=法，)\d+(?= 次)"
    ),  # Iterations and nodes, which a release of HiGHS may change.
    re.compile(r"(?<=plotly-)[\d.]+\d(?=\.min)"),  # The version of the script of charts.
    re.compile(r"(?<=^etsopt )\d+\.\d+\.\d+\S*$", re.MULTILINE),  # The version of the package.
)
"""Patterns whose digits become zeros."""

LAST_DIGITS = re.compile(r"(?<![\d.])(0\.0*[1-9]\d{8})(\d+)")
"""Digits of a fraction after the ninth, which rounding decides."""

CHOICES = re.compile(r"(?<=\(choose from )'.*'(?=\))|(?<=（可选：)'.*'(?=）)")
"""Choices in an error of argparse, which stand in quotation marks up to Python 3.13."""

USAGE = re.compile(r"^(?:usage|用法): .*(?:\n +.*)*", re.MULTILINE)
"""The usage of a command, whose lines end elsewhere before Python 3.13: these part an option from its value."""


def with_zeros(text: str) -> str:
    """Return a text with zeros for the numbers that may differ."""
    for pattern in NUMBERS:
        text = pattern.sub(lambda found: DIGIT.sub("0", found[0]), text)
    return text


def masked(text: str) -> str:
    """Return a text with zeros, its usage on one line, and no blanks at the ends of lines."""
    text = LAST_DIGITS.sub(lambda found: found[1] + "0" * len(found[2]), with_zeros(text))
    text = USAGE.sub(lambda found: " ".join(found[0].split()), text)
    text = CHOICES.sub(lambda found: found[0].replace("'", ""), text)
    return re.sub(r"[ ]+$", "", text, flags=re.MULTILINE)
