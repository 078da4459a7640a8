// Prove the answer at a position: no number of it is taken from a solver.
//
// `solver` (solve.js) makes an answer from multipliers. `prove` trusts neither: it bounds every objective from the
// answer and the multipliers as etsopt/checking/allocation/segments.py does at one place, in doubles, with every rounding counted.
// NaN is within no tolerance, so that comparisons ask what is proven and never what is refuted. Tolerances are those of
// the checker (etsopt/common/units.py, etsopt/checking/tolerances.py), and no file states any.
const TOLERANCES = { t: 2e-2, rate: 2e-10, relative: 1e-9, row: 2e-2, bound: 1e-3, resolution: 1e-15 };
const LIMIT_ROUNDINGS = 8, ROUNDOFF = 2 ** -53, SNAPPED_T = 1e-6, TRIFLE = 1e-280;
const gamma = (roundings) => roundings * ROUNDOFF / (1 - roundings * ROUNDOFF);
const upward = (value, roundings) => value * (1 + 2 * (roundings + 2) * ROUNDOFF) + TRIFLE;
const between = (one, other, x) => one === other ? one : one + x * (other - one);
// Numbers that keys move are stated at the origin and at the end of each key, others once.
const at = ([origin, ...ends], x) => ends.length ? origin.map((one, place) =>
  ends.reduce((sum, end, axis) => end[place] === one ? sum : sum + x[axis] * (end[place] - one), one)) : origin;
const finite = (sides, none) => sides.map((side) => side.map((value) => value ?? none));

