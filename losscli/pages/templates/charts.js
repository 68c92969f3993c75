"use strict";
// Charts: Plotly in the page's colours and type, so that every chart of every page looks alike.

let plotting = null;
function withPlotly() {
  plotting ??= unpacked("plotly").then((source) => {
    const script = document.createElement("script");
    script.textContent = source; // the page's policy knows its hash
    document.head.append(script);
  });
  return plotting;
}

// A copy in which every "$name" is that colour of the page.
function colored(value) {
  if (typeof value === "string") return /^\$[a-z0-9]+$/.test(value) ? color(value.slice(1)) : value;
  if (Array.isArray(value)) return value.length > 9 && typeof value[0] === "number" ? value : value.map(colored);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, colored(part)]));
}

// What Plotly reads as HTML, and back.
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const unescaped = (text) => text.replaceAll("&lt;", "<").replaceAll("&amp;", "&");

function axis(own = {}) {
  const title = own.title ? { standoff: 8, ...own.title } : undefined;
  return { gridcolor: "$line", zerolinecolor: "$line", linecolor: "$line", tickcolor: "$line", automargin: true, ...own, title };
}

// A layout with the page's looks; `own` adds to it and overrides it.
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

// Draw traces into an element, or change what it shows; `dataset.drawn` says how many there are.
async function plotted(element, traces, layout) {
  await withPlotly();
  await Plotly.react(element, colored(traces), layoutOf(layout), plotting_options);
  element.dataset.drawn = String(traces.length);
}

// A grid of values, row by row from the bottom, as a picture (a data: URL) that a chart or an <img> can show:
// `paint(value)` gives [red, green, blue, alpha] of each, 0 to 255.
function pictureOf(values, columns, paint) {
  const canvas = made("canvas", { width: columns, height: values.length / columns });
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  values.forEach((value, place) => {
    const row = canvas.height - 1 - Math.floor(place / columns);
    image.data.set(paint(value), 4 * (row * columns + (place % columns)));
  });
  context.putImageData(image, 0, 0);
  return canvas.toDataURL();
}
