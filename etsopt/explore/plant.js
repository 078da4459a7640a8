// My plant: its allowance, what moves it, and how it moves with the keys.
const PLACE_OF_FREE = new Map(ENGINE.free.map((unit, place) => [unit, place])), NEARBY = 1e-5;

// Multipliers of limits in the tie-break, and in each earlier objective times the multiplier that keeps it, as
// etsopt/explanation/program.py has them.
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
  if (chosen < 0) { $("mine").replaceChildren(); return; }
  const place = PLACE_OF_FREE.get(chosen), [emissions, reference] = [UNITS.emissions[chosen], UNITS.reference[chosen]];
  const allowance = shown.all[chosen], surplus = allowance - emissions, moved = allowance - reference;
  const put = { name: nameOf(chosen), value: axisValues(shown.value), allowance: tonnes(allowance),
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
      element("ul", {}, ...told.map((one) => element("li", {}, one))), ...slopesNear(place),
      ...(AXES.length > 1 ? [] : lineOf(place, reference)));
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

// The allowance along the key as a line.
function lineOf(place, reference) {
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
  return [element("svg", { viewBox: "0 0 640 128", class: "line", role: "img", "aria-label": label },
      element("line", { x1: X(0), x2: X(1), ...rule, "stroke-width": 1 }),
      element("path", { d: path, ...stroke("var(--accent)") }),
      element("circle", { cx: X(shown.x[0]), cy: Y(shown.all[chosen]), r: 5, fill: "var(--accent)" })),
    element("p", { class: "note" }, label)];
}
