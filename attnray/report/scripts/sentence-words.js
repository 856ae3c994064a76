// What the sentence view says in words.

/** So many words at the most are listed. */
const LISTED_WORDS = 8;

function wordOf(item, number, asked, focused) {
  const classes = `${item.special ? "special" : ""} ${asked ? "asked" : ""}`;
  const text = element("bdi", {}, item.text);
  const numbers = [element("span", { "aria-hidden": "true" }), element("span", { "aria-hidden": "true" })];
  const option = focused ? { role: "option", tabindex: -1, "aria-selected": "false" } : {};
  return element("li", { class: classes, "data-item": number, ...option }, text, ...numbers);
}

function legendOf(arcs, label, many) {
  const mark = (kind, text) => element("span", {}, element("i", { class: `mark ${kind}` }), text);
  const marks = [mark("from", "attends to"), mark("to", "is attended by")];
  if (arcs.length) marks.push(mark("arc", label));
  if (many) marks.push(`Until a word is pointed at, the ${FEW_LINES} greatest weights of each are drawn.`);
  return marks;
}

/** What the active word attends to, and what attends to it: the matrix and the lines in words. */
function saidOf({ items, weights, hidden }, state) {
  const active = activeOf(state);
  if (active === null) {
    return [element("p", {}, "Point at a word, or go through them with the arrow keys; a click or Enter holds it, Escape lets it go.")];
  }
  const size = items.length;
  const out = items.map((_, other) => weights[active * size + other]);
  const into = items.map((_, other) => weights[other * size + active]);
  const name = (number) => element("strong", {}, element("bdi", {}, items[number].text));
  const [row, key] = state.held === null && state.cell ? state.cell : [];
  return [
    row === undefined ? null : element("p", {}, name(row), " attends to ", name(key), ` with ${percent(weights[row * size + key])}.`),
    element("div", {}, element("p", {}, name(active), " attends to"), listOf(items, out, state, "from", hidden[active])),
    element("div", {}, element("p", {}, name(active), " is attended by"), listOf(items, into, state, "to")),
  ].filter(Boolean);
}

/** The words with the greatest weights, and what else there is. */
function listOf(items, weights, state, kind, unseen = 0) {
  const found = [...items.keys()].filter((number) => isShown(weights[number], state));
  found.sort((one, other) => weights[other] - weights[one]);
  const rest = found.length - LISTED_WORDS;
  const line = (...content) => element("li", {}, ...content);
  return element(
    "ol",
    { class: kind },
    found.slice(0, LISTED_WORDS).map((number) =>
      line(element("bdi", {}, items[number].text), " ", element("span", {}, percent(weights[number])))),
    rest > 0 ? line(`and ${rest} more`) : null,
    found.length ? null : line(`nothing with ${percent(state.least)} or more`),
    unseen ? line(`special tokens, left out: ${percent(unseen)}`) : null,
  );
}
