"""Texts that other programs might execute, as names and notes of an instance: outputs contain them as text only."""

from __future__ import annotations

import csv
import functools
import io
import json
import re
import tempfile
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

import etsopt
from benchmarks.reliability.bad_input import in_memory
from benchmarks.reliability.payloads import PAYLOADS
from benchmarks.reliability.row import Found
from etsopt.common.characters import HIDDEN
from etsopt.common.errors import DataError
from etsopt.data.files.write import write_instance
from etsopt.reports import compliance_page
from tests.compliance_years import by_hand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from etsopt.running.results.results import Results

RUNS = re.compile("[=+@＝＋＠－\t\r\n-]")
NUMBER = re.compile(r"[+-]?[0-9.]+(e[+-]?[0-9]+)?", re.IGNORECASE)


class Planted:
    """A compliance year whose notes and, if etsopt accepts it, names are a payload.

    Parameters
    ----------
    payload
        The text.
    """

    def __init__(self, payload: str) -> None:
        self.payload = payload
        self.taken: list[str] = []
        instance = by_hand()
        tables = dict(instance.tables)
        policy = instance.policy.model_dump(exclude_unset=True)
        for kind in ("note", "name", "identifiers"):
            changed, stated = with_payload(kind, payload, tables, policy)
            try:
                self.instance = etsopt.Instance.from_frames(policy=stated, name=payload, **changed)
            except DataError:
                continue
            tables, policy, self.taken = changed, stated, [*self.taken, kind]
        if not self.taken:
            self.instance = etsopt.Instance.from_frames(policy=policy, name=payload, **tables)

    @functools.cached_property
    def results(self) -> Results:
        return etsopt.solve(self.instance, "compliance")


def with_payload(
    kind: str, payload: str, tables: dict[str, pd.DataFrame], policy: dict[str, object]
) -> tuple[dict[str, pd.DataFrame], dict[str, object]]:
    """Return tables and policy with a payload in user columns, in names, or in every identifier."""
    units, enterprises = tables["units"].copy(), tables["enterprises"].copy()
    if kind == "note":
        units["x_note"], enterprises["x_note"] = payload, f"{payload} {payload}"
    elif kind == "name":
        units["name"], enterprises["name"] = payload, payload
    else:
        # Before the distinguishing part, so that the order stays.
        for table, columns in ((units, ("unit_id", "enterprise_id", "province")), (enterprises, ("enterprise_id",))):
            for column in columns:
                table[column] = payload[:60] + table[column]
        policy = policy | {"compliance": {"at_risk": [f"{payload[:60]}b"], "without_purchases": [f"{payload[:60]}c"]}}
    return {"units": units, "enterprises": enterprises}, policy


def tables_written(planted: Planted, folder: Path) -> str:
    """Inspect every cell and header of every CSV table, and read the tables again."""
    planted.results.save(folder / "run", planted.instance)
    for path in sorted(folder.rglob("*.csv")):
        for row in csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""), strict=True):
            live = [cell for cell in row if RUNS.match(cell) and not NUMBER.fullmatch(cell)]
            if live:
                return f"{path.name} holds {live[0]!r}"
    same = etsopt.read(folder / "run" / "instance").hash == planted.instance.hash
    return "" if same else "the instance came back as another one"


