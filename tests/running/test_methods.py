"""Which method runs, and what the result says of it."""

from __future__ import annotations

from typing import Any

import pytest

import etsopt
from etsopt.common.errors import UsageError
from etsopt.modelling import ModelMethod
from etsopt.modelling.solving.options import METHODS, SolveOptions
from etsopt.running import library, methods


def pretended(monkeypatch: pytest.MonkeyPatch, why_not: str) -> ModelMethod:
    """A method of its own that the model `allocation` seems to have."""
    method = ModelMethod(from_units=5, declines=lambda instance: why_not)
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
    """One that does not support the instance."""
    pretended(monkeypatch, "the fair order links neighbours")


def test_a_model_without_a_method_of_its_own_is_solved_directly() -> None:
    chosen = methods.choose("compliance", etsopt.read("tiny"), SolveOptions())
    assert (chosen.name, chosen.model_method) == ("direct", None)
    assert chosen.reason == f"{METHODS['direct'].capitalize()}."


def test_many_units_take_the_model_s_own_method(own: ModelMethod) -> None:
    chosen = methods.choose("allocation", etsopt.generate(5), SolveOptions())
    assert (chosen.name, chosen.model_method) == ("aggregation", own)
    assert chosen.reason.startswith("5 units are many: ")


def test_few_units_are_solved_directly_and_the_reason_says_from_where_on_they_are_not(own: ModelMethod) -> None:
    chosen = methods.choose("allocation", etsopt.generate(4), SolveOptions())
    assert (chosen.name, chosen.reason) == ("direct", "4 units are few: from 5 on the method aggregation is quicker.")


@pytest.mark.usefixtures("declines")
def test_a_method_that_declines_is_not_chosen_and_the_reason_says_why() -> None:
    chosen = methods.choose("allocation", etsopt.generate(5), SolveOptions())
    assert chosen.name == "direct"
    assert chosen.reason == "The method aggregation does not support this instance: the fair order links neighbours."


def test_a_program_that_is_to_be_written_is_solved_directly(own: ModelMethod, tmp_path: Any) -> None:
    options = SolveOptions(mps=tmp_path / "first.mps")
    assert methods.choose("allocation", etsopt.generate(5), options).name == "direct"
    with pytest.raises(UsageError, match="does not support this instance: it never builds the whole program"):
        methods.choose("allocation", etsopt.generate(5), SolveOptions(mps=options.mps, method="aggregation"))


def test_a_requested_method_runs_at_any_size(own: ModelMethod) -> None:
    assert methods.choose("allocation", etsopt.generate(3), SolveOptions(method="aggregation")).model_method is own


@pytest.mark.usefixtures("declines")
def test_a_requested_method_says_why_it_does_not_support_an_instance() -> None:
    with pytest.raises(UsageError, match="does not support this instance: the fair order links neighbours"):
        methods.choose("allocation", etsopt.generate(3), SolveOptions(method="aggregation"))


def test_a_method_that_the_model_does_not_have_is_refused_with_those_it_has() -> None:
    with pytest.raises(UsageError, match="The model compliance has no method 'aggregation'") as error:
        etsopt.solve(etsopt.read("cn-2025"), "compliance", method="aggregation")
    assert "Choose one of direct, pyomo." in str(error.value)
    with pytest.raises(UsageError, match="There is no method 'fast'"):
        etsopt.solve(etsopt.read("tiny"), method="fast")


def test_the_result_says_which_method_ran_and_why() -> None:
    about = etsopt.solve(etsopt.read("tiny"), method="pyomo").provenance
    assert (about.method, about.method_reason) == ("pyomo", f"It was requested: {METHODS['pyomo']}.")


def test_a_method_that_falls_back_to_the_whole_program_says_so_and_why() -> None:
    method = methods.Method("decomposition", "It was requested.", methods.BUILD["direct"], ModelMethod(from_units=5))
    reason = "The method decomposition fell back to the whole program: an enterprise would rather owe."
    assert methods.reason_of_fallback(method, "an enterprise would rather owe") == reason
    assert methods.reason_of_fallback(method, "") == ""
