"use strict";
// Losses in hand: their lines for every position of their dials, a point on them, and what is felt there.
// The page computes no loss. What it draws and says is looked up in what the kernels gave.

const MOST = 8; // lines that can be told apart: seven colours and ink
const FIRST = 6; // lines that are drawn at first of many losses
const OPEN = 3; // losses whose dials lie open; those of more are folded
const ZERO = 0.005; // of the largest slope: a difference below that is none to the eye
const TALL = 5; // times the middle height: what is higher leaves the chart

const real = (values) => values.filter((value) => value !== null);
const size = (values) => Math.max(0, ...real(values).map(Math.abs));
function signed(value) {
  const short = value && Math.abs(value) < 1e-3 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
  return short.replaceAll("-", "−");
}

// The points of a line nearest to a place: one, or both sides of a jump.
function at(line, place) {
  let near = 0;
  line.at.forEach((x, index) => { if (Math.abs(x - place) < Math.abs(line.at[near] - place)) near = index; });
  let last = near;
  while (near && line.at[near - 1] === line.at[last]) near -= 1;
  while (line.at[last + 1] === line.at[near]) last += 1;
  const step = (line.at.at(-1) - line.at[0]) / 100;
  return { near, last, x: line.at[near], inside: Math.abs(line.at[near] - place) < step };
}

// How far the slope stays as it is, from a point on: "left" or "right" if to that end of the line, "" if not.
function stays(slopes, from, peak) {
  const same = (part) => part.length > 4 && part.every((slope) => slope !== null && Math.abs(slope - slopes[from]) <= ZERO * peak);
  if (same(slopes.slice(0, from + 1))) return "left";
  return same(slopes.slice(from)) ? "right" : "";
}

// Whether the slope is largest at an end of the line, and still rises there: then what is drawn has no full strength.
function rising(slopes, peak) {
  const ends = [[slopes[0], slopes[8]], [slopes.at(-1), slopes.at(-9)]];
  return ends.findIndex(([end, inner]) => Math.abs(end) >= (1 - ZERO) * peak && Math.abs(end) - Math.abs(inner) > ZERO * peak);
}

// What the optimizer feels at a point of a line, in a sentence that its numbers bear out.
function felt(line, place, { moves, rows }) {
  const here = at(line, place);
  if (!here.inside) return "nothing: such a prediction cannot be";
  const [before, after] = [line.slope[here.near], line.slope[here.last]];
  if (before === null || after === null) return "no number that could be followed";
  const way = (slope) => (slope < 0 ? "up" : "down");
  const peak = size(line.slope);
  if (peak === 0) return "nothing, wherever the point is";
  if (here.last > here.near && line.slope.slice(here.near, here.last).includes(null)) {
    const side = (slope) => (slope === 0 ? "nothing" : `a pull ${way(slope)} of ${signed(Math.abs(slope))}`);
    return `a corner: ${side(before)} just left of it, ${side(after)} just right`;
  }
  if (before === 0) {
    const still = [line.slope[here.near - 1], line.slope[here.last + 1]].some((slope) => slope === 0);
    const lowest = line.loss[here.near] <= Math.min(...real(line.loss));
    return still ? `nothing: ${rows} ignored` : `nothing: the ${lowest ? "loss is lowest" : "slope is 0"} here`;
  }
  const share = Math.abs(before) / peak;
  const pull = `pulls ${moves} ${way(before)}`;
  const along = stays(line.slope, here.near, peak);
  const open = rising(line.slope, peak);
  if (share < 0.01) return `almost nothing: ${pull} with less than a hundredth of what it can`;
  if (open >= 0) {
    const end = signed(open ? line.at.at(-1) : line.at[0]);
    return share >= 1 - ZERO ? `${pull}, the harder the further out` : `${pull} with ${share.toFixed(2)} of its strength at ${end}, and harder beyond`;
  }
  if (share >= 1 - ZERO) return along ? `${pull} at full strength, as hard as for any row further ${along}` : `${pull} at full strength: nowhere harder`;
  return `${pull} with ${share.toFixed(2)} of its full strength${along ? `, as for any row further ${along}` : ""}`;
}

