// The least and the greatest allowance of a unit while an objective is within a share of its least value: a linear
// program over the stretches of units between their kinks, by the dual simplex method with its long step (Maros 2003).
// `bound` (proof.js) trusts nothing of it.
const PIVOTS_MAX = 3000, MISSED_T = 1e-5, NO_SLOPE = 1e-9, LOWER = 0, UPPER = 1, BASIC = 2;

function rangeFinder({ rows }, { E, valueOf, bound, within }) {
  const n = E.length, count = rows.names.length, kinds = rows.of;

  // The program: its variables are the stretches of units, on which each of the kept sums is straight, and the total of
  // each row and sum. Every variable begins at an end of its own, totals in the basis.
  function programOf(limit, { lower, upper, answer, sums }, place, sign) {
    const unit = [], size = [], slopes = sums.map(() => []), state = [], height = count + sums.length;
    for (let i = 0; i < n; i++) {
      const inner = sums.map(({ kink }) => kink[i]).filter((one) => lower[i] < one && one < upper[i]);
      const ends = [lower[i], ...new Set(inner.sort((one, other) => one - other)), upper[i]];
      for (let k = 1; k < ends.length; k++) {
        unit.push(i);
        size.push(ends[k] - ends[k - 1]);
        state.push((i === place ? sign < 0 : answer[i] > (ends[k] + ends[k - 1]) / 2) ? UPPER : LOWER);
        sums.forEach(({ kink, name }, s) => slopes[s].push(ends[k] <= kink[i] ? -1 : name === "deficit" ? 0 : 1));
      }
    }
    const columns = unit.length, base = new Float64Array(height);
    for (const row of kinds) for (let i = 0; i < n; i++) if (row[i] >= 0) base[row[i]] += lower[i];
    sums.forEach(({ name, kink }, s) => { base[count + s] = valueOf(name, lower, kink); });
    const least = [...size.map(() => 0), ...limit.least.map((one, row) => one - base[row]), ...sums.map(() => -Infinity)];
    const most = [...size, ...limit.most.map((one, row) => one - base[row]),
      ...sums.map(({ most }, s) => most - base[count + s])];
    // Each coefficient of a column, and its row.
    const each = (j, take) => {
      if (j >= columns) { take(j - columns, -1); return; }
      for (const row of kinds) if (row[unit[j]] >= 0) take(row[unit[j]], 1);
      for (let s = 0; s < slopes.length; s++) take(count + s, slopes[s][j]);
    };
    const cost = (j) => j < columns && unit[j] === place ? sign : 0;
    return { columns, height, unit, least, most, each, cost, state: [...state, ...Array(height).fill(BASIC)] };
  }

  // Values of the variables in the basis, and prices of the rows.
  function solution({ height, least, most, each, cost, state }, { basis, inverse }) {
    const right = new Float64Array(height), prices = new Float64Array(height);
    for (let j = 0; j < state.length; j++) {
      const at = state[j] === BASIC ? 0 : state[j] === UPPER ? most[j] : least[j];
      if (at) each(j, (row, one) => { right[row] -= at * one; });
    }
    basis.forEach((j, row) => { if (cost(j)) inverse[row].forEach((one, k) => { prices[k] += cost(j) * one; }); });
    return { inside: product(inverse, right), prices };
  }
  const product = (inverse, column) => inverse.map((row) => row.reduce((sum, one, k) => sum + one * column[k], 0));

  // The variable that enters the basis for one that misses an end; those on the way to it go to their other ends.
  function entering({ least, most, each, cost, state }, prices, row, missed, rises) {
    const may = [];
    for (let j = 0; j < state.length; j++) {
      if (state[j] === BASIC) continue;
      let [slope, left] = [0, cost(j)];
      each(j, (k, one) => { slope += row[k] * one; left -= prices[k] * one; });
      // A variable at its lower end can rise, one at its upper end can fall.
      if (Math.abs(slope) <= NO_SLOPE || (slope < 0) !== (rises === (state[j] === LOWER))) continue;
      may.push([Math.abs(left / slope), Math.abs(slope), j]);
    }
    may.sort(([one, wide], [other, broad]) => Math.abs(one - other) > NO_SLOPE ? one - other : broad - wide);
    for (const [, slope, j] of may) {
      missed -= slope * (most[j] - least[j]);
      if (!(missed > MISSED_T)) return j;
      state[j] = state[j] === LOWER ? UPPER : LOWER;
    }
    return -1;
  }

  // The allocation that gives a unit least, or with a negative sign most, and prices; null where none is found.
  function extreme(limit, kept, place, sign) {
    const program = programOf(limit, kept, place, sign), { columns, height, unit, least, most, each, state } = program;
    const basis = Array.from({ length: height }, (_, row) => columns + row);
    const inverse = basis.map((_, row) => Float64Array.from(basis, (_, k) => k === row ? -1 : 0));
    for (let pivot = 0; pivot < PIVOTS_MAX; pivot++) {
      const { inside, prices } = solution(program, { basis, inverse });
      let [leaving, missed, rises] = [-1, MISSED_T, true];
      inside.forEach((one, row) => {
        const short = least[basis[row]] - one, over = one - most[basis[row]];
        if (Math.max(short, over) > missed) [leaving, missed, rises] = [row, Math.max(short, over), short > over];
      });
      if (leaving < 0) {
        const point = Float64Array.from(kept.lower);
        for (let j = 0; j < columns; j++) if (state[j] === UPPER) point[unit[j]] += most[j];
        basis.forEach((j, row) => { if (j < columns) point[unit[j]] += Math.min(Math.max(inside[row], 0), most[j]); });
        return { point, prices: prices.subarray(0, count), ofSums: prices.subarray(count) };
      }
      const next = entering(program, prices, inverse[leaving], missed, rises);
      if (next < 0) return null;
      const column = new Float64Array(height);
      each(next, (row, one) => { column[row] += one; });
      const moved = product(inverse, column), turned = inverse[leaving].map((one) => one / moved[leaving]);
      inverse.forEach((row, k) => {
        if (moved[k]) for (let at = 0; at < height; at++) row[at] -= moved[k] * turned[at];
      });
      inverse[leaving] = turned;
      state[basis[leaving]] = rises ? LOWER : UPPER;
      state[next] = BASIC;
      basis[leaving] = next;
    }
    return null;
  }

  // What is proven of both ends of a unit at a position while the last of some objectives is within a share of its
  // value, and what allocations were found to give. Without a hint the end of its bounds is all that is proven.
  return function range({ limit, answer }, names, place, share) {
    const kept = within(limit, answer, names, share), none = { point: answer, prices: limit.least.map(() => 0), ofSums: [] };
    return [1, -1].map((sign) => bound(limit, kept, place, sign, extreme(limit, kept, place, sign) ?? none));
  };
}
