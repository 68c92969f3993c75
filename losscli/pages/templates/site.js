"use strict";
// Search without a server: the start page holds a line for every topic.

const MOST = 30; // results that are shown
const folded = (text) => text.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");

// How well a topic answers: every word must stand somewhere in it; titles count most, and most of all where they begin with it.
function score(entry, words) {
  let sum = 0;
  for (const word of words) {
    const place = entry.title.indexOf(word);
    if (place === 0) sum += 8;
    else if (place > 0) sum += 5;
    else if (entry.words.includes(word)) sum += 2;
    else if (entry.summary.includes(word)) sum += 1;
    else return 0;
  }
  return sum + (entry.title === words.join(" ") ? 10 : 0);
}

async function search() {
  const input = document.getElementById("search");
  if (!input) return;
  const { index } = JSON.parse(await unpacked("data"));
  const entries = index.map(([title, chapter, address, summary, words]) => ({
    shown: title, chapter, address, told: summary, title: folded(title), summary: folded(summary), words: folded(`${chapter} ${words}`),
  }));
  const count = document.getElementById("count");
  const results = document.getElementById("results");
  const show = () => {
    const words = folded(input.value).split(/\s+/).filter(Boolean);
    const found = words.length ? entries.map((entry) => [score(entry, words), entry]).filter(([points]) => points > 0) : [];
    found.sort(([one, first], [other, second]) => other - one || first.title.localeCompare(second.title));
    results.replaceChildren(...found.slice(0, MOST).map(([, entry]) => line(entry)));
    const more = found.length > MOST ? `, the first ${MOST} are shown` : "";
    count.textContent = words.length ? `${found.length} found${more}` : "";
  };
  input.addEventListener("input", show);
  show();
}

function line(entry) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = entry.address;
  link.textContent = entry.shown;
  const told = document.createElement("span");
  told.className = "faint";
  told.textContent = ` ${entry.chapter}: ${entry.told.replaceAll("`", "")}`;
  item.append(link, told);
  return item;
}

search().then(() => { stage.dataset.ready = "true"; });
