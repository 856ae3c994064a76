// The card of a head: all that is known of it. `#3-1` opens it, from wherever it is named.

start(() => {
  const data = headsData();
  if (!data) return;
  const card = headCard(data);
  const route = () => card.show(isCard(location.hash) ? placeOfName(data, location.hash.slice(1)) : null);
  window.addEventListener("hashchange", route);
  document.querySelectorAll("main > section").forEach(linkHeads);
  route();
});

const isCard = (hash) => /^#\d+-\d+$/.test(hash);

/** The card; `show(place)` fills and opens it, `show(null)` closes it. */
function headCard(data) {
  const close = element("button", { type: "button", class: "close", "aria-label": "Close", click: () => dialog.close() }, "×");
  const content = element("div", {});
  const dialog = element("dialog", { class: "card", "aria-labelledby": "card-title" }, element("div", {}, close, content));
  dialog.addEventListener("close", () => {
    if (isCard(location.hash)) history.pushState(null, "", finderHash());
  });
  dialog.addEventListener("pointerdown", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);

  function show(at) {
    if (at === null) return dialog.close();
    content.replaceChildren(...cardOf(data, at));
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0;
    dialog.querySelector("h2").focus();
  }
  return { show };
}

/** What a card says, from top to bottom. */
function cardOf(data, at) {
  const name = nameAt(data, at);
  const examples = element("div", {});
  headExamples(examples, ...name.split("-").map(Number));
  const groups = Map.groupBy(data.questions, (item) => item.group);
  return [
    element("h2", { id: "card-title", tabindex: -1 }, `Head ${name}`),
    summaryOf(data, at),
    [...groups].map(([group, items]) => foundOf(data, at, group, items)),
    examples,
    attentionOf(data, at),
    nearestOf(data, at),
  ].flat(2).filter(Boolean);
}

function summaryOf(data, at) {
  const better = data.questions
    .filter((item) => item.corrected && isSignificant(item, at))
    .sort((one, other) => other.gain[at] - one.gain[at])
    .map((item) => `${item.name} (${points(item.gain[at])})`);
  const found = better.length ? better.join(", ") : "nothing that was asked";
  const behaviour = data.behaviours[at];
  return [
    data.questions.length ? element("p", { class: "card-lead" },
      `Finds ${found} significantly better than the best baseline, corrected for all heads.`) : null,
    behaviour ? element("p", {}, `Behaviour: ${behaviour}.`) : null,
  ];
}

/** What a head attends to, among all heads of its layer and of the model. */
function attentionOf(data, at) {
  if (!data.patterns.length) return null;
  const first = at - (at % data.heads);
  const meanOf = (item) => {
    const mates = item.value.slice(first, first + data.heads).filter((value) => value !== null);
    return mates.length ? mates.reduce((sum, value) => sum + value, 0) / mates.length : null;
  };
  return section("Attention", tableOf(
    "Mean weight on each target. Marks: all heads of the model, dark those of the same layer, the dot this head.",
    [
      ["", (item) => item.name],
      ["Value", (item) => written(item, item.value[at])],
      ["95% interval", (item) => endsOf(item, at)],
      ["Mean of the layer", (item) => written(item, meanOf(item))],
      data.twin && ["Random twin", (item) => written(item, item.twin[at] ?? null)],
      ["Among all heads", (item) => strip(item, at, first, data.heads)],
    ],
    data.patterns));
}

/** A mark for every head, from 0 to the highest. */
function strip(item, at, first, heads) {
  const most = Math.max(...item.value.map((value) => value ?? 0)) || 1;
  const x = (value) => `${3 + (94 * value) / most}%`;
  const marks = item.value.map((value, place) => value === null || place === at ? null
    : svgElement("line", { x1: x(value), x2: x(value), y1: "25%", y2: "75%", class: place >= first && place < first + heads ? "mate" : "tick" }));
  return svgElement("svg", { class: "interval", role: "img", "aria-label": `${written(item, item.value[at])}, the highest being ${written(item, most)}` }, marks,
    item.value[at] === null ? null : svgElement("circle", { cx: x(item.value[at]), cy: "50%", r: 4.5 }));
}

/** How well a head finds what is asked of a group: what it is better at, then the largest gains. */
function foundOf(data, at, group, items) {
  const isBetter = (item) => item.corrected && isSignificant(item, at);
  const ranked = [...items].sort((one, other) =>
    isBetter(other) - isBetter(one) || (other.gain[at] ?? -9) - (one.gain[at] ?? -9));
  const scale = scaleOf(ranked.map((item) => item.gain[at] ?? 0));
  const drawn = (item) => item.gain[at] === null ? NOTHING
    : intervalMark(scale, item.gain[at], item.low[at], item.high[at], saidOfGain(item, at));
  const table = tableOf(
    "Gain: accuracy less that of the best baseline, in percent points, both held out. Bold: better, corrected by Holm for all heads; faint: the interval takes in 0.",
    [
      ["", (item) => [item.name, item.words && item.words !== item.name ? element("small", {}, ` ${item.words}`) : null]],
      ["Cases", (item) => count(item.total)],
      items[0].direction && ["Direction", (item) => item.direction[at]],
      ["Accuracy", (item) => percent(item.accuracy[at])],
      ["Baseline", (item) => percent(item.baseline)],
      ["Gain", (item) => points(item.gain[at])],
      ["95% interval", (item) => signedInterval(item.low[at], item.high[at])],
      ["p (Holm)", (item) => pValue(item.corrected ? item.p[at] : null)],
      data.twin && ["Random twin", (item) => percent(item.twin[at] ?? null)],
      ["Gain drawn", drawn],
    ],
    ranked,
    (item) => (isBetter(item) ? "significant" : isDoubtful(item, at) ? "faint" : null));
  const rows = [...table.querySelectorAll("tbody tr")];
  const first = Math.max(FIRST_ROWS, ranked.filter(isBetter).length);
  const more = element("button", { type: "button", click: () => {
    rows.forEach((row) => (row.hidden = false));
    more.remove();
  } }, `Show all ${rows.length}`);
  rows.slice(first).forEach((row) => (row.hidden = true));
  return section(group, table, rows.length > first ? more : null);
}

const FIRST_ROWS = 8;

function nearestOf(data, at) {
  if (!data.nearest.length) return null;
  return section("Nearest heads", element("p", {}, "By Jensen-Shannon divergence of attention, in nats."),
    element("ul", { class: "nearest" }, data.nearest[at].map(([other, value]) => element("li", {},
      element("a", { href: `#${nameAt(data, other)}` }, nameAt(data, other)),
      ` ${value.toFixed(3)}${data.behaviours[other] ? `, ${data.behaviours[other]}` : ""}`))));
}

const section = (title, ...content) => element("section", {}, element("h3", {}, title), ...content);

/** A table of items: columns are headers, each with what its cell has of an item. */
function tableOf(caption, columns, items, classOf = () => null) {
  const [[, name], ...others] = columns.filter(Boolean);
  const isNumber = (at) => (at < others.length - 1 ? "number" : null);
  return element("div", { class: "scroll", role: "region", tabindex: 0, "aria-label": caption },
    element("table", {},
      element("caption", {}, caption),
      element("thead", {}, element("tr", {}, element("td", {}),
        others.map(([header], at) => element("th", { scope: "col", class: isNumber(at) }, header)))),
      element("tbody", {}, items.map((item) => element("tr", { class: classOf(item) },
        element("th", { scope: "row" }, ...[name(item)].flat()),
        others.map(([header, cell], at) => element("td", { class: isNumber(at), "data-header": header }, cell(item))))))));
}