class Elements(HTMLParser):
    """Parser that counts elements with their attributes, and collects texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[f"{tag} {attrs}"] += 1

    def handle_comment(self, data: str) -> None:
        self.elements["a comment"] += 1

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@functools.cache
def plain() -> Planted:
    return Planted("plain")


@functools.cache
def plain_elements() -> Counter[str]:
    """Return the elements of the page of an instance with plain names."""
    return Elements(compliance_page(plain().instance, plain().results)).elements


def report_written(planted: Planted, folder: Path) -> str:
    """Compare the elements of the page with those of a page with plain names."""
    page = compliance_page(planted.instance, planted.results)
    read = Elements(page)
    if read.elements != plain_elements():
        return f"the page has {read.elements - plain_elements()} more"
    shown = "".join(read.texts).replace("\r\n", "\n")
    return "" if planted.payload.replace("\r\n", "\n") in shown else "the page does not show the text"


def _on_disk(planted: Planted, folder: Path) -> tuple[Path, Path]:
    """Write an instance and its run to folders named by the payload, as far as a file system allows."""
    name = re.sub(r"[/\0]", "", planted.payload) or "a"
    if name.startswith("-"):
        name = f" {name}"
    instance, run = folder / name, folder / f"run {name}"
    write_instance(planted.instance, instance)
    planted.results.save(run, planted.instance)
    return instance, run


def console(planted: Planted, folder: Path) -> str:
    """Run commands; their output must contain no control or hidden character."""
    instance, run = _on_disk(planted, folder)
    commands = (["validate", str(instance)], ["validate", planted.payload], ["check", str(run)])
    commands += (["solve", str(instance), "--model", "compliance"], ["report", str(run), "--enterprise", "none"])
    for command in commands:
        code, out, errors = in_memory(command)
        if hidden := HIDDEN.search((out + errors).replace("\n", "")):
            return f"{command[0]} printed {hidden[0]!r}"
        if code not in (0, 2):
            return f"{command[0]} ended with {code}: {errors}"
    return ""


def as_json(planted: Planted, folder: Path) -> str:
    """Run commands that print JSON: it must contain the exact text, without a hidden character in print."""
    instance, run = _on_disk(planted, folder)
    commands = (["solve", str(instance), "--model", "compliance"], ["validate", str(instance)], ["check", str(run)])
    for command in (*commands, ["validate", f"{instance} {instance}"]):
        code, out, _ = in_memory([*command, "--json"])
        if HIDDEN.search(out.replace("\n", "")):
            return f"{command[0]} printed {out!r}"
        content = json.loads(out)
        if command[0] != "check" and code == 0 and content["instance"] != instance.name:
            return f"{command[0]} named {content['instance']!r}"
    return ""


def program_written(planted: Planted, folder: Path) -> str:
    """Write the program in MPS: the same bytes as with plain names."""
    written = []
    for one in (planted, plain()):
        path = folder / f"{len(written)}.mps"
        etsopt.solve(one.instance.with_policy({"sectors.cement.band": 0.5, "sectors.steel.band": 0.5}), mps=path)
        written.append(path.read_bytes())
    return "" if written[0] == written[1] else "the program depends on the names"


def result_written(planted: Planted, folder: Path) -> str:
    """Save the run: its result.json must contain the exact text, without a control or hidden character."""
    planted.results.save(folder / "run")
    text = (folder / "run" / "result.json").read_text(encoding="utf-8")
    if hidden := HIDDEN.search(text.replace("\n", "")):
        return f"result.json holds {hidden[0]!r}"
    again = etsopt.load(folder / "run")
    same = json.loads(text)["instance"] == planted.payload == again.provenance.instance
    return "" if same else "result.json holds another text"


CHANNELS: dict[str, Callable[[Planted, Path], str]] = {
    "tables": tables_written,
    "report": report_written,
    "console": console,
    "JSON": as_json,
    "MPS": program_written,
    "result.json": result_written,
}


@functools.lru_cache(maxsize=1)
def planted_as(payload: str) -> Planted:
    return Planted(payload)


def injections(numbers: Iterable[int]) -> Found:
    """Write or show a payload; trial ``n`` uses output ``n`` modulo their number."""
    found, ways = Found(), [*CHANNELS]
    for number in numbers:
        payload, way = PAYLOADS[number // len(ways)], ways[number % len(ways)]
        planted = planted_as(payload)
        with tempfile.TemporaryDirectory() as place:
            wrong = CHANNELS[way](planted, Path(place))
        found.saw("text, also as an identifier" if "identifiers" in planted.taken else "text, refused as an identifier")
        if wrong:
            found.failed(number, f"{way}, {payload!r}: {wrong}")
    return found
