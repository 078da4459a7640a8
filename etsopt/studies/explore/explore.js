// Show a position of the sliders, in one of two languages. Everything is put in as text, and nothing is loaded.
const $ = (id) => document.getElementById(id), TEXTS = DATA.texts;
const CODE = { zh: "zh-CN", en: "en" }, OTHER = { zh: "English", en: "中文" }, SHOWN_MOST = 10;
// Tonnes that are none, and the share up to which rates of two units are the same.
const TRIFLE_T = 0.005, SAME_RATE = 1e-6;
// Time for which the map of a box is filled before the reader has a turn [ms].
const MAP_MS = 12;
const BROWSER = (navigator.languages ?? []).map((one) => one.slice(0, 2)).find((one) => one in CODE);
let language = DATA.lang === "en" && BROWSER || DATA.lang, value = [], chosen = -1, shown = null;

// The day in China, eight hours ahead of UTC.
const words = (both) => both[language], today = () => new Date(Date.now() + 288e5).toISOString().slice(0, 10);
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
const ownerOf = (unit) => UNITS.owners[UNITS.owner[unit]].replace("{}", () => nameOf(unit));

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
  if (shown) for (const draw of [drawTop, drawTiles, drawLosses, drawMine, drawShadow]) draw();
  if (shown) { ["sector", "province"].forEach(drawGroups); drawProof(time); }
}

// True if what stands below the seal is of another place than the one that is set.
const isElsewhere = () => $("seal").dataset.state !== "proven";

function drawTop() {
  let [lost, net, sum, losers, winners] = [0, 0, 0, 0, 0];
  shown.all.forEach((one, unit) => {
    const change = one - UNITS.reference[unit];
    sum += one;
    net += change;
    lost += Math.max(-change, 0);
    losers += change < -TRIFLE_T;
    winners += change > TRIFLE_T;
  });
  const rates = Array.from(shown.all, (one, unit) => Math.abs(rateOf(one - UNITS.reference[unit], UNITS.emissions[unit])));
  const rate = largest(rates), steep = figures(rates.filter((one) => one >= rate * (1 - SAME_RATE)).length, 0);
  const counts = { losers: figures(losers, 0), winners: figures(winners, 0) };
  const put = { keys: keyValues(shown.x), lost: `${large(lost)} ${say("kt")}` };
  const finding = say("headline", { ...put, ...counts });
  $("headline").textContent = isElsewhere() ? say("elsewhere", { finding }) : finding;
  const told = [["total", large(sum), say("kt")], ["net", large(net, true), say("kt")],
    ["rate", percent(rate), say("of_units", { count: steep })],
    ["losers", counts.losers], ["winners", counts.winners]];
  $("figures").replaceChildren(...told.map(([key, number, unit]) => element("div", {}, element("dt", {}, say(key)),
    element("dd", {}, number, ...(unit ? [element("small", {}, ` ${unit}`)] : [])))));
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
    tile.lastChild.textContent = figures(100 * rate, 2, true);
  });
}

const choose = (unit) => element("button", { type: "button", class: "mine", onclick: () => {
  chosen = unit;
  $("found").replaceChildren();
  $("search").value = nameOf(unit);
  drawMine();
  $("mine").focus({ preventScroll: true });
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
  $("losses-choose").hidden = !most.length;
  const rows = most.map((unit) => [choose(unit), tonnes(-loss(unit), true),
    percent(-rateOf(loss(unit), UNITS.emissions[unit]), true), tonnes(shown.all[unit]), tonnes(UNITS.reference[unit]),
    sectorOf(unit), provinceOf(unit)]);
  const heads = [[say("unit"), "words"], [say("change"), ""], [say("change_rate"), ""], [here(), ""], [say("by_rule"), ""],
    [say("sector"), "words"], [say("province"), "words"]];
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
  if (found.length > SHOWN_MOST) {
    listed.push(element("li", {}, say("found_of", { shown: SHOWN_MOST, count: figures(found.length, 0) })));
  }
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
  const heads = [[say("objective"), "words"], [say("value"), ""], [say("gap"), ""], [say("tolerance"), ""]];
  $("levels").replaceChildren(table(heads, rows));
  const miss = (number, most) => say("miss", { miss: small(number), tolerance: most });
  const facts = [["missed_band", miss(missed.units, TOLERANCES.bound)], ["missed_limit", miss(missed.rows, TOLERANCES.row)],
    ["share", `${figures(100 * DATA.share, 3, false)} %`], ["time", say("ms", { time: time.toFixed(1) })],
    ["instance", DATA.instance.name], ["hash", DATA.instance.hash]];
  $("facts").replaceChildren(...facts.flatMap(([key, text]) => [element("dt", {}, say(key)), element("dd", {}, text)]));
}

const legend = (kinds, ...before) => $("legend").replaceChildren(...before, ...kinds.map((kind) =>
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
  legend(kinds.filter(([, there]) => there).map(([kind]) => kind), element("span", {}, say("claimed")));
}

// The map of a box: its cells are proven one after another, each at its middle, while the reader does nothing.
let cell = 0;
function fillMap() {
  const began = performance.now();
  while (cell < MAP_CELLS ** 2 && performance.now() - began < MAP_MS) {
    const middle = pointOf(cell++), found = proofAt(middle);
    const [left, bottom] = middle.map((place) => `${100 * (place - 0.5 / MAP_CELLS)}%`), size = `${100 / MAP_CELLS}%`;
    const kind = found ? found.answer ? "proven" : "infeasible" : "open";
    $("map").append(element("span", { class: `is-${kind}`, style: { left, bottom, width: size, height: size } }));
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
  const means = new Set(AXES.flatMap((axis) => axis.means.map(words)));
  $("question").textContent = [say("question", { key: name, objective: words(DATA.levels[0].words) }), ...means]
    .join(language === "zh" ? "" : " ");
  $("first-key").textContent = words(AXES[0].name);
  $("second-key").textContent = words(AXES.at(-1).name);
  $("map").ariaLabel = say("map", { first: words(AXES[0].name), second: words(AXES.at(-1).name) });
  $("again").textContent = say("again_note", { version: DATA.version });
  $("imprint").textContent = `etsopt ${DATA.version} · ${DATA.instance.name} · ${DATA.instance.hash.slice(0, 16)}…`;
  if (AXES.length > 1) legend(["proven", "infeasible", "open"]); else drawTrack();
  layTiles();
  move(value);
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
// Arrows go from the search into what was found, and back.
$("found").parentNode.addEventListener("keydown", (event) => {
  const stops = [$("search"), ...$("found").querySelectorAll("button")], from = stops.indexOf(document.activeElement);
  const to = from < 0 ? null : stops[from + ({ ArrowDown: 1, ArrowUp: -1 }[event.key] ?? NaN)];
  if (!to) return;
  event.preventDefault();
  to.focus();
});
$("language").onclick = () => speak(language === "zh" ? "en" : "zh");
$("print").onclick = () => window.print();
window.onbeforeprint = () => { $("date").textContent = ` · ${say("date")} ${today()}`; };
$("download").onclick = download;
scaleOfTiles();
value = AXES.map((axis) => stepped(Math.round(lastOf(axis) / 2), axis));
speak(language);
set(value);
$("map-box").hidden = AXES.length < 2;
if (AXES.length > 1) fillMap();
$("missing").hidden = true;
$("app").hidden = false;
