// The head finder: which head finds what is chosen, in words, as a map, and as a table.

start(() => {
  const data = headsData();
  const place = document.querySelector("[data-finder]");
  if (data && place) headFinder(place, data);
});

/** Put the finder in its place; what it replaces is hidden. */
function headFinder(place, data) {
  const items = [...data.questions, ...data.patterns];
  const byKey = new Map(items.map((item) => [item.key, item]));
  const select = element("select", { id: "finder-item", change: () => {
    choose(select.value);
    history.replaceState(null, "", finderHash());
  } });
  for (const [group, members] of Map.groupBy(items, (item) => item.group)) {
    select.append(element("optgroup", { label: group }, members.map(optionOf)));
  }
  const label = element("label", { for: "finder-item" });
  const answer = element("div", { class: "finder-answer", "aria-live": "polite" });
  const line = element("p", { class: "finder-line", role: "status" });
  const legend = element("div", { class: "finder-legend" });
  const best = element("div", { class: "finder-best" });
  const map = headMap(data, (at) => {
    line.textContent = at === null ? HINT : `Head ${nameAt(data, at)}: ${shown.said(at)}.`;
  });
  let shown;

  function choose(key) {
    const item = byKey.get(key);
    shown = mapped(item);
    select.value = key;
    label.textContent = item.gain ? "Which head finds" : "Which head has most";
    map.show(shown);
    line.textContent = HINT;
    answer.replaceChildren(...answerOf(item));
    linkHeads(answer);
    legend.replaceChildren(...rampOf(shown));
    best.replaceChildren(bestHeads(data, shown));
  }

  place.append(
    element("p", { class: "finder-choice" }, label, " ", select),
    answer,
    element(
      "div",
      { class: "finder-views" },
      element("div", {}, line, element("div", { class: "scroll" }, map.table), legend),
      best,
    ),
  );
  document.querySelector("[data-answers]").hidden = true;
  const wanted = () => itemOfHash(location.hash);
  window.addEventListener("hashchange", () => byKey.has(wanted()) && choose(wanted()));
  choose(byKey.has(wanted()) ? wanted() : firstOf(data).key);
}

const HINT = "Point at a head for its numbers; open it for its card.";

/** What is chosen stands in the address: `#find=relation:obj`. */
const FIND = "#find=";
function itemOfHash(hash) {
  try {
    return hash.startsWith(FIND) ? decodeURIComponent(hash.slice(FIND.length)) : null;
  } catch {
    return null;
  }
}
const finderHash = () => {
  const select = document.getElementById("finder-item");
  return select ? `${FIND}${encodeURIComponent(select.value)}` : "#";
};

/** What is shown at first: the most frequent single relation that some head finds, else anything. */
function firstOf(data) {
  const single = data.questions.filter((item) => ![...TOGETHER, "punct"].includes(item.name));
  const found = single.find((item) => item.gain.some((_, at) => isSignificant(item, at)));
  return found ?? single[0] ?? data.questions[0] ?? data.patterns[0];
}

function optionOf(item) {
  const words = item.words ? `: ${item.words}` : "";
  const cases = item.gain ? ` (${count(item.total)})` : "";
  const attention = item.gain || item.nats ? "" : "attention ";
  return element("option", { value: item.key }, `${attention}${item.name}${words}${cases}`);
}

const answerOf = ({ answer: [first, ...others] }) => [
  element("p", { class: "finder-first" }, first),
  others.map((sentence) => element("p", {}, sentence)),
].flat();

/** The heads with the highest values, as a table. */
function bestHeads(data, map) {
  const places = Array.from({ length: data.layers * data.heads }, (_, at) => at)
    .filter((at) => map.value(at) !== null)
    .sort((one, other) => map.value(other) - map.value(one))
    .slice(0, MOST_RANKED);
  const { item } = map;
  const scale = scaleOf(places.flatMap((at) => [item.low[at] ?? map.value(at), item.high[at] ?? map.value(at)]));
  const caption = item.gain ? "The largest gains, with 95% intervals" : "The highest values";
  return element("table", {},
    element("caption", {}, caption),
    element("thead", {}, element("tr", {},
      element("th", { scope: "col" }, "Head"),
      item.gain ? element("th", { scope: "col", class: "number" }, "Accuracy") : null,
      element("th", { scope: "col", class: "number" }, item.gain ? "Gain" : "Value"),
      element("th", { scope: "col" }, element("span", { class: "unseen" }, "Interval")))),
    element("tbody", {}, places.map((at) => element("tr", { class: map.doubtful(at) ? "faint" : null },
      element("th", { scope: "row" }, element("a", { href: `#${nameAt(data, at)}` }, nameAt(data, at))),
      item.gain ? element("td", { class: "number" }, percent(item.accuracy[at])) : null,
      element("td", { class: "number" }, item.gain ? points(item.gain[at]) : written(item, item.value[at])),
      element("td", {}, intervalMark(scale, map.value(at), item.low[at], item.high[at], map.said(at)))))));
}

const MOST_RANKED = 8;
