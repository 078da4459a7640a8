// Sliders, and values as people type them.

// The number of a text with any minus, full-width digits, 。 or a comma for the point, or commas between thousands; none
// where a comma may be either.
function numberIn(text) {
  const plain = text.normalize("NFKC").replace(/[−–—]/g, "-").replace(/[。｡]/g, ".").replace(/[\s%]/g, "");
  const thousands = /^[-+]?[1-9]\d{0,2}((,\d{3}){2,}(\.\d+)?|,\d{3}\.\d+)$/, either = /^[-+]?[1-9]\d{0,2},\d{3}$/;
  const decimal = thousands.test(plain) ? plain.replaceAll(",", "") : either.test(plain) ? "" : plain.replace(",", ".");
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(decimal) ? Number(decimal) : NaN;
}

const idOf = (id, k) => k ? `${id}-${k + 1}` : id;
function control(k) {
  const id = (name) => idOf(name, k);
  const box = (tag, name, more = {}, ...rest) => element(tag, { id: id(name), ...more }, ...rest);
  const typed = box("input", "typed", { type: "text", autocomplete: "off", "aria-describedby": id("refused") });
  const slider = box("input", "slider", { type: "range", min: 0, max: lastOf(AXES[k]), step: 1,
    "aria-labelledby": id("key"), "aria-describedby": "seal" });
  const other = (number) => value.map((one, place) => place === k ? number : one);
  slider.oninput = () => set(other(stepped(Number(slider.value), AXES[k])), slider);
  typed.onchange = () => {
    const number = trimmed(numberIn(typed.value) * AXES[k].divisor), ends = [...AXES[k].ends].sort((one, two) => one - two);
    const [first, last] = ends.map((end) => keyValue(end, AXES[k])), put = { typed: typed.value, first, last };
    const fault = Number.isNaN(number) ? "no_number" : number < ends[0] || number > ends[1] ? "outside" : null;
    set(fault ? value : other(number));
    $(id("refused")).textContent = fault ? say(fault, put) : "";
  };
  return [element("p", { class: "value" }, element("label", { for: id("typed") }, box("b", "key")),
    element("span", {}, typed, " ", box("span", "key-unit"))), ...(k || AXES.length > 1 ? [] : [$("track")]), slider,
  element("p", { class: "ends", "aria-hidden": "true" }, box("span", "first"), box("span", "last")),
  box("p", "refused", { class: "note", role: "alert" })];
}

function set(numbers, from) {
  move([numbers].flat());
  AXES.forEach((axis, k) => {
    const [slider, typed] = [SLIDERS[k], $(idOf("typed", k))];
    if (from !== slider) slider.value = Math.round(Math.abs(value[k] - axis.ends[0]) / axis.step);
    typed.value = trimmed(value[k] / axis.divisor);
    $(idOf("refused", k)).textContent = "";
  });
  const [x, y] = placeOf(value);
  Object.assign($("mark").style, { left: `${100 * x}%`, bottom: `${100 * y}%` });
}
