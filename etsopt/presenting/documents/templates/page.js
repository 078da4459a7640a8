"use strict";
(() => {
  const settings = JSON.parse(document.getElementById("settings").textContent);
  const read = (id) => JSON.parse(document.getElementById(id).textContent);

  // Tables with a search box: rows of texts, filtered, sorted and shown page by page.
  const number = (text) => {
    const value = parseFloat(text.replace(/,/g, "").replace("−", "-"));
    return Number.isNaN(value) ? -Infinity : value;
  };
  for (const box of document.querySelectorAll("[data-listing]")) {
    const { rows, figures, alarming } = read(box.dataset.listing);
    const sought = rows.map((row) => row.join(" ").toLowerCase());
    const [input, output, body] = [box.querySelector("input"), box.querySelector("output"), box.querySelector("tbody")];
    const [back, on] = box.querySelectorAll(".finder button");
    const heads = [...box.querySelectorAll("thead th")];
    let [found, page, sorted, falling, printing] = [rows.map((_, place) => place), 0, -1, false, false];
    const show = () => {
      // Paper has no buttons, so that a print begins at the first row and has many more.
      const [from, size] = printing ? [0, settings.printed] : [page * settings.rows, settings.rows];
      const part = found.slice(from, from + size);
      body.replaceChildren(...part.map((place) => {
        const line = document.createElement("tr");
        rows[place].forEach((text, column) => {
          const cell = document.createElement(column ? "td" : "th");
          if (!column) cell.scope = "row";
          if (!figures[column]) cell.className = "words";
          else if (alarming[column] && number(text) > 0) cell.className = "alarm";
          cell.textContent = text;
          line.append(cell);
        });
        return line;
      }));
      const ends = part.length ? `${from + 1}–${from + part.length}` : "0";
      output.textContent = settings.shown.replace("{ends}", ends).replace("{of}", found.length.toLocaleString("en"));
      back.disabled = page === 0;
      on.disabled = from + settings.rows >= found.length;
    };
    const find = () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      found = [];
      sought.forEach((text, place) => { if (words.every((word) => text.includes(word))) found.push(place); });
      if (sorted >= 0) {
        const [way, texts] = [falling ? -1 : 1, (place) => rows[place][sorted]];
        found.sort((a, b) => way * (figures[sorted] ? number(texts(a)) - number(texts(b)) || a - b
          : texts(a).localeCompare(texts(b)) || a - b));
      }
      page = 0;
      show();
    };
    const print = (now) => () => { printing = now; show(); };
    window.addEventListener("beforeprint", print(true));
    window.addEventListener("afterprint", print(false));
    input.addEventListener("input", find);
    back.addEventListener("click", () => { page -= 1; show(); });
    on.addEventListener("click", () => { page += 1; show(); });
    heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
      falling = sorted === column ? !falling : figures[column];
      sorted = column;
      heads.forEach((one) => one.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", falling ? "descending" : "ascending");
      find();
    }));
    box.querySelector(".finder").hidden = false;
    show();
  }

  // Charts: drawn one by one once the library is there, so that the page answers meanwhile; before a print all at once,
  // and each in the width that paper has.
  const plots = [...document.querySelectorAll("[data-plot]")];
  const drawOne = (plot) => {
    if (plot.data) return;
    const { data, layout } = read(plot.dataset.plot);
    window.Plotly.newPlot(plot, data, layout, settings.config);
    plot.closest("figure").classList.add("drawn");
    document.documentElement.dataset.drawn = plots.filter((one) => one.data).length;
  };
  // Width of a chart on paper [px], by the number beside each other: a page is printed as A4, 182 mm wide within margins.
  const onPaper = (plot) => {
    const named = plot.layout.yaxis.type === "category";
    const count = plot.parentElement.children.length;
    return named || count === 1 || plot.layout.meta ? 680 : count > 2 && plot.parentElement.classList.contains("compact") ? 216 : 335;
  };
  const draw = () => plots.forEach((plot) => setTimeout(() => drawOne(plot)));
  const fit = () => {
    if (!window.Plotly) return;
    plots.forEach(drawOne);
    plots.forEach((plot) => window.Plotly.relayout(plot, { width: onPaper(plot), autosize: false }));
  };
  const unfit = () => window.Plotly && plots.forEach((plot) => window.Plotly.relayout(plot, { autosize: true, width: null }));
  window.addEventListener("beforeprint", fit);
  window.addEventListener("afterprint", unfit);
  if (!plots.length) return;
  if (window.Plotly) { draw(); return; }
  const script = document.createElement("script");
  script.src = settings.script;
  script.addEventListener("load", draw);
  document.head.append(script);
})();
