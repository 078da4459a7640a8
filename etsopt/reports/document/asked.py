"""What was asked: the instance, and the keys of the policy that the model reads, in the words of the regulation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from etsopt.explanation.steps import in_chinese
from etsopt.reports.document.cells import amount, rate
from etsopt.reports.document.content import Facts, Paragraph, Section
from etsopt.results.claims import is_checked
from etsopt.results.notices import notices

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from etsopt.reports.document.content import Run

Pair = tuple[str, str]

MODELS = {
    "allocation": ("How many allowances is every unit due?", "各单元核定多少配额？"),
    "balance_value": ("What does the rule alone give?", "仅按规则，各单元得到多少配额？"),
    "abatement": ("What do enterprises do at a given price?", "在给定碳价下，企业如何减排和交易？"),
    "clearing": ("At which price does the market clear?", "碳价为多少时市场出清？"),
    "pathway": ("Which prices, emissions and measures follow year by year?", "各年度的碳价、排放量和措施如何变化？"),
    "equilibrium": ("Which balance value do the units' responses reproduce?", "企业响应后，行业平衡值为多少？"),
    "compliance": ("How is the year surrendered, and what is left?", "本年度如何清缴，结余多少？"),
    "reconciliation": ("Which emissions do the monthly reports allow?", "月度报告支持怎样的年排放量？"),
    "investment": ("Which measures should be installed now?", "现在应投资哪些措施？"),
    "review_plan": ("Whom should the reviewers see?", "审核人员应审哪些企业？"),
}
"""Question that each model answers."""

RULES = {
    "cn-2024": ("plan of 2024 for industry: A = E", "2024年度方案：配额等于经核查排放量（A = E）"),
    "cn-2025": ("intensity-coefficient method of the plan for 2025", "2025年度方案的碳排放强度系数法"),
    "cn-2026": (
        "intensity-coefficient method of the draft plan for 2026",
        "2026年度方案（征求意见稿）的碳排放强度系数法",
    ),
    "cn": (
        "plan of the year: benchmarks for power, balance values for industry",
        "当年度方案：发电行业用基准值法，其他行业用碳排放强度系数法",
    ),
    "grandfathering": ("in proportion to last year's verified emissions", "按上一年度经核查排放量的比例"),
    "benchmark": ("output times the benchmark of the sector", "产量乘以行业基准值"),
    "given": ("reference allowances as the instance states them", "采用算例所列的参考配额"),
}
"""Rules in words."""

OBJECTIVES = {
    "change": ("least tonnes moved against the rule", "较规则的调整总量最小"),
    "largest_change": ("least largest move of a unit, relative to its emissions", "单元最大调整率最小"),
    "deficit": ("least tonnes of deficit", "缺口总量最小"),
    "spread": ("least spread of surplus rates, weighted by emissions", "按排放量加权的盈缺率离散度最小"),
}
"""Objectives in words."""

SENSES = {"at_most": ("at most", "不超过"), "exactly": ("exactly", "等于")}


def asked(run: Run) -> Section:
    """Return the section on what was asked."""
    # What of the policy a model of the user's own reads, the file says, and nobody else.
    parts = (_about, _rule, _limits, _market, _at_risk, _later) if is_checked(run.results) else (_about,)
    pairs = [pair for part in parts for pair in part(run)]
    warnings = [Paragraph(run.say(*words), "warning") for words in notices(run.about)]
    return Section("asked", run.say("What was asked", "计算要求"), (Facts(tuple(pairs)), *warnings))


def _about(run: Run) -> Iterator[Pair]:
    model = str(run.about["model"])
    question = MODELS.get(model, ("a model of your own", "自定义模型"))
    yield run.say("question", "问题"), run.noted(run.say(*question), str(model))
    size = [_count(run, "unit_id", "units", "个单元"), _count(run, "enterprise_id", "enterprises", "家企业")]
    size += [_count(run, "sector", "sectors", "个行业"), _count(run, "province", "provinces", "个省份")]
    parts = run.listed([part for part in size if part])
    yield run.say("instance", "算例"), run.say(": ", "：").join(part for part in (run.about["instance"], parts) if part)
    if "year" in run.policy:
        year = run.policy["year"]
        last = (run.policy.get("horizon") or {}).get("last_year") if "years" in run.tables else None
        to = f"–{last}" if last and last != year else ""
        yield run.say("compliance year", "履约年度"), f"{year}{to}" + run.say("", "年度")


def _count(run: Run, column: str, english: str, chinese: str) -> str:
    """Return the number of units or others in the table that has a row for each unit; empty without one."""
    names = ("allocation", "issuance", "units", "unit_years", "reconciliation", "plan", "relaxed_units")
    table = next((run.tables[name] for name in names if name in run.tables), None)
    if table is None or column not in table:
        return ""
    count = table[column].nunique()
    return run.say(f"{count:,} {english if count != 1 else english.removesuffix('s')}", f"{count:,} {chinese}")


def _rule(run: Run) -> Iterator[Pair]:
    rule = run.policy.get("rule") or {}
    if not rule or _unused(run, "rule.name"):
        return
    name = str(rule.get("name"))
    words = run.say(*RULES.get(name, ("a rule of your own", "自定义规则")))
    if "slope" in rule and "cap" in rule and not isinstance(rule["slope"], dict):
        slope, cap = f"{rule['slope']:g}", rate(rule["cap"])
        words += run.say(
            f": A = E (1 + α), α = {slope} X within ±{cap}, X = (BP − I) / BP with the sector's balance value BP",
            f"：A = E(1+α)，强度系数 α = {slope}X，限于 ±{cap}；强度偏离度 X = (BP−I)/BP，BP 为行业平衡值",
        )
    yield run.say("rule", "分配规则"), run.noted(words, name)
    threshold = rule.get("threshold_tco2e")
    if threshold:
        yield (
            run.say("threshold", "纳入门槛"),
            run.say(
                f"enterprises below {threshold:,.0f} tCO2e get allowances equal to their emissions",
                f"排放量低于 {threshold:,.0f} tCO2e 的企业等量分配（A = E）",
            ),
        )


def _limits(run: Run) -> Iterator[Pair]:
    """Yield targets, bands, balances, objectives and further conditions of an allocation."""
    policy = run.policy.get("sectors") or {}
    for sector in dict.fromkeys((*policy, *_senses(run))):
        stated, parts = policy.get(sector) or {}, []
        if not _unused(run, f"sectors.{sector}.target_change") and (target := _target(run, stated)):
            parts.append(target)
        elif (sense := _senses(run).get(sector)) in SENSES:
            words = run.say(*SENSES[str(sense)])
            rule = (f"allowances {words} verified emissions, by the rule", f"配额{words}经核查排放量（规则规定）")
            parts.append(run.say(*rule))
        if (band := stated.get("band")) and not _unused(run, f"sectors.{sector}.band"):
            ends = f"{rate(-band['lower'])} {run.say('to', '至')} {rate(band['upper'])}"
            parts.append(run.say(f"surplus rate from {ends}", f"盈缺率 {ends}"))
        if parts:
            yield run.say(sector, in_chinese(sector)), run.say("; ", "；").join(parts)
    national = run.policy.get("national") or {}
    if target := _target(run, national):
        yield run.say("national total", "全国总量"), target
    balance = (run.policy.get("provinces") or {}).get("balance")
    if balance is not None and not _unused(run, "provinces.balance"):
        shares = balance if isinstance(balance, dict) else {"": balance}
        texts = [f"{run.say(name, in_chinese(name))} {rate(share)}".strip() for name, share in shares.items()]
        words = run.say("surplus or deficit at most {} of its emissions", "盈余或缺口不超过排放量的 {}")
        yield run.say("each province", "各省份"), words.format(run.listed(texts))
    yield from _objectives(run)


def _senses(run: Run) -> dict[str, str]:
    """Return the kind of the target of each sector, as the run has it, also where the policy states none."""
    table = run.tables.get("sectors")
    if table is None or "target_sense" not in table:
        return {}
    return dict(zip(table["sector"].astype(str), table["target_sense"].astype(str), strict=True))


def _target(run: Run, stated: Mapping[str, Any]) -> str:
    """Return a target in words; empty if none is stated."""
    sense = run.say(*SENSES.get(stated.get("target_sense") or "at_most", ("", "")))
    if stated.get("target_t") is not None:
        return run.say(f"allowances {sense} ", f"配额{sense}") + amount(stated["target_t"], "t", run.zh)
    if stated.get("target_intensity") is not None:
        value = f"{stated['target_intensity']:.6g}"
        return run.say(f"allowances {sense} {value} t per tonne of output", f"单位产品配额{sense} {value} 吨/吨")
    change = stated.get("target_change")
    if change is None:
        return ""
    if not change:
        return run.say(f"allowances {sense} verified emissions", f"配额{sense}经核查排放量")
    less = rate(abs(change))
    way = run.say("less" if change < 0 else "more", "少" if change < 0 else "多")
    return run.say(f"allowances {sense} {less} {way} than verified emissions", f"配额{sense}经核查排放量{way} {less}")


def _objectives(run: Run) -> Iterator[Pair]:
    allocation = run.policy.get("allocation") or {}
    solved = {level.name for level in run.results.levels}
    if not (solved & {*OBJECTIVES} or "relaxed_limits" in run.tables) or _unused(run, "allocation.objectives"):
        return
    named = [run.say(*OBJECTIVES[name]) for name in allocation.get("objectives", ()) if name in OBJECTIVES]
    if named:
        last = run.say("then nearest to the rule (weighted least squares)", "最后最接近规则（加权最小二乘）")
        yield (
            run.say("objectives, in order", "目标（依次）"),
            run.say("; then ", "；其次").join(named) + run.say("; ", "；") + last,
        )
    flags = {
        "intensity_order": ("a lower intensity never gets a lower surplus rate", "强度较低者盈缺率不低于强度较高者"),
        "integer_allowances": ("allowances are whole tonnes", "配额取整吨"),
    }
    words = [run.say(*flags[name]) for name in flags if allocation.get(name)]
    exceptions = allocation.get("exceptions") or {}
    if exceptions.get("units"):
        ends = f"−{rate(exceptions['lower'])} … {rate(exceptions['upper'])}"
        count = exceptions["units"]
        words.append(run.say(f"up to {count} units may use the band {ends}", f"至多 {count} 个单元可用盈缺率 {ends}"))
    if allocation.get("band_on") == "enterprise":
        words.append(run.say("the band holds for enterprises", "盈缺率限值适用于企业"))
    if words:
        yield run.say("further conditions", "其他条件"), run.say("; ", "；").join(words)


MARKET: Mapping[str, tuple[Pair, str]] = {
    "prices_cny_per_t": (("price that enterprises expect", "企业预期碳价"), "CNY/t"),
    "auctioned_t": (("allowances auctioned", "有偿分配配额"), "t"),
    "paid_share": (("share of paid allocation", "有偿分配比例"), "rate"),
    "floor_price_cny_per_t": (("price floor", "价格下限"), "CNY/t"),
    "ceiling_price_cny_per_t": (("price ceiling", "价格上限"), "CNY/t"),
    "reserve_t": (("reserve at the start", "期初储备"), "t"),
    "external_demand_t": (("net demand from outside", "外部净需求"), "t"),
    "ccer_supply_t": (("offsets (CCER) on offer", "核证自愿减排量供给"), "t"),
    "ccer_price_cny_per_t": (("price of an offset", "核证自愿减排量价格"), "CNY/t"),
    "ccer_share": (("offsets meet at most, of the obligation", "抵销比例上限（占应清缴配额）"), "rate"),
    "transaction_cost_cny_per_t": (("cost of a trade, each side", "交易成本（每边）"), "CNY/t"),
    "terminal_price_cny_per_t": (("value of an allowance kept to the end", "期末结余配额价值"), "CNY/t"),
}
"""Keys of the market, their words, and the unit of their numbers."""


def _market(run: Run) -> Iterator[Pair]:
    if not ({"years", "equilibrium", "compliance"} & {*run.tables}):
        return
    market = run.policy.get("market") or {}
    for key, (words, unit) in MARKET.items():
        stated = market.get(key)
        if stated and not _unused(run, f"market.{key}"):
            yield run.say(*words), _yearly(run, stated, unit)
    penalty = run.policy.get("penalty") or {}
    if penalty.get("reference_price_cny_per_t") and not _unused(run, "penalty.reference_price_cny_per_t"):
        price = _yearly(run, penalty["reference_price_cny_per_t"], "CNY/t")
        multiple = f"{penalty.get('multiple', 5):g}"
        words = (f"{multiple} times the reference price of {price}", f"参考价格（{price}）的 {multiple} 倍")
        yield run.say("fine for a shortfall", "未足额清缴罚款"), run.say(*words)


def _at_risk(run: Run) -> Iterator[Pair]:
    """Yield how many enterprises are under differentiated allocation in a compliance year."""
    named = (run.policy.get("compliance") or {}).get("at_risk") or ()
    if "compliance" in run.tables and named:
        words = (
            f"{len(named):,} enterprises, through the account of the province",
            f"{len(named):,} 家企业，经省级账户发放",
        )
        yield run.say("differentiated allocation", "差异化分配"), run.say(*words)


def _later(run: Run) -> Iterator[Pair]:
    """Yield the horizon and the second phase of a path."""
    if "years" not in run.tables and "equilibrium" not in run.tables:
        return
    horizon = run.policy.get("horizon") or {}
    if horizon.get("discount_rate") is not None and not _unused(run, "horizon.discount_rate"):
        yield run.say("real discount rate, a year", "实际年折现率"), rate(horizon["discount_rate"])
    if run.about.get("model") != "pathway":
        return
    path = run.policy.get("pathway") or {}
    yield run.say("second phase from", "第二阶段始于"), str(path.get("phase_2_from"))
    for key, words, unit in (
        ("tightening", ("balance value falls, a year", "平衡值年收紧率"), "rate"),
        ("band", ("limit of the surplus rate", "盈缺率上限"), "rate"),
        ("slope", ("slope of the surplus rate", "盈缺率斜率"), ""),
        ("paid_share", ("share of paid allocation", "有偿分配比例"), "rate"),
        ("cap_from", ("absolute cap from", "绝对总量控制始于"), "year"),
        ("cap_change", ("cap changes, a year", "总量年变化率"), "rate"),
        ("no_bank_from", ("no allowances banked into", "停止跨期使用的年度"), "year"),
    ):
        if path.get(key) and not (key == "cap_change" and not path.get("cap_from")):
            yield run.say(*words), _yearly(run, path[key], unit)


def _yearly(run: Run, stated: Any, unit: str) -> str:
    """Return a number, or those of years, with their unit."""
    if isinstance(stated, dict):
        return run.listed([run.named(str(year), _yearly(run, value, unit)) for year, value in stated.items()])
    if unit == "rate":
        return rate(stated)
    if unit == "t":
        return amount(stated, "t", run.zh)
    if unit == "CNY/t":
        return f"{stated:,.2f} " + run.say("CNY/t", "元/吨")
    return str(stated) if unit == "year" else f"{stated:g}"


def _unused(run: Run, key: str) -> bool:
    """Return True if the model does not read a key of the policy."""
    return key in run.about.get("ignored", ())
