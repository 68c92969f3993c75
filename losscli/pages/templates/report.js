"use strict";
// Draws the figures when they come into view, and keeps table and charts in step with what the reader chooses.

const PALETTE = 7;
const DASHES = ["solid", "dash", "dashdot", "longdash"]; // dotted is the train split
const SYMBOLS = ["circle", "diamond", "square", "cross"]; // likewise, of dots
const PICTURES = window.location.hash === "#pictures"; // each figure will stand alone, without controls
const CROWDED = 6; // with more bands than this over each other, none is drawn

class Arena {
  constructor(section, data) {
    this.section = section;
    this.data = data;
    this.on = new Set(data.drawn);
    this.panels = [...section.querySelectorAll("figure")].map((figure) => new Panel(this, figure));
    this.chips = [...section.querySelectorAll(".chip")];
    for (const chip of this.chips) chip.addEventListener("click", () => this.toggle(Number(chip.dataset.entry)));
    section.querySelector("[data-all]")?.addEventListener("click", () => this.toggleAll());
    for (const button of section.querySelectorAll("th button")) button.addEventListener("click", () => sort(button.closest("th")));
    this.show();
  }

  look(entry) { // the reference is drawn in ink, the others in the colours, and dashed where those run out
    if (entry === this.data.reference) return { color: color("reference"), dash: DASHES[0], symbol: SYMBOLS[0] };
    const place = entry - (entry > this.data.reference ? 1 : 0);
    const round = Math.floor(place / PALETTE) % DASHES.length;
    return { color: color(String(place % PALETTE)), dash: DASHES[round], symbol: SYMBOLS[round] };
  }

  toggle(entry) {
    if (!this.on.delete(entry)) this.on.add(entry);
    this.show();
  }

  toggleAll() {
    const all = this.on.size === this.chips.length;
    this.on = new Set(all ? this.data.drawn : this.chips.map((chip) => Number(chip.dataset.entry)));
    this.show();
  }

  show() {
    for (const chip of this.chips) chip.setAttribute("aria-pressed", String(this.on.has(Number(chip.dataset.entry))));
    for (const swatch of this.section.querySelectorAll(".swatch")) {
      const look = this.look(Number(swatch.dataset.entry));
      swatch.style.borderTop = `3px ${look.dash === "solid" ? "solid" : "dashed"} ${look.color}`;
    }
    for (const panel of this.panels) panel.drawing.stale();
  }
}

class Panel {
  constructor(arena, figure) {
    this.arena = arena;
    this.chart = arena.data.charts[figure.dataset.figure];
    this.views = Object.values(this.chart.views);
    this.plot = figure.querySelector(".plot");
    this.plot.style.height = `${this.chart.height}px`;
    this.plot.dataset.name = figure.dataset.figure;
    this.title = figure.querySelector("h3");
    this.said = this.title.hidden; // the heading above says it already
    this.first = this.title.textContent;
    this.measure = figure.querySelector(".measure");
    figure.querySelector("figcaption").append(savers(this.plot, () => [this.title.textContent, this.measure.textContent]));
    this.select = figure.querySelector("select");
    this.log = figure.querySelector(".log");
    this.note = figure.querySelector(".note-of-view");
    this.count = figure.querySelector(".drawn-of");
    this.drawing = new Drawing(this.plot, () => this.draw());
    if (this.chart.steps.length > 1) {
      const host = figure.querySelector(".stepper");
      this.stepper = new Stepper(host, this.chart.steps.length, () => this.drawing.stale(), (place) => this.chart.steps[place]);
    }
    if (this.select) {
      Object.keys(this.chart.views).forEach((name, place) => { this.select.options[place].textContent = unescaped(name); });
      this.select.addEventListener("change", () => this.drawing.stale());
    }
    this.log?.addEventListener("click", () => {
      toggle(this.log);
      this.drawing.stale();
    });
  }

