"""Errors on a terminal, in its language: failure and remedy, with every problem of a person's data."""

from __future__ import annotations

from etsopt.characters import escaped
from etsopt.cli.language import _, in_chinese, translated
from etsopt.errors import PROBLEMS_SHOWN, ROWS_SHOWN, DataError, EtsoptError, Problem, brief, shortened
from etsopt.wording import Message


def rendered(error: EtsoptError) -> str:
    """Return the text of an error in the language of the command; in English it is that of the exception itself."""
    if not in_chinese():
        return str(error)
    failure, advice = translated(error.failure), translated(error.advice)
    if isinstance(error, DataError):
        advice = _listed(error.problems)
    return f"{failure}\n\n{advice}" if advice else failure


def _listed(problems: list[Problem]) -> str:
    """Return the first problems, one below the other, as `DataError` lists them in English."""
    texts = (_problem(problem).replace("\n", "\n   ") for problem in problems[:PROBLEMS_SHOWN])
    listed = "\n".join(f"{number}. {text}" for number, text in enumerate(texts, 1))
    if len(problems) > PROBLEMS_SHOWN:
        text = "The first {count} are listed; correct them to see the others."
        listed += "\n\n" + _(text, count=PROBLEMS_SHOWN)
    return listed


def _problem(problem: Problem) -> str:
    """Return a problem: its place, what it is, its cells, and the remedy."""
    where = translated(problem.place)
    if problem.column:
        column = translated(problem.column) if isinstance(problem.column, Message) else problem.column
        where += f"，{escaped(shortened(column))}"
    cells = "、".join(_cell(row, value) for row, value in problem.cells[:ROWS_SHOWN])
    hidden = len(problem.cells) - ROWS_SHOWN
    more = f"，另有 {hidden} 处" if hidden > 0 else ""
    return f"{where}：{translated(problem.what)}{'：' if cells else ''}{cells}{more}。\n{translated(problem.advice)}"


def _cell(row: str, value: str) -> str:
    """Return the label of a row or cell, as `Problem` states them, and its value."""
    value = translated(value)
    if isinstance(row, Message):
        return f"{shortened(translated(row))} {brief(value)}"
    kind, space, name = row.partition(" ")
    words = {"cell": f"单元格 {name}", "of": "标题行" if name == "headings" else f"单元 {name}"}
    label = words.get(kind, f"第 {row} 行") if space else f"第 {row} 行"
    return f"{shortened(label)} {brief(value)}" if value else shortened(label)
