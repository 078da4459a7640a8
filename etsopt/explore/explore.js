// Show a position of the sliders, in one of two languages. Everything is put in as text, and nothing is loaded.
const $ = (id) => document.getElementById(id), TEXTS = DATA.texts;
const CODE = { zh: "zh-CN", en: "en" }, OTHER = { zh: "English", en: "中文" }, SHOWN_MOST = 10, TRIFLE_T = 0.005;
// Of a box: cells of its map, and the order of these.
const MAP_CELLS = 32, MAP_STRIDE = 389, MAP_MS = 12;
const BROWSER = (navigator.languages ?? []).map((one) => one.slice(0, 2)).find((one) => one in CODE);
let language = DATA.lang === "en" && BROWSER || DATA.lang, value = [], chosen = -1, shown = null;

const words = (both) => both[language];
const say = (key, put = {}) => words(TEXTS[key]).replace(/\{(\w+)\}/g, (_, name) => put[name]);
// A format is made once: that takes longer than to use it a hundred times.
const FORMATS = [0, 1, 2, 3].map((digits) =>
  new Intl.NumberFormat("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }));
const figures = (number, digits, signed) => {
  const text = FORMATS[digits].format(Math.abs(number));
  const sign = !/[1-9]/.test(text) ? "" : number < 0 ? "−" : signed ? "+" : "";
  return sign + text;
};
const isWhole = (number) => Math.abs(number - Math.round(number)) <= TRIFLE_T;
const amount = (number) => figures(number, isWhole(number) ? 0 : 2);
const tonnes = (number, signed = false) =>
  `${figures(number, Math.abs(number) < 100 && !isWhole(number) ? 2 : 0, signed)} ${say("t")}`;
// Sums are read in thousands of tonnes, in Chinese in ten thousands.
const large = (number, signed = false) => figures(number / (language === "zh" ? 1e4 : 1e3), 2, signed);
const percent = (rate, signed = false, digits = 3) => `${figures(100 * rate, digits, signed)} %`;
const minus = (number) => String(number).replace(/-/g, "−");
const RAISED = { "-": "⁻", ...Object.fromEntries([..."⁰¹²³⁴⁵⁶⁷⁸⁹"].entries()) };
const power = (exponent) => `10${[...String(exponent)].map((one) => RAISED[one]).join("")}`;
const small = (number) => {
  if (number === 0 || (number >= 1e-3 && number < 1e6)) return String(trimmed(number, 2));
  const [digits, exponent] = number.toExponential(1).split("e");
  return number < 1e-99 ? `< ${power(-99)}` : `${digits} × ${power(Number(exponent))}`;
};
const keyValue = (number, key) => {
  const unit = words(key.unit), text = minus(trimmed(number / key.divisor, 7));
  return unit ? `${text} ${unit}` : text;
};
const listed = (parts) => parts.join(language === "zh" ? "、" : ", ");
const axisValues = (numbers) => listed(AXES.map((axis, k) => keyValue(numbers[k], axis)));
const keyValues = (x) => listed(AXES.flatMap((axis, k) => Object.values(axis.keys).map((key) =>
  `${words(key.name)} ${keyValue(between(...key.ends, x[k]), key)}`)));
const sectorOf = (unit) => words(UNITS.sectors[UNITS.sector[unit]]);
const provinceOf = (unit) => words(UNITS.provinces[UNITS.province[unit]]);
// An instance may state a name in each language, beside one or in its place.
const nameOf = (unit) => UNITS[language]?.[unit] || UNITS.name[unit] || UNITS.id[unit];
const ownerOf = (unit) => UNITS.owner[unit].replace("{}", () => nameOf(unit));

function element(tag, attributes = {}, ...children) {
  const node = tag === "svg" || tag in SHAPES ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, one] of Object.entries(attributes)) {
    if (name.startsWith("on")) node[name] = one; else if (name === "style") Object.assign(node.style, one);
    else node.setAttribute(name, one);
  }
  node.append(...children);
  return node;
}
const SHAPES = { path: 1, line: 1, circle: 1, text: 1, rect: 1 };

