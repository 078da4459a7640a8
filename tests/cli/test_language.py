"""The terminal in Chinese: the catalogue is whole and fresh, tables stay in line, and English is what it was."""

from __future__ import annotations

import ast
import json
import pickle
import re
from pathlib import Path

import pytest
from rich.cells import cell_len

import etsopt
from etsopt.cli import main, parser_of
from etsopt.cli.time_estimate import TimeEstimate
from etsopt.common.errors import DataError, Problem, StoppedError, UsageError
from etsopt.common.language import Text, Translated, _, in_both, in_chinese, speaking
from etsopt.common.progress import checkpoint, watched
from etsopt.common.vocabulary import word
from etsopt.presenting.documents.fitting import wrapped

ROOT = Path(__file__).parents[2]
HAN = re.compile("[\u4e00-\u9fff]")


@pytest.fixture(autouse=True)
def english_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")


def test_the_catalogue_has_every_text_with_its_values_and_nothing_else() -> None:
    pytest.importorskip("babel")
    from docs.tools import catalogue as build

    stated = build.translations(build.catalogue())
    assert set(stated) == set(build.texts()), "the catalogue is stale: python -m docs.tools.catalogue"
    untranslated = [key for key, translation in stated.items() if not translation]
    assert not untranslated, f"translate in {build.PO.name}, then python -m docs.tools.catalogue"
    # What only joins English words may be left out.
    differ = {key: build.slots(translation) ^ build.slots(key[1]) for key, translation in stated.items()}
    assert {text: slots for text, slots in differ.items() if slots - {"grammar"}} == {}


def test_the_compiled_catalogue_is_that_of_the_texts() -> None:
    pytest.importorskip("babel")
    import gettext

    from docs.tools import catalogue as build

    with build.PO.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    differ = [
        key
        for key, translation in build.translations(build.catalogue()).items()
        for context, one, many in [key]
        if (
            compiled.npgettext(context, one, many, 2)
            if context and many
            else compiled.ngettext(one, many, 2)
            if many
            else compiled.pgettext(context, one)
            if context
            else compiled.gettext(one)
        )
        != translation
    ]
    assert not differ, "the compiled catalogue is stale: python -m docs.tools.catalogue"


def test_no_text_stands_where_babel_does_not_look() -> None:
    texts = {"_", "gettext", "pgettext", "ngettext"}
    hidden = [
        f"{file.relative_to(ROOT)}:{call.lineno}"
        for folder in ("etsopt", "models/etsopt_models")
        for file in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.JoinedStr)
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in texts
        # A name stands for a text that is stated elsewhere.
        if isinstance(call.args[getattr(call.func, "id", "") == "pgettext"], ast.Constant)
    ]
    assert not hidden, f"put these before their f-string: {', '.join(hidden)}"


def test_every_template_that_is_stated_with_its_values_has_just_these() -> None:
    from docs.tools.catalogue import slots

    differ = {
        f"{file.relative_to(ROOT)}:{call.lineno}": names ^ slots(str(template.value))
        for folder in ("etsopt", "models/etsopt_models")
        for file in sorted((ROOT / folder).rglob("*.py"))
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("_", "gettext", "pgettext")
        for template in call.args[-1:]
        for names in [{str(keyword.arg) for keyword in call.keywords}]
        # A template without values here may get them later.
        if isinstance(template, ast.Constant) and names and "None" not in names
    }
    assert {place: names for place, names in differ.items() if names} == {}