// A loss as it is drawn: the positions of its dials, and a look while it is.
class Entry {
  constructor(family, start) {
    this.family = family;
    this.start = start;
    this.places = [...start.places];
    this.look = null;
  }

  // The place of a combination among all: the last dial turns fastest.
  number(places) { return this.family.dials.reduce((sum, dial, at) => sum * dial.labels.length + places[at], 0); }

  get lines() { return this.family.lines[this.number(this.places)]; }

  get first() { return this.family.lines[this.number(this.start.places)]; }

  get reading() { return this.family.readings[this.number(this.places)]; }

  get name() {
    const turned = this.family.dials.map(({ option, labels }, at) => {
      const named = this.places[at] !== this.start.places[at] || this.start.set.includes(option);
      return named ? ` ${option}=${labels[this.places[at]]}` : "";
    });
    return this.start.name + turned.join("");
  }
}

class Bench {
  constructor(families, known) {
    this.families = families;
    this.entries = families.flatMap((family) => family.entries.map((start) => new Entry(family, start)));
    const first = this.entries.length > MOST ? this.best(known) : this.entries;
    for (const entry of this.entries) if (first.includes(entry)) entry.look = this.free();
    this.charts = ["loss", "slope"].map((part) => ({ part, element: document.getElementById(part) }));
    for (const chart of this.charts) {
      chart.drawing = new Drawing(chart.element, () => this.draw(chart));
      this.draggable(chart.element);
    }
    this.read = document.getElementById("read");
    if (this.read) this.reading = new Drawing(this.read, () => this.drawReadings());
    this.felt = document.getElementById("felt");
    this.pointed();
    this.chips();
    this.dials();
    this.show();
  }

  get drawn() { return this.entries.filter((entry) => entry.look); }

  // Of many losses the best known, none twice under another name.
  best(known) {
    const before = new Set();
    const kept = known.map((place) => this.entries.find(({ family }) => family === this.families[place])).filter((entry) => {
      const line = entry.lines[0].loss.join();
      return !before.has(line) && before.add(line);
    });
    let count = 0;
    return kept.filter((entry) => (count += entry.lines.length) <= FIRST);
  }

  // The first colour that no line has.
  free() {
    const looks = [...Array(MOST - 1).keys()].map(String).concat("ink");
    return looks.find((look) => !this.entries?.some((entry) => entry.look === look)) ?? null;
  }

  chips() {
    const host = document.getElementById("chips");
    if (this.entries.length < 2) return;
    for (const entry of this.entries) {
      entry.chip = made("button", { type: "button", className: "chip" });
      entry.chip.addEventListener("click", () => {
        entry.look = entry.look ? null : this.free();
        this.show();
      });
      host.append(entry.chip);
    }
  }

  pointed() {
    const [low, high] = [Math.min(...this.families.map(({ lines }) => lines[0][0].at[0])), Math.max(...this.families.map(({ lines }) => lines[0][0].at.at(-1)))];
    this.slider = document.getElementById("point");
    this.output = document.getElementById("place");
    const [{ axis, ends: [left, right], note }] = this.families;
    document.getElementById("words").textContent = note;
    for (const host of document.querySelectorAll(".axis")) {
      host.append(made("span", {}, `← ${left}`), made("span", {}, axis), made("span", {}, `${right} →`));
    }
    const step = (high - low) / 160;
    Object.assign(this.slider, { min: low, max: high, step, value: low + 40 * step, ariaLabel: axis });
    this.slider.addEventListener("input", () => this.move());
  }

  get point() { return Number(this.slider.value); }

  draggable(element) {
    const follow = (event) => {
      const { xaxis } = element._fullLayout ?? {};
      if (!xaxis) return;
      this.slider.value = xaxis.p2d(event.clientX - element.getBoundingClientRect().left - xaxis._offset);
      this.move();
    };
    element.addEventListener("pointerdown", (event) => {
      if (!event.isPrimary || event.button) return;
      element.setPointerCapture(event.pointerId);
      follow(event);
    }, true);
    element.addEventListener("pointermove", (event) => { if (element.hasPointerCapture(event.pointerId)) follow(event); }, true);
  }

