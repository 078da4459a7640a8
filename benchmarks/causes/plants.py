"""Sets of monthly reports of invented plants before any fault: clinker lines, steelworks and electrolysis processes.

A set has 18 plants of drawn sizes over twelve months. Every number here is an engineer's assumption about plants in
general: none was taken from a report, and none from the code that diagnoses. What a plant uses follows from its output
by a rate of its own, less than in proportion where a part of the load is fixed; output follows seasons, a trend and
perhaps a month of repair. Fuels are burnt for their heat: another calorific value needs another quantity.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.causes.book import MONTHS, RAMP, Book, Floats

PLANTS, LEAST_OF_SECTOR = 18, 3
SHARES = {"cement": 0.5, "steel": 0.3, "aluminium": 0.2}
PROVINCES = ("Hebei", "Anhui", "Shandong", "Yunnan", "Inner Mongolia", "Guangxi")

OUTPUT_T = {"cement": 1_300_000.0, "steel": 3_200_000.0, "aluminium": 420_000.0}
"""Usual output of a year [t]: clinker, iron or steel of a furnace, liquid aluminium."""
SIZES = 0.7  # standard deviation of the logarithm of outputs

NORTH = (0.40, 0.28, 0.85, 1.15, 1.20, 1.15, 1.10, 1.10, 1.15, 1.20, 1.05, 0.55)
SOUTH = (0.85, 0.55, 1.00, 1.05, 1.05, 0.95, 0.90, 0.95, 1.10, 1.20, 1.25, 1.20)
"""Seasons of kilns: winter stops in the north, holidays of spring and rain in the south."""
REPAIR = {"cement": (0.4, 0.4, 0.8), "steel": (0.25, 0.6, 0.85), "aluminium": (0.1, 0.85, 0.95)}
"""Share of plants with a month of repair, and the range of its output."""

FIXED = 0.93  # exponent of main consumption over output: a part of the load is fixed
STARTING = 0.4  # the same of diesel, most of which heats up
MINOR = 2.0  # noise of materials by invoice, relative to the item noise
BLENDED = 0.08  # standard deviation of the logarithm of a share in a blend of fuels
OUTPUT_NOISE = 0.3  # noise of a second count of the output, relative to the item noise


def clean(seed: int, noise: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return register and rows of a set of plants without faults.

    Parameters
    ----------
    noise
        Standard deviation of the logarithm of an item per tonne of output, from month to month, such as 0.03.
    """
    random = np.random.default_rng([seed, round(10_000 * noise)])
    names = list(SHARES)
    further = random.choice(names, PLANTS - LEAST_OF_SECTOR * len(names), p=list(SHARES.values()))
    sectors = sorted([*names * LEAST_OF_SECTOR, *further.tolist()])
    register, frames = [], []
    for number, sector in enumerate(sectors, 1):
        book = Book(f"P{number:02d}", random, noise)
        activity = _write(book, sector)
        words = (book.unit, f"E{number:02d}", sector, str(random.choice(PROVINCES)), activity)
        register.append(dict(zip(("unit_id", "enterprise_id", "sector", "province", "activity"), words, strict=True)))
        frames.append(book.frame())
    return pd.DataFrame(register), pd.concat(frames, ignore_index=True)


def _write(book: Book, sector: str) -> str:
    """Write the year of a plant, and return its activity."""
    output = book.drawn(OUTPUT_T[sector], SIZES) / MONTHS * _activity(book, sector)
    if sector == "cement":
        return _clinker_line(book, output)
    if sector == "aluminium":
        return _electrolysis(book, output)
    return _short_process(book, output) if book.chance(0.3) else _long_process(book, output)


def _activity(book: Book, sector: str) -> Floats:
    """Return the output of each month relative to a usual one."""
    random = book.random
    season = np.ones(MONTHS)
    if sector == "cement":
        season = np.array(NORTH if book.chance(0.5) else SOUTH)
    if sector == "steel":
        season += 0.03 * np.sin(2 * np.pi * (np.arange(MONTHS) - random.uniform(1, 4)) / MONTHS)
    change = {"cement": 0.06, "steel": 0.04, "aluminium": 0.012}[sector]
    activity = season * np.exp(random.uniform(-0.12, 0.12) * RAMP + change * random.normal(size=MONTHS))
    share, least, most = REPAIR[sector]
    if book.chance(share):
        activity[random.integers(MONTHS)] *= random.uniform(least, most)
    return np.asarray(activity)


