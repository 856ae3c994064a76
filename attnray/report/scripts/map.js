// The map of heads: layers by heads, coloured.

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

/** In whole points. */
function shortGain(value) {
  if (value === null) return "";
  const whole = Math.round(100 * value);
  return whole > 0 ? `+${whole}` : String(whole).replace("-", "−");
}

const shortValue = (item, value) =>
  value === null ? "" : item.nats ? value.toFixed(1) : String(Math.round(100 * value));

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
  const ramp = (least, kind, most) =>
    element("span", { class: "ends" }, least, element("span", { class: `ramp ${kind}` }), most);
  if (!map.item.gain) {
    const least = map.item.nats ? "0" : "0%";
    return [ramp(least, "value", written(map.item, map.largest)), element("span", {}, "no baseline")];
  }
  return [
    ramp(`${points(-map.largest)} or less`, "", points(map.largest)),
    element("span", {}, `points against ${map.item.rule}`),
    element("span", {}, element("i", { class: "faint gain", style: "--depth:.7" }), "faint: the interval takes in 0"),
    element("span", {}, element("b", {}, "bold"), `: better, ${map.item.corrected ? "corrected for all heads" : "each tested alone"}`),
  ];
}
