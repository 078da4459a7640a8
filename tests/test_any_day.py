"""Whatever the day and the time zone of the machine, the same commands write the same bytes at the same time."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pandas as pd
import pytest

from etsopt.accounting import import_reports, review
from etsopt.accounting.review import deciding
from etsopt.accounting.store import store_log
from etsopt.common.clock import VARIABLE
from etsopt.common.errors import UsageError
from tests.accounting.builders import REGISTER, frame
from tests.accounting.test_store import written as written_reports
from tests.terminal.inputs import folder_of
from tests.terminal.running import run


class Moment(NamedTuple):
    """A time, the day that it is in China, and the first digits of the head of the ledger that is made at it."""

    in_utc: datetime
    in_china: str
    head: str


MOMENTS = {
    "New Year in China": Moment(datetime(2026, 12, 31, 23, 30, tzinfo=UTC), "2027-01-01", "d0ff e178"),
    "leap day": Moment(datetime(2028, 2, 29, 12, 0, tzinfo=UTC), "2028-02-29", "a81d dd65"),
    "years ahead": Moment(datetime(2031, 7, 6, 15, 59, tzinfo=UTC), "2031-07-06", "4479 db17"),
}
ZONES = {"ten hours behind": "HST10", "as in China": "CST-8"}

OF_STORE = (
    "store import store.duckdb plants",
    "review apply store.duckdb decisions.csv",
    "review screen store.duckdb --level municipal --by Li",
    "review status store.duckdb --out status",
    "review notice store.duckdb --out notices --deadline 2032-01-31",
    "verify store.duckdb --year 2025 --out verified",
)
"""Commands that state days: of decisions without one, of entries, and of what is missing."""

OF_RUNS = (
    "solve tiny --out results",
    "solve tiny --out results.xlsx",
    "report results --out results.html",
    "plot results surplus --out surplus.svg",
    "curve tiny --vary sectors.cement.target_change=-0.01:0 --out curved",
    "explore tiny --vary sectors.cement.target_change=-0.01:0 --out explored.html",
    "sweep sweep.toml --out scenarios --workers 1",
)
"""Commands of which nothing states a day."""


@contextmanager
def zone(name: str) -> Iterator[None]:
    """Let the machine be in a time zone."""
    if not hasattr(time, "tzset"):
        pytest.skip("no time zone can be set on this system")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", ZONES[name])
        time.tzset()
        try:
            yield
        finally:
            patch.undo()
            time.tzset()


def written(lines: tuple[str, ...], at: datetime) -> Mapping[str, bytes]:
    """Return the bytes that commands write and print at a time, by the names of files and by command."""
    words = [word for line in lines for word in shlex.split(line)]
    with folder_of([word for word in words if word != "store.duckdb"]) as folder:
        given = set(folder.rglob("*"))
        found = {}
        for line in lines:
            code, out, errors = run(shlex.split(line), folder, "en", 120, at)
            assert code == 0, f"{line}: {code}\n{out}\n{errors}"
            found[line] = (out + errors).encode()
        # The ledger has all that a database does, which differs by what it does not use.
        files = [path for path in {*folder.rglob("*")} - given if path.is_file() and path.suffix != ".duckdb"]
        found |= {str(path.relative_to(folder)): path.read_bytes() for path in files}
        if lines == OF_STORE:
            found["journal"] = store_log(folder / "store.duckdb").to_csv().encode()
    return MappingProxyType(found)


@cache
def at(moment: str, where: str, lines: tuple[str, ...] = OF_STORE) -> Mapping[str, bytes]:
    """Return what commands write at a moment in a time zone."""
    with zone(where):
        return written(lines, MOMENTS[moment].in_utc)


def differing(one: Mapping[str, bytes], other: Mapping[str, bytes]) -> list[str]:
    return sorted(name for name in {*one, *other} if one.get(name) != other.get(name))


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_time_zone_changes_no_byte_of_a_store_and_its_papers(moment: str) -> None:
    first, second = (at(moment, where) for where in ZONES)
    assert differing(first, second) == []


def test_no_day_and_no_time_zone_changes_a_byte_of_runs() -> None:
    places = zip(MOMENTS, [*ZONES, *ZONES], strict=False)
    first, *others = (at(moment, where, OF_RUNS) for moment, where in places)
    assert len(first) > 30
    for other in others:
        assert differing(first, other) == []


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_decision_has_the_day_in_china_and_an_entry_the_time_in_utc(moment: str) -> None:
    found, stated = at(moment, "ten hours behind"), MOMENTS[moment]
    findings = pd.read_csv(BytesIO(found["verified/findings.csv"]))
    assert findings["decided_on"].unique().tolist() == [stated.in_china]
    assert found["journal"].decode().count(f"{stated.in_utc:%Y-%m-%d %H:%M:%S}") == 3


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_ledger_of_a_moment_has_always_the_same_head(moment: str) -> None:
    assert head(at(moment, "as in China")) == MOMENTS[moment].head


def test_a_day_from_elsewhere_gives_another_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "day_of", lambda *_: pd.Timestamp("now").date())
    moment = MOMENTS["leap day"]
    assert head(written(OF_STORE[:3], moment.in_utc)) != moment.head


def head(found: Mapping[str, bytes]) -> str:
    """Return the first digits of the head after the decisions."""
    return found[OF_STORE[2]].decode().partition(", head ")[2][:9].replace("\xa0", " ")


@pytest.mark.parametrize("where", ZONES)
def test_the_state_of_a_day_is_that_at_its_end_in_china(where: str) -> None:
    # Half an hour before midnight in UTC, the new year has begun in China.
    with zone(where), folder_of(["plants"]) as folder:
        assert run(shlex.split(OF_STORE[0]), folder, "en", 120, MOMENTS["New Year in China"].in_utc)[0] == 0
        assert review(folder / "store.duckdb", as_of="2027-01-01").entry == 1
        with pytest.raises(UsageError, match="The store had no entry until 2026-12-31"):
            review(folder / "store.duckdb", as_of="2026-12-31")


@pytest.mark.parametrize("where", ZONES)
@pytest.mark.parametrize(("minute", "filing", "missing"), [(59, "on_time", 0), (60, "unknown", 2)])
def test_a_deadline_ends_with_its_day_in_china(
    where: str, minute: int, filing: str, missing: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Reports of January are due on 12 March, which ends in China at four in the afternoon of UTC.
    now = datetime(2025, 3, 12, 15, tzinfo=UTC) + timedelta(minutes=minute)
    monkeypatch.setenv(VARIABLE, f"{now.timestamp():.0f}")
    rows = [("C1", "2025-01", "clinker", "portland_clinker", "product", 1000.0)]
    with zone(where):
        import_reports(tmp_path / "store.duckdb", written_reports(tmp_path / "plants", REGISTER, frame(rows)))
        found = review(tmp_path / "store.duckdb")
        # Of the two other units there is no report at all.
        late = found.at_risk["missing_months"].sum()
    assert (found.months["filing"].tolist(), late) == ([filing], missing)