const largest = (values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

function prover(data) {
  const fixed = new Set(data.units.fixed), free = [...data.units.id.keys()].filter((unit) => !fixed.has(unit));
  const E = Float64Array.from(free, (unit) => data.units.emissions[unit]);
  const R = Float64Array.from(free, (unit) => data.units.reference[unit]);
  const n = E.length, sumE = E.reduce((sum, one) => sum + one, 0), count = data.rows.names.length;
  const kinds = data.rows.of, least = finite(data.rows.least, -Infinity), most = finite(data.rows.most, Infinity);
  const targets = finite(data.limits.target, NaN), { levels } = data, zeros = () => new Float64Array(n);
  // The fractions of fewer than n tonnes add up with this error, whole tonnes with none.
  const ofTotals = gamma(n) * n / 2;
  // Rounding of limits where the policy of a place is evaluated, as etsopt/checking/allocation/policy_box.py bounds it:
  // one that all units share is a part of all emissions.
  const sumAll = data.units.emissions.reduce((sum, one) => sum + one, 0);
  const rounding = Float64Array.from(data.rows.names, (_, row) => {
    const sides = [...data.rows.least, ...data.rows.most].map((side) => side[row]);
    const nation = kinds.some((of) => of.every((one) => one === row)) ? sumAll : 0;
    return LIMIT_ROUNDINGS * ROUNDOFF * (largest(sides) + nation);
  });

  const limits = (x) => ({
    lower: at(data.limits.lower, x), upper: at(data.limits.upper, x), least: at(least, x), most: at(most, x),
    kinks: { change: R, largest_change: R, deficit: E, spread: at(targets, x) },
  });

  // Sum of the duals of the rows of each unit, and of their sizes.
  function activity(dual) {
    const sum = zeros(), size = zeros();
    for (const row of kinds) {
      for (let i = 0; i < n; i++) {
        if (row[i] >= 0) { sum[i] += dual[row[i]]; size[i] += Math.abs(dual[row[i]]); }
      }
    }
    return { sum, size };
  }

  // Totals of the rows as whole tonnes, which add up exactly, and fractions.
  function totals(answer) {
    const high = new Float64Array(count), low = new Float64Array(count);
    for (const row of kinds) {
      for (let i = 0; i < n; i++) {
        if (row[i] < 0) continue;
        const whole = Math.round(answer[i]);
        high[row[i]] += whole;
        low[row[i]] += answer[i] - whole;
      }
    }
    return { high, low };
  }

  // Distance of a total from a side, and what its rounding may add, that of the limit in the policy included.
  function away(total, row, side) {
    const difference = total.high[row] - side;
    const error = ofTotals + gamma(4) * (Math.abs(difference) + Math.abs(total.low[row])) + rounding[row];
    return [difference + total.low[row], error];
  }

  function misses({ limit, answer }, total) {
    let rows = 0, units = 0;
    for (let row = 0; row < count; row++) {
      for (const [side, sign] of [[limit.least[row], -1], [limit.most[row], 1]]) {
        if (Math.abs(side) === Infinity) continue;
        const [distance, error] = away(total, row, side);
        rows = Math.max(rows, sign * distance + error);
      }
    }
    for (let i = 0; i < n; i++) units = Math.max(units, limit.lower[i] - answer[i], answer[i] - limit.upper[i]);
    return { rows, units };
  }

  const supported = (dual, limit) => dual.map((value, row) =>
    Number.isFinite(value > 0 ? limit.least[row] : limit.most[row]) ? value : 0);

  function gapOfRows(dual, limit, total) {
    let gap = 0;
    for (let row = 0; row < count; row++) {
      if (dual[row] === 0) continue;
      const [distance, error] = away(total, row, dual[row] > 0 ? limit.least[row] : limit.most[row]);
      gap += Math.abs(dual[row]) * (Math.max(Math.sign(dual[row]) * distance, 0) + error) * (1 + 16 * ROUNDOFF);
    }
    return upward(gap * (1 + gamma(count)), 4);
  }

  // Most that a unit's function may fall from its allowance, seen from a base point near it.
  function fallOf(i, base, allowance, pieces, price, size, lower, upper, squared) {
    let left = 0, right = 0, steep = 0;
    for (const { kink, fall, rise, times } of pieces) {
      left += times * (base > kink[i] ? rise[i] : fall[i]);
      right += times * (base >= kink[i] ? rise[i] : fall[i]);
      steep += times * Math.max(Math.abs(fall[i]), Math.abs(rise[i]));
    }
    const bend = squared ? 2 * (base - R[i]) / E[i] : 0, moved = squared ? 2 * Math.abs(allowance - R[i]) / E[i] : 0;
    const noise = 1.01 * (gamma(kinds.length + 20) * size + gamma(pieces.length + 14) * steep
      + gamma(10) * Math.abs(bend));
    const down = Math.max(left + bend - price + noise, 0), up = Math.max(price - right - bend + noise, 0);
    let fall = down * Math.max(base - lower, 0) + up * Math.max(upper - base, 0);
    if (squared) fall = Math.min(fall, E[i] * Math.max(down, up) ** 2 / 4);
    return fall + (steep + Math.abs(price) + Math.abs(bend) + moved) * Math.abs(allowance - base);
  }

  function gapOfUnits(answer, lower, upper, pieces, dual, squared) {
    const { sum, size } = activity(dual);
    let gap = 0;
    for (let i = 0; i < n; i++) {
      let base = answer[i];
      const near = (place) => { if (Math.abs(answer[i] - place) <= SNAPPED_T) base = place; };
      near(lower[i]);
      near(upper[i]);
      for (const { kink } of pieces) near(kink[i]);
      const fall = (from) => fallOf(i, from, answer[i], pieces, sum[i], size[i], lower[i], upper[i], squared);
      const best = fall(base);
      gap += (best > 0 && base !== answer[i] ? Math.min(best, fall(answer[i])) : best) * (1 + 16 * ROUNDOFF);
    }
    return upward(gap * (1 + gamma(n)), 4);
  }

  function valueOf(name, answer, kink) {
    let sum = 0, top = 0;
    for (let i = 0; i < n; i++) {
      const off = answer[i] - kink[i];
      top = Math.max(top, Math.abs(off) / E[i]);
      sum += name === "least_squares" ? off * off / E[i] : name === "deficit" ? Math.max(-off, 0) : Math.abs(off);
    }
    return name === "largest_change" ? top : sum;
  }

  // Distance of the largest rate from its weighted sum, which multipliers bound.
  function gapOfRate(gap, answer, weights, top) {
    let own = 0, all = 0;
    for (let i = 0; i < n; i++) {
      if (!weights[i]) continue;
      const most = top * E[i], change = Math.abs(answer[i] - R[i]);
      own += weights[i] * (Math.max(most - change, 0) + gamma(8) * (most + change));
      all += weights[i] * E[i];
    }
    all *= 1 - gamma(2 * n);
    return all > 0 ? upward((gap + upward(own * (1 + gamma(n)), 4)) / all, 8) : Infinity;
  }

  function prove(position) {
    const { duals, kept, limit, answer } = position, total = totals(answer), missed = misses(position, total);
    let lower = answer.map((one, i) => Math.min(limit.lower[i], one));
    let upper = answer.map((one, i) => Math.max(limit.upper[i], one));
    const earlier = [], found = [], constant = (value) => zeros().fill(value);
    levels.forEach(({ name }, place) => {
      const squared = name === "least_squares", scale = name === "spread" ? sumE : 1;
      const own = (squared ? position.prices : duals[name]).map((dual) => dual * scale), pieces = [];
      const kink = limit.kinks[squared ? "change" : name];
      let dual = own, top = 0;
      const weights = name === "largest_change" ? position.weights.map((one) => Math.max(one, 0)) : null;
      if (weights) pieces.push({ kink, fall: weights.map((one) => -one), rise: weights, times: 1 });
      else if (!squared) {
        pieces.push({ kink, fall: constant(-1), rise: constant(name === "deficit" ? 0 : 1), times: 1 });
      }
      kept[place].forEach((times, k) => {
        if (!(times > 0)) return;
        dual = dual.map((value, row) => value + times * earlier[k].own[row]);
        if (earlier[k].piece) pieces.push({ ...earlier[k].piece, times });
      });
      dual = supported(dual, limit);
      const value = valueOf(name, answer, kink) / scale;
      let gap = gapOfUnits(answer, lower, upper, pieces, dual, squared) + gapOfRows(dual, limit, total);
      if (weights) {
        top = upward(value, 4);
        gap = gapOfRate(gap, answer, weights, top);
      }
      // Neither is any objective below zero.
      gap = Math.min(upward(gap / scale + gamma(n + 600) * value, 8), upward(value, n));
      const unit = OBJECTIVE_UNITS[name], floor = squared ? TOLERANCES.resolution * sumE : TOLERANCES[unit];
      const tolerance = Math.max(TOLERANCES.relative * value, floor);
      found.push({ name, unit, value, gap, tolerance, proven: gap >= 0 && gap <= tolerance });
      earlier.push({ own, piece: weights ? null : pieces[0] });
      if (!weights) return;
      [lower, upper] = withinRate(lower, upper, top, answer);
    });
    const met = missed.rows <= TOLERANCES.row && missed.units <= TOLERANCES.bound;
    return { levels: found, missed, proven: met && found.every((level) => level.proven) };
  }

  // Bounds of units whose change is within the largest rate, the rounding of its value and of the ends counted.
  function withinRate(lower, upper, top, answer) {
    const room = (i) => top * E[i] * (1 + 4 * ROUNDOFF) + 4 * ROUNDOFF * Math.abs(R[i]);
    return [lower.map((one, i) => Math.min(Math.max(one, R[i] - room(i)), answer[i])),
      upper.map((one, i) => Math.max(Math.min(one, R[i] + room(i)), answer[i]))];
  }

  // Allocations whose objectives are as good as those of an answer, but the last, which may be worse by a share.
  function within(limit, answer, names, share) {
    let lower = limit.lower.map((one, i) => Math.min(one, answer[i]));
    let upper = limit.upper.map((one, i) => Math.max(one, answer[i]));
    const sums = names.flatMap((name) => {
      const kink = limit.kinks[name], most = valueOf(name, answer, kink) * (name === names.at(-1) ? 1 + share : 1);
      if (name !== "largest_change") return [{ name, kink, most }];
      [lower, upper] = withinRate(lower, upper, upward(most, 4), answer);
      return [];
    });
    return { lower: Float64Array.from(lower), upper: Float64Array.from(upper), answer, sums };
  }

  // What no such allocation goes below in a unit, or with a negative sign above, and what one gives; the point and the
  // prices that bound it are a hint (etsopt/checking/allocation/near_optimal.py).
  function bound(limit, kept, place, sign, { point, prices, ofSums }) {
    const own = zeros(), total = totals(point), dual = supported(prices, limit);
    own[place] = sign;
    const lower = kept.lower.map((one, i) => Math.min(one, point[i]));
    const upper = kept.upper.map((one, i) => Math.max(one, point[i]));
    const pieces = [{ kink: point, fall: own, rise: own, times: 1 }];
    let gap = 0, held = true;
    kept.sums.forEach(({ name, kink, most }, k) => {
      const times = Math.max(-(ofSums[k] ?? 0), 0), value = valueOf(name, point, kink);
      pieces.push({ kink, fall: zeros().fill(-1), rise: zeros().fill(name === "deficit" ? 0 : 1), times });
      gap += upward(times * Math.max(most - value + gamma(n + 600) * value, 0), 4);
      held &&= value <= most + Math.max(TOLERANCES.relative * most, TOLERANCES.t * (name === "spread" ? sumE : 1));
    });
    gap = upward(gap + gapOfUnits(point, lower, upper, pieces, dual, false) + gapOfRows(dual, limit, total), 4);
    const least = sign * point[place] - gap, end = sign * (sign > 0 ? kept.lower : kept.upper)[place];
    const missed = misses({ limit, answer: point }, total), from = kept.answer[place];
    held &&= missed.rows <= TOLERANCES.row && missed.units <= TOLERANCES.bound;
    return { bound: sign * Math.max(least - ROUNDOFF * 2 * Math.abs(least), end),
      found: held ? sign * Math.min(sign * point[place], sign * from) : from };
  }

  // Tonnes by which any allowances miss limits, as duals prove it (etsopt/checking/allocation/infeasibility.py).
  function infeasible(proof, x) {
    // A tonne of a limit that may be relaxed counts one, of another nothing.
    const within = (one, row) => data.rows.elastic[row] ? Math.min(Math.max(one, -1), 1) : one;
    const limit = limits(x), dual = supported(proof.dual.map(within), limit), { sum, size } = activity(dual);
    const middle = zeros().map((_, i) => (limit.lower[i] + limit.upper[i]) / 2), total = totals(middle);
    let least = 0, error = 0, taken = 0, tolerated = 0;
    for (let row = 0; row < count; row++) {
      if (dual[row] === 0) continue;
      const [distance, uncertain] = away(total, row, dual[row] > 0 ? limit.least[row] : limit.most[row]);
      least -= dual[row] * distance;
      error += Math.abs(dual[row]) * (uncertain + gamma(count + 8) * Math.abs(distance)) * (1 + gamma(8));
      tolerated += Math.abs(dual[row]) * (1.000001 * TOLERANCES.row + rounding[row]);
    }
    for (let i = 0; i < n; i++) {
      const reach = Math.max(...[limit.upper[i], limit.lower[i]].map((end) => Math.abs(end - middle[i]))) * (1 + gamma(8));
      const price = Math.abs(sum[i]) + 1.01 * gamma(kinds.length + 16) * size[i];
      taken += price * reach;
      tolerated += price * 1.000001 * TOLERANCES.bound;
    }
    least -= upward((error + taken) * (1 + gamma(n + 8)) + gamma(8) * Math.abs(least), 8);
    return least > upward(tolerated * (1 + gamma(n + 8)), 8) ? least : 0;
  }

  return { prove, infeasible, within, bound, limits, activity, valueOf, rounding, free, E, R, sumE };
}
