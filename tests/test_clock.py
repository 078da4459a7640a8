"""The one clock: it goes, or stands still where a variable says so; nothing else asks for the day or the time."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

import etsopt
from etsopt import cli
from etsopt.accounting.review import summary
from etsopt.common.clock import VARIABLE, day_in_china, end_in_china, stopwatch, time_in_utc
from etsopt.common.errors import UsageError
from tests.weights import ROOT


def test_the_clock_goes_with_the_machine() -> None:
    seconds = stopwatch()
    of_machine, now = datetime.now(UTC), time_in_utc()  # noqa: TID251
    # A machine may set its clock meanwhile.
    assert abs(now - of_machine) < timedelta(minutes=1)
    assert (now.tzinfo, 0 < seconds() < 60) == (UTC, True)


@pytest.mark.parametrize(
    ("stated", "in_utc", "in_china"),
    [
        (0, datetime(1970, 1, 1, tzinfo=UTC), date(1970, 1, 1)),
        (1798727400, datetime(2026, 12, 31, 14, 30, tzinfo=UTC), date(2026, 12, 31)),
        (1798759800, datetime(2026, 12, 31, 23, 30, tzinfo=UTC), date(2027, 1, 1)),
        (1835445600, datetime(2028, 2, 29, 14, 0, tzinfo=UTC), date(2028, 2, 29)),
    ],
)
def test_a_variable_lets_it_stand_still(
    stated: int, in_utc: datetime, in_china: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(stated))
    assert (time_in_utc(), day_in_china(), stopwatch()()) == (in_utc, in_china, 0.0)


def test_a_day_in_china_ends_eight_hours_before_that_of_utc() -> None:
    assert end_in_china(date(2025, 3, 12)) == datetime(2025, 3, 12, 15, 59, 59, 999999, UTC)


# The last three: beyond the calendar in UTC, in China alone, and before it.
@pytest.mark.parametrize(
    "stated", ["yesterday", "1e9", "1.5", "1_000", "+5", "\uff11", "253402300800", "253402272000", "-62135625600"]
)
def test_what_is_no_time_is_refused(
    stated: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VARIABLE, stated)
    with pytest.raises(
        UsageError, match=rf"SOURCE_DATE_EPOCH is '{re.escape(stated)}': expected whole seconds since 1970"
    ):
        time_in_utc()
    assert cli.main(["solve", "tiny", "--lang", "en"]) == 2
    assert "State a number such as 1798761599, or unset it." in capsys.readouterr().err


@pytest.mark.parametrize("blank", ["", " "])
def test_a_blank_time_is_none_for_a_command_and_all_that_it_calls(blank: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, blank)
    assert cli.main(["models"]) == 0
    assert VARIABLE not in os.environ


def test_a_command_that_asks_for_no_time_refuses_a_malformed_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "oops")
    assert cli.main(["models"]) == 2


def test_a_solve_states_no_seconds_where_the_clock_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "1798759800")
    result = etsopt.solve(etsopt.read("tiny"), time_limit_s=60)
    assert (result.status, set(result.provenance.seconds.values())) == ("certified_optimal", {0.0})


WAYS = (
    "import datetime\n\nday = datetime.date.today()\n",
    "from datetime import date\n\ntoday = date.today\n",
    "import datetime as dt\n\nat = dt.datetime.now(dt.UTC)\n",
    "from datetime import datetime\n\nat = datetime.today()\n",
    "from time import time\n\nat = time()\n",
    "import time\n\nat = time.time_ns()\n",
    "import time\n\nat = time.strftime('%Y')\n",
    "import pandas as pd\n\nat = pd.Timestamp.now()\n",
)
"""Ways to ask for the day or the time elsewhere."""


@pytest.mark.parametrize(
    "folder", ["etsopt", "etsopt/accounting/review", "models/etsopt_models", "docs/tools", "benchmarks"]
)
def test_the_lint_rule_refuses_every_other_question_for_the_time(folder: str) -> None:
    for source in WAYS:
        assert "TID251" in _linted(source, f"{folder}/some.py")
    assert "TID251" not in _linted("import time\n\nbegan = time.perf_counter()\n", f"{folder}/some.py")


def test_the_lint_rule_refuses_the_day_of_the_machine_in_a_deadline() -> None:
    path = Path(summary.__file__)
    source = path.read_text(encoding="utf-8")
    changed = source.replace("day_in_china()", "date.today()").replace(
        "from pathlib import Path\n", "from datetime import date\nfrom pathlib import Path\n", 1
    )
    assert changed != source
    assert "TID251" in _linted(changed, str(path))
    assert "TID251" not in _linted(source, str(path))


def _linted(source: str, place: str) -> str:
    """Return what the lint rules of the project say of a source at a place."""
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=concise", "-"]
    command.append(f"--stdin-filename={place}")
    done = subprocess.run(command, input=source, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout
