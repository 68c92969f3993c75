"use strict";
// Curves from the JSON block beside this script; foreign text reaches the page through Plotly's own text nodes only.
const pages = JSON.parse(document.getElementById("data").textContent);
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const curves = pages.flatMap((page) => page.curves);
const readings = pages.flatMap((page) => page.readings).filter((reading) => reading.curve.length);
const plain = (text) => text.replace(/[<&]/g, (sign) => (sign === "<" ? "&lt;" : "&amp;"));

function layout(x, y) {
  const ink = dark.matches ? "#d8dee9" : "#22262e";
  const grid = dark.matches ? "#333b48" : "#dfe3ea";
  const axis = { gridcolor: grid, zerolinecolor: ink, zerolinewidth: 1 };
  return {
    paper_bgcolor: "transparent", plot_bgcolor: "transparent", font: { color: ink, family: "system-ui, sans-serif" },
    margin: { t: 16, r: 16 }, modebar: { bgcolor: "rgba(0,0,0,0)", color: grid, activecolor: ink }, hovermode: "x unified", hoverlabel: { bgcolor: dark.matches ? "#1d222b" : "#ffffff" },
    legend: { orientation: "h", y: 1.12 }, xaxis: { ...axis, title: { text: x } }, yaxis: { ...axis, title: { text: y } },
  };
}

function draw() {
  const line = (name, x, y, more) => ({ type: "scatter", mode: "lines", name: plain(name), x, y, ...more });
  const options = { responsive: true, displaylogo: false };
  for (const part of ["loss", "slope"]) {
    const traces = curves.map((curve) => line(curve.name, curve.at, curve[part]));
    Plotly.react(part, traces, layout(plain(curves[0].axis), part), options);
  }
  if (!readings.length) {
    document.getElementById("reading").remove();
    return;
  }
  const traces = readings.map((reading) =>
    line(reading.name, reading.curve.map((pair) => pair[0]), reading.curve.map((pair) => pair[1])));
  const right = line("what is true", [0, 1], [0, 1], { line: { dash: "dot", width: 1, color: "gray" } });
  Plotly.react("read", [...traces, right], layout("true probability", "probability that is read"), options);
}

draw();
if (readings.length || curves.length) dark.addEventListener("change", draw);
