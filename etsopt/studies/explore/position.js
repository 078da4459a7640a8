// What is proven at a place: the allowances there, or that there are none, or the nearest place with a proof.
requireSound(DATA);
const ENGINE = prover(DATA), SOLVE = solver(DATA, ENGINE), RANGE = rangeFinder(DATA, ENGINE);
const { units: UNITS, axes: AXES, pieces: PIECES } = DATA, COUNT = UNITS.id.length;
// Of a box: multipliers tried at a place, and points that set the colours.
const TRIED_MOST = 12, SCALED_BY = 40;
const trimmed = (number, digits = 12) => Number(number.toPrecision(digits));

// Positions of a slider are whole steps from the first end, and the last end.
const widthOf = ({ ends: [first, last] }) => last - first;
const lastOf = (axis) => Math.ceil(Math.abs(widthOf(axis)) / axis.step - 1e-6);
const stepped = (k, axis = AXES[0]) =>
  k >= lastOf(axis) ? axis.ends[1] : trimmed(axis.ends[0] + Math.sign(widthOf(axis)) * k * axis.step);
const placeOf = (numbers) => [numbers].flat().map((number, k) => (number - AXES[k].ends[0]) / widthOf(AXES[k]));
const valueAt = (x) => x.map((place, k) => trimmed(between(...AXES[k].ends, place)));
const within = (x, { from, to }) => from <= x[0] && x[0] <= to;
const distance = (one, other) => Math.hypot(...one.map((place, k) => place - other[k]));
// Points of a box, at which the file says what serves: the middles of the cells of its map, and some of its sides.
const MAP_CELLS = DATA.sequence.cells;
const pointOf = (k, { stride, edge } = DATA.sequence) => {
  const beyond = k - MAP_CELLS ** 2, along = Math.floor(beyond / 4) / edge, cell = k * stride % MAP_CELLS ** 2;
  return beyond < 0 ? [cell % MAP_CELLS, Math.floor(cell / MAP_CELLS)].map((place) => (place + 0.5) / MAP_CELLS)
    : [[along, 0], [1, along], [1 - along, 1], [0, 1 - along]][beyond % 4];
};
const POINTS = DATA.points.map((serves, k) => ({ serves, x: pointOf(k) }));
const SERVED = POINTS.filter(({ serves }) => serves >= 0);
// The nearest point of each of the multipliers that served close to a place.
function nearPoints(x) {
  const near = SERVED.map(({ serves, x: at }) => [distance(x, at), serves, at]).sort(([one], [other]) => one - other);
  return [...new Map(near.toReversed().map((one) => [one[1], one])).values()].sort(([one], [other]) => one - other)
    .slice(0, TRIED_MOST);
}

// Multipliers that may serve a position: those of its piece, or of the points nearby.
function candidates(x) {
  if (AXES.length === 1) return PIECES.filter((piece) => within(x, piece)).map(({ linear }) => linear);
  return nearPoints(x).map(([, serves]) => serves);
}

// The answer that multipliers make, from the prices at which they served last.
const PRICES = [];
function solveBy(linear, x, prices = PRICES) {
  const position = SOLVE(DATA.linear[linear], x, prices[linear]);
  return position && { ...position, linear };
}

// What is proven at a place: an answer, or that there is none.
function proofAt(x) {
  const missing = Math.max(0, ...DATA.infeasible.map((one) => ENGINE.infeasible(one, x)));
  if (missing > 0) return { missing };
  // Prices of another place can lead astray: where they prove nothing, all begin once more, without prices.
  for (const prices of [PRICES, []]) {
    for (const linear of candidates(x)) {
      const position = solveBy(linear, x, prices), proof = position && ENGINE.prove(position);
      if (!proof?.proven) continue;
      PRICES[linear] = position.prices;
      return { ...position, proof };
    }
  }
  return null;
}

// The nearest place with a proof: the end of a piece on either side, or a little inside of it; or a point of the box.
function nearest(x) {
  const ends = AXES.length > 1 ? nearPoints(x).map(([, , at]) => [at]) : PIECES.map(({ from, to }) => {
      const near = Math.min(Math.max(x[0], from), to), inner = (from + to) / 2;
      return [[near], [near + 1e-6 * (inner - near)], [inner]];
    });
  ends.sort(([one], [other]) => distance(one, x) - distance(other, x));
  for (const place of ends.slice(0, AXES.length > 1 ? TRIED_MOST : 4).flat()) {
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

// Answers at the ends of all pieces, between which every allowance is a straight line; or at some points of a box.
let ends = null;
function answersAtEnds() {
  const places = AXES.length > 1 ? SERVED.slice(0, SCALED_BY)
    .map(({ x, serves }) => [x, serves]) : PIECES.flatMap(({ from, to, linear }) => [[[from], linear], [[to], linear]]);
  ends ??= places.flatMap(([x, linear]) => {
    const found = solveBy(linear, x);
    return found ? [{ place: x[0], answer: found.answer }] : [];
  });
  return ends;
}
