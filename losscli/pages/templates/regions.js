"use strict";
// Decision regions of two features: a picture below the dots, one panel for each model.

const CLASSES = 7; // colours of classes

// Bytes that stand in Base64.
const bytesOf = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));

// The picture of one frame, as a data: URL: classes in their colours, the surer the stronger; numbers from one colour to another.
function regionPicture({ classes, strength }, side) {
  const sure = bytesOf(strength);
  const decided = classes ? bytesOf(classes) : null;
  const palette = Array.from({ length: CLASSES }, (_, place) => channels(color(`class${place}`)));
  const [low, high] = [channels(color("class3")), channels(color("class0"))];
  return pictureOf([...sure.keys()], side, (place) => {
    const share = sure[place] / 255;
    if (!decided) return [...low.map((part, at) => Math.round(part + share * (high[at] - part))), 170];
    return [...palette[decided[place] % CLASSES], Math.round(30 + 130 * share)];
  });
}

// The traces and layout of all panels at a step, beside each other or, where that is narrow, below each other. `colors` are
// those of the panels' names; a model that stopped early stays as it was.
function panelled({ side, box, panels }, step, colors, traces, layout, width) {
  const columns = width < NARROW ? 1 : panels.length;
  const rows = panels.length / columns;
  const share = (at, count, gap) => { // of an axis that is divided into as many equal parts, with gaps between them
    const part = (1 - gap * (count - 1)) / count;
    return [at * (part + gap), at * (part + gap) + part];
  };
  const own = { ...layout, height: Math.max(layout.height, 300 * rows), images: [], annotations: [...(layout.annotations ?? [])] };
  const drawn = panels.flatMap((panel, place) => {
    const number = place ? String(place + 1) : "";
    const first = place % columns === 0;
    const last = place >= panels.length - columns;
    const across = share(place % columns, columns, 0.05);
    const down = share(rows - 1 - Math.floor(place / columns), rows, 0.1);
    own[`xaxis${number}`] = { ...layout.xaxis, domain: across, anchor: `y${number}`, ...(!last && { title: undefined }) };
    own[`yaxis${number}`] = { ...layout.yaxis, domain: down, anchor: `x${number}`, showticklabels: first, ...(!first && { title: undefined }) };
    own.images.push({
      source: regionPicture(panel.frames[Math.min(step, panel.frames.length - 1)], side), layer: "below", sizing: "stretch",
      xref: `x${number}`, yref: `y${number}`, x: box[0][0], y: box[1][1], sizex: box[0][1] - box[0][0], sizey: box[1][1] - box[1][0],
    });
    own.annotations.push({
      text: `<b>${panel.name}</b>`, font: { color: legible(colors[place]), size: 13 }, showarrow: false, xref: `x${number} domain`,
      yref: `y${number} domain`, x: 0, y: 1, xanchor: "left", yanchor: "bottom",
    });
    return traces.map((trace) => ({ ...trace, xaxis: `x${number}`, yaxis: `y${number}`, showlegend: Boolean(trace.showlegend) && !place }));
  });
  own.margin = { t: 30, r: 12, b: 44, l: 56 };
  own.legend = { ...LEGEND, itemsizing: "constant", y: 1, yref: "container", yanchor: "top", xanchor: "right", x: 1 };
  return [drawn, own];
}
