"""Methods whose work a room above does: the package names functions that are there and take what the methods give."""

import inspect
from pkgutil import resolve_name

import pytest

import etsopt
from etsopt.common.offered import OFFERED, offered
from etsopt.presenting.explanation import Explanation
from etsopt.studies.curves.line_curve import LineCurve

THINGS: dict[str, type] = {
    thing.__name__: thing for thing in (etsopt.Results, etsopt.Curve, etsopt.Box, etsopt.PriceCurve)
}
THINGS |= {"Explanation": Explanation, "LineCurve": LineCurve}
NOTEBOOKS = ("Results.summary", "Explanation.document", "LineCurve.document")
"""What a notebook shows, of which the methods are their own."""


@pytest.mark.parametrize("method", OFFERED)
def test_a_function_is_there_and_takes_what_its_method_gives(method: str) -> None:
    thing, name = method.split(".")
    own = inspect.signature(getattr(THINGS[thing], "_repr_html_" if method in NOTEBOOKS else name)).parameters
    other = inspect.signature(offered(method)).parameters
    positional = [one for one in other.values() if one.kind is one.POSITIONAL_OR_KEYWORD]
    assert len(positional) >= len(own), method
    assert all(one.default is not one.empty for one in positional[len(own) :]), method
    assert [one.name for one in positional[1 : len(own)]] == [*own][1:], method


def test_every_function_stands_above_its_thing() -> None:
    for method, place in OFFERED.items():
        thing = THINGS[method.split(".")[0]]
        assert thing.__module__ != resolve_name(place).__module__, method


def test_a_method_that_nobody_offers_is_told() -> None:
    with pytest.raises(KeyError, match="Results\\.nothing"):
        offered("Results.nothing")
