// What finder and cards know of heads (attnray/report/sections/finder/numbers.py), and how it is said.

/** The numbers of all heads; null where the page has none. */
const headsData = (() => {
  let data;
  return () => (data === undefined ? (data = dataOf("heads")) : data);
})();

/** The name of a head by its place among all. */
const nameAt = (data, at) => headName(Math.floor(at / data.heads) + 1, (at % data.heads) + 1);

/** The place of a head by its name; null where there is no such head. */
function placeOfName(data, name) {
  const [layer, head] = name.split("-").map(Number);
  const known = layer >= 1 && layer <= data.layers && head >= 1 && head <= data.heads;
  return known ? (layer - 1) * data.heads + head - 1 : null;
}

/** Make links of the heads that are named in the cells and sentences of an element. */
function linkHeads(root) {
  const data = headsData();
  const named = /(?<![\w.,:–-])\d{1,2}-\d{1,2}(?![\w–-])/g;
  for (const parent of root.querySelectorAll("td, li, dd, p")) {
    for (const text of [...parent.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE)) {
      const found = [...text.data.matchAll(named)].filter((each) => placeOfName(data, each[0]) !== null);
      for (const each of found.reverse()) {
        const name = text.splitText(each.index);
        name.splitText(each[0].length);
        name.replaceWith(element("a", { href: `#${each[0]}`, class: "head" }, each[0]));
      }
    }
  }
}

/** Whether a head is significantly better than its baseline, where it is one of several corrected by Holm. */
const isSignificant = (item, at) => item.p[at] !== null && item.p[at] < 0.05 && item.gain[at] > 0;

/** Whether a head may be no better and no worse than its baseline. */
const isDoubtful = (item, at) => item.low[at] === null || (item.low[at] <= 0 && item.high[at] >= 0);

/** Questions that take in others. */
const TOGETHER = ["all", "all_but_punct"];

const nats = (value) => (value === null ? NOTHING : `${value.toFixed(2)} nats`);
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
