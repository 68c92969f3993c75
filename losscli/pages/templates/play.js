"use strict";
// The playground: two runs side by side over their epochs. Regions and lines are computed here from each run's weights;
// gradients, curves and sentences come with the page.

const FINE = 90; // points of a region on a side
const HALO = 15; // pixels that the largest gradient adds to a dot's radius

// The whole numbers that stand in a text as changes, a character each: 0, -1, 1, -2 ... from "#" on.
const changeAt = (text, place) => {
  const code = text.charCodeAt(place) - 35;
  return code % 2 ? -(code + 1) / 2 : code / 2;
};

class Scene {
  constructor(data) {
    Object.assign(this, data);
    this.frames = data.epochs.length;
    this.runs = data.losses.length * data.variants.length;
    this.rows = data.variants[0].target.length;
    this.parameters = data.widths.slice(1).reduce((sum, width, place) => sum + (data.widths[place] + 1) * width, 0);
    this.layers = data.widths.map((width) => new Float64Array(width)); // what a forward pass works on
    this.#unpack();
    this.ranges = this.#ranges();
  }

  // Weights come as changes from frame to frame, [R, F, P]; the radii of halos likewise, [R, N, F].
  #unpack() {
    const { runs, frames, parameters, rows } = this;
    this.table = new Float32Array(runs * frames * parameters);
    for (let run = 0; run < runs; run += 1) {
      for (let parameter = 0; parameter < parameters; parameter += 1) {
        for (let frame = 0, sum = 0; frame < frames; frame += 1) {
          const place = (run * frames + frame) * parameters + parameter;
          this.table[place] = (sum += changeAt(this.weights, place)) / this.steps;
        }
      }
    }
    this.radii = new Float32Array(runs * rows * frames);
    for (let place = 0, sum = 0; place < this.radii.length; place += 1) {
      sum = (place % frames ? sum : 0) + changeAt(this.pull, place);
      this.radii[place] = sum / this.sizes;
    }
  }

  #ranges() {
    const of = (lists) => {
      const values = lists.flat();
      const [low, high] = [Math.min(...values), Math.max(...values)];
      return [low - 0.07 * (high - low), high + 0.07 * (high - low)];
    };
    const across = of(this.variants.map((variant) => variant.at[0]));
    return [across, of(this.variants.map((variant) => variant.at[1] ?? variant.target))];
  }

  run(loss, variant) { return loss * this.variants.length + variant; }

  // Raw outputs of a run at a frame, for a point in the units of its columns; the next call overwrites them.
  outputsAt(run, frame, point) {
    const { center, scale } = this.variants[run % this.variants.length];
    const { table, layers } = this;
    let from = (run * this.frames + frame) * this.parameters;
    let values = layers[0];
    for (let column = 0; column < values.length; column += 1) values[column] = (point[column] - center[column]) / scale[column];
    for (let layer = 1; layer < layers.length; layer += 1) {
      const next = layers[layer];
      const bias = from + values.length * next.length;
      for (let unit = 0; unit < next.length; unit += 1) {
        let sum = table[bias + unit];
        for (let input = 0, at = from + unit; input < values.length; input += 1, at += next.length) sum += values[input] * table[at];
        next[unit] = layer < layers.length - 1 ? Math.tanh(sum) : sum;
      }
      from = bias + next.length;
      values = next;
    }
    return values;
  }

  // What a run predicts there: the probability of each class; or a number in the target's units.
  predicted(run, frame, point) {
    const outputs = this.outputsAt(run, frame, point);
    if (!this.classes) {
      const [center, scale] = this.variants[run % this.variants.length].unit;
      return [outputs[0] * scale + center];
    }
    const largest = Math.max(...outputs);
    const shares = Array.from(outputs, (output) => Math.exp(output - largest));
    const total = shares.reduce((sum, share) => sum + share, 0);
    return shares.map((share) => share / total);
  }

  // The size of the gradient of a row's loss with respect to its outputs.
  pullOf(run, row, frame) {
    return this.largest * this.radii[(run * this.rows + row) * this.frames + frame] ** 2;
  }
}

class Panel {
  constructor(letter, changed) {
    this.letter = letter;
    this.select = made("select", { ariaLabel: `Loss of panel ${letter}` });
    this.canvas = made("canvas", { role: "img" });
    this.numbers = made("dl");
    const badge = made("span", { className: `badge ${letter.toLowerCase()}` }, letter);
    this.figure = made("figure", { className: "panel" }, made("div", { className: "head" }, badge, this.select), this.canvas, this.numbers);
    this.select.addEventListener("change", changed);
  }

  get loss() { return this.select.selectedIndex; }

  fill(losses, loss) {
    this.select.replaceChildren(...losses.map((name) => made("option", {}, name)));
    this.select.selectedIndex = loss;
  }