def test_every_command_has_help_in_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    (commands,) = (action for action in parser_of()._actions if isinstance(action.choices, dict))
    assert commands.choices is not None
    for name in commands.choices:
        with pytest.raises(SystemExit):
            main([name, "--help", "--lang", "zh"])
        shown = capsys.readouterr().out
        assert HAN.search(shown), name
        assert max(map(cell_len, shown.splitlines())) <= 80, name
        assert "show this help" not in shown
    with pytest.raises(SystemExit):
        main(["--help"])
    assert not HAN.search(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("variable", "chinese"), [("LANG=zh_CN.UTF-8", True), ("LC_ALL=zh", True), ("LANG=en_GB.UTF-8", False), ("", False)]
)
def test_the_terminal_states_the_language_if_the_command_does_not(
    variable: str, chinese: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if variable:
        monkeypatch.setenv(*variable.split("="))
    assert main([]) == 2
    assert bool(HAN.search(capsys.readouterr().out)) is chinese
    assert main(["validate", "tiny"]) == 0
    assert bool(HAN.search(capsys.readouterr().out)) is chinese
    assert main(["validate", "tiny", "--lang", "en"]) == 0
    assert capsys.readouterr().out == "tiny is valid: 3 units in cement.\n"
    # JSON is for programs, in one language.
    assert main(["validate", "tiny", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["valid"] is True
    assert not in_chinese()


def test_tables_stay_in_line_though_characters_are_two_columns_wide(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["solve", "cn-2025", "--lang", "zh"]) == 0
    shown = capsys.readouterr().out
    assert "已证明最优" in shown
    assert "最小二乘" in shown
    lines = shown.splitlines()
    assert max(map(cell_len, lines)) <= 80
    rules = [at for at, line in enumerate(lines) if "───" in line]
    assert len(rules) >= 3
    for at in rules:
        # Headings above and rows below end where the line does.
        widths = {cell_len(line) for line in lines[at - 1 : at + 4] if line.strip()}
        assert widths == {cell_len(lines[at])}, lines[at - 1 : at + 4]
    # Only names of things that have no Chinese one stay.
    stays = (
        r"[\w./-]*[_.][\w./-]*|HiGHS|Mt|allocation|horizon|market|penalty|direct|aggregation|etsopt explain RUN UNIT"
    )
    prose = re.sub(f"{stays}|observed|seeded", "", shown)
    assert re.findall(r"[A-Za-z]{4,}", prose) == []


def test_an_infeasible_policy_a_wrong_call_and_a_check_speak_chinese(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = str(tmp_path / "run")
    assert main(["solve", "tiny", "--set", "sectors.cement.target_change=-0.5", "--out", run, "--lang", "zh"]) == 3
    shown = capsys.readouterr().out
    assert "没有满足该政策全部限值的分配方案" in shown
    assert "水泥行业目标" in shown
    assert main(["solve", "tiny", "--model", "alocation", "--lang", "zh"]) == 2
    assert "没有模型 'alocation'。" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["solve", "tiny", "--lang", "zh", "--no-such-option"])
    assert "无法识别的参数：--no-such-option" in capsys.readouterr().err
    assert main(["solve", "tiny", "--out", run]) == 0
    assert main(["check", run, "--lang", "zh"]) == 0
    assert "全部陈述成立。" in capsys.readouterr().out
    assert main(["compare", run, run, "--lang", "zh"]) == 0
    assert "3 个单元中有 0 个相差超过 1 吨" in capsys.readouterr().out


def test_every_problem_of_a_file_is_told_in_chinese_with_its_cells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "unit_id,enterprise_id,sector,province,emissions_tco2e,output_t\na,x,cemnt,Hebei,many,-5\n"
    (tmp_path / "plants.csv").write_text(text, encoding="utf-8")
    assert main(["validate", str(tmp_path / "plants.csv"), "--lang", "zh"]) == 2
    problems = capsys.readouterr().err.partition("算例 'plants' 有 3 处问题。\n\n")[2]
    assert problems == (
        "1. plants.csv，sector：1 个取值未知：第 2 行 'cemnt'。\n"
        "   是否指 'cement'？请用其中之一：水泥、钢铁、铝冶炼、发电。\n"
        "2. plants.csv，emissions_tco2e：1 个单元格不是数值：第 2 行 'many'。\n"
        "   请填写普通的有限数值 [tCO2e]：数字和小数点，不含公式、分隔符、单位或 NaN。\n"
        "3. plants.csv，output_t：1 个数值超出范围：第 2 行 '-5'。\n"
        "   请改为大于 0 [t]：产品产量；规则和目标需要时填写，发电机组填发电量。\n"
    )


def test_an_exception_is_shown_in_the_language_of_the_moment_and_compared_in_english() -> None:
    with speaking("zh"):
        with pytest.raises(UsageError) as caught:
            etsopt.read("nowhere")
        error = caught.value
        assert str(error).startswith("没有文件夹 'nowhere'，也没有同名的内置算例。")
        assert str(StoppedError("time_limit")) == "在得到解之前已达到时间限制。\n\n请提高时间限制。"
        assert str(UsageError("No text of the catalogue.")) == "No text of the catalogue."
        assert error.failure == "There is no folder 'nowhere', and no shipped instance of that name."
    assert str(error).startswith("There is no folder 'nowhere', and no shipped instance of that name.")


def test_braces_and_names_of_a_user_are_no_templates() -> None:
    problem = Problem("{x}.csv", _("has no {what}", what="{0}"), "Correct the value.", "水泥 {y}", (("3", "{z}"),))
    error = DataError("The {thing}", [problem])
    assert str(error).startswith("The {thing} has a problem.\n\n1. {x}.csv, 水泥 {y}: has no {0}: row 3 '{z}'.")
    with speaking("zh"):
        assert str(error).startswith("The {thing}有 1 处问题。\n\n1. {x}.csv，水泥 {y}：has no {0}：第 3 行 '{z}'。")


def test_a_text_keeps_what_it_was_made_of() -> None:
    made = _("{subject} has {count:,} problems.", subject=_("The policy"), count=1234)
    again = pickle.loads(pickle.dumps(made))
    assert (made, again) == ("The policy has 1,234 problems.",) * 2
    assert isinstance(again, Text)
    assert again.values == {"subject": "The policy", "count": 1234}
    with speaking("zh"):
        assert str(made) == f"{made}" == "" + made == "政策有 1,234 处问题。"
        assert made == "The policy has 1,234 problems."


def test_a_text_of_which_only_the_translations_are_kept_is_shown_in_both_languages() -> None:
    texts = in_both("a file of {name}") | {"zh": "文件 {name}"}
    kept = pickle.loads(pickle.dumps(Translated(texts)))
    assert kept == "a file of {name}"
    with speaking("zh"):
        assert (str(kept), f"{kept}。") == ("文件 {name}", "文件 {name}。")
        assert in_both(kept) == {"en": "a file of {name}", "zh": "文件 {name}"}


def test_words_of_cells_are_translated_and_names_are_not() -> None:
    assert word("sector", "cement") == "cement"
    with speaking("zh"):
        assert word("sector", "cement") == "水泥"
        assert word("province", "Nowhere") == "Nowhere"


def test_a_line_of_chinese_ends_at_any_character_and_never_before_a_mark() -> None:
    text = "在满足全部限值的分配方案中，没有任何方案的目标值低于 1,200.5 吨，见 result.json。"
    for width in range(14, 60):
        lines = wrapped(text, width).split("\n")
        assert max(map(cell_len, lines)) <= width + 2
        assert not any(line.startswith(tuple("，。、；：）")) for line in lines)
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
        assert "1,200.5" in "".join(line for line in lines if "1,2" in line)


class Clock:
    """A clock that the test sets [s]."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def lines_of(*counts: tuple[str, int | None, int | None]) -> list[str]:
    """Progress lines as loops report them."""
    told: list[str] = []
    for phase, done, of in counts:
        # A new watch reports at once, however little time has passed.
        with watched(tell=told.append):
            checkpoint(phase, done, of)
    return told


def test_progress_says_what_is_left_at_the_pace_so_far() -> None:
    clock = Clock()
    remaining = TimeEstimate(clock)
    first, second, late, other, plain = lines_of(
        ("reading reports", 6, 36),
        ("reading reports", 12, 36),
        ("reading reports", 35, 36),
        ("screening", 5, 10),
        ("reading", None, None),
    )
    assert remaining.shown(first) == "reading reports 6 of 36"
    clock.now = 30.0
    # Six in 30 s, and 24 are left.
    assert remaining.shown(second) == "reading reports 12 of 36, at most 2:00 left"
    with speaking("zh"):
        assert remaining.shown(second) == "读取报告：12/36，至多还需 2:00"
    clock.now = 58.0
    assert remaining.shown(late) == "reading reports 35 of 36, at most 0:02 left"
    # Another phase begins its own count, and a line without one says nothing.
    assert remaining.shown(other) == "screening 5 of 10"
    clock.now = 95.0
    assert remaining.shown(plain) == "reading"
    assert remaining.shown(other) == "screening 5 of 10"
