// Show a position of the slider, in one of two languages. Everything is put in as text, and nothing is loaded.
const ENGINE = prover(DATA), $ = (id) => document.getElementById(id);
const { units: UNITS, key: KEY, texts: TEXTS } = DATA, COUNT = UNITS.id.length;
const PIECES = DATA.pieces.map((piece) => ({ ...piece, duals: DATA.linear[piece.linear] }));
const PLACE_OF_FREE = new Map(ENGINE.free.map((unit, place) => [unit, place]));
const CODE = { zh: "zh-CN", en: "en" }, OTHER = { zh: "English", en: "中文" }, SHOWN_MOST = 10, TRIFLE_T = 0.005;
let language = DATA.lang, value = 0, chosen = -1, shown = null;

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
const tonnes = (number, signed = false) => {
  const digits = Math.abs(number) < 100 && Math.abs(number - Math.round(number)) > TRIFLE_T ? 2 : 0;
  return `${figures(number, digits, signed)} ${say("t")}`;
};
// Sums are read in thousands of tonnes, in Chinese in ten thousands.
const large = (number, signed = false) => figures(number / (language === "zh" ? 1e4 : 1e3), 2, signed);
const percent = (rate, signed = false, digits = 3) => `${figures(100 * rate, digits, signed)} %`;
const trimmed = (number, digits = 12) => Number(number.toPrecision(digits));
const minus = (number) => String(number).replace(/-/g, "−");
const small = (number) => number === 0 ? "0" : minus(number.toExponential(1));
const keyValue = (number, key = KEY) => {
  const unit = words(key.unit), text = minus(trimmed(number / key.divisor, 7));
  return unit ? `${text} ${unit}` : text;
};
const keyValues = (x) => Object.values(KEY.keys)
  .map((key) => `${words(key.name)} ${keyValue(between(...key.ends, x), key)}`).join(language === "zh" ? "、" : ", ");
const ownerOf = (unit) => UNITS.owner[unit].replace("{}", () => UNITS.name[unit]);
const sectorOf = (unit) => words(UNITS.sectors[UNITS.sector[unit]]);
const provinceOf = (unit) => words(UNITS.provinces[UNITS.province[unit]]);
const nameOf = (unit) => (language === "zh" && UNITS.zh[unit]) || UNITS.name[unit] || UNITS.id[unit];

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

// Positions of the slider are whole steps from the first end, and the last end.
const WIDTH = KEY.ends[1] - KEY.ends[0], LAST = Math.ceil(Math.abs(WIDTH) / KEY.step - 1e-6);
const here = () => say("here", { value: keyValue(shown.value) });
const placeOf = (number) => (number - KEY.ends[0]) / WIDTH;
const valueAt = (place) => trimmed(between(...KEY.ends, place));
const pieceAt = (place) => PIECES.find((piece) => piece.from <= place && place <= piece.to);

// What is proven at a place: an answer, or that there is none.
function proofAt(place) {
  const piece = pieceAt(place);
  if (piece) {
    const position = ENGINE.solve(piece, place), proof = ENGINE.prove(position);
    if (proof.proven) return { ...position, proof };
  }
  const stretch = DATA.infeasible.find(({ from, to }) => from <= place && place <= to);
  const missing = stretch ? ENGINE.infeasible(stretch, place) : 0;
  return missing > 0 ? { missing } : null;
}

// The nearest place with a proof: on each side the end of a piece, or a little inside of it.
function nearest(place) {
  const ends = PIECES.map(({ from, to }) => {
    const near = Math.min(Math.max(place, from), to), inner = (from + to) / 2;
    return [near, near + 1e-6 * (inner - near), inner];
  }).sort((one, other) => Math.abs(one[0] - place) - Math.abs(other[0] - place));
  for (const place of ends.slice(0, 4).flat()) {
    const found = proofAt(place);
    if (found && found.answer) return found;
  }
  return null;
}

// Allowances of all units: what is not adjustable gets what the rule says.
function allowances(answer) {
  const all = Float64Array.from(UNITS.reference);
  ENGINE.free.forEach((unit, place) => { all[unit] = answer[place]; });
  return all;
}

function sums(codes, count, number) {
  const found = new Float64Array(count);
  for (let unit = 0; unit < COUNT; unit++) found[codes[unit]] += number(unit);
  return found;
}

