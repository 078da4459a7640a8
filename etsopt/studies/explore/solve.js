// Make the answer at a position from multipliers of the linear objectives; `prove` (proof.js) trusts nothing of it.
//
// Each objective narrows the intervals of units to its optimum, as etsopt_models/_curve/region.py does, and what set an
// end shows the multiplier that keeps it there, as etsopt/checking/allocation/prover.py has it. Between the intervals
// that are left, Newton's method finds the prices of the tie-break, as etsopt_models/_projection/proximal.py does.
const FLAT = 1e-9, POLICY = -1, RATE_STEPS_MAX = 50, ROUNDS_MAX = 8, STEPS_MAX = 60, HALVINGS_MAX = 60;
const RIDGES = [1e-8, 1e-10, 1e-12], MET = 1e-13, SLOPE_LEFT = 0.1;

// Solve a symmetric system that is positive definite, by its factor; the matrix is overwritten.
function solved(matrix, right) {
  const count = right.length;
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i][j];
      for (let k = 0; k < j; k++) sum -= matrix[i][k] * matrix[j][k];
      matrix[i][j] = i > j ? sum / matrix[j][j] : Math.sqrt(Math.max(sum, RIDGES.at(-1)));
    }
  }
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < i; k++) right[i] -= matrix[i][k] * right[k];
    right[i] /= matrix[i][i];
  }
  for (let i = count - 1; i >= 0; i--) {
    for (let k = i + 1; k < count; k++) right[i] -= matrix[k][i] * right[k];
    right[i] /= matrix[i][i];
  }
  return right;
}