// Cells that are texts are aligned at the left: `columns` are a key and a class each.
function table(columns, rows, foot = null) {
  const cells = (tag, row) => row.map((cell, place) => element(place ? tag : "th",
    { class: columns[place][1], ...(place ? {} : { scope: "row" }) }, cell));
  const heads = columns.map(([text, kind]) => element("th", { scope: "col", class: kind }, text));
  const parts = [element("thead", {}, element("tr", {}, ...heads)),
    element("tbody", {}, ...rows.map((row) => element("tr", {}, ...cells("td", row))))];
  if (foot) parts.push(element("tfoot", {}, element("tr", {}, ...cells("td", foot))));
  return element("table", {}, ...parts);
}

const here = () => say("here", { value: axisValues(shown.value) });
const rateOf = (change, emissions) => emissions > 0 ? change / emissions : 0;
const EMITTED = sums(UNITS.province, UNITS.provinces.length, (unit) => UNITS.emissions[unit]);
const byProvince = (all) => sums(UNITS.province, EMITTED.length, (unit) => all[unit] - UNITS.reference[unit]);
let steepest = 0;
// Colours of tiles mean the same at every position.
function scaleOfTiles() {
  for (const { answer } of answersAtEnds()) {
    const rates = byProvince(allowances(answer)).map((one, place) => Math.abs(rateOf(one, EMITTED[place])));
    steepest = Math.max(steepest, ...rates);
  }
}

const clamped = (number, { ends }) => Math.min(Math.max(number, Math.min(...ends)), Math.max(...ends));
function move(numbers) {
  // What fails below leaves no seal of the position before.
  $("seal").dataset.state = $("seal").textContent = "";
  const began = performance.now();
  value = numbers.map((number, k) => clamped(number, AXES[k]));
  const x = placeOf(value), found = proofAt(x);
  shown = found && found.answer ? { ...found, all: allowances(found.answer), value } : nearest(x);
  if (shown && !shown.all) Object.assign(shown, { all: allowances(shown.answer), value: valueAt(shown.x) });
  const time = performance.now() - began;
  const state = found && found.answer ? "proven" : found ? "infeasible" : "unproven";
  $("seal").className = `status ${state === "proven" ? "proven" : "unproven"}`;
  $("seal").dataset.state = state;
  const said = say(state, { tonnes: tonnes(found?.missing ?? 0) });
  $("seal").textContent = `${{ proven: "✓", infeasible: "✕", unproven: "?" }[state]} ${said}`;
  $("app").classList.toggle("elsewhere", isElsewhere());
  $("nearest").textContent = state === "proven" ? "" : shown ? say("nearest", { value: axisValues(shown.value) })
    : say("nothing");
  for (const part of document.querySelectorAll("main > section, #headline, #figures")) part.hidden = !shown;
  AXES.forEach((axis, k) => { SLIDERS[k].ariaValueText = keyValue(value[k], axis); });
  if (shown) for (const draw of [drawTop, drawSectors, drawTiles, drawLosses, drawMine, drawShadow]) draw();
  if (shown) drawProof(time);
}

// True if what stands below the seal is of another place than the one that is set.
const isElsewhere = () => $("seal").dataset.state !== "proven";