// Answers at the ends of all pieces, between which every allowance is a straight line.
let ends = null;
function answersAtEnds() {
  ends ??= PIECES.flatMap((piece) => [piece.from, piece.to].map((place) =>
    ({ place, answer: ENGINE.solve(piece, place).answer })));
  return ends;
}

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

function move(number) {
  // What fails below leaves no seal of the position before.
  $("seal").dataset.state = $("seal").textContent = "";
  const began = performance.now(), [low, high] = [...KEY.ends].sort((one, other) => one - other);
  value = Math.min(Math.max(number, low), high);
  const place = placeOf(value), found = proofAt(place);
  shown = found && found.answer ? { ...found, all: allowances(found.answer), value } : nearest(place);
  if (shown && !shown.all) Object.assign(shown, { all: allowances(shown.answer), value: valueAt(shown.x) });
  const time = performance.now() - began;
  const state = found && found.answer ? "proven" : found ? "infeasible" : "unproven";
  $("seal").className = `status ${state === "proven" ? "proven" : "unproven"}`;
  $("seal").dataset.state = state;
  const said = say(state, { tonnes: tonnes(found?.missing ?? 0) });
  $("seal").textContent = `${state === "proven" ? "✓" : "✕"} ${said}`;
  $("nearest").textContent = state === "proven" ? "" : shown ? say("nearest", { value: keyValue(shown.value) })
    : say("nothing");
  for (const part of document.querySelectorAll("main > section, #headline, #figures")) part.hidden = !shown;
  $("slider").setAttribute("aria-valuetext", keyValue(value));
  if (shown) for (const draw of [drawTop, drawSectors, drawTiles, drawLosses, drawMine, drawShadow]) draw();
  if (shown) drawProof(time);
}

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
  $("headline").textContent = say("headline", { ...put, ...counts });
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
    const strength = Math.min(0.8 * Math.abs(rate) / (steepest || 1), 0.8);
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
  const texts = (unit) => `${UNITS.id[unit]} ${UNITS.name[unit]} ${UNITS.zh[unit]} ${ownerOf(unit)}`.toLowerCase();
  const found = sought.length ? [...UNITS.id.keys()].filter((unit) => sought.every((one) => texts(unit).includes(one)))
    : [];
  const listed = found.slice(0, SHOWN_MOST).map((unit) =>
    element("li", {}, choose(unit), ` ${UNITS.id[unit]} · ${sectorOf(unit)} · ${provinceOf(unit)}`));
  if (sought.length && !found.length) listed.push(element("li", {}, say("none_found")));
  $("found").replaceChildren(...listed);
}

// Multipliers of limits in the tie-break, and in each earlier objective times the multiplier that keeps it, as
// etsopt/explanation/program.py has them.
function pulls() {
  const { piece, prices } = shown, last = DATA.levels.length - 1;
  const scaled = (name) => piece.duals[name].map((one) => (name === "spread" ? ENGINE.sumE : 1) * one);
  return piece.kept[last].reduce((sums, times, k) => {
    if (!times) return sums;
    const own = scaled(DATA.levels[k].name);
    return sums.map((one, row) => one + times * own[row]);
  }, prices);
}

function held(place, moved) {
  const { limit, answer, proof } = shown, rate = proof.levels.find(({ name }) => name === "largest_change");
  const near = (one) => Math.abs(answer[place] - one) <= 0.5;
  if (near(limit.lower[place]) || near(limit.upper[place])) return say("held_band");
  const share = rate ? rate.value : Infinity;
  if (Math.abs(moved) >= share * ENGINE.E[place] - 0.5) return say("held_rate", { share: percent(share) });
  return say(Math.abs(moved) <= 0.5 ? "held_change" : "held");
}