  show(scene, variant, frame) {
    this.shown = { scene, variant, frame, run: scene.run(this.loss, variant) };
    this.draw();
    this.tell();
  }

  draw() {
    const { scene, run, variant, frame } = this.shown;
    const side = this.canvas.clientWidth;
    const sharpness = window.devicePixelRatio || 1;
    this.canvas.width = this.canvas.height = Math.round(side * sharpness);
    const pen = this.canvas.getContext("2d");
    pen.scale(sharpness, sharpness);
    const [across, up] = scene.ranges;
    const place = (x, y) => [((x - across[0]) / (across[1] - across[0])) * side, (1 - (y - up[0]) / (up[1] - up[0])) * side];
    if (scene.classes) this.#regions(pen, side);
    else this.#line(pen, place);
    const { at, target, wrong, count } = scene.variants[variant];
    const bad = new Set(wrong);
    const dot = Math.max(2, side / 110);
    const rows = [...Array(count).keys()].map((row) => ({ row, at: place(at[0][row], at[1]?.[row] ?? target[row]) }));
    pen.fillStyle = translucent(color("ink"), 0.22);
    for (const { row, at: [x, y] } of rows) {
      const radius = scene.radii[(run * scene.rows + row) * scene.frames + frame];
      if (radius > 0.02) circle(pen, x, y, dot + radius * HALO * Math.min(1, side / 320)).fill();
    }
    for (const { row, at: [x, y] } of rows) {
      circle(pen, x, y, dot);
      pen.fillStyle = color(scene.classes ? `class${target[row]}` : "0");
      pen.fill();
      pen.strokeStyle = color("paper");
      pen.lineWidth = 0.3 * dot;
      pen.stroke();
      if (!bad.has(row)) continue;
      pen.strokeStyle = color("ink"); // with a gap, as a class may be as dark
      pen.lineWidth = 0.4 * dot;
      circle(pen, x, y, 1.6 * dot).stroke();
    }
  }

  #regions(pen, side) {
    const { scene, run, frame } = this.shown;
    const [across, up] = scene.ranges;
    const paints = scene.classes.map((_, place) => channels(color(`class${place}`)));
    const paper = channels(color("paper"));
    const image = new ImageData(FINE, FINE);
    for (let row = 0, at = 0; row < FINE; row += 1) {
      const y = up[1] - ((row + 0.5) / FINE) * (up[1] - up[0]);
      for (let column = 0; column < FINE; column += 1, at += 4) {
        const shares = scene.predicted(run, frame, [across[0] + ((column + 0.5) / FINE) * (across[1] - across[0]), y]);
        const best = Math.max(...shares);
        const paint = paints[shares.indexOf(best)];
        const strength = 0.1 + 0.4 * ((best * shares.length - 1) / (shares.length - 1));
        for (let part = 0; part < 3; part += 1) image.data[at + part] = paper[part] + strength * (paint[part] - paper[part]);
        image.data[at + 3] = 255;
      }
    }
    const picture = made("canvas", { width: FINE, height: FINE });
    picture.getContext("2d").putImageData(image, 0, 0);
    pen.imageSmoothingQuality = "high";
    pen.drawImage(picture, 0, 0, side, side);
  }

  #line(pen, place) {
    const { scene, run, frame } = this.shown;
    const [low, high] = scene.ranges[0];
    pen.beginPath();
    for (let step = 0; step <= 60; step += 1) {
      const x = low + (step / 60) * (high - low);
      pen.lineTo(...place(x, scene.predicted(run, frame, [x])[0]));
    }
    pen.strokeStyle = color("ink");
    pen.lineWidth = 2.5;
    pen.stroke();
  }

  // The numbers below the picture, which are what the picture is called, too.
  tell() {
    const { scene, run, frame } = this.shown;
    const trace = scene.traces[run];
    const facts = [["Training loss", trace.loss[frame].toFixed(3)], [measureOf(scene), said(scene, trace.score[frame])]];
    if (trace.memorised) facts.push(["Wrong labels learned", percent(trace.memorised[frame])]);
    if (trace.share) facts.push([`Gradient from ${scene.classes ? "wrong rows" : "outliers"}`, percent(trace.share[frame])]);
    if (trace.rare) facts.push(["Rare class found", percent(trace.rare[frame])]);
    this.numbers.replaceChildren(...facts.flatMap(([name, value]) => [made("dt", {}, name), made("dd", {}, value)]));
    const picture = scene.classes ? "Decision regions" : "Fitted line";
    this.canvas.ariaLabel = `${picture} of ${scene.losses[this.loss]} at epoch ${scene.epochs[frame]}: ${facts.map((fact) => fact.join(" ")).join(", ")}`;
  }
}

function circle(pen, x, y, radius) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  return pen;
}

