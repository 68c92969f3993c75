"use strict";
// What every page can do: unpack what it holds, change between light and dark, and give Plotly the page's colours.
// Foreign text reaches the page through text nodes only.

const stage = document.documentElement;
const systemDark = window.matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (stage.dataset.theme || (systemDark.matches ? "dark" : "light")) === "dark";
const whenThemed = [];

async function unpacked(id) {
  const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), (sign) => sign.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

let plotting = null;
function withPlotly() {
  plotting ??= unpacked("plotly").then((source) => {
    const script = document.createElement("script");
    script.textContent = source; // the page's policy knows its hash
    document.head.append(script);
  });
  return plotting;
}

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
const translucent = (solid, share) => solid.replace("rgb(", "rgba(").replace(")", `, ${share})`);

// A copy in which every "$name" is that colour of the page.
function colored(value) {
  if (typeof value === "string") return /^\$[a-z0-9]+$/.test(value) ? color(value.slice(1)) : value;
  if (Array.isArray(value)) return value.length > 9 && typeof value[0] === "number" ? value : value.map(colored);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, colored(part)]));
}

function axis(own = {}) {
  const title = own.title ? { standoff: 8, ...own.title } : undefined;
  return { gridcolor: "$line", zerolinecolor: "$line", linecolor: "$line", tickcolor: "$line", automargin: true, ...own, title };
}

function layoutOf(own) {
  const axes = Object.fromEntries(Object.entries(own).filter(([key]) => /^[xy]axis\d*$/.test(key)).map(([key, part]) => [key, axis(part)]));
  return colored({
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", margin: { t: 12, r: 12, b: 44, l: 56 },
    font: { color: "$ink", size: 13, family: getComputedStyle(document.body).fontFamily },
    hoverlabel: { bgcolor: "$raised", bordercolor: "$line", font: { color: "$ink" } }, hovermode: "x unified",
    modebar: { bgcolor: "rgba(0,0,0,0)", color: "$faint", activecolor: "$ink" },
    xaxis: axis(), yaxis: axis(), ...own, ...axes,
  });
}

const plotting_options = {
  responsive: true, displaylogo: false, displayModeBar: "hover",
  modeBarButtonsToRemove: ["lasso2d", "select2d", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "autoScale2d"],
};

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