function drawMine() {
  if (chosen < 0) { $("mine").replaceChildren(); return; }
  const place = PLACE_OF_FREE.get(chosen), [emissions, reference] = [UNITS.emissions[chosen], UNITS.reference[chosen]];
  const allowance = shown.all[chosen], surplus = allowance - emissions, moved = allowance - reference;
  const put = { name: nameOf(chosen), value: keyValue(shown.value), allowance: tonnes(allowance),
    surplus: tonnes(Math.abs(surplus)),
    side: say(surplus < 0 ? "below" : "above"), emissions: tonnes(emissions),
    rate: percent(rateOf(surplus, emissions), true) };
  const parts = [element("p", {}, element("b", {}, say("gets", put))),
    element("p", {}, say("rule_gives", { reference: tonnes(reference) }))];
  if (place === undefined) parts.push(element("p", {}, say("fixed")));
  else {
    const told = [], prices = pulls(), rows = DATA.rows.of.map((row) => row[place]).filter((row) => row >= 0);
    const tell = (limit, pull) => {
      if (Math.abs(pull) >= TRIFLE_T) told.push(say("pulls", { limit, tonnes: tonnes(pull, true) }));
      return pull;
    };
    const rest = rows.reduce((rest, row) =>
      rest - tell(words(DATA.rows.names[row]), emissions / 2 * prices[row]), moved);
    tell(held(place, moved), rest);
    parts.push(element("p", {}, told.length ? say("moves", { tonnes: tonnes(moved, true) }) : say("as_rule")),
      element("ul", {}, ...told.map((one) => element("li", {}, one))), ...lineOf(place, reference));
  }
  $("mine").replaceChildren(...parts);
}

// The allowance along the key as a line, and how it moves near the position.
function lineOf(place, reference) {
  const { piece } = shown, [first, last] = [piece.from, piece.to].map((one) => ENGINE.solve(piece, one).answer[place]);
  const step = 100 * KEY.step, slope = (last - first) / ((piece.to - piece.from) * WIDTH) * step;
  const points = answersAtEnds().map(({ place: x, answer }) => [x, answer[place]]), sizes = points.map(([, y]) => y);
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  const [bottom, top] = [Math.min(least, reference), Math.max(most, reference)];
  const X = (x) => 8 + 624 * x, Y = (y) => 112 - 96 * (top > bottom ? (y - bottom) / (top - bottom) : 0.5);
  // The first end of a piece that does not begin where the one before ends lifts the pen.
  const goesOn = (x, k) => k % 2 || (k && Math.abs(x - points[k - 1][0]) <= 1e-9);
  const path = points.map(([x, y], k) => `${goesOn(x, k) ? "L" : "M"}${X(x).toFixed(1)} ${Y(y).toFixed(1)}`).join("");
  const label = say("along", { least: tonnes(least), most: tonnes(most) });
  const stroke = (colour) => ({ fill: "none", stroke: colour, "stroke-width": 2 });
  const rule = { y1: Y(reference), y2: Y(reference), ...stroke("var(--soft)"), "stroke-dasharray": "5 4" };
  return [element("p", {}, say("slope", { step: keyValue(step), tonnes: tonnes(slope, true) })),
    element("svg", { viewBox: "0 0 640 128", class: "line", role: "img", "aria-label": label },
      element("line", { x1: X(0), x2: X(1), ...rule, "stroke-width": 1 }),
      element("path", { d: path, ...stroke("var(--accent)") }),
      element("circle", { cx: X(shown.x), cy: Y(shown.all[chosen]), r: 5, fill: "var(--accent)" })),
    element("p", { class: "note" }, label)];
}

function drawShadow() {
  const [first] = DATA.levels, duals = shown.piece.duals[first.name] ?? [];
  const rows = DATA.rows.names.flatMap((name, row) => duals[row] ? [[words(name), minus(trimmed(duals[row], 6))]] : []);
  $("shadow-note").textContent = say(rows.length ? "shadow_note" : "no_shadow", { objective: words(first.words) });
  const unit = `${first.unit === "rate" ? "1" : say("t")}/${say("t")}`;
  const heads = [[say("limit"), "words"], [`${say("price")} [${unit}]`, ""]];
  $("shadow").replaceChildren(...(rows.length ? [table(heads, rows)] : []));
}

