// The head finder: a map of layers and heads, coloured by how well each finds what is chosen.

start(() => {
  const data = headsData();
  const place = document.querySelector("[data-finder]");
  if (data && place) headFinder(place, data);
});

/** The numbers of all heads; null where the page has none. */
const headsData = (() => {
  let data;
  return () => (data === undefined ? (data = dataOf("heads")) : data);
})();

/** The name of a head by its place among all. */
const nameAt = (data, at) => headName(Math.floor(at / data.heads) + 1, (at % data.heads) + 1);

/** What a map shows of a question or a pattern: for each head its value and what is said of it. */
function mapped(item) {
  if (item.gain) {
    const most = Math.max(...item.gain.map((value) => value ?? 0));
    const largest = most >= SCALED ? most : Math.max(0.01, ...item.gain.map((value) => Math.abs(value ?? 0)));
    return {
      item,
      largest,
      value: (at) => item.gain[at],
      doubtful: (at) => isDoubtful(item, at),
      significant: (at) => isSignificant(item, at),
      short: (at) => shortGain(item.gain[at]),
      said: (at) => saidOfGain(item, at),
    };
  }
  return {
    item,
    largest: Math.max(...item.value.map((value) => value ?? 0)),
    value: (at) => item.value[at],
    doubtful: () => false,
    significant: () => false,
    short: (at) => shortValue(item, item.value[at]),
    said: (at) => saidOfValue(item, at),
  };
}

/** From such a gain on the largest is the end of the scale; losses may be larger. */
const SCALED = 0.05;

/** Whether a head is significantly better than its baseline, where it is one of several corrected by Holm. */
const isSignificant = (item, at) => item.p[at] !== null && item.p[at] < 0.05 && item.gain[at] > 0;

/** Whether a head may be no better and no worse than its baseline. */
const isDoubtful = (item, at) => item.low[at] === null || (item.low[at] <= 0 && item.high[at] >= 0);

/** In whole points. */
function shortGain(value) {
  if (value === null) return "";
  const whole = Math.round(100 * value);
  return whole > 0 ? `+${whole}` : String(whole).replace("-", "−");
}

const nats = (value) => (value === null ? NOTHING : `${value.toFixed(2)} nats`);
const shortValue = (item, value) =>
  value === null ? "" : item.nats ? value.toFixed(1) : String(Math.round(100 * value));
const endsOf = (item, at) =>
  item.nats && item.low[at] !== null
    ? `${item.low[at].toFixed(2)}–${item.high[at].toFixed(2)}`
    : interval(item.low[at], item.high[at]);
const written = (item, value) => (item.nats ? nats(value) : percent(value));

function saidOfGain(item, at) {
  if (item.gain[at] === null) return "nothing was measured";
  const direction = item.direction ? ` (${item.direction[at]})` : "";
  const ends = item.low[at] === null ? "" : ` (95% interval ${signedInterval(item.low[at], item.high[at])})`;
  const p = item.p[at] === null ? "" : `, p ${item.p[at] < 0.001 ? "" : "= "}${pValue(item.p[at])}`;
  return (
    `${percent(item.accuracy[at])} of ${count(item.total)} ${item.cases}${direction}, ` +
    `${points(item.gain[at])} points${ends}${p}`
  );
}

function saidOfValue(item, at) {
  const ends = item.low[at] === null ? "" : ` (95% interval ${endsOf(item, at)})`;
  return `${written(item, item.value[at])}${ends}`;
}

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
const itemOfHash = (hash) => (hash.startsWith(FIND) ? decodeURIComponent(hash.slice(FIND.length)) : null);
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

/** Questions that take in others. */
const TOGETHER = ["all", "all_but_punct"];

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

