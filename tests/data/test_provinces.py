"""Names of provinces: each is one of China's under China's rules, whatever its spelling, or refused with its row."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etsopt
from etsopt.common.errors import PROBLEMS_SHOWN, AssumedWarning, DataError
from etsopt.data.tables import provinces
from etsopt.data.tables.provinces import LONG, SHORT, one_name

OF_CHINA = {"year": 2025, "rule.name": "cn"}
FOREIGN = ("Bavaria", "Ontario", "unknown", "n/a", "西部", "HB", "Hong Kong", "Henan Mongol Autonomous County")


def instance(provinces: list[str], policy: dict[str, Any]) -> etsopt.Instance:
    count = len(provinces)
    columns: dict[str, Any] = {
        "unit_id": [f"u{number}" for number in range(count)],
        "enterprise_id": [f"e{number}" for number in range(count)],
        **{"sector": "cement", "province": provinces, "emissions_tco2e": 8e5, "output_t": 1e6},
    }
    return etsopt.Instance.from_frames(pd.DataFrame(columns), policy)


def read(provinces: list[str], policy: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Provinces as read, and the sentences on them."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = instance(provinces, policy).units["province"].tolist()
    return found, [str(one.message) for one in told if issubclass(one.category, AssumedWarning)]


@pytest.mark.parametrize(
    ("stated", "province"),
    [
        ("Peking", "Beijing"),
        ("CANTON", "Guangdong"),
        ("Inner-Mongolia", "Inner Mongolia"),
        ("Shaan'xi", "Shaanxi"),
        ("Tangshan City, Hebei Province", "Hebei"),
        ("Hubei (Wuhan)", "Hubei"),
        ("Inner Mongolia Baotou", "Inner Mongolia"),
        ("河北省唐山市", "Hebei"),
        ("河北省唐山", "Hebei"),
        ("内蒙古锡林郭勒盟", "Inner Mongolia"),
        ("北京海淀区", "Beijing"),
        ("青海海南藏族自治州", "Qinghai"),
        ("兵团第八师石河子市", "Xinjiang Production and Construction Corps"),
    ],
)
def test_older_spellings_and_names_with_a_city_are_understood_and_told(stated: str, province: str) -> None:
    found, told = read([stated, "Anhui"], OF_CHINA)
    assert found == [province, "Anhui"]
    (note,) = told
    assert f"{stated!r} as {province}" in note or f'"{stated}" as {province}' in note


@pytest.mark.parametrize("stated", ["Hebei", "HEBEI prov.", "河北", "河北省", "hebei"])
def test_usual_names_are_read_in_silence(stated: str) -> None:
    assert read([stated], OF_CHINA) == (["Hebei"], [])


@pytest.mark.parametrize(
    "name", ["海南藏族自治州", "海南州", "河南蒙古族自治县", "Hainan Tibetan", "Hebei/Shanxi", "吉林市"]
)
def test_a_name_that_may_be_of_another_province_is_none(name: str) -> None:
    assert one_name(name) == name


@pytest.mark.parametrize(
    ("stated", "likely"),
    [
        ("Heibei", "Did you mean 'Hebei'? "),
        ("HB", "Did you mean 'Hebei' or 'Hubei'? "),
        ("河北唐山", "Did you mean 'Hebei'? "),
        ("Chongching", "Did you mean 'Chongqing'? "),
        ("unknown", ""),
    ],
)
def test_any_other_name_is_refused_with_its_row_beside_all_others(stated: str, likely: str) -> None:
    with pytest.raises(DataError) as caught:
        instance(["Anhui", stated, "Nowhere", stated], OF_CHINA)
    problems = {str(problem).partition("\n")[0]: str(problem) for problem in caught.value.problems}
    said = f"units, province: 2 cells name no province of China: row 1 {stated!r}, row 3 {stated!r}."
    assert set(problems) == {said, "units, province: 1 cell names no province of China: row 2 'Nowhere'."}
    assert f"\n{likely}Write a province of China" in problems[said]


def test_other_names_are_legal_where_the_policy_says_so_and_under_other_rules() -> None:
    places = ["North", "South", "Bavaria"]
    assert read(places, {**OF_CHINA, "provinces.names": "any"}) == (places, [])
    assert read(places, {"year": 2025, "rule": {"name": "grandfathering", "factor": 1.0}}) == (places, [])


def test_a_change_of_rule_or_of_names_asks_for_the_provinces_again() -> None:
    free = instance(["North", "Hebei"], {**OF_CHINA, "provinces.names": "any"})
    for change in ({"provinces.names": "official"}, {"rule.name": "cn-2025", "provinces.names": "official"}):
        with pytest.raises(DataError, match="1 cell names no province of China: row 0 'North'"):
            free.with_policy(change)
    assert free.with_policy({"year": 2026}).provinces == ["Hebei", "North"]


def test_under_another_rule_a_name_one_letter_off_is_refused_whatever_stands_beside_it() -> None:
    rule = {"year": 2025, "rule": {"name": "grandfathering", "factor": 1.0}}
    with pytest.raises(DataError, match="row 1 'Heibei'"):
        instance(["Hebei", "Heibei", "Bavaria"], rule)
    assert instance(["Heibei", "Bavaria", "Saxony"], rule).provinces == ["Bavaria", "Heibei", "Saxony"]


@pytest.mark.parametrize(
    "part", [pytest.param(part, marks=[] if part == 0 else pytest.mark.nightly) for part in range(10)]
)
def test_no_province_is_taken_in_silence(part: int) -> None:
    """A thousand tables of misspelt, foreign and mixed names: each cell is its province, told or refused at once."""
    random = np.random.default_rng(part)
    known = [*SHORT, *SHORT.values(), *LONG.values()]
    right = {
        **{name: name for name in SHORT},
        **{SHORT[name]: name for name in SHORT},
        **{LONG[name]: name for name in SHORT},
    }
    for _ in range(100):
        meant = [str(name) for name in random.choice(known, 6)]
        stated = [misspelt(random, name) if random.random() < 0.3 else name for name in meant]
        stated = [str(random.choice(FOREIGN)) if random.random() < 0.1 else name for name in stated]
        refused: set[str] = set()
        try:
            found, told = read(stated, OF_CHINA)
        except DataError as error:
            refused = {value for problem in error.problems for _, value in problem.cells}
        if refused:
            assert refused == {name for name in stated if one_name(name) not in SHORT}
            continue
        for name, province in zip(stated, found, strict=True):
            assert province == right.get(name, one_name(name))
            assert province in SHORT
            assert (
                name in right
                or name.casefold() in {one.casefold() for one in SHORT}
                or any(name in one for one in told)
            )


def misspelt(random: np.random.Generator, name: str) -> str:
    """A name with one sign left out, doubled or exchanged."""
    at = int(random.integers(len(name)))
    return [name[:at] + name[at + 1 :], name[:at] + name[at] + name[at:], name[:at] + "aeiou"[at % 5] + name[at + 1 :]][
        int(random.integers(3))
    ]


def test_a_column_of_something_else_is_refused_with_suggestions_for_what_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def none_near(word: str, *_: Any) -> list[str]:
        asked.append(word)
        return []

    monkeypatch.setattr(provinces, "get_close_matches", none_near)
    names = [f"plant {number:05d}" for number in range(3_000)]
    with pytest.raises(DataError) as caught:
        instance(names[::-1], OF_CHINA)
    cells = [cell for problem in caught.value.problems for cell in problem.cells]
    assert cells == [(str(2_999 - number), name) for number, name in enumerate(names)]
    assert len(asked) == PROBLEMS_SHOWN