function drawProof(time) {
  const { levels, missed } = shown.proof;
  const shownAs = (unit) => unit === "rate" ? (number) => number.toPrecision(7) : (number) => figures(number, 3, false);
  const unit = (level) => level.unit === "rate" ? "" : ` ${say("t")}`;
  const rows = levels.map((level, k) => [words(DATA.levels[k].words), shownAs(level.unit)(level.value) + unit(level),
    small(level.gap) + unit(level), small(level.tolerance) + unit(level)]);
  const heads = [[say("objective"), "words"], [say("value"), ""], [say("gap"), ""], [say("tolerance"), "wide"]];
  $("levels").replaceChildren(table(heads, rows));
  const facts = [["missed_band", `${small(missed.units)} ${say("t")}`],
    ["missed_limit", `${small(missed.rows)} ${say("t")}`], ["time", say("ms", { time: time.toFixed(1) })],
    ["instance", DATA.instance.name], ["hash", DATA.instance.hash]];
  $("facts").replaceChildren(...facts.flatMap(([key, text]) => [element("dt", {}, say(key)), element("dd", {}, text)]));
  $("commands").textContent = commands().join("\n");
}

// The commands that solve the position again, and check the page.
const quoted = (word) => /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
function commands() {
  const { instance, emissions, changes } = DATA.source, keys = Object.entries(KEY.keys), x = placeOf(shown.value);
  const moved = keys.map(([key, { ends }]) => `${key}=${keys.length > 1 ? between(...ends, x) : shown.value}`);
  const asked = [...changes, ...moved].flatMap((one) => ["--set", one]);
  if (emissions) asked.push("--emissions", emissions);
  return [["etsopt", "solve", instance, ...asked, "--out", "run"], ["etsopt", "check", instance, "--page", fileName()]]
    .map((line) => line.map(quoted).join(" "));
}
const fileName = () => decodeURIComponent(location.pathname.split("/").pop()) || "page.html";

function csv() {
  const cell = (one) => /[",\n]/.test(one) ? `"${one.replaceAll('"', '""')}"` : String(one);
  const rows = UNITS.id.map((id, unit) => [id, nameOf(unit), sectorOf(unit), provinceOf(unit),
    UNITS.emissions[unit], UNITS.reference[unit], shown.all[unit],
    shown.all[unit] - UNITS.reference[unit], shown.all[unit] - UNITS.emissions[unit]].map(cell).join(","));
  return `\ufeff${[DATA.columns[language].join(","), ...rows].join("\r\n")}\r\n`;
}

function download() {
  const link = element("a", { href: URL.createObjectURL(new Blob([csv()], { type: "text/csv" })),
    download: `${DATA.instance.name}_${Object.keys(KEY.keys).join("_")}_${shown.value}.csv` });
  link.click();
  URL.revokeObjectURL(link.href);
}

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
  $("legend").replaceChildren(...kinds.filter(([, there]) => there).map(([kind]) =>
    element("span", {}, element("i", { class: `is-${kind}` }), say(`legend_${kind}`))));
}

function speak(next) {
  language = next;
  document.documentElement.lang = CODE[language];
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = say(node.dataset.t);
  $("language").textContent = OTHER[language];
  $("language").lang = CODE[language === "zh" ? "en" : "zh"];
  $("subject").textContent = DATA.instance.name;
  document.title = `${DATA.instance.name} · ${words(KEY.name)}`;
  $("key").textContent = words(KEY.name);
  $("key-unit").textContent = words(KEY.unit);
  [$("first").textContent, $("last").textContent] = KEY.ends.map((end) => keyValue(end));
  $("again").textContent = say("again_note", { version: DATA.version });
  $("imprint").textContent = `etsopt ${DATA.version} · ${DATA.instance.name} · ${DATA.instance.hash.slice(0, 16)}…`;
  drawTrack();
  layTiles();
  move(value);
}

const stepped = (k) => k >= LAST ? KEY.ends[1] : trimmed(KEY.ends[0] + Math.sign(WIDTH) * k * KEY.step);
function set(number, from) {
  move(number);
  if (from !== "slider") $("slider").value = Math.round(Math.abs(value - KEY.ends[0]) / KEY.step);
  if (from !== "typed") $("typed").value = trimmed(value / KEY.divisor);
}
$("slider").max = LAST;
$("slider").oninput = () => set(stepped(Number($("slider").value)), "slider");
$("typed").onchange = () => { if ($("typed").value !== "") set(trimmed(Number($("typed").value) * KEY.divisor)); };
$("search").oninput = find;
$("language").onclick = () => speak(language === "zh" ? "en" : "zh");
$("print").onclick = () => window.print();
$("download").onclick = download;
scaleOfTiles();
value = stepped(Math.round(LAST / 2));
speak(language);
set(value);
$("missing").hidden = true;
$("app").hidden = false;
