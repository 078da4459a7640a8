// My plant: its allowance, what moves it, and how it moves with the keys.
const PLACE_OF_FREE = new Map(ENGINE.free.map((unit, place) => [unit, place])), NEARBY = 1e-5;
// Shares of the least value of an objective, the tonnes at which an allowance counts as the same, and a pause in which
// the slider rests.
const NEAR_SHARES = [0, 0.01, 0.05], SAME_T = 0.5, REST_MS = 300;

// Multipliers of limits in the tie-break, and in each earlier objective times the multiplier that keeps it, as
// etsopt/presenting/explanation/program.py has them.
function pulls() {
  const { duals, kept, prices } = shown;
  const scaled = (name) => duals[name].map((one) => (name === "spread" ? ENGINE.sumE : 1) * one);
  return kept.at(-1).reduce((sums, times, k) => {
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
  clearTimeout(pending);
  drawCommands();
  if (chosen < 0) { $("mine").replaceChildren(); return; }
  const place = PLACE_OF_FREE.get(chosen), [emissions, reference] = [UNITS.emissions[chosen], UNITS.reference[chosen]];
  const allowance = shown.all[chosen], surplus = allowance - emissions, moved = allowance - reference;
  const put = { name: nameOf(chosen), value: axisValues(shown.value), allowance: tonnes(allowance),
    moved: tonnes(Math.abs(moved)), side: say(moved < 0 ? "less" : "more"),
    rate: percent(rateOf(Math.abs(moved), emissions)) };
  const balance = { reference: tonnes(reference), emissions: tonnes(emissions), surplus: tonnes(Math.abs(surplus)),
    side: say(surplus < 0 ? "deficit" : "excess"), rate: percent(rateOf(surplus, emissions), true) };
  const parts = [element("p", {}, element("b", {}, say(Math.abs(moved) < TRIFLE_T ? "gets_same" : "gets", put))),
    element("p", {}, say("rule_gives", balance))];
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
    parts.push(element("p", {}, told.length ? say("moves", { tonnes: put.moved, side: put.side }) : say("as_rule")),
      element("ul", {}, ...told.map((one) => element("li", {}, one))), ...slopesNear(place),
      ...(AXES.length > 1 ? [] : lineOf(place, reference)), ...rangesOf(place));
  }
  $("mine").replaceChildren(...parts);
}

// How an allowance moves near the position: along each key, by the same multipliers a little towards the middle.
function slopesNear(place) {
  return AXES.flatMap((axis, k) => {
    const step = 100 * axis.step, inward = shown.x[k] > 0.5 ? -1 : 1;
    const x = shown.x.map((one, other) => other === k ? one + inward * NEARBY : one);
    const near = solveBy(shown.linear, x);
    if (!near) return [];
    const rise = (near.answer[place] - shown.answer[place]) / (inward * NEARBY * widthOf(axis));
    const put = { step: keyValue(step, axis), key: words(axis.name), tonnes: tonnes(rise * step, true) };
    return [element("p", {}, say("slope", put))];
  });
}

// The allowances of a unit in allocations that are just as good, or nearly: each is found and proven by itself, while
// the slider rests.
let pending = 0;
function rangesOf(place) {
  const names = DATA.levels.slice(0, -1).map(({ name }) => name), last = Math.max(names.indexOf("change"), 0);
  if (!names.length) return [];
  const optimum = say(`least_${names[last]}`), position = shown, list = element("ul");
  const told = element("p", {}, say("ranging"));
  const next = (k) => {
    const [least, most] = RANGE(position, names.slice(0, last + 1), place, NEAR_SHARES[k]);
    const wide = (side) => most[side] - least[side] > SAME_T;
    const near = ({ bound, found }) =>
      Math.abs(bound - found) <= Math.max(TOLERANCES.relative * Math.abs(bound), TOLERANCES.t);
    const put = { optimum, share: percent(NEAR_SHARES[k], false, 0), least: amount(least.bound),
      greatest: amount(most.bound), lowest: amount(least.found), highest: amount(most.found) };
    if (!k) {
      told.textContent = say(!wide("bound") ? "settled" : wide("found") ? "not_settled" : "settled_open",
        { ...put, least: put.lowest, greatest: put.highest, allowance: amount(position.answer[place]) });
    }
    const proven = near(least) && near(most);
    // What is proven of the optimum itself stands above.
    if (k || !proven) list.append(element("li", {}, say(proven ? "range" : "range_open", put)));
    if (k + 1 < NEAR_SHARES.length) pending = setTimeout(next, 0, k + 1);
  };
  pending = setTimeout(next, REST_MS, 0);
  return [element("h3", {}, say("just_as_good")), told, list];
}

// Round numbers between two, about as many as asked for.
function ticksOf(from, to, count) {
  const size = 10 ** Math.floor(Math.log10((to - from) / count));
  const step = size * [1, 2, 5, 10].find((one) => (to - from) / (size * one) <= count);
  const first = Math.ceil(from / step - 1e-9);
  return Array.from({ length: Math.floor(to / step + 1e-9) - first + 1 }, (_, k) => trimmed((first + k) * step));
}

// The allowance along the key as a line over its axes, with a mark where the slider stands.
function lineOf(place, reference) {
  const points = answersAtEnds().map(({ place: x, answer }) => [x, answer[place]]), sizes = points.map(([, y]) => y);
  const [axis] = AXES, [least, most] = [Math.min(...sizes), Math.max(...sizes)], here = shown.x[0];
  const [low, high] = [Math.min(least, reference), Math.max(most, reference)], margin = high > low ? 0.06 * (high - low) : 1;
  const [bottom, top] = [low - margin, high + margin], levels = ticksOf(bottom, top, 5);
  const digits = Number.isInteger(levels[1] - levels[0]) ? 0 : 2, labels = levels.map((one) => figures(one, digits));
  const width = Math.min(640, Math.max(innerWidth - 44, 300)), height = 220, foot = height - 40, head = 44;
  const left = 12 + 7.5 * Math.max(...labels.map(({ length }) => length));
  const X = (x) => left + (width - left - 12) * x, Y = (y) => foot - (foot - head) * (y - bottom) / (top - bottom);
  const steps = ticksOf(...axis.ends.map((end) => end / axis.divisor).sort((one, other) => one - other), width / 90);
  const along = steps.map((one) => [X(placeOf(one * axis.divisor)[0]), minus(one)]);
  // The first end of a piece that does not begin where the one before ends lifts the pen.
  const goesOn = (x, k) => k % 2 || (k && Math.abs(x - points[k - 1][0]) <= 1e-9);
  const path = points.map(([x, y], k) => `${goesOn(x, k) ? "L" : "M"}${X(x).toFixed(1)} ${Y(y).toFixed(1)}`).join("");
  const label = say("along", { least: tonnes(least), most: tonnes(most) });
  const stroke = (colour, size = 2) => ({ fill: "none", stroke: colour, "stroke-width": size });
  const rule = (x1, x2, y1, y2, colour, more) => element("line", { x1, x2, y1, y2, ...stroke(colour, 1), ...more });
  const text = (x, y, anchor, said) => element("text", { x, y, "text-anchor": anchor }, said);
  const side = here < 0.25 ? "start" : here > 0.75 ? "end" : "middle", key = words(axis.unit);
  return [element("svg", { viewBox: `0 0 ${width} ${height}`, class: "line", role: "img", "aria-label": label },
      text(0, 12, "start", `${say("allowance")} [${say("t")}]`),
      text(X(1), height - 2, "end", words(axis.name) + (key ? ` [${key}]` : "")),
      ...levels.map((one) => rule(X(0), X(1), Y(one), Y(one), "var(--line)")),
      ...levels.map((one, k) => text(left - 6, Y(one) + 4, "end", labels[k])),
      rule(X(0), X(1), foot, foot, "var(--soft)"), ...along.map(([x]) => rule(x, x, foot, foot + 5, "var(--soft)")),
      ...along.map(([x, said]) => text(x, foot + 18, "middle", said)),
      rule(X(0), X(1), Y(reference), Y(reference), "var(--soft)", { "stroke-dasharray": "5 4" }),
      element("path", { d: path, ...stroke("var(--accent)") }), rule(X(here), X(here), head - 8, foot, "var(--accent)"),
      element("circle", { cx: X(here), cy: Y(shown.all[chosen]), r: 5, fill: "var(--accent)" }),
      text(X(here), head - 14, side, `${axisValues(shown.value)} · ${tonnes(shown.all[chosen])}`)),
    element("p", { class: "note" }, label)];
}
