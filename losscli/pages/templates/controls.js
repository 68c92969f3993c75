"use strict";
// What readers turn and press, and drawings that wait until they are seen.

// A drawing that is made when its element comes into view, and again after `stale()`: when what it shows, its width, or the
// page's colours have changed. `draw` may be asynchronous; while one is being made, no second one begins.
class Drawing {
  static #all = new Map();

  static #watcher = new IntersectionObserver((changes) => {
    for (const { target, isIntersecting } of changes) {
      const drawing = Drawing.#all.get(target);
      drawing.inView = isIntersecting;
      if (isIntersecting) drawing.#make();
    }
  }, { rootMargin: "300px" });

  static #sizes = new ResizeObserver((changes) => {
    for (const { target, contentRect } of changes) {
      const drawing = Drawing.#all.get(target);
      const before = drawing.width;
      drawing.width = contentRect.width;
      if (before && contentRect.width && before !== contentRect.width) drawing.stale();
    }
  });

  static {
    whenThemed.push(() => { for (const drawing of Drawing.#all.values()) drawing.stale(); });
    whenPrinted.push(() => Drawing.finish());
  }

  // Draw everything that is on the page and not up to date, in view or not.
  static async finish() {
    await Promise.all([...Drawing.#all.values()].map((drawing) => drawing.#make()));
  }

  constructor(element, draw) {
    this.element = element;
    this.draw = draw;
    this.inView = this.fresh = false;
    this.width = 0;
    this.making = null;
    Drawing.#all.set(element, this);
    Drawing.#watcher.observe(element);
    Drawing.#sizes.observe(element);
  }

  stale() {
    this.fresh = false;
    if (this.inView) this.#make();
  }

  #make() {
    if (this.fresh || !this.element.clientWidth) return this.making; // what is folded has no width yet
    this.making ??= this.#until();
    return this.making;
  }

  async #until() {
    try {
      while (!this.fresh) { // it may become stale meanwhile
        this.fresh = true;
        await this.draw();
      }
    } finally {
      this.making = null;
    }
  }
}

// A slider over `steps`, with a button that plays them, in `<div class="stepper" data-label="epoch">`.
// `show(place)` is called for each; `words(place)` is what stands beside the slider and what a screen reader says.
class Stepper {
  static PACE = 220; // milliseconds that a step stays

  constructor(host, count, show, words = (place) => String(place + 1)) {
    this.count = count;
    this.show = show;
    this.words = words;
    this.timer = 0;
    this.play = made("button", { type: "button", className: "play" });
    this.slider = made("input", { type: "range", min: 0, max: count - 1, step: 1, value: count - 1, ariaLabel: host.dataset.label });
    this.output = made("output");
    host.append(this.play, this.slider, this.output);
    this.slider.addEventListener("input", () => { this.pause(); this.#tell(); });
    this.play.addEventListener("click", () => (this.timer ? this.pause() : this.run()));
    this.pause();
    this.#label();
  }

  get place() { return Number(this.slider.value); }

  set place(place) {
    this.slider.value = place;
    this.#tell();
  }

  run() {
    if (this.place === this.count - 1) this.place = 0;
    this.timer = setInterval(() => (this.place < this.count - 1 ? (this.place += 1) : this.pause()), Stepper.PACE);
    this.#face("❚❚", "Pause");
  }

  pause() {
    clearInterval(this.timer);
    this.timer = 0;
    this.#face("▶", "Play");
  }

  #face(sign, name) {
    this.play.textContent = sign;
    this.play.ariaLabel = name;
  }

  #label() {
    this.output.textContent = this.words(this.place);
    this.slider.ariaValueText = this.output.textContent;
  }

  #tell() {
    this.#label();
    this.show(this.place);
  }
}

// An element with properties, and what stands in it: strings become text, never markup.
function made(name, properties = {}, ...content) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...content);
  return element;
}

// Whether a toggle (a button with aria-pressed) is on, and the other way about.
const isOn = (button) => button.getAttribute("aria-pressed") === "true";
const toggle = (button) => button.setAttribute("aria-pressed", String(!isOn(button)));