const percent = (share) => `${(100 * share).toFixed(0)}\u00a0%`;
const measureOf = (scene) => (scene.classes ? "Right on clean rows" : "Off by, on clean rows");
const said = (scene, score) => (scene.classes ? percent(score) : score.toFixed(2));

class Playground {
  constructor(data) {
    this.data = data.scenes;
    this.scenes = []; // each is unpacked when it is first seen
    this.stories = data.stories;
    this.start = data.start;
    this.panels = ["A", "B"].map((letter) => new Panel(letter, () => this.changed()));
    this.bar = document.querySelector(".bar");
    this.key = made("p", { className: "key" });
    document.querySelector(".panels").append(...this.panels.map((panel) => panel.figure), this.key);
    this.tabs = [...document.querySelectorAll("[data-story]")];
    for (const tab of this.tabs) tab.addEventListener("click", () => {
      history.replaceState(null, "", `#${tab.dataset.story}`); // a link to it, without a jump to where it stands
      this.open(tab.dataset.story);
    });
    for (const part of document.querySelectorAll(".tabs, .bar, .panels, .curves")) part.hidden = false;
    this.curves = ["loss", "score"].map((name) => new Drawing(document.getElementById(name), () => this.#curve(name)));
    whenThemed.push(() => this.redraw());
    new ResizeObserver(() => this.redraw()).observe(this.panels[0].canvas);
    this.open(location.hash.slice(1));
  }

  get variant() {
    return this.scene.axes.reduce((number, axis, place) => number * axis.levels.length + this.levels[place].selectedIndex, 0);
  }

  // A story by its name; any other text is free play.
  open(name) {
    const place = this.tabs.findIndex((tab) => tab.dataset.story === name);
    const story = Math.max(place, 0) - 1;
    for (const [at, tab] of this.tabs.entries()) tab.setAttribute("aria-pressed", String(at === story + 1));
    document.getElementById("noticed").hidden = story >= 0;
    for (const section of document.querySelectorAll(".story")) section.hidden = section.id !== name;
    document.querySelector(".board").toggleAttribute("data-told", story >= 0);
    if (story >= 0) this.#tell(story, 0);
    else this.set(this.start);
  }

  // One step of a story, with the way to the others.
  #tell(story, number) {
    const section = document.querySelectorAll(".story")[story];
    const steps = [...section.querySelectorAll("li")];
    section.classList.add("told");
    steps.forEach((step, at) => { step.hidden = at !== number; });
    section.querySelector(".controls")?.remove();
    const go = (text, to) => {
      const button = made("button", { type: "button", disabled: to < 0 || to >= steps.length }, text);
      button.addEventListener("click", () => { this.#tell(story, to); section.querySelector(`.controls button:${to > number ? "last-of-type" : "first-of-type"}`).focus(); });
      return button;
    };
    section.append(made("div", { className: "controls" }, go("Back", number - 1), made("span", { className: "faint" }, `${number + 1} of ${steps.length}`), go("Next", number + 1)));
    this.set(this.stories[story][number]);
  }

  set({ scene, losses, variant, from, to }) {
    this.stepper?.pause();
    this.scenes[scene] ??= new Scene(this.data[scene]);
    if (this.scene !== this.scenes[scene]) {
      this.scene = this.scenes[scene];
      this.#controls();
    }
    this.panels.forEach((panel, place) => panel.fill(this.scene.losses, losses[place]));
    for (let place = this.levels.length - 1, rest = variant; place >= 0; place -= 1) {
      const count = this.scene.axes[place].levels.length;
      this.levels[place].selectedIndex = rest % count;
      rest = Math.floor(rest / count);
    }
    this.until = to;
    this.changed(still.matches ? to : from);
    if (!still.matches && from < to && this.played) this.stepper.run();
    this.played = true; // nothing moves before somebody has asked for it
  }

  #controls() {
    const { axes, epochs, frames } = this.scene;
    this.levels = axes.map(({ name, levels }) => {
      const select = made("select", { ariaLabel: name }, ...levels.map((level) => made("option", {}, level)));
      select.addEventListener("change", () => this.changed());
      return select;
    });
    const host = made("div", { className: "stepper" });
    host.dataset.label = "Epoch";
    const labels = axes.map(({ name }, place) => made("label", {}, name, this.levels[place]));
    this.bar.replaceChildren(host, ...labels);
    this.stepper = new Stepper(host, frames, (frame) => this.show(frame), (frame) => `epoch ${epochs[frame]} of ${epochs[frames - 1]}`);
    const step = made("button", { type: "button", ariaLabel: "One step on", title: "One step on" }, "▸|");
    this.stepper.play.addEventListener("click", () => { this.until = frames - 1; }); // of a step of a story, what follows
    step.addEventListener("click", () => { this.stepper.pause(); this.stepper.place = Math.min(frames - 1, this.stepper.place + 1); });
    this.stepper.play.after(step);
    document.getElementById("measure").textContent = measureOf(this.scene);
    const classes = this.scene.classes ?? [];
    const mark = (text, style, className = "") => {
      const sign = made("i", { className });
      if (style) sign.style.background = style;
      return made("span", {}, sign, text);
    };
    this.key.replaceChildren(
      ...classes.map((name, place) => mark(name, `var(--class${place})`)),
      mark(this.scene.classes ? "wrong label" : "outlier", "", "ring"),
      mark("size of the row's gradient", "", "halo"),
      made("span", {}, this.scene.classes ? `${this.scene.columns[0]} across, ${this.scene.columns[1]} up` : ""));
  }

  changed(frame = this.stepper.place) {
    this.stepper.place = frame;
    for (const curve of this.curves) curve.stale();
  }

  show(frame) {
    this.frame = frame;
    if (this.stepper.timer && frame >= this.until) this.stepper.pause();
    for (const panel of this.panels) panel.show(this.scene, this.variant, frame);
    this.#notice();
    this.#mark();
  }

  redraw() {
    for (const panel of this.panels) if (panel.shown) panel.draw();
  }

  #notice() {
    const list = document.querySelector("#noticed ul");
    const [a, b] = this.panels.map((panel) => this.scene.traces[panel.shown.run]);
    const both = [`On held-out rows with clean labels, A is right on ${percent(a.score[this.frame])}, B on ${percent(b.score[this.frame])}.`];
    if (a.share) both.push(`Rows with a wrong label are ${percent(a.damaged)} of all rows. They make ${percent(a.share[this.frame])} of the gradient in A, ${percent(b.share[this.frame])} in B.`);
    document.querySelector("#noticed .both").textContent = both.join(" ");
    const all = [a, b].flatMap((trace, place) => trace.notices.map(([frame, text]) => ({ frame, text, letter: "AB"[place] })));
    const now = all.filter(({ frame }) => frame <= this.frame).sort((one, other) => other.frame - one.frame);
    const next = all.filter(({ frame }) => frame > this.frame).map(({ frame }) => frame);
    const lines = now.map(({ text, letter }) => made("li", {}, made("span", { className: `badge ${letter.toLowerCase()}` }, letter), made("span", {}, text)));
    if (next.length) lines.push(made("li", {}, made("span", {}, "…"), made("span", { className: "faint" }, `Play on: more shows at epoch ${this.scene.epochs[Math.min(...next)]}.`)));
    if (!all.length) lines.push(made("li", {}, made("span", {}, "="), made("span", { className: "faint" }, "Nothing stands out in these two runs. Try wrong labels, or another loss.")));
    const text = lines.map((line) => line.textContent).join("\n");
    if (list.dataset.text === text) return; // so that a screen reader is told what is new only
    list.dataset.text = text;
    list.replaceChildren(...lines);
  }

  async #curve(name) {
    const element = document.getElementById(name);
    const traces = this.panels.map((panel, place) => ({
      type: "scatter", mode: "lines+text", name: "AB"[place], y: this.scene.traces[panel.shown.run][name], x: [...this.scene.epochs.keys()],
      customdata: this.scene.epochs, hovertemplate: "%{y:.3f}", line: { color: "$ink", width: 2, dash: place ? "dot" : "solid" },
      text: this.scene.epochs.map((_, at) => (at === this.scene.frames - 1 ? "AB"[place] : "")), cliponaxis: false,
    }));
    const upper = traces[0].y.at(-1) >= traces[1].y.at(-1) ? 0 : 1; // so that equal ends have both letters
    traces.forEach((trace, place) => { trace.textposition = place === upper ? "top right" : "bottom right"; });
    const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => Math.round(share * (this.scene.frames - 1)));
    await plotted(element, traces, {
      showlegend: false, margin: { t: 8, r: 24, b: 40, l: 44 }, shapes: [this.#marker()],
      xaxis: { tickvals: ticks, ticktext: ticks.map((frame) => String(this.scene.epochs[frame])), title: { text: "epoch" }, showgrid: false },
      yaxis: { rangemode: "tozero", ...(name === "score" && this.scene.classes ? { tickformat: ".0%" } : {}) },
    });
  }

  #marker() {
    return { type: "line", x0: this.frame, x1: this.frame, y0: 0, y1: 1, yref: "paper", line: { color: "$accent", width: 2 } };
  }

  #mark() {
    for (const element of document.querySelectorAll(".plot[data-drawn]")) Plotly.relayout(element, { shapes: [colored(this.#marker())] });
  }
}

const still = window.matchMedia("(prefers-reduced-motion: reduce)");

async function begin() {
  window.playground = new Playground(JSON.parse(await unpacked("data")));
  stage.dataset.ready = "true";
}

begin();
