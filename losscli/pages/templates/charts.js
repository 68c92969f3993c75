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

const NARROW = 520; // pixels: in a chart below that, a legend takes less room than names where lines end
const LETTER = 7.3; // pixels of one, about
const LINE = 16; // pixels between names

// Draw traces into an element, or change what it shows; `dataset.drawn` says how many there are. With `ends`, lines are
// named where they end, and there is no legend; else it stands above.
async function plotted(element, traces, layout, { ends = false } = {}) {
  await withPlotly();
  if (layout.height) element.style.height = `${layout.height}px`;
  const shown = colored(traces);
  const names = ends && element.clientWidth >= NARROW ? endsOf(shown) : [];
  const own = layoutOf({ legend: LEGEND, ...layout, width: element.clientWidth }); // its drawing is called again when that changes
  own.xaxis = { ...own.xaxis, title: wrapped(own.xaxis?.title, (element.clientWidth - 90) / LETTER) };
  if (names.length) {
    own.showlegend = false;
    own.margin = { ...own.margin, r: 14 + Math.ceil(Math.max(...names.map((end) => widthOf(end.text, own.font)))) };
  }
  await Plotly.react(element, shown, own, { displayModeBar: false });
  if (names.length) await nameEnds(element, names, own.annotations ?? []);
  element.dataset.drawn = String(traces.length);
}

// How wide a line of text is in a font, in pixels.
const pen = document.createElement("canvas").getContext("2d");
function widthOf(text, { size, family }) {
  pen.font = `${size}px ${family}`;
  return pen.measureText(text).width;
}

// A title in as many lines as it takes; words that are longer than a line stay whole.
function wrapped(title, letters) {
  if (!title?.text || title.text.length <= letters) return title;
  const lines = [""];
  for (const word of title.text.split(" ")) {
    if (lines.at(-1) && `${lines.at(-1)} ${word}`.length > letters) lines.push(word);
    else lines.push(`${lines.pop()} ${word}`.trim());
  }
  return { ...title, text: lines.join("<br>") };
}

const LEGEND = { orientation: "h", x: 0, xanchor: "left", y: 1.02, yanchor: "bottom", traceorder: "normal", itemclick: false, itemdoubleclick: false };

function shortened(text, limit = 24) {
  const plain = unescaped(text);
  return plain.length > limit ? `${plain.slice(0, limit - 1)}…` : plain;
}

// The last value of each line that has a name.
function endsOf(traces) {
  return traces.filter((trace) => trace.name && trace.showlegend !== false && (trace.mode ?? "lines").includes("lines")).flatMap((trace) => {
    const last = [...trace.y].findLastIndex((value) => value !== null);
    return last < 0 ? [] : [{ text: shortened(trace.name), color: trace.line?.color, value: trace.y[last] }];
  });
}

// Names at the right of the plot, as near to where their lines end as there is room.
async function nameEnds(element, names, annotations) {
  const place = () => {
    const { yaxis } = element._fullLayout;
    const height = yaxis._length;
    const sorted = names.map((end) => ({ ...end, at: Math.min(height, Math.max(0, yaxis.d2p(end.value))) })).sort((one, other) => one.at - other.at);
    sorted.forEach((end, at) => { if (at) end.at = Math.max(end.at, sorted[at - 1].at + LINE); });
    sorted.reverse().forEach((end, at) => { end.at = Math.min(end.at, at ? sorted[at - 1].at - LINE : height); });
    const words = sorted.map((end) => ({
      text: escaped(end.text), font: { color: legible(end.color ?? color("ink")), size: 13 }, showarrow: false,
      x: 1, xref: "paper", xanchor: "left", xshift: 6, y: 1 - end.at / height, yref: "paper", yanchor: "middle",
    }));
    return Plotly.relayout(element, { annotations: [...annotations, ...words] });
  };
  element.removeAllListeners?.("plotly_relayout");
  element.on("plotly_relayout", (change) => { if (Object.keys(change).some((key) => key.startsWith("yaxis"))) place(); });
  await place();
}

// A chart as it is drawn, with a title and what is measured, as the text of a data: URL.
async function exported(element, format, title, measure) {
  const { data, layout } = element;
  const height = element.clientHeight + 64;
  return Plotly.toImage({
    data,
    layout: {
      ...layout, paper_bgcolor: color("paper"), margin: { ...layout.margin, t: (layout.margin.t ?? 12) + 64 },
      title: {
        text: escaped(title), x: 0, xref: "container", xanchor: "left", y: 1, yref: "container", yanchor: "top", automargin: false,
        pad: { l: 14, t: 14 }, font: { size: 17, weight: 600 }, subtitle: { text: escaped(measure), font: { size: 13, color: color("faint") } },
      },
    },
  }, { format, width: element.clientWidth, height, scale: format === "png" ? 2 : 1 });
}

// Buttons that save a chart; `words()` gives its title and measure.
function savers(element, words) {
  const buttons = ["PNG", "SVG"].map((format) => {
    const button = made("button", { type: "button", textContent: format, ariaLabel: `Save this figure as ${format}` });
    button.addEventListener("click", async () => {
      const href = await exported(element, format.toLowerCase(), ...words());
      made("a", { href, download: `${element.dataset.name || "figure"}.${format.toLowerCase()}` }).click();
    });
    return button;
  });
  return made("span", { className: "save" }, "Save ", ...buttons);
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
