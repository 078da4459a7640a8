"""Defects of the policy file and of `--set`, each with the expected report of key and value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.reliability.bad_cells import HIDDEN, defect

if TYPE_CHECKING:
    from random import Random

    from benchmarks.reliability.folders import Folder


@defect("a key that is misspelt")
def _misspelt(folder: Folder, random: Random) -> list[str]:
    section, key, meant = random.choice(
        (
            ("allocation", "intensity_oder", "intensity_order"),
            ("market", "paid_shar", "paid_share"),
            ("horizon", "last_yer", ""),
        )
    )
    folder.policy += f"\n[{section}]\n{key} = 1\n"
    guess = f"Did you mean {meant or 'last_year'!r}?"
    return [f"policy.toml, {section}.{key}: is not a key of the policy.\n   {guess}"]


@defect("a text for a number in the policy")
def _text(folder: Folder, random: Random) -> list[str]:
    value = random.choice(("2025", "in 2025", "二〇二五"))
    folder.policy = folder.policy.replace("year = 2025", f'year = "{value}"')
    return [f"policy.toml, year: is {value!r}: expected a valid integer.\n"]


@defect("a number of the policy out of its range")
def _range(folder: Folder, random: Random) -> list[str]:
    section, key, value, should = random.choice(
        (
            ("market", "ccer_share", 5, "less than"),
            ("horizon", "last_year", 1999, "greater than"),
            ("penalty", "fixed_fine_cny", -1, "greater than"),
            ("allocation.exceptions", "units", -3, "greater than"),
        )
    )
    folder.policy += f"\n[{section}]\n{key} = {value}\n"
    return [f"policy.toml, {section}.{key}: is {value}: expected {should}"]


@defect("a number of the policy that is none")
def _no_number(folder: Folder, random: Random) -> list[str]:
    word, value = random.choice((("nan", "nan"), ("inf", "inf"), ("-inf", "-inf"), ("true", "True"), ("[1]", "[1]")))
    folder.policy += f"\n[national]\ntarget_t = {word}\n"
    return [f"policy.toml, national.target_t: is {value}: expected "]


@defect("a policy that is no TOML")
def _syntax(folder: Folder, random: Random) -> list[str]:
    lines = folder.policy.count("\n")
    bad = random.choice(("market = ", "= 5", "[market", "price = 1,5", "name = cn-2025", 'a = "b'))
    folder.policy += f"{bad}\n"
    return [f"policy.toml: is not valid TOML (…(at line {lines + 1}, column "]


@defect("a key of the policy twice")
def _twice(folder: Folder, random: Random) -> list[str]:
    folder.policy += random.choice(("\n[rule]\nslope = 0.1\n", "band = 0.02\n"))
    return ["policy.toml: is not valid TOML (Cannot "]


@defect("a sector of the policy that is none")
def _sector(folder: Folder, random: Random) -> list[str]:
    name, guess = random.choice(
        (("cemnt", "Did you mean 'cement'? "), ("glass", ""), ("stel", "Did you mean 'steel'? "))
    )
    folder.policy += f"\n[sectors.{name}]\nband = 0.02\n"
    return [f"policy.toml, sectors.{name}: {name!r} is not a sector.\n   {guess}Use one of "]


@defect("a sector of the policy without units")
def _no_units(folder: Folder, random: Random) -> list[str]:
    folder.policy += f"\n[sectors.power]\n{random.choice(('band = 0.02', 'target_change = -0.01'))}\n"
    return ["policy.toml, sectors.power: the sector 'power' has no unit.\n"]


@defect("a province of the policy without units")
def _province(folder: Folder, random: Random) -> list[str]:
    name = random.choice(("Hebie", "海南", "Nowhere"))
    folder.policy += f'\n[provinces.balance]\n"{name}" = 0.1\n'
    return [f"policy.toml, provinces.balance: the province {name!r} has no unit.\n"]


@defect("an enterprise of the policy without units")
def _enterprise(folder: Folder, random: Random) -> list[str]:
    key, name = random.choice(("at_risk", "without_purchases")), random.choice(("firm-99", "无此企业"))
    folder.policy += f'\n[compliance]\n{key} = ["{name}"]\n'
    return [f"policy.toml, compliance.{key}: the enterprise {name!r} has no unit.\n"]


@defect("two targets at once")
def _two_targets(folder: Folder, random: Random) -> list[str]:
    folder.policy += f"target_change = -0.01\ntarget_t = {random.randrange(10**6)}\n"
    sector = folder.policy.partition("[sectors.")[2].partition("]")[0]
    return [f"policy.toml, sectors.{sector}: states target_change and target_t: expected one of them"]


@defect("a hidden character in the policy")
def _hidden(folder: Folder, random: Random) -> list[str]:
    # TOML allows control characters in escaped form only.
    sign = random.choice(HIDDEN)
    escaped = "".join(f"\\u{ord(one):04x}" for one in sign)
    folder.policy += f'\n[compliance]\nat_risk = ["a{escaped}"]\n'
    return [f"policy.toml, compliance.at_risk: is {'a' + sign!r}, with a control or invisible character in it.\n"]


@defect("a rule that is none")
def _rule(folder: Folder, random: Random) -> list[str]:
    name = random.choice(("cn-2052", "grandfathered", "国家方案"))
    folder.policy = folder.policy.replace("cn-2025", name)
    return [f"policy.toml, rule.name: there is no rule {name!r}.\n"]


@defect("a parameter of the rule that is none")
def _parameter(folder: Folder, random: Random) -> list[str]:
    key, value = random.choice((("slop", "0.15"), ("treshold_tco2e", "26000")))
    folder.policy = folder.policy.replace('"cn-2025"\n', f'"cn-2025"\n{key} = {value}\n')
    return [f"policy.toml, rule.{key}: is not a"]


@defect("an end of the horizon before its beginning")
def _horizon(folder: Folder, random: Random) -> list[str]:
    year = random.choice((2010, 2020, 2024))
    folder.policy += f"\n[horizon]\nlast_year = {year}\n"
    return [f"policy.toml, horizon.last_year: is {year}: expected 2025, the first year, or later.\n"]


@defect("a floor above the ceiling")
def _floor(folder: Folder, random: Random) -> list[str]:
    floor = random.randrange(60, 90)
    folder.policy += f"\n[market]\nfloor_price_cny_per_t = {floor}\nceiling_price_cny_per_t = 50\n"
    return ["policy.toml, market.floor_price_cny_per_t: is above the ceiling price in 2025.\n"]


@defect("a change of a key that is none")
def _set_key(folder: Folder, random: Random) -> list[str]:
    key = random.choice(("markets.paid_share", "allocation.colour", "sectors.steel.bnd"))
    folder.arguments = ["--set", f"{key}=0.1"]
    named = key.partition(".")[0] if key.startswith("markets") else key
    return [f"the changed policy, {named}: is not a key of the policy.\n"]


@defect("a change to a value that is none")
def _set_value(folder: Folder, random: Random) -> list[str]:
    value = random.choice(("much", "1,5", "二〇二六"))
    folder.arguments = ["--set", f"year={value}"]
    return [f"the changed policy, year: is {value!r}: expected a valid integer.\n"]


@defect("a change that is no key with a value")
def _set_shape(folder: Folder, random: Random) -> list[str]:
    text = random.choice(("year", "=5", "year 2026"))
    folder.arguments = ["--set", text]
    return [f"--set {text!r} is not KEY=VALUE.\n"]


@defect("a key changed twice")
def _set_twice(folder: Folder, random: Random) -> list[str]:
    year = random.randrange(2020, 2030)
    folder.arguments = ["--set", f"year={year}", "--set", "year=2025"]
    return ["--set names 'year' twice.\n"]
