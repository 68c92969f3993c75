"use strict";
// The curves of losses, and how their predictions may be read.

async function begin() {
  const pages = JSON.parse(await unpacked("data"));
  const curves = pages.flatMap((page) => page.curves);
  const readings = pages.flatMap((page) => page.readings).filter((reading) => reading.curve.length);
  const line = (name, x, y, more) => ({ type: "scatter", mode: "lines", name: escaped(name), x, y, ...more });
  const layout = (x, y) => ({
    legend: { orientation: "h", y: 1.12 }, colorway: ["$0", "$1", "$2", "$3", "$4", "$5", "$6", "$ink"],
    xaxis: { title: { text: x } }, yaxis: { title: { text: y } },
  });
  const chart = (id, traces, x, y) => {
    const element = document.getElementById(id);
    new Drawing(element, () => plotted(element, traces, layout(x, y)));
  };
  for (const part of ["loss", "slope"]) {
    chart(part, curves.map((curve) => line(curve.name, curve.at, curve[part])), escaped(curves[0].axis), part);
  }
  if (readings.length) {
    const read = readings.map((reading) => line(reading.name, reading.curve.map((pair) => pair[0]), reading.curve.map((pair) => pair[1])));
    const right = line("what is true", [0, 1], [0, 1], { line: { dash: "dot", width: 1, color: "$faint" } });
    chart("read", [...read, right], "true probability", "probability that is read");
  } else {
    document.getElementById("reading").remove();
  }
  stage.dataset.ready = "true";
}

begin();
