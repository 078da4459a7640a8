// Sums of a position over sectors and provinces: of all units, and of each group.
function groups(kind) {
  const codes = UNITS[kind], names = UNITS[`${kind}s`].map(words), of = (number) => sums(codes, names.length, number);
  const less = (unit) => shown.all[unit] - UNITS.reference[unit] < -TRIFLE_T;
  const parts = [of(() => 1), of(less), ...[UNITS.emissions, UNITS.reference, shown.all].map((all) => of((unit) => all[unit]))];
  const row = (name, [count, losers, emissions, rule, here]) => ({ name, count, losers, emissions, rule, here });
  return { rows: names.map((name, place) => row(name, parts.map((part) => part[place]))),
    foot: row(say("all"), parts.map((part) => part.reduce((sum, one) => sum + one, 0))) };
}

function drawGroups(kind) {
  const { rows, foot } = groups(kind), unit = ` [${say("kt")}]`;
  const row = ({ name, count, losers, emissions, rule, here }) => [name, large(here - rule, true),
    percent(rateOf(here - rule, emissions), true), large(here), large(rule), large(emissions), figures(count, 0),
    figures(losers, 0)];
  const heads = [say(kind), say("change") + unit, say("change_rate"), here() + unit, say("by_rule") + unit,
    say("emissions") + unit, say("units"), say("losers")], lines = [...rows.map(row), row(foot)];
  // A table that is there keeps its cells: to make them anew takes longer than to prove a position.
  const cells = $(`${kind}s`).querySelectorAll("th, td"), texts = [heads, ...lines].flat();
  if (cells.length === texts.length) {
    cells.forEach((cell, k) => { if (cell.textContent !== texts[k]) cell.textContent = texts[k]; });
    return;
  }
  const columns = heads.map((text, place) => [text, place ? "" : "words"]);
  $(`${kind}s`).replaceChildren(table(columns, lines.slice(0, -1), lines.at(-1)));
}

// The commands that solve the position again and check the page, and what is just as good for the plant that is shown.
const quoted = (word) => /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
function commands() {
  const { instance, emissions, changes } = DATA.source, x = placeOf(shown.value);
  const moved = AXES.flatMap(({ keys }, k) => Object.entries(keys).map(([key, { ends }], _, all) =>
    `${key}=${all.length > 1 ? between(...ends, x[k]) : shown.value[k]}`));
  const asked = [...changes, ...moved].flatMap((one) => ["--set", one]);
  if (emissions) asked.push("--emissions", emissions);
  return [["etsopt", "solve", instance, ...asked, "--out", "run"], ["etsopt", "check", instance, "--page", fileName()],
    ...(chosen < 0 ? [] : [["etsopt", "explain", "run", UNITS.id[chosen]]])].map((line) => line.map(quoted).join(" "));
}
const drawCommands = () => { $("commands").textContent = commands().join("\n"); };
const fileName = () => decodeURIComponent(location.pathname.split("/").pop()) || "page.html";

// The position as a workbook: what it is, of which value and how far it is proven, and the allowances of all units.
function sheets() {
  const { levels } = shown.proof, [solve, check] = commands(), keys = AXES.flatMap(({ keys }, k) =>
    Object.entries(keys).map(([key, one], _, all) =>
      ({ ...one, key, value: all.length > 1 ? between(...one.ends, shown.x[k]) : shown.value[k] })));
  const bold = (...texts) => texts.map((one) => styled("bold", one));
  const about = [[styled("title", say("workbook", { instance: DATA.instance.name, keys: keyValues(shown.x) }))],
    isElsewhere() ? [styled("open", $("nearest").textContent)] : [styled("good", say("proven_before"))],
    ...(isElsewhere() ? [[say("not_here"), keyValues(placeOf(value))]] : []),
    [say("proposal")], [$("headline").textContent], [],
    ...keys.map(({ name, key, value, divisor }) => [words(name), styled(divisor === 0.01 ? "percent" : "general", value), key]),
    [say("date"), today()], [say("instance"), DATA.instance.name], [say("hash"), DATA.instance.hash],
    ...DATA.source.changes.map((one) => [say("changed"), one]), ["etsopt", DATA.version], [],
    bold(...["objective", "value", "column_unit", "gap", "tolerance"].map((key) => say(key)))];
  const proofs = levels.map(({ value, gap, tolerance, unit }, k) => [words(DATA.levels[k].words),
    styled(unit === "rate" ? "percent" : "tonnes", value), unit === "rate" ? "" : say("t"), styled("exact", gap),
    styled("exact", tolerance)]);
  const columns = [UNITS.emissions, UNITS.reference, shown.all].map((numbers) =>
    [...numbers].every(isWhole) ? "whole" : "tonnes");
  const units = UNITS.id.map((id, unit) => {
    const [emissions, rule, allowance] = [UNITS.emissions[unit], UNITS.reference[unit], shown.all[unit]];
    return [id, nameOf(unit), ownerOf(unit), sectorOf(unit), provinceOf(unit),
      ...[emissions, rule, allowance].map((number, k) => styled(columns[k], number)),
      styled("tonnes", allowance - rule), styled("percent", rateOf(allowance - rule, emissions)),
      styled("tonnes", allowance - emissions), styled("percent", rateOf(allowance - emissions, emissions))];
  });
  const amounts = [`${say("emissions")} [${say("tco2e")}]`, ...["by_rule", "proposed"].map((key) => `${say(key)} [${say("t")}]`)];
  const heads = [...bold(...["identifier", "unit", "owner", "sector", "province"].map((key) => say(key))),
    ...bold(...amounts, `${say("change")} [${say("t")}]`),
    ...bold(say("change_rate"), `${say("surplus")} [${say("t")}]`, say("surplus_rate"))];
  const told = ["derived", "not_derived"].flatMap((key) => say(key).split(/(?<=[;；])\s*/).map((one) => [one]));
  return [
    { name: say("sheet_about"), widths: [44, 22, 34, 16, 16], rows: [...about, ...proofs, [], bold(say("seal")), ...told, [],
      bold(say("again")), [say("solve_again"), solve], [say("check_again"), check]] },
    { name: say("sheet_allowances"), widths: [18, 40, 40, 12, 16, 18, 18, 18, 16, 12, 18, 12], frozen: 1,
      rows: [heads, ...units] },
    ...["sector", "province"].map((kind) => sheetOfGroups(kind, amounts)),
  ];
}

function sheetOfGroups(kind, amounts) {
  const { rows, foot } = groups(kind), row = ({ name, count, losers, emissions, rule, here }, style = "text") =>
    [styled(style, name), styled("whole", count), styled("whole", losers),
      ...[emissions, rule, here, here - rule].map((one) => styled("tonnes", one)),
      styled("percent", rateOf(here - rule, emissions))];
  const heads = [say(kind), say("units"), say("losers"), ...amounts, `${say("change")} [${say("t")}]`, say("change_rate")];
  return { name: say(`${kind}s`), widths: [18, 10, 12, 20, 20, 20, 18, 14], frozen: 1,
    rows: [heads.map((one) => styled("bold", one)), ...rows.map((one) => row(one)), row(foot, "bold")] };
}

function download() {
  const blob = new Blob(workbook(sheets()), { type: `${TYPE}.sheet` });
  const keys = AXES.flatMap(({ keys }) => Object.keys(keys));
  const name = [DATA.instance.name, ...keys, ...shown.value].join("_");
  const link = element("a", { href: URL.createObjectURL(blob), download: `${name}.xlsx` });
  link.click();
  URL.revokeObjectURL(link.href);
}
