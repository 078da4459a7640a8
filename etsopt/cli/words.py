"""Words in the cells of results, in the language of a command."""

from __future__ import annotations

from etsopt.language import in_chinese


def word(column: str, value: object) -> str:
    """Return a word in a cell of a column of results; a name stays as it is.

    >>> word("sector", "cement"), word("level", "change")
    ('cement', 'change')
    """
    if not in_chinese():
        return str(value)
    from etsopt.results.cell_words import WORDS, price_unit

    if column == "price_unit":
        return price_unit(str(value))
    return WORDS.get(column, {}).get(str(value), str(value))


def algorithm_of(text: str) -> str:
    """Return the algorithm of an objective."""
    if not in_chinese():
        return text
    from etsopt.results.cell_words import algorithm

    return algorithm(text)
