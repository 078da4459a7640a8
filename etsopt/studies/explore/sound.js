"use strict";
// What a proof relies on without proving it: numbers that are numbers, of units that are there once and emit something.
// A page whose data are otherwise is refused before any of them is used.
const OBJECTIVE_UNITS = { change: "t", largest_change: "rate", deficit: "t", spread: "rate", least_squares: "t" };
// Whole tonnes of all units add up without rounding below 2^53.
const SUM_MOST_T = 2 ** 52;

function requireSound({ units, axes, levels, limits, rows, linear, infeasible, pieces, points, share }) {
  const all = units.id.length, count = rows.names.length, fixed = new Set(units.fixed), n = all - fixed.size;
  const isText = (one) => typeof one === "string", isSide = (one) => one === null || Number.isFinite(one);
  const isCode = (most, least = 0) => (one) => Number.isInteger(one) && one >= least && one < most;
  const isAbove = (one) => one > 0 && Number.isFinite(one);
  const isShare = (one) => one >= 0 && one <= 1 && Number.isFinite(one);
  const list = (one, length, fits) => Array.isArray(one) && one.length === length && one.every(fits);
  const stretch = ({ from, to }) => axes.length > 1 || (isShare(from) && isShare(to) && from <= to);
  // Numbers at the origin and at the end of each key, or once. A side is missing everywhere or nowhere.
  const moving = (ends, length, fits) => [1, axes.length + 1].includes(ends.length)
    && ends.every((end) => list(end, length, fits) && end.every((one, k) => (one === null) === (ends[0][k] === null)));
  const sum = [...limits.lower, ...limits.upper, units.reference, units.emissions].reduce((most, one) =>
    Math.max(most, one.reduce((sum, part) => sum + Math.abs(part), 0)), 0);
  const names = levels.map(({ name }) => name), before = names.slice(0, -1);
  const holds = {
    fixed: list(units.fixed, fixed.size, isCode(all)),
    id: all > 0 && list(units.id, all, isText) && new Set(units.id).size === all,
    name: list(units.name, all, isText),
    places: ["owner", "sector", "province"].every((kind) => list(units[kind], all, isCode(units[`${kind}s`].length))),
    emissions: list(units.emissions, all, (one) => one === 0 || isAbove(one))
      && units.emissions.every((one, unit) => one > 0 || fixed.has(unit)),
    reference: list(units.reference, all, Number.isFinite),
    limits: moving(limits.lower, n, Number.isFinite) && moving(limits.upper, n, Number.isFinite)
      && (!limits.target.length || moving(limits.target, n, Number.isFinite)) && sum < SUM_MOST_T,
    rows: moving(rows.least, count, isSide) && moving(rows.most, count, isSide)
      && list(rows.elastic, count, (one) => typeof one === "boolean")
      && rows.of.every((row) => list(row, n, isCode(count, -1))),
    levels: names.at(-1) === "least_squares" && new Set(names).size === names.length
      && names.every((name) => name in OBJECTIVE_UNITS),
    axes: axes.every((axis) => axis.ends[0] !== axis.ends[1] && isAbove(axis.step)
      && [axis, ...Object.values(axis.keys)].every((one) => list(one.ends, 2, Number.isFinite) && isAbove(one.divisor))),
    linear: linear.every((duals) => before.every((name) => list(duals[name], count, Number.isFinite))),
    infeasible: infeasible.every((one) => list(one.dual, count, Number.isFinite) && stretch(one)),
    pieces: pieces.every((one) => stretch(one) && isCode(linear.length)(one.linear)),
    points: points.every(isCode(linear.length, -2)),
    share: isShare(share),
  };
  const wrong = Object.keys(holds).filter((what) => !holds[what]);
  if (wrong.length) throw new RangeError(`no page of etsopt has such data: ${wrong.join(", ")}`);
}