  dials() {
    const host = document.getElementById("dials");
    const turnable = this.entries.filter(({ family }) => family.dials.length || family.idle.length);
    const folded = turnable.length > OPEN;
    for (const entry of turnable) {
      entry.legend = made("span", { className: "name" });
      entry.group = made(folded ? "details" : "fieldset", { className: "turned" }, made(folded ? "summary" : "legend", {}, entry.legend));
      entry.family.dials.forEach((dial, at) => entry.group.append(this.dial(entry, dial, at)));
      const { idle } = entry.family;
      if (idle.length) entry.group.append(made("p", { className: "note" }, `${idle.join(", ")}: not seen in these lines`));
      host.append(entry.group);
    }
  }

  dial(entry, { option, labels }, at) {
    const output = made("output", {}, labels[entry.places[at]]);
    const numbers = labels.every((label) => label === "off" || !Number.isNaN(Number(label)));
    const input = numbers
      ? made("input", { type: "range", min: 0, max: labels.length - 1, step: 1, value: entry.places[at] })
      : made("select", {}, ...labels.map((label, place) => made("option", { value: place, selected: place === entry.places[at] }, label)));
    input.ariaLabel = `${option} of ${entry.family.name}`;
    const turn = () => {
      entry.places[at] = Number(input.value);
      output.textContent = labels[entry.places[at]];
      if (numbers) input.ariaValueText = output.textContent;
      this.show();
    };
    if (numbers) input.ariaValueText = output.textContent;
    input.addEventListener("input", turn);
    return made("label", { className: "dial" }, made("span", {}, option), input, ...(numbers ? [output] : []));
  }

  show() {
    const full = !this.free();
    for (const entry of this.entries) {
      if (entry.legend) {
        entry.legend.replaceChildren(...this.named(entry, entry.name));
        entry.group.hidden = !entry.look;
      }
      if (!entry.chip) continue;
      entry.chip.replaceChildren(...this.named(entry, entry.name));
      entry.chip.ariaPressed = String(Boolean(entry.look));
      entry.chip.disabled = full && !entry.look;
      entry.chip.title = entry.chip.disabled ? "No colour is left: take another loss out first" : "";
    }
    for (const { drawing } of this.charts) drawing.stale();
    this.reading?.stale();
    this.move();
  }

  named(entry, name, dotted = false) {
    if (!entry.look) return [name];
    const swatch = made("span", { className: "swatch" });
    swatch.style.borderTop = `3px ${dotted ? "dotted" : "solid"} var(--${entry.look})`;
    return [swatch, name];
  }

  // Every line that is drawn, with the entry that it is of, and the name at its end.
  get lines() {
    return this.drawn.flatMap((entry) => entry.lines.map((line, at) => (
      { entry, line, dotted: at > 0, name: entry.lines.length > 1 ? `${entry.name}, ${line.label}` : entry.name }
    )));
  }

  // What is said of the point, and the points on the lines.
  move() {
    const { lines, point } = this;
    this.output.textContent = signed(point);
    this.slider.ariaValueText = signed(point);
    const titles = made("div", { className: "felt titles" }, made("span"), made("span", { className: "number" }, "loss"), made("span", { className: "number" }, "slope"));
    this.felt.replaceChildren(titles, ...lines.map(({ entry, line, dotted, name }) => {
      const here = at(line, point);
      const both = (values) => {
        const sides = real([values[here.near], values[here.last]]).map(signed);
        return here.inside && sides.length ? [...new Set(sides)].join(" | ") : "–";
      };
      const number = (values) => made("span", { className: "number" }, both(values));
      return made("div", { className: "felt" }, made("b", {}, ...this.named(entry, name, dotted)), number(line.loss), number(line.slope),
        made("p", {}, felt(line, point, entry.family)));
    }));
    for (const chart of this.charts) if (chart.element.dataset.drawn) this.mark(chart);
  }

