"use strict";
// What every page can do: unpack what it holds, change between light and dark, and know its colours.
// Foreign text reaches the page through text nodes only.

const stage = document.documentElement;
const systemDark = window.matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (stage.dataset.theme || (systemDark.matches ? "dark" : "light")) === "dark";
const whenThemed = []; // what is called when the page's colours have changed

// The text that an element of the page holds as gzip in Base64.
async function unpacked(id) {
  const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), (sign) => sign.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

// A colour of page.css as "rgb(r, g, b)": color("ink"), color("0").
const probe = document.createElement("span");
probe.hidden = true;
document.body.append(probe);
let colors = new Map();
function color(name) {
  if (!colors.has(name)) {
    probe.style.color = `var(--${name})`;
    colors.set(name, getComputedStyle(probe).color);
  }
  return colors.get(name);
}
const channels = (solid) => solid.match(/[\d.]+/g).slice(0, 3).map(Number);
const translucent = (solid, share) => `rgba(${channels(solid).join(", ")}, ${share})`;

// How well one colour is read on another: 1 to 21, from 4.5 on well (WCAG 2.2, https://www.w3.org/TR/WCAG22/#contrast-minimum).
function contrast(one, other) {
  const [light, dark] = [one, other].map((solid) => {
    const linear = channels(solid).map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  }).sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

// A colour as words can have it on the page: with as much ink in it as it takes to be read.
function legible(solid) {
  const [from, to] = [channels(solid), channels(color("ink"))];
  for (let share = 0; share < 1; share += 0.1) {
    const mixed = `rgb(${from.map((part, at) => Math.round(part + share * (to[at] - part))).join(", ")})`;
    if (contrast(mixed, color("paper")) >= 4.6) return mixed;
  }
  return color("ink");
}

function themed() {
  colors = new Map();
  stage.toggleAttribute("data-dark", isDark());
  for (const listener of whenThemed) listener();
}

document.getElementById("theme").addEventListener("click", () => {
  stage.dataset.theme = isDark() ? "light" : "dark";
  themed();
});
systemDark.addEventListener("change", themed);
stage.toggleAttribute("data-dark", isDark());

// Paper is white, and shows what was not in view yet.
const whenPrinted = [];
window.addEventListener("beforeprint", () => {
  const theme = stage.dataset.theme;
  stage.dataset.theme = "light";
  themed();
  const folded = [...document.querySelectorAll("details:not([open])")];
  for (const details of folded) details.open = true;
  for (const listener of whenPrinted) listener();
  window.addEventListener("afterprint", () => {
    theme ? (stage.dataset.theme = theme) : delete stage.dataset.theme;
    for (const details of folded) details.open = false;
    themed();
  }, { once: true });
});