function solver(data, { limits, activity, valueOf, E, R, sumE }) {
  const n = E.length, count = data.rows.names.length, kinds = data.rows.of, names = data.levels.map(({ name }) => name);
  let steps = 0;
  const squares = new Float64Array(count), zeros = () => new Float64Array(n);
  kinds.forEach((row) => E.forEach((one, i) => { if (row[i] >= 0) squares[row[i]] += one / 2; }));
  const scale = squares.map((one) => one > 0 ? Math.sqrt(one) : 1);
  const reach = new Float64Array(count);
  kinds.forEach((row) => E.forEach((one, i) => { if (row[i] >= 0) reach[row[i]] = Math.max(reach[row[i]], one); }));

  function totalsOf(answer) {
    const found = new Float64Array(count);
    for (const row of kinds) for (let i = 0; i < n; i++) if (row[i] >= 0) found[row[i]] += answer[i];
    return found;
  }

  // What the policy leaves, and which objective set each end since.
  function faceOf(limit) {
    const whose = (size) => new Int8Array(size).fill(POLICY);
    return { lower: Float64Array.from(limit.lower), upper: Float64Array.from(limit.upper), least: limit.least.slice(),
      most: limit.most.slice(), owners: { lower: whose(n), upper: whose(n), row: whose(count) }, earlier: [] };
  }

  // Multipliers of earlier objectives for one whose slopes below and above the intervals, and duals, are given.
  function multipliers({ owners, earlier }, before, after, dual) {
    const found = earlier.map(() => 0);
    for (let k = earlier.length - 1; k >= 0; k--) {
      let times = 0;
      const ask = (own, other) => { if (Number.isFinite(own / other)) times = Math.max(times, own / other); };
      for (let i = 0; i < n; i++) {
        if (owners.lower[i] === k) ask(before[i], -earlier[k].before[i]);
        if (owners.upper[i] === k) ask(-after[i], earlier[k].after[i]);
      }
      owners.row.forEach((owner, row) => { if (owner === k) ask(-dual[row], earlier[k].dual[row]); });
      found[k] = times;
      if (!times) continue;
      before = before.map((one, i) => one + times * earlier[k].before[i]);
      after = after.map((one, i) => one + times * earlier[k].after[i]);
      dual = dual.map((one, row) => one + times * earlier[k].dual[row]);
    }
    return found;
  }

  // Slopes of a kinked function less the prices, just below and just above the intervals.
  function slopesOf({ lower, upper }, kink, fall, rise, sum) {
    const before = zeros(), after = zeros();
    for (let i = 0; i < n; i++) {
      before[i] = (lower[i] > kink[i] ? rise[i] : fall[i]) - sum[i];
      after[i] = (upper[i] < kink[i] ? fall[i] : rise[i]) - sum[i];
    }
    return [before, after];
  }

  // Narrow intervals and rows to the optimum of an objective.
  function narrow(face, kink, fall, rise, sum, dual) {
    const { lower, upper, least, most, owners } = face, number = face.earlier.length;
    const flat = FLAT * (largest(sum) + largest(fall));
    for (let i = 0; i < n; i++) {
      const down = fall[i] - sum[i], up = rise[i] - sum[i], inside = Math.min(Math.max(kink[i], lower[i]), upper[i]);
      const from = down >= -flat ? lower[i] : up >= -flat ? inside : upper[i];
      const to = up <= flat ? upper[i] : down <= flat ? inside : lower[i];
      if (from > lower[i]) owners.lower[i] = number;
      if (to < upper[i]) owners.upper[i] = number;
      lower[i] = from;
      upper[i] = to;
    }
    const effect = dual.map((one, row) => Math.abs(one) * reach[row]), trifle = FLAT * largest(effect);
    dual.forEach((one, row) => {
      if (effect[row] <= trifle) return;
      if (least[row] < most[row]) owners.row[row] = number;
      if (one > 0) most[row] = least[row]; else least[row] = most[row];
    });
    const [before, after] = slopesOf(face, kink, fall, rise, sum);
    face.earlier.push({ before, after, dual });
  }

  // The largest rate as its duals state it, by Newton's steps from zero, and the weights of units in it: their duals
  // where the rate holds them, else one unit that needs it most.
  function rateOf({ lower, upper, least, most }, dual, sum) {
    const flat = FLAT * largest(sum), weights = zeros();
    let asked = 0, rate = 0, needed = 0, needy = 0;
    dual.forEach((one, row) => { if (one) asked += one * (one > 0 ? least[row] : most[row]); });
    for (let step = 0; step < RATE_STEPS_MAX; step++) {
      let own = 0, all = 0;
      for (let i = 0; i < n; i++) {
        weights[i] = 0;
        if (Math.abs(sum[i]) <= flat) continue;
        const end = sum[i] > 0 ? upper[i] : lower[i], held = Math.abs(end - R[i]) > rate * E[i] * (1 + FLAT);
        if (held) weights[i] = Math.abs(sum[i]);
        all += weights[i] * E[i];
        own += sum[i] * (held ? R[i] : end);
      }
      const next = all > 0 ? (asked - own) / all : rate;
      if (!(all > 0) || next <= rate) break;
      rate = next;
    }
    const all = weights.reduce((sum, weight, i) => sum + weight * E[i], 0);
    if (all > 0) return { rate, weights: weights.map((weight) => weight / all) };
    for (let i = 0; i < n; i++) {
      const need = Math.max(lower[i] - R[i], R[i] - upper[i]) / E[i];
      if (need > needed) [needed, needy] = [need, i];
    }
    if (needed > 0) weights[needy] = 1 / E[needy];
    return { rate: needed, weights };
  }

  function respond({ lower, upper }, prices) {
    const { sum } = activity(prices), answer = zeros();
    for (let i = 0; i < n; i++) answer[i] = Math.min(Math.max(R[i] + E[i] / 2 * sum[i], lower[i]), upper[i]);
    return answer;
  }

  // Where prices lead: the answer, and how far each total is from the side that its price or its miss asks for.
  function look(face, prices) {
    const answer = respond(face, prices), total = totalsOf(answer), { least, most } = face;
    const off = total.map((sum, row) => {
      const price = prices[row], from = least[row], to = most[row];
      if (price > 0 || from === to || (!price && sum < from)) return sum - from;
      return price < 0 || sum > to ? sum - to : 0;
    });
    const missed = off.reduce((worst, one, row) => Math.max(worst, Math.abs(one) / Math.max(total[row], 1)), 0);
    return { prices, answer, off, missed };
  }

  // Whether intervals reach the sides of each row: where they do not, multipliers are those of another place.
  function reaches({ lower, upper, least, most }) {
    const [low, high] = [totalsOf(lower), totalsOf(upper)], near = TOLERANCES.row;
    return low.every((sum, row) => sum <= most[row] + near && high[row] >= least[row] - near);
  }

  // Prices of the tie-break, from those of a position nearby.
  function tieBreak(face, start) {
    const { least, most } = face, equal = least.map((side, row) => side === most[row]);
    steps = 0;
    let here = look(face, start.map((one, row) => Number.isFinite(one > 0 ? least[row] : most[row]) ? one : 0));
    const size = largest(look(face, new Float64Array(count)).off.map((one, row) => one / scale[row]));
    let best = here, idle = 0;
    for (let round = 0; round < ROUNDS_MAX && idle < 2; round++) {
      here = roundFrom(face, equal, here, RIDGES[Math.min(round, RIDGES.length - 1)], size);
      idle = here.missed < best.missed / 2 ? 0 : idle + 1;
      if (here.missed < best.missed) best = here;
      if (best.missed <= MET) break;
    }
    // One more step removes the rounding of those before.
    steps = STEPS_MAX - 1;
    const last = roundFrom(face, equal, best, RIDGES.at(-1), size, 0);
    return (last.missed < best.missed ? last : best).prices;
  }

  // Newton's steps on the dual function and a parabola around the prices of the round before.
  function roundFrom(face, equal, anchor, ridge, size, met = MET) {
    const slope = ({ off, prices }) =>
      off.map((one, row) => one + ridge * squares[row] * (prices[row] - anchor.prices[row]));
    const sideOf = ({ off, prices }) =>
      off.map((one, row) => equal[row] ? 0 : Math.sign(prices[row]) || -Math.sign(one));
    const steepest = (point, side) =>
      largest(slope(point).map((one, row) => side[row] || equal[row] ? one / scale[row] : 0));
    let here = anchor, side = sideOf(here), left = steepest(here, side);
    for (; steps < STEPS_MAX; steps++) {
      const moved = largest(here.prices.map((one, row) => (one - anchor.prices[row]) * scale[row]));
      if (left <= SLOPE_LEFT * ridge * moved || here.missed <= met) return here;
      const trial = along(face, here, direction(face, equal, here, side, slope(here), ridge), side, slope);
      if (!trial) return here;
      const before = left;
      side = sideOf(trial);
      left = steepest(trial, side);
      if (left > before / 2 && left < FLAT * size) return left < before ? trial : here;
      here = trial;
    }
    return here;
  }

  // Newton's direction; a price that would change its sign goes to zero.
  function direction(face, equal, here, side, slope, ridge) {
    const moves = E.map((one, i) => face.lower[i] < here.answer[i] && here.answer[i] < face.upper[i] ? one / 2 : 0);
    const matrix = Array.from({ length: count }, () => new Float64Array(count));
    const may = side.map((one, row) => equal[row] || one !== 0);
    for (const one of kinds) {
      for (const other of kinds) {
        for (let i = 0; i < n; i++) if (moves[i] && one[i] >= 0 && other[i] >= 0) matrix[one[i]][other[i]] += moves[i];
      }
    }
    const found = new Float64Array(count);
    for (;;) {
      const active = [...found.keys()].filter((row) => may[row]);
      const part = active.map((row) => active.map((other) => matrix[row][other] / (scale[row] * scale[other])));
      part.forEach((row, k) => { row[k] += ridge; });
      const right = active.map((row) => (-slope[row]
        - found.reduce((sum, moved, other) => may[other] ? sum : sum + matrix[row][other] * moved, 0)) / scale[row]);
      solved(part, right).forEach((one, k) => { found[active[k]] = one / scale[active[k]]; });
      const blocked = active.filter((row) => !equal[row] && side[row] * (here.prices[row] + found[row]) < 0);
      if (!blocked.length) return found;
      for (const row of blocked) [may[row], found[row]] = [false, -here.prices[row]];
    }
  }

  // The point along a direction where the function is about highest: there its slope, which only falls, is zero.
  function along(face, here, moved, side, slope) {
    const rise = (point) => -slope(point).reduce((sum, one, row) => sum + one * moved[row], 0), first = rise(here);
    if (!(first > 0)) return null;
    let [step, there, share, best] = [0, 1, 1, null];
    for (let time = 0; time < HALVINGS_MAX; time++) {
      const prices = here.prices.map((one, row) => {
        const next = one + share * moved[row];
        return side[row] && side[row] * next < 0 ? 0 : next;
      });
      const trial = look(face, prices), left = rise(trial);
      if (left >= 0) [step, best] = [share, trial]; else there = share;
      if (Math.abs(left) <= SLOPE_LEFT * first || step === there) return trial;
      share = (step + there) / 2;
    }
    return best;
  }

  // The answer at a position from the duals of the linear objectives, and prices of a position nearby; null where these
  // duals leave no totals that meet the limits.
  return function solve(linear, x, start = new Float64Array(count)) {
    const limit = limits(x), face = faceOf(limit), kept = [], duals = {};
    const ask = (before, after, dual) => kept.push(multipliers(face, before, after, dual));
    let weights = zeros();
    for (const name of names.slice(0, -1)) {
      const trifle = FLAT * largest(linear[name]), scaled = name === "spread" ? sumE : 1;
      duals[name] = linear[name].map((one) => Math.abs(one) > trifle ? one : 0);
      const own = duals[name].map((one) => one * scaled), { sum } = activity(own), kink = limit.kinks[name];
      if (name !== "largest_change") {
        const fall = zeros().fill(-1), rise = zeros().fill(name === "deficit" ? 0 : 1);
        ask(...slopesOf(face, kink, fall, rise, sum), own);
        narrow(face, kink, fall, rise, sum, own);
        continue;
      }
      const found = rateOf(face, own, sum), flat = zeros();
      weights = found.weights;
      ask(...slopesOf(face, kink, weights.map((one) => -one), weights, sum), own);
      for (let i = 0; i < n; i++) {
        const room = found.rate * E[i], [low, high] = [face.lower[i], face.upper[i]];
        face.lower[i] = Math.min(Math.max(R[i] - room, low), high);
        face.upper[i] = Math.min(Math.max(R[i] + room, low), high);
        if (face.lower[i] > low) face.owners.lower[i] = POLICY;
        if (face.upper[i] < high) face.owners.upper[i] = POLICY;
      }
      narrow(face, kink, flat, flat, sum, own);
    }
    if (!reaches(face)) return null;
    const prices = tieBreak(face, start), { sum } = activity(prices);
    const bend = (ends) => ends.map((end, i) => 2 * (end - R[i]) / E[i] - sum[i]);
    ask(bend(face.lower), bend(face.upper), prices);
    return { x, duals, kept, limit, prices, weights, answer: respond(face, prices) };
  };
}
