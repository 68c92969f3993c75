"use strict";
// The curves of losses, and how their predictions may be read.
const plain = (text) => text.replace(/[<&]/g, (sign) => (sign === "<" ? "&lt;" : "&amp;"));

function draw(pages) {
  const curves = pages.flatMap((page) => page.curves);
  const readings = pages.flatMap((page) => page.readings).filter((reading) => reading.curve.length);
  const line = (name, x, y, more) => ({ type: "scatter", mode: "lines", name: plain(name), x, y, ...more });
  const layout = (x, y) => layoutOf({
    legend: { orientation: "h", y: 1.12 }, colorway: ["$0", "$1", "$2", "$3", "$4", "$5", "$6", "$ink"],
    xaxis: { title: { text: x } }, yaxis: { title: { text: y } },
  });
  for (const part of ["loss", "slope"]) {
    const traces = curves.map((curve) => line(curve.name, curve.at, curve[part]));
    Plotly.react(part, traces, layout(plain(curves[0].axis), part), plotting_options);
  }
  if (!readings.length) {
    document.getElementById("reading").remove();
    return;
  }
  const traces = readings.map((reading) =>
    line(reading.name, reading.curve.map((pair) => pair[0]), reading.curve.map((pair) => pair[1])));
  const right = colored(line("what is true", [0, 1], [0, 1], { line: { dash: "dot", width: 1, color: "$faint" } }));
  Plotly.react("read", [...traces, right], layout("true probability", "probability that is read"), plotting_options);
}

Promise.all([unpacked("data"), withPlotly()]).then(([text]) => {
  const pages = JSON.parse(text);
  draw(pages);
  whenThemed.push(() => draw(pages));
});