function drawTop() {
  let [lost, net, sum, rate, losers, winners] = [0, 0, 0, 0, 0, 0];
  shown.all.forEach((one, unit) => {
    const change = one - UNITS.reference[unit];
    sum += one;
    net += change;
    lost += Math.max(-change, 0);
    rate = Math.max(rate, Math.abs(rateOf(change, UNITS.emissions[unit])));
    losers += change < -TRIFLE_T;
    winners += change > TRIFLE_T;
  });
  const counts = { losers: figures(losers, 0), winners: figures(winners, 0) };
  const put = { keys: keyValues(shown.x), lost: `${large(lost)} ${say("kt")}` };
  const finding = say("headline", { ...put, ...counts });
  $("headline").textContent = isElsewhere() ? say("elsewhere", { finding }) : finding;
  const told = [["total", large(sum), "kt"], ["net", large(net, true), "kt"], ["rate", percent(rate)],
    ["losers", counts.losers], ["winners", counts.winners]];
  $("figures").replaceChildren(...told.map(([key, number, unit]) => element("div", {}, element("dt", {}, say(key)),
    element("dd", {}, number, ...(unit ? [element("small", {}, ` ${say(unit)}`)] : [])))));
}

function drawSectors() {
  const count = UNITS.sectors.length, of = (number) => sums(UNITS.sector, count, number);
  const parts = [UNITS.emissions, UNITS.reference, shown.all].map((numbers) => of((unit) => numbers[unit]));
  const row = (name, [emissions, rule, here]) => [name, large(emissions), large(rule), large(here),
    large(here - rule, true), percent(rateOf(here - rule, emissions), true)];
  const rows = UNITS.sectors.map((name, place) => row(words(name), parts.map((part) => part[place])));
  const foot = row(say("all"), parts.map((part) => part.reduce((sum, one) => sum + one, 0)));
  const unit = ` [${say("kt")}]`, heads = [[say("sector"), "words"], [say("emissions") + unit, "wide"],
    [say("by_rule") + unit, "wide"], [here() + unit, ""], [say("change") + unit, ""], [say("change_rate"), ""]];
  $("sectors").replaceChildren(table(heads, rows, foot));
}

function layTiles() {
  $("tiles").replaceChildren(...UNITS.provinces.map((name, place) => {
    const tile = UNITS.tiles[place], short = language === "zh" || !tile ? words(name) : tile[2];
    return element("li", { style: tile ? { gridColumn: tile[0] + 1, gridRow: tile[1] + 1 } : {} },
      element("b", { class: "long" }, words(name)), element("b", { class: "short", "aria-hidden": "true" }, short),
      element("span"));
  }));
}

function drawTiles() {
  const change = byProvince(shown.all);
  [...$("tiles").children].forEach((tile, place) => {
    const rate = rateOf(change[place], EMITTED[place]);
    const strength = Math.min(0.75 * Math.abs(rate) / (steepest || 1), 0.75);
    tile.style.backgroundColor = `rgba(var(--${rate < 0 ? "loss" : "gain"}), ${strength.toFixed(3)})`;
    tile.title = `${words(UNITS.provinces[place])}: ${tonnes(change[place], true)}`;
    tile.lastChild.textContent = percent(rate, true, 2);
  });
}

const choose = (unit) => element("button", { type: "button", class: "mine", onclick: () => {
  chosen = unit;
  $("found").replaceChildren();
  $("search").value = nameOf(unit);
  drawMine();
  $("mine").scrollIntoView({ block: "nearest" });
} }, nameOf(unit));

function drawLosses() {
  const loss = (unit) => UNITS.reference[unit] - shown.all[unit], most = [];
  for (let unit = 0; unit < COUNT; unit++) {
    if (loss(unit) <= Math.max(TRIFLE_T, most.length < SHOWN_MOST ? 0 : loss(most.at(-1)))) continue;
    const place = most.findIndex((other) => loss(other) < loss(unit));
    most.splice(place < 0 ? most.length : place, 0, unit);
    most.length = Math.min(most.length, SHOWN_MOST);
  }
  $("losses-note").textContent = say(most.length ? "losses_note" : "no_losses");
  const rows = most.map((unit) => [choose(unit), sectorOf(unit), provinceOf(unit),
    tonnes(UNITS.reference[unit]), tonnes(shown.all[unit]), tonnes(-loss(unit), true),
    percent(-rateOf(loss(unit), UNITS.emissions[unit]), true)]);
  const heads = [[say("unit"), "words"], [say("sector"), "words wide"], [say("province"), "words wide"],
    [say("by_rule"), "wide"], [here(), "wide"], [say("change"), ""], [say("change_rate"), ""]];
  $("losses").replaceChildren(...(most.length ? [table(heads, rows)] : []));
}

