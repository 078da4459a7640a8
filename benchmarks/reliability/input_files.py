"""Rows of input and output files: bad input, mutants, encodings, injection, round trips and slips of units."""

from benchmarks.reliability.bad_cells import DEFECTS
from benchmarks.reliability.bad_input import VARIANTS, refusals
from benchmarks.reliability.encodings import CONTENTS, ENCODINGS, encodings
from benchmarks.reliability.injection import CHANNELS, injections
from benchmarks.reliability.parser_mutants import mutants
from benchmarks.reliability.payloads import PAYLOADS
from benchmarks.reliability.round_trips import round_trips
from benchmarks.reliability.row import Row
from benchmarks.reliability.unit_slips import CLEAN, SLIPS, slips

ROWS: list[Row] = [
    Row(
        "B1",
        f"{len(DEFECTS)} kinds of bad input, each in {VARIANTS} random folders, given to `etsopt validate`",
        "Each is refused: exit 2, every defect with its file, row, column and value and no other, no traceback, at "
        "most 5 CPU s and 512 MiB.",
        VARIANTS * len(DEFECTS),
        len(DEFECTS),
        refusals,
        chunk=len(DEFECTS),
    ),
    Row(
        "B2",
        "mutants of every file that is read, of instances and runs, in CSV, TOML, JSON and Parquet",
        "Each is refused with a message, or read as the csv, tomllib and json of Python read it; at most 10 CPU s and "
        "1 GiB.",
        30_000,
        120,
        mutants,
        chunk=1500,
    ),
    Row(
        "B3",
        f"tables of Chinese or accented names in {len(ENCODINGS)} encodings, {CONTENTS} of each",
        "Each is read as the text that was written, or refused; UTF-8 is never refused.",
        len(ENCODINGS) * CONTENTS,
        len(ENCODINGS) * 10,
        encodings,
        chunk=240,
    ),
    Row(
        "B5",
        f"{len(PAYLOADS)} formulas, scripts, control sequences and breaks of formats as names, notes and folders, each "
        f"written or shown in {len(CHANNELS)} ways",
        "No cell begins a formula, the page has no element more, nothing hidden reaches the terminal or result.json, "
        "the program is the same, and the text itself is there.",
        len(PAYLOADS) * len(CHANNELS),
        2 * len(CHANNELS),
        injections,
        chunk=180,
    ),
    Row(
        "B6",
        "random instances and results to folders, frames, Parquet and runs, and back",
        "The same hash, and every cell the same, floats to the last bit.",
        2000,
        12,
        round_trips,
        chunk=250,
    ),
    Row(
        "B7",
        f"{SLIPS} plausible instances with one column off by a thousand or ten thousand, and {CLEAN} without",
        "No alarm without a slip. 95 % of the slips caught is the aim and not reached: only emissions are held to "
        "output, by the intensity of the sector; the outcomes name the columns that are held to nothing.",
        SLIPS + CLEAN,
        48,
        slips,
        chunk=180,
    ),
]