/** A map of layers and heads: a table of links; `show` colours it. */
function headMap(data, onHead) {
  const numbers = (most) => Array.from({ length: most }, (_, at) => at + 1);
  const links = numbers(data.layers * data.heads).map((number) =>
    element("a", { href: `#${nameAt(data, number - 1)}`, tabindex: number === 1 ? 0 : -1 }));
  const rows = numbers(data.layers).map((layer) =>
    element("tr", { role: "row" },
      element("th", { scope: "row", role: "rowheader" }, String(layer)),
      numbers(data.heads).map((head) =>
        element("td", { role: "gridcell" }, links[(layer - 1) * data.heads + head - 1]))));
  const table = element("table", { role: "grid", class: "head-map", "aria-readonly": "true" },
    element("caption", {}, "head"),
    element("thead", {},
      element("tr", { role: "row" },
        element("td", {}, "layer"),
        numbers(data.heads).map((head) => element("th", { scope: "col", role: "columnheader" }, String(head))))),
    element("tbody", {}, rows));
  let current = 0;

  function walk(at) {
    links[current].tabIndex = -1;
    current = at;
    links[current].tabIndex = 0;
  }
  const placeOf = (event) => links.indexOf(event.target.closest("a"));
  table.addEventListener("keydown", (event) => {
    const next = stepped(event, current, data);
    if (next === null) return;
    event.preventDefault();
    walk(next);
    links[next].focus();
  });
  table.addEventListener("focusin", (event) => {
    walk(placeOf(event));
    onHead(current);
  });
  table.addEventListener("pointerover", (event) => placeOf(event) >= 0 && onHead(placeOf(event)));
  table.addEventListener("pointerleave", () => onHead(links.includes(document.activeElement) ? current : null));

  function show(map) {
    table.setAttribute("aria-label", `Heads by layer: ${map.item.name}`);
    const most = Math.max(...links.map((_, at) => map.value(at) ?? -Infinity));
    links.forEach((link, at) => {
      const value = map.value(at);
      const depth = legibleDepth(value === null ? 0 : Math.min(1, Math.abs(value) / map.largest));
      link.style.setProperty("--depth", depth.toFixed(3));
      link.className = [
        map.item.gain ? (value >= 0 ? "gain" : "loss") : "value",
        value === null || map.doubtful(at) ? "faint" : depth > TURN ? "deep" : "",
        map.significant(at) ? "significant" : "",
        value !== null && value === most ? "most" : "",
      ].filter(Boolean).join(" ");
      link.setAttribute("aria-label", `Head ${nameAt(data, at)}: ${map.short(at) || NOTHING}`);
      link.replaceChildren(element("span", {}, numberParts(map.short(at))));
    });
  }
  return { table, show };
}

/** Where text on a colour turns from black to white or back; near it neither is legible. */
const TURN = 0.765;
const legibleDepth = (depth) => (depth > TURN ? Math.max(depth, TURN + 0.035) : Math.min(depth, TURN - 0.035));

/** What of a number narrow cells leave out: signs, and numbers that need them. */
function numberParts(text) {
  const roomy = (part) => element("span", { class: "roomy" }, part);
  if (text.startsWith("+")) return [roomy("+"), text.slice(1)];
  return text.startsWith("−") ? [roomy(text)] : [text];
}

/** Where a key leads from a head; null for other keys. */
function stepped(event, at, { layers, heads }) {
  const [layer, head] = [Math.floor(at / heads), at % heads];
  const ends = event.ctrlKey ? { Home: 0, End: layers * heads - 1 } : { Home: layer * heads, End: (layer + 1) * heads - 1 };
  const steps = {
    ArrowLeft: head > 0 ? at - 1 : at,
    ArrowRight: head < heads - 1 ? at + 1 : at,
    ArrowUp: layer > 0 ? at - heads : at,
    ArrowDown: layer < layers - 1 ? at + heads : at,
    ...ends,
  };
  return steps[event.key] ?? null;
}

function rampOf(map) {
  if (!map.item.gain) {
    const least = map.item.nats ? "0" : "0%";
    return [element("span", {}, least), element("span", { class: "ramp value" }),
      element("span", {}, written(map.item, map.largest)), element("span", {}, "no baseline")];
  }
  return [
    element("span", {}, `${points(-map.largest)} or less`),
    element("span", { class: "ramp" }),
    element("span", {}, `${points(map.largest)} points against ${map.item.rule}`),
    element("span", {}, element("i", { class: "faint gain", style: "--depth:.7" }), "faint: the interval takes in 0"),
    element("span", {}, element("b", {}, "bold"), `: better, ${map.item.corrected ? "corrected for all heads" : "each tested alone"}`),
  ];
}

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

/** From values to 0 to 100, ends for what lies outside; 0 is always seen. */
function scaleOf(values) {
  const [least, most] = [Math.min(0, ...values), Math.max(0.01, ...values)];
  return (value) => Math.max(0, Math.min(100, (100 * (value - least)) / (most - least)));
}

/** A value with its interval, on a line that has a mark at 0. */
function intervalMark(scale, value, low, high, said) {
  const at = (number) => `${4 + 0.92 * scale(number)}%`;
  return svgElement("svg", { class: value < 0 ? "interval loss" : "interval", role: "img", "aria-label": said },
    svgElement("line", { x1: at(0), x2: at(0), y1: 0, y2: "100%", class: "zero" }),
    low === null ? null : svgElement("line", { x1: at(low), x2: at(high), y1: "50%", y2: "50%", class: "reach" }),
    svgElement("circle", { cx: at(value), cy: "50%", r: 4 }));
}