function find() {
  const sought = $("search").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  if (chosen >= 0 && $("search").value !== nameOf(chosen)) {
    chosen = -1;
    drawMine();
  }
  const texts = (unit) => [...["id", "name", "zh", "en"].map((kind) => UNITS[kind]?.[unit] ?? ""), ownerOf(unit),
    sectorOf(unit), provinceOf(unit)].join(" ").toLowerCase();
  const found = sought.length ? [...UNITS.id.keys()].filter((unit) => sought.every((one) => texts(unit).includes(one)))
    : [];
  const listed = found.slice(0, SHOWN_MOST).map((unit) =>
    element("li", {}, choose(unit), ` ${UNITS.id[unit]} · ${sectorOf(unit)} · ${provinceOf(unit)}`));
  if (sought.length && !found.length) listed.push(element("li", {}, say("none_found")));
  $("found").replaceChildren(...listed);
}

function drawShadow() {
  const [first] = DATA.levels, duals = shown.duals[first.name] ?? [];
  const rows = DATA.rows.names.flatMap((name, row) => duals[row] ? [[words(name), minus(trimmed(duals[row], 6))]] : []);
  $("shadow-note").textContent = say(rows.length ? "shadow_note" : "no_shadow", { objective: words(first.words) });
  const unit = `${OBJECTIVE_UNITS[first.name] === "rate" ? "1" : say("t")}/${say("t")}`;
  const heads = [[say("limit"), "words"], [`${say("price")} [${unit}]`, ""]];
  $("shadow").replaceChildren(...(rows.length ? [table(heads, rows)] : []));
}

function drawProof(time) {
  const { levels, missed } = shown.proof;
  const shownAs = (unit) => unit === "rate" ? (number) => percent(number, false, 3) : (number) => figures(number, 3, false);
  const unit = (level) => level.unit === "rate" ? "" : ` ${say("t")}`;
  const rows = levels.map((level, k) => [words(DATA.levels[k].words), shownAs(level.unit)(level.value) + unit(level),
    small(level.gap) + unit(level), small(level.tolerance) + unit(level)]);
  const heads = [[say("objective"), "words"], [say("value"), ""], [say("gap"), ""], [say("tolerance"), "wide"]];
  $("levels").replaceChildren(table(heads, rows));
  const miss = (number, most) => say("miss", { miss: small(number), tolerance: most });
  const facts = [["missed_band", miss(missed.units, TOLERANCES.bound)], ["missed_limit", miss(missed.rows, TOLERANCES.row)],
    ["share", `${figures(100 * DATA.share, 3, false)} %`], ["time", say("ms", { time: time.toFixed(1) })],
    ["instance", DATA.instance.name], ["hash", DATA.instance.hash]];
  $("facts").replaceChildren(...facts.flatMap(([key, text]) => [element("dt", {}, say(key)), element("dd", {}, text)]));
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
    isElsewhere() ? [styled("open", $("nearest").textContent)] : [styled("good", say("proven"))],
    ...(isElsewhere() ? [[say("not_here"), keyValues(placeOf(value))]] : []),
    [say("proposal")], [$("headline").textContent], [],
    ...keys.map(({ name, key, value, divisor }) => [words(name), styled(divisor === 0.01 ? "percent" : "general", value), key]),
    [say("instance"), DATA.instance.name], [say("hash"), DATA.instance.hash],
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
  const heads = [...bold(...["identifier", "unit", "enterprise", "sector", "province"].map((key) => say(key))),
    ...bold(`${say("emissions")} [tCO2e]`, ...["by_rule", "proposed", "change"].map((key) => `${say(key)} [${say("t")}]`)),
    ...bold(say("change_rate"), `${say("surplus")} [${say("t")}]`, say("surplus_rate"))];
  return [
    { name: say("sheet_about"), widths: [44, 22, 34, 16, 16],
      rows: [...about, ...proofs, [], bold(say("again")), [say("solve_again"), solve], [say("check_again"), check]] },
    { name: say("sheet_allowances"), widths: [18, 40, 40, 12, 16, 18, 18, 18, 16, 12, 18, 12], frozen: 1,
      rows: [heads, ...units] },
  ];
}