  marks({ part }) {
    const points = this.lines.flatMap(({ entry, line }) => {
      const here = at(line, this.point);
      return here.inside ? [...new Set([here.near, here.last])].map((place) => [line.at[place], line[part][place], `$${entry.look}`]) : [];
    });
    return { x: points.map(([x]) => x), y: points.map(([, y]) => y), colors: points.map(([, , look]) => look) };
  }

  get upright() {
    return [{ type: "line", x0: this.point, x1: this.point, y0: 0, y1: 1, yref: "paper", layer: "below", line: { color: "$faint", width: 1 } }];
  }

  async mark(chart) {
    const { x, y, colors } = this.marks(chart);
    const last = chart.element.data.length - 1;
    await Plotly.update(chart.element, colored({ x: [x], y: [y], "marker.color": [colors] }), colored({ shapes: this.upright }), [last]);
  }

  async draw(chart) {
    const { lines } = this;
    const { part, element } = chart;
    const traces = lines.map(({ entry, line, dotted, name }) => (
      { type: "scatter", mode: "lines", name: escaped(name), x: line.at, y: line[part], hoverinfo: "skip",
        line: { color: `$${entry.look}`, width: 2.5, dash: dotted ? "dot" : "solid", simplify: false } }
    ));
    const { x, y, colors } = this.marks(chart);
    const marks = { type: "scatter", mode: "markers", x, y, showlegend: false, hoverinfo: "skip", cliponaxis: false,
      marker: { color: colors, size: 11, line: { width: 2, color: "$paper" } } };
    const [low, high] = [Number(this.slider.min), Number(this.slider.max)];
    await plotted(element, [...traces, marks], {
      showlegend: false, hovermode: false, dragmode: false, shapes: this.upright, margin: { t: 12, r: 12, b: 26, l: 52 },
      xaxis: { range: [low, high], fixedrange: true },
      yaxis: { range: this.range(part), fixedrange: true, automargin: false, zeroline: true },
    }, { ends: true });
    element.nextElementSibling.style.paddingRight = `${element._fullLayout.margin.r}px`; // the words stand below the plot, not below the names
  }

  // So high that the lines fill the chart, as they are at first and as they are now; a few that rise far above leave it.
  range(part) {
    const values = this.drawn.flatMap((entry) => [...entry.lines, ...entry.first]).map((line) => real(line[part]));
    const sizes = values.map(size).sort((one, other) => one - other);
    const limit = TALL * (sizes[Math.floor(sizes.length / 2)] || 1);
    const top = Math.min(limit, Math.max(0, ...values.flat()));
    const bottom = Math.max(-limit, Math.min(0, ...values.flat()));
    const room = 0.06 * (top - bottom || 1);
    return [bottom - room, top + room];
  }

  async drawReadings() {
    const read = this.drawn.filter((entry) => entry.reading);
    const traces = read.map((entry) => (
      { type: "scatter", mode: "lines", name: escaped(entry.name), x: entry.reading.map(([x]) => x), y: entry.reading.map(([, y]) => y),
        line: { color: `$${entry.look}`, width: 2.5 } }
    ));
    const right = { type: "scatter", mode: "lines", x: [0, 1], y: [0, 1], showlegend: false, hoverinfo: "skip", line: { dash: "dot", width: 1.5, color: "$faint" } };
    const asked = this.drawn.filter((entry) => !entry.reading && Object.keys(entry.family.readings).length);
    document.getElementById("unread").textContent = asked.length ? `Not worked out for ${asked.map((entry) => entry.name).join(", ")}: turn one dial at a time.` : "";
    await plotted(this.read, [...traces, right], {
      showlegend: false, dragmode: false,
      xaxis: { range: [0, 1], fixedrange: true, title: { text: "true probability" } },
      yaxis: { range: [-0.03, 1.03], fixedrange: true, title: { text: "probability that is read" } },
    }, { ends: true });
  }
}

async function begin() {
  const { families, known } = JSON.parse(await unpacked("data"));
  new Bench(families, known);
  stage.dataset.ready = "true";
}

begin();