def _used(book: Book, rate: float, output: Floats, exponent: float = 1.0, times: float = 1.0) -> Floats:
    """Return what is used in each month, of ``rate`` per tonne of output in a usual month."""
    usual = float(np.median(output))
    return book.varied(rate * usual * (output / usual) ** exponent, times)


def _minor(book: Book, process: str, item: str, rate: float, output: Floats, flow: str = "in") -> None:
    """Write a material or fuel of little weight."""
    book.write(process, item, flow, _used(book, book.drawn(rate, 0.2), output, times=MINOR))


def _mixed(book: Book, main: str, second: str, blend: float, switch: float) -> dict[str, Floats]:
    """Return the shares of fuels in heat by month: one fuel, a blend, or another fuel from some month on."""
    drawn = book.random.random()
    share = np.zeros(MONTHS)
    if drawn < blend:
        share += book.random.uniform(0.1, 0.3)
    elif drawn < blend + switch:
        share[book.random.integers(3, 10) :] = 1.0 if book.chance(0.5) else book.random.uniform(0.6, 0.85)
    share = np.where(share < 1, share * np.exp(BLENDED * book.random.normal(size=MONTHS)), share).clip(max=1.0)
    return {main: 1 - share, second: share} if share.any() else {main: 1 - share}


def _meters(book: Book, share: float = 0.25) -> int:
    """Return the number of meters of a quantity: two or three in a share of plants."""
    return int(book.random.integers(2, 4)) if book.chance(share) else 1


def _clinker_line(book: Book, output: Floats) -> str:
    heat = _used(book, book.drawn(3.35, 0.06), output, FIXED)
    main = str(book.random.choice(["bituminous", "anthracite", "lignite"], p=[0.8, 0.12, 0.08]))
    second = str(book.random.choice(["petroleum_coke", "other_washed_coal", "natural_gas"], p=[0.4, 0.4, 0.2]))
    stocks, meters = book.chance(0.6), _meters(book)
    for fuel, share in _mixed(book, main, second, blend=0.2, switch=0.2).items():
        used = heat * share / book.calorific(fuel)
        book.write("clinker", fuel, "in", used, meters)
        book.test("clinker", fuel, used, int(book.random.integers(1, 5)))
        if stocks and fuel == main and share.all():
            book.stocked("clinker", fuel, used)
    book.write("clinker", "diesel", "in", _used(book, book.drawn(0.0003, 0.3), output, STARTING, MINOR))
    wastes = book.random.choice(["carbide_slag", "steel_slag", "fly_ash", "desulphurisation_gypsum"], 2, replace=False)
    for waste in wastes[: int(book.random.choice([0, 1, 2], p=[0.5, 0.3, 0.2]))]:
        _minor(book, "clinker", str(waste), 0.03, output)
    book.write("clinker", "portland_clinker", "product", output, 2 if book.chance(0.3) else 1)
    return "portland_clinker"


def _electrolysis(book: Book, output: Floats) -> str:
    anodes = _used(book, book.drawn(0.455, 0.03), output)
    meters = _meters(book, 0.35)
    book.write("electrolysis", "anode", "in", anodes, meters)
    if book.chance(0.5):
        book.stocked("electrolysis", "anode", anodes)
    if book.chance(0.5):
        minutes = book.varied(np.full(MONTHS, book.drawn(0.35, 0.3)), MINOR)
        book.write("electrolysis", "anode_effect_minutes", "in", minutes)
    book.write("electrolysis", "aluminium", "product", output, meters)
    return "primary_aluminium"


def _short_process(book: Book, output: Floats) -> str:
    """Write an electric furnace: scrap, electrodes, gas and coal that is blown in."""
    gas, carbon = (_used(book, book.drawn(rate), output, FIXED) for rate in (0.0022, 0.012))
    for fuel, used in (("natural_gas", gas), ("anthracite", carbon)):
        book.write("enterprise", fuel, "in", used)
        book.write("eaf", fuel, "in", used)
    if book.chance(0.5):
        book.test("enterprise", "natural_gas", gas, 1)
    scrap = _used(book, book.drawn(1.02, 0.04), output)
    book.write("enterprise", "scrap", "in", scrap, _meters(book))
    for item, rate in (("electrode", 0.0016), ("limestone", 0.04), ("ferrosilicon", 0.004), ("pig_iron", 0.08)):
        _minor(book, "enterprise", item, rate, output)
    book.write("enterprise", "crude_steel", "out", book.varied(output, OUTPUT_NOISE))
    book.write("eaf", "crude_steel", "product", output, _meters(book))
    return "short_process"