function download() {
  const blob = new Blob(workbook(sheets()), { type: `${TYPE}.sheet` });
  const keys = AXES.flatMap(({ keys }) => Object.keys(keys));
  const name = [DATA.instance.name, ...keys, ...shown.value].join("_");
  const link = element("a", { href: URL.createObjectURL(blob), download: `${name}.xlsx` });
  link.click();
  URL.revokeObjectURL(link.href);
}

const legend = (kinds) => $("legend").replaceChildren(...kinds.map((kind) =>
  element("span", {}, element("i", { class: `is-${kind}` }), say(`legend_${kind}`))));

// Ranges of the track: what has a piece is proven when it is looked at.
function drawTrack() {
  const part = (kind) => ([from, to]) => element("span",
    { class: `is-${kind}`, style: { left: `${100 * from}%`, width: `${100 * (to - from)}%` } });
  const joined = PIECES.reduce((found, { from, to }) => {
    if (found.length && from - found.at(-1)[1] <= 1e-9) found.at(-1)[1] = to; else found.push([from, to]);
    return found;
  }, []);
  const missing = DATA.infeasible.map(({ from, to }) => [from, to]);
  $("track").replaceChildren(...joined.map(part("proven")), ...missing.map(part("infeasible")));
  const covered = [...joined, ...missing].reduce((sum, [from, to]) => sum + to - from, 0);
  const kinds = [["proven", joined.length], ["infeasible", missing.length], ["open", covered < 1 - 1e-6]];
  legend(kinds.filter(([, there]) => there).map(([kind]) => kind));
}

// The map of a box: its cells are proven one after another, each at its middle, while the reader does nothing.
let cell = 0;
function fillMap() {
  const began = performance.now();
  while (cell < MAP_CELLS ** 2 && performance.now() - began < MAP_MS) {
    const place = (cell++ * MAP_STRIDE) % MAP_CELLS ** 2;
    const column = place % MAP_CELLS, row = Math.floor(place / MAP_CELLS);
    const found = proofAt([(column + 0.5) / MAP_CELLS, (row + 0.5) / MAP_CELLS]);
    const kind = found ? found.answer ? "proven" : "infeasible" : "open";
    $("map").append(element("span", { class: `is-${kind}`, style: { left: `${100 * column / MAP_CELLS}%`,
      bottom: `${100 * row / MAP_CELLS}%`, width: `${100 / MAP_CELLS}%`, height: `${100 / MAP_CELLS}%` } }));
  }
  const share = cell / MAP_CELLS ** 2;
  $("filling").textContent = share < 1 ? say("filling", { share: percent(share, false, 0) }) : "";
  if (share < 1) setTimeout(fillMap, MAP_MS);
}

