"""Which method runs, and what the result says of it."""

from __future__ import annotations

import types
from typing import Any

import pytest

import etsopt
from etsopt.errors import UsageError
from etsopt.running import library, methods
from etsopt.running.model import ModelMethod
from etsopt.solving.options import METHODS, SolveOptions


def pretended(monkeypatch: pytest.MonkeyPatch, why_not: str) -> ModelMethod:
    """A method of its own that the model `allocation` seems to have."""
    method = ModelMethod(5, lambda instance: why_not)
    monkeypatch.setattr(
        library, "model_method", lambda model, name: method if (model, name) == ("allocation", "aggregation") else None
    )
    return method


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> ModelMethod:
    """One that serves."""
    return pretended(monkeypatch, "")


@pytest.fixture
def declines(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that cannot serve."""
    pretended(monkeypatch, "the fair order links neighbours")


def test_a_model_without_a_method_of_its_own_is_stamped() -> None:
    chosen = methods.choose("compliance", etsopt.read("tiny"), SolveOptions())
    assert (chosen.name, chosen.own) == ("direct", None)
    assert chosen.reason == f"{METHODS['direct'].capitalize()}."


def test_many_units_take_the_model_s_own_method(own: ModelMethod) -> None:
    chosen = methods.choose("allocation", etsopt.generate(5), SolveOptions())
    assert (chosen.name, chosen.own) == ("aggregation", own)
    assert chosen.reason.startswith("5 units are many: ")


def test_few_units_are_stamped_and_the_reason_says_from_where_on_they_are_not(own: ModelMethod) -> None:
    chosen = methods.choose("allocation", etsopt.generate(4), SolveOptions())
    assert (chosen.name, chosen.reason) == ("direct", "4 units are few: from 5 on the method merged is quicker.")


@pytest.mark.usefixtures("declines")
def test_a_method_that_declines_is_not_chosen_and_the_reason_says_why() -> None:
    chosen = methods.choose("allocation", etsopt.generate(5), SolveOptions())
    assert chosen.name == "direct"
    assert chosen.reason == "The method merged cannot serve here: the fair order links neighbours."


def test_a_program_that_is_to_be_written_is_stamped(own: ModelMethod, tmp_path: Any) -> None:
    options = SolveOptions(mps=tmp_path / "first.mps")
    assert methods.choose("allocation", etsopt.generate(5), options).name == "direct"
    with pytest.raises(UsageError, match="never makes the whole program"):
        methods.choose("allocation", etsopt.generate(5), SolveOptions(mps=options.mps, method="aggregation"))


def test_a_method_that_is_asked_for_runs_at_any_size(own: ModelMethod) -> None:
    assert methods.choose("allocation", etsopt.generate(3), SolveOptions(method="aggregation")).own is own


@pytest.mark.usefixtures("declines")
def test_a_method_that_is_asked_for_says_why_it_cannot_serve() -> None:
    with pytest.raises(UsageError, match="cannot serve here: the fair order links neighbours"):
        methods.choose("allocation", etsopt.generate(3), SolveOptions(method="aggregation"))


def test_a_method_that_the_model_does_not_have_is_refused_with_those_it_has() -> None:
    with pytest.raises(UsageError, match="The model compliance has no method 'aggregation'") as error:
        etsopt.solve(etsopt.read("cn-2025"), "compliance", method="aggregation")
    assert "stamped, reference" in str(error.value)
    with pytest.raises(UsageError, match="There is no method 'fast'"):
        etsopt.solve(etsopt.read("tiny"), method="fast")


def test_the_result_says_which_method_ran_and_why() -> None:
    about = etsopt.solve(etsopt.read("tiny"), method="pyomo").provenance
    assert (about["method"], about["method_reason"]) == ("pyomo", f"It was asked for: {METHODS['pyomo']}.")


def test_a_method_that_gives_way_to_the_whole_program_says_so_and_why() -> None:
    method = methods.Method(
        "decomposition", "It was asked for.", methods.BUILD["direct"], own=ModelMethod(5, lambda instance: "")
    )
    note = types.SimpleNamespace(gave_way="an enterprise would rather owe")
    assert methods.after_notes(method, (note,)) == {
        "method": "direct",
        "method_reason": "The method prices gave way to the whole program: an enterprise would rather owe.",
    }
    assert methods.after_notes(method, (types.SimpleNamespace(gave_way=""),)) == {}