def _long_process(book: Book, iron: Floats) -> str:
    """Write blast furnaces with sinter, converters, and perhaps coke ovens, pellets and a power unit."""
    coke = _used(book, book.drawn(0.39, 0.06), iron, FIXED)
    heat = _used(book, book.drawn(3.4), iron)
    injected = {
        fuel: heat * share / book.calorific(fuel)
        for fuel, share in _mixed(book, "bituminous", "lignite", blend=0.1, switch=0.15).items()
    }
    breeze, fines = (_used(book, book.drawn(rate), iron) for rate in (0.03, 0.035))
    book.write("ironmaking", "coke", "in", coke, _meters(book))
    for fuel, used in injected.items():
        book.write("ironmaking", fuel, "in", used)
    book.write("ironmaking", "pig_iron", "product", iron, _meters(book))
    for flow, rate in (("out", 0.155), ("in", 0.06)):
        book.write("ironmaking", "blast_furnace_gas", flow, _used(book, book.drawn(rate), iron))
    book.write("sintering", "coke", "in", breeze)
    book.write("sintering", "anthracite", "in", fines)
    book.write("sintering", "sinter", "product", _used(book, book.drawn(1.3), iron, times=OUTPUT_NOISE))
    if book.chance(0.5):
        book.write("pelletising", "blast_furnace_gas", "in", _used(book, book.drawn(0.012), iron))
        book.write("pelletising", "pellets", "product", _used(book, book.drawn(0.25), iron, times=OUTPUT_NOISE))
    steel = _used(book, book.drawn(1.07, 0.03), iron, times=OUTPUT_NOISE)
    book.write("bof", "converter_gas", "out", _used(book, book.drawn(0.0105), steel))
    book.write("bof", "crude_steel", "product", steel)
    if book.chance(0.4):
        power = _used(book, book.drawn(0.08), iron)
        book.write("power", "bituminous", "in", power)
        book.write("power", "blast_furnace_gas", "in", _used(book, book.drawn(0.04), iron))
        injected["bituminous"] = injected["bituminous"] + power
    _purchases(book, iron, steel, coke + breeze, injected, fines)
    return "long_process"


def _purchases(book: Book, iron: Floats, steel: Floats, coke: Floats, coals: dict[str, Floats], fines: Floats) -> None:
    """Write the balance of a long process: coke ovens of its own or coke that is bought, coals and materials."""
    if book.chance(0.65):
        made = coke * book.random.uniform(0.75, 0.95)
        charged = made * book.drawn(1.34, 0.03)
        book.write("coking", "washed_coking_coal", "in", charged)
        book.write("coking", "coke", "out", made)
        book.write("coking", "coke_oven_gas", "out", _used(book, book.drawn(0.042), made))
        coals = coals | {"washed_coking_coal": charged}
        for item, rate in (("tar", 0.04), ("crude_benzol", 0.011)):
            _minor(book, "enterprise", item, rate, made, "out")
        coke = coke - made
    book.write("enterprise", "coke", "in", coke)
    book.write("enterprise", "anthracite", "in", fines)
    stocks = book.chance(0.6)
    for fuel, used in coals.items():
        book.write("enterprise", fuel, "in", used, _meters(book))
        book.test("enterprise", fuel, used, int(book.random.integers(1, 4)))
        if stocks and (used > 0).all():
            book.stocked("enterprise", fuel, used)
    materials = (("limestone", 0.05), ("dolomite", 0.04), ("scrap", 0.11), ("silicomanganese", 0.011), ("diesel", 4e-4))
    for item, rate in materials:
        _minor(book, "enterprise", item, rate, iron)
    book.write("enterprise", "crude_steel", "out", book.varied(steel, OUTPUT_NOISE), _meters(book, 0.15))