function speak(next) {
  language = next;
  document.documentElement.lang = CODE[language];
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = say(node.dataset.t);
  $("language").textContent = OTHER[language];
  $("language").lang = CODE[language === "zh" ? "en" : "zh"];
  $("subject").textContent = DATA.instance.name;
  const name = listed(AXES.map((axis) => words(axis.name)));
  document.title = `${DATA.instance.name} · ${name}`;
  AXES.forEach((axis, k) => {
    const [key, unit, first, last] = ["key", "key-unit", "first", "last"].map((id) => $(idOf(id, k)));
    [key.textContent, unit.textContent] = [words(axis.name), words(axis.unit)];
    [first.textContent, last.textContent] = axis.ends.map((end) => keyValue(end, axis));
  });
  $("first-key").textContent = words(AXES[0].name);
  $("second-key").textContent = words(AXES.at(-1).name);
  $("map").ariaLabel = say("map", { first: words(AXES[0].name), second: words(AXES.at(-1).name) });
  $("again").textContent = say("again_note", { version: DATA.version });
  $("imprint").textContent = `etsopt ${DATA.version} · ${DATA.instance.name} · ${DATA.instance.hash.slice(0, 16)}…`;
  if (AXES.length > 1) legend(["proven", "infeasible", "open"]); else drawTrack();
  layTiles();
  move(value);
}

const idOf = (id, k) => k ? `${id}-${k + 1}` : id;
function control(k) {
  const id = (name) => idOf(name, k);
  const box = (tag, name, more = {}, ...rest) => element(tag, { id: id(name), ...more }, ...rest);
  const typed = box("input", "typed", { type: "number", step: "any", inputmode: "decimal" });
  const slider = box("input", "slider", { type: "range", min: 0, max: lastOf(AXES[k]), step: 1,
    "aria-labelledby": id("key"), "aria-describedby": "seal" });
  const other = (number) => value.map((one, place) => place === k ? number : one);
  slider.oninput = () => set(other(stepped(Number(slider.value), AXES[k])), slider);
  typed.onchange = () => {
    if (typed.value !== "") set(other(trimmed(Number(typed.value) * AXES[k].divisor)));
  };
  return [element("p", { class: "value" }, element("label", { for: id("typed") }, box("b", "key")),
    element("span", {}, typed, " ", box("span", "key-unit"))), ...(k || AXES.length > 1 ? [] : [$("track")]), slider,
  element("p", { class: "ends", "aria-hidden": "true" }, box("span", "first"), box("span", "last"))];
}

function set(numbers, from) {
  move([numbers].flat());
  AXES.forEach((axis, k) => {
    const [slider, typed] = [SLIDERS[k], $(idOf("typed", k))];
    if (from !== slider) slider.value = Math.round(Math.abs(value[k] - axis.ends[0]) / axis.step);
    typed.value = trimmed(value[k] / axis.divisor);
  });
  const [x, y] = placeOf(value);
  Object.assign($("mark").style, { left: `${100 * x}%`, bottom: `${100 * y}%` });
}
$("controls").replaceChildren(...AXES.flatMap((_, k) => control(k)));
const SLIDERS = AXES.map((_, k) => $(idOf("slider", k)));
// A finger or a mouse on the map moves both keys, to whole steps of each.
const point = (event) => {
  if (!event.buttons) return;
  const { left, bottom, width, height } = $("map").getBoundingClientRect();
  const places = [(event.clientX - left) / width, (bottom - event.clientY) / height];
  set(places.map((place, k) => stepped(Math.round(Math.min(Math.max(place, 0), 1) * lastOf(AXES[k])), AXES[k])));
};
$("map").onpointerdown = (event) => { $("map").setPointerCapture(event.pointerId); point(event); };
$("map").onpointermove = point;
$("search").oninput = find;
$("search").onkeydown = (event) => { if (event.key === "Enter") $("found").querySelector("button")?.click(); };
$("language").onclick = () => speak(language === "zh" ? "en" : "zh");
$("print").onclick = () => window.print();
$("download").onclick = download;
scaleOfTiles();
value = AXES.map((axis) => stepped(Math.round(lastOf(axis) / 2), axis));
speak(language);
set(value);
$("map-box").hidden = AXES.length < 2;
if (AXES.length > 1) fillMap();
$("missing").hidden = true;
$("app").hidden = false;