  async draw() {
    const view = this.views[this.select ? Number(this.select.value) : 0];
    const entries = new Set(view.traces.map((trace) => trace.entry).filter((entry) => entry !== undefined));
    const drawn = [...entries].filter((entry) => this.arena.on.has(entry));
    const banded = drawn.length <= CROWDED;
    const opacity = Math.min(0.12, 0.24 / Math.max(drawn.length, 1));
    const traces = view.traces.flatMap((trace) => this.traced(trace, banded ? opacity : 0));
    const layout = { showlegend: traces.some((trace) => trace.showlegend), ...view.layout, height: this.chart.height };
    if (this.chart.log && isOn(this.log)) {
      const name = `${this.chart.log}axis`;
      layout[name] = { ...layout[name], type: "log", rangemode: "normal", dtick: undefined };
    }
    this.title.textContent = view.title;
    this.title.hidden = this.said && !PICTURES && view.title === this.first;
    this.measure.textContent = view.measure;
    this.note.textContent = unescaped(view.note);
    this.count.textContent = counted(view.traces, this.arena.on);
    if (this.chart.regions) {
      const step = this.stepper?.place ?? 0;
      const looks = this.chart.regions.panels.map((panel) => this.arena.look(panel.entry).color);
      await plotted(this.plot, ...panelled(this.chart.regions, step, looks, traces, layout, this.plot.clientWidth));
      return;
    }
    await plotted(this.plot, traces, layout, { ends: this.chart.ends });
  }

  traced({ entry, band, stays, ...trace }, opacity) {
    if (entry === undefined) return [{ showlegend: Boolean(trace.name), ...trace }];
    if (!this.arena.on.has(entry) && !stays) return [];
    const look = this.arena.look(entry);
    const marker = { color: look.color, ...(trace.type === "scatter" && { symbol: look.symbol }), ...trace.marker };
    const line = { color: look.color, dash: look.dash, width: 2, ...trace.line };
    const error = (own) => own && { color: look.color, ...own };
    const main = {
      showlegend: !stays, ...trace, marker, line,
      ...(trace.error_x && { error_x: error(trace.error_x) }), ...(trace.error_y && { error_y: error(trace.error_y) }),
    };
    if (!band || !opacity) return [main];
    const area = {
      type: "scatter", mode: "lines", x: [...trace.x, ...[...trace.x].reverse()], y: [...band[1], ...[...band[0]].reverse()],
      fill: "toself", fillcolor: translucent(look.color, opacity), line: { width: 0 }, hoverinfo: "skip", showlegend: false,
    };
    return [area, main];
  }
}

// What is said where entries are missing, or their bands.
function counted(traces, on) {
  const all = new Set(traces.filter((trace) => trace.entry !== undefined && !trace.stays).map((trace) => trace.entry));
  const drawn = [...all].filter((entry) => on.has(entry)).length;
  if (drawn === all.size) return drawn > CROWDED && traces.some((trace) => trace.band) ? "So many entries are drawn without bands." : "";
  return `${drawn} of ${all.size} entries are drawn${PICTURES ? ": the reference and the best." : "; choose others above the figures."}`;
}

function sort(heading) {
  const row = heading.parentElement;
  const place = [...row.children].indexOf(heading);
  const now = heading.getAttribute("aria-sort");
  const first = heading.querySelector("button").dataset.first;
  const order = now === "none" ? first : now === "ascending" ? "descending" : "ascending";
  for (const other of row.children) other.setAttribute("aria-sort", "none");
  heading.setAttribute("aria-sort", order);
  const body = heading.closest("table").tBodies[0];
  const key = (line) => {
    const cell = line.children[place];
    if (!heading.classList.contains("number")) return cell.textContent.trim();
    return cell.dataset.value === undefined ? null : Number(cell.dataset.value);
  };
  const sign = order === "ascending" ? 1 : -1;
  const lines = [...body.rows].map((line) => [key(line), line]);
  lines.sort(([one], [other]) => {
    if (one === null || other === null) return (one === null) - (other === null); // what has no value stays last
    return sign * (typeof one === "number" ? one - other : one.localeCompare(other, undefined, { numeric: true }));
  });
  body.append(...lines.map(([, line]) => line));
}

async function begin() {
  stage.toggleAttribute("data-pictures", PICTURES);
  for (const details of document.querySelectorAll("details")) details.open ||= PICTURES;
  const data = JSON.parse(await unpacked("data"));
  const arenas = [...document.querySelectorAll(".arena")].map((section, place) => new Arena(section, data[place]));
  whenThemed.push(() => arenas.forEach((arena) => arena.show()));
  const scrolls = [...document.querySelectorAll(".scroll")];
  const hint = (box) => {
    const more = box.scrollWidth - box.clientWidth - box.scrollLeft > 1;
    box.parentElement.toggleAttribute("data-more", more);
  };
  const resized = new ResizeObserver(() => scrolls.forEach(hint));
  for (const box of scrolls) {
    box.addEventListener("scroll", () => hint(box));
    resized.observe(box);
  }
  stage.dataset.ready = "true";
}

begin();
