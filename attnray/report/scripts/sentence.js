// The sentence view: words with lines by the weight of a head's attention, and the matrix of it.
// `sentenceView(place, example, options)`: examples are made by attnray/report/sentences.py.

/** Lines are drawn as SVG for so many words; for more on a canvas, and each word's greatest few. */
const MANY_WORDS = 80;
const FEW_LINES = 4;
/** So many words at the most are listed in the text, and stand beside the matrix. */
const LISTED_WORDS = 8;
const LABELLED_WORDS = 32;
/** Files have the light colours, whatever the screen has. */
const FILE_COLOURS = { text: "#1b1b1b", soft: "#5a5a5a", page: "#ffffff", from: "#0072b2", to: "#b34700" };

/**
 * Show an example in an element; gives `show(example, options)`, which puts another in its place.
 *
 * Options: `held`, the number of the word that is held at first.
 */
function sentenceView(place, example, options = {}) {
  const state = { pieces: false, special: false, row: false, least: 0.05, held: null, over: null, cell: null };
  let current = null;
  let shown = null;
  let asked = 0;

  const numberOf = (event) => {
    const word = event.target.closest("[data-item]");
    return word && Number(word.dataset.item);
  };
  const from = element("ol", { role: "listbox", "aria-label": "Words of the sentence", class: "sentence-words" });
  const to = element("ol", { "aria-hidden": "true", class: "sentence-words" });
  const lines = svgElement("svg", { "aria-hidden": "true", class: "sentence-lines" });
  const canvas = element("canvas", { "aria-hidden": "true", class: "sentence-lines" });
  const content = element("div", { class: "sentence-content" }, lines, from, to);
  const scrolled = element("div", { class: "sentence-scroll" }, content);
  const matrix = element("canvas", { class: "sentence-matrix", role: "img" });
  const said = element("div", { class: "sentence-said", "aria-live": "polite" });
  const legend = element("p", { class: "sentence-legend" });
  const note = element("span", { role: "status", class: "sentence-note" });
  const least = element("output", {}, percent(state.least));

  const toggle = (name, label) =>
    element("label", {}, element("input", {
      type: "checkbox",
      name,
      change: (event) => {
        const word = heldWord();
        state[name] = event.target.checked;
        arrange(word);
      },
    }), ` ${label}`);
  const slider = element("input", {
    type: "range", min: 0, max: 50, step: 1, value: 100 * state.least, name: "least",
    input: (event) => {
      state.least = Number(event.target.value) / 100;
      least.textContent = percent(state.least);
      draw();
    },
  });
  const controls = element(
    "div",
    { class: "sentence-controls", role: "group", "aria-label": "How the sentence is shown" },
    toggle("pieces", "word pieces"),
    toggle("special", "special tokens"),
    toggle("row", "one row"),
    element("label", {}, "least weight ", slider, " ", least),
    element("button", { type: "button", click: save }, "Save as SVG"),
    element("button", { type: "button", click: cite }, "Copy citation"),
    note,
  );
  const views = element(
    "div",
    { class: "sentence-views" },
    element("div", { class: "sentence-side" }, element("div", { class: "sentence-frame" }, scrolled, canvas), legend),
    element("div", { class: "sentence-side" }, matrix, said),
  );
  place.classList.add("sentence");
  place.replaceChildren(controls, views);

  for (const side of [from, to]) {
    side.addEventListener("pointerover", (event) => point(numberOf(event)));
    side.addEventListener("pointerleave", () => point(null));
    side.addEventListener("click", (event) => hold(numberOf(event)));
  }
  from.addEventListener("focusin", (event) => point(numberOf(event)));
  from.addEventListener("focusout", () => point(null));
  from.addEventListener("keydown", go);
  place.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || state.held === null) return;
    // It would close the dialog that the view is in.
    event.preventDefault();
    [state.held, state.over] = [null, null];
    draw();
  });
  matrix.addEventListener("pointermove", (event) => pointAtCell(event));
  matrix.addEventListener("pointerleave", () => point(null));
  matrix.addEventListener("click", (event) => {
    pointAtCell(event);
    hold(state.cell && state.cell[0]);
  });
  scrolled.addEventListener("scroll", () => current && current.items.length > MANY_WORDS && soon(paintLines));
  new ResizeObserver(() => soon(layout)).observe(place);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => soon(layout));

  const waiting = new Set();

  /** Do something before the next picture, once. */
  function soon(task) {
    if (waiting.has(task)) return;
    waiting.add(task);
    requestAnimationFrame(() => {
      waiting.delete(task);
      if (current) task();
    });
  }

  async function show(next, { held = null } = {}) {
    const number = ++asked;
    place.setAttribute("aria-busy", "true");
    const weights = await weightsOf(next);
    if (number !== asked) return;
    shown = { ...next, weights };
    arrange(held);
    place.setAttribute("aria-busy", "false");
  }

  /** The word that is held, to hold it again among other items. */
  function heldWord() {
    return current && state.held !== null ? current.items[state.held].word : null;
  }

  /** Make all anew for an example, or for other items of it. */
  function arrange(word) {
    const items = itemsOf(shown, state.pieces, state.special);
    const weights = weightsBetween(shown, items);
    const arcs = shown.arcs.map((arc) => arc.map((end) => items.findIndex((item) => item.word === end)));
    current = { items, weights, arcs, hidden: hiddenOf(shown, items), image: null, box: null };
    const held = word === null || word < 0 ? -1 : items.findIndex((item) => item.word === word);
    [state.held, state.over, state.cell] = [held < 0 ? null : held, null, null];
    const attending = new Set(arcs.map((arc) => arc[0]));
    const attended = new Set(arcs.map((arc) => arc[1]));
    from.replaceChildren(...items.map((item, number) => wordOf(item, number, attending.has(number), true)));
    to.replaceChildren(...items.map((item, number) => wordOf(item, number, attended.has(number), false)));
    if (state.row) for (const number of attended) from.children[number].classList.add("asked");
    views.dataset.layout = state.row ? "row" : "sides";
    content.dir = state.row && isRightToLeft(items) ? "rtl" : "ltr";
    const many = items.length > MANY_WORDS;
    lines.style.display = many ? "none" : "";
    canvas.style.display = many ? "" : "none";
    rove(state.held ?? 0);
    legend.replaceChildren(...legendOf(shown, many));
    layout();
    if (state.held !== null) bringIntoSight(scrolled, current.box.left[state.held]);
  }

  /** Measure where the words stand. */
  function layout() {
    const { items } = current;
    const outer = content.getBoundingClientRect();
    const left = [...from.children].map((each) => boxOf(each, outer));
    const right = state.row ? left : [...to.children].map((each) => boxOf(each, outer));
    current.box = { left, right, width: content.offsetWidth, height: content.offsetHeight };
    lines.setAttribute("width", current.box.width);
    lines.setAttribute("height", current.box.height);
    current.image = imageOf(current, place);
    matrix.setAttribute(
      "aria-label",
      `Matrix of the attention among ${items.length} ${state.pieces ? "word pieces" : "words"}; ` +
        "the list of the word that is held has its numbers.",
    );
    draw();
  }

  /** Show what is pointed at, or held. */
  function draw() {
    const active = state.held ?? state.over;
    const { items, weights } = current;
    const size = items.length;
    content.classList.toggle("sentence-active", active !== null);
    for (let other = 0; other < size; other++) {
      const [out, into] = active === null ? [0, 0] : [weights[active * size + other], weights[other * size + active]];
      const [word, twin] = [from.children[other], to.children[other]];
      const [sends, gets] = [shownWeight(into), shownWeight(out)];
      word.children[1].textContent = sends ? percent(into) : "";
      twin.children[1].textContent = gets ? percent(out) : "";
      word.children[2].textContent = state.row && gets ? percent(out) : "";
      word.classList.toggle("on", other === active || sends || (state.row && gets));
      twin.classList.toggle("on", other === active || gets);
      word.classList.toggle("held", other === active);
      twin.classList.toggle("held", other === active);
      word.setAttribute("aria-selected", String(other === state.held));
    }
    said.replaceChildren(...saidOf(current, active, state));
    paintLines();
    paintMatrix(matrix, current, active, state.held === null ? state.cell : null, place);
  }

  /** Whether a weight is not under the least. */
  function shownWeight(weight) {
    return weight > 0 && weight >= state.least;
  }

  function paintLines() {
    const shapes = shapesOf(current, state, shownWeight);
    if (current.items.length <= MANY_WORDS) {
      lines.replaceChildren(...shapes.map((shape) => svgElement("path", { d: shape.path, class: shape.kind, ...strokeOf(shape) })));
    } else paintOn(canvas, scrolled, shapes, place);
  }

  function point(number) {
    if (state.over === number && state.cell === null) return;
    [state.over, state.cell] = [number, null];
    soon(draw);
  }

  function pointAtCell(event) {
    const cell = cellAt(matrix, current, event);
    [state.over, state.cell] = [cell && cell[0], cell];
    soon(draw);
  }

  function hold(number) {
    if (number === null) return;
    state.held = state.held === number ? null : number;
    rove(number);
    draw();
  }

  /** The one word that the tab key finds. */
  function rove(number) {
    for (const each of from.querySelectorAll("[tabindex='0']")) each.tabIndex = -1;
    if (from.children[number]) from.children[number].tabIndex = 0;
  }

  function go(event) {
    const number = numberOf(event);
    const last = current.items.length - 1;
    const sideways = content.dir === "rtl" ? -1 : 1;
    const steps = { ArrowDown: number + 1, ArrowUp: number - 1, Home: 0, End: last };
    [steps.ArrowRight, steps.ArrowLeft] = [number + sideways, number - sideways];
    if (event.key === "Enter" || event.key === " ") hold(number);
    else if (event.key in steps) {
      const next = Math.max(0, Math.min(last, steps[event.key]));
      rove(next);
      from.children[next].focus();
    } else return;
    event.preventDefault();
  }

  function save() {
    const text = fileOf(current, shown, state, shapesOf(current, state, shownWeight));
    const address = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
    element("a", { href: address, download: "attention.svg" }).click();
    URL.revokeObjectURL(address);
  }

  async function cite() {
    try {
      await navigator.clipboard.writeText(shown.cite);
      note.textContent = "Copied.";
    } catch {
      note.textContent = shown.cite;
    }
  }

  show(example, options);
  return { show };
}

/** The weights of an example, 1 being 65535: as they are, or unpacked (see `packed_weights`). */
async function weightsOf(example) {
  if (typeof example.weights !== "string") return example.weights;
  return codesOf(await inflated(example.weights));
}

/** Of all numbers first the low and then the high bytes. */
function codesOf(bytes) {
  const size = bytes.length / 2;
  const codes = new Uint16Array(size);
  for (let place = 0; place < size; place++) codes[place] = bytes[place] | (bytes[size + place] << 8);
  return codes;
}

/** What the view has lines between: words, or pieces, and special tokens if so. */
function itemsOf({ words, tokens, owner }, pieces, special) {
  const ofToken = (piece) => ({ text: tokens[piece], word: owner[piece], pieces: [piece], special: owner[piece] < 0 });
  if (pieces) return tokens.map((_, piece) => ofToken(piece)).filter((item) => special || !item.special);
  const items = words.map((text, word) => ({ text, word, pieces: [], special: false }));
  owner.forEach((word, piece) => word >= 0 && items[word].pieces.push(piece));
  if (!special) return items;
  const found = [];
  let next = 0;
  owner.forEach((word, piece) => {
    while (next < words.length && next <= word) found.push(items[next++]);
    if (word < 0) found.push(ofToken(piece));
  });
  return [...found, ...items.slice(next)];
}

/** Attention between items, as a matrix. */
function weightsBetween(example, items) {
  const size = items.length;
  const between = new Float64Array(size * size);
  items.forEach((item, query) => {
    items.forEach((other, key) => {
      between[query * size + key] = mergedWeight(example, item, other);
    });
  });
  return between;
}

/** Attention from an item to another: the sum over its pieces, merged over those that attend. */
function mergedWeight({ weights, owner, merge }, item, other) {
  const taken = merge === "first" ? item.pieces.slice(0, 1) : item.pieces;
  let [sum, most] = [0, 0];
  for (const piece of taken) {
    let found = 0;
    for (const attended of other.pieces) found += weights[piece * owner.length + attended];
    sum += found;
    most = Math.max(most, found);
  }
  if (!taken.length) return 0;
  return (merge === "max" ? most : sum / taken.length) / 65535;
}

/** What each item attends to special tokens that are not among the items. */
function hiddenOf(example, items) {
  const hidden = example.owner.flatMap((word, piece) => (word < 0 && !items.some((item) => item.special) ? [piece] : []));
  const left = { pieces: hidden };
  return items.map((item) => mergedWeight(example, item, left));
}

function wordOf(item, number, asked, focused) {
  const classes = `${item.special ? "special" : ""} ${asked ? "asked" : ""}`;
  const text = element("bdi", {}, item.text);
  const numbers = [element("span", { "aria-hidden": "true" }), element("span", { "aria-hidden": "true" })];
  const option = focused ? { role: "option", tabindex: -1, "aria-selected": "false" } : {};
  return element("li", { class: classes, "data-item": number, ...option }, text, ...numbers);
}

/** Whether most words are of a script that runs from right to left. */
function isRightToLeft(items) {
  const right = items.filter((item) => /\p{Script=Arabic}|\p{Script=Hebrew}|\p{Script=Syriac}|\p{Script=Thaana}/u.test(item.text));
  return 2 * right.length > items.length;
}

/** Where a word stands, in its content. */
function boxOf(word, outer) {
  const row = word.getBoundingClientRect();
  const text = word.firstChild.getBoundingClientRect();
  return {
    left: row.left - outer.left, right: row.right - outer.left, top: row.top - outer.top,
    middle: (text.top + text.bottom) / 2 - outer.top, bottom: row.bottom - outer.top,
    centre: (text.left + text.right) / 2 - outer.left, text: text.left - outer.left, width: text.width,
  };
}

/** Scroll a box so that a word is in its middle, where it is not in sight. */
function bringIntoSight(scrolled, word) {
  const [x, y] = [scrolled.clientWidth, scrolled.clientHeight];
  scrolled.scrollTo(word.right > x ? word.centre - x / 2 : 0, word.bottom > y ? word.middle - y / 2 : 0);
}

/** What is to be drawn: of each line its path, kind and weight. */
function shapesOf(current, state, shownWeight) {
  const { items, weights, arcs, box } = current;
  const size = items.length;
  const active = state.held ?? state.over;
  const shapes = [];
  const line = (query, key, kind) => {
    const weight = weights[query * size + key];
    if (shownWeight(weight)) shapes.push({ path: pathOf(box, state.row, query, key, 0), kind, weight, query, key });
  };
  if (active === null) {
    for (let query = 0; query < size; query++) {
      for (const key of greatest(weights.subarray(query * size, (query + 1) * size), size > MANY_WORDS ? FEW_LINES : size)) {
        line(query, key, "any");
      }
    }
  } else {
    for (let other = 0; other < size; other++) {
      line(other, active, "to");
      line(active, other, "from");
    }
  }
  for (const [query, key] of arcs) {
    if (query >= 0 && key >= 0) shapes.push({ path: pathOf(box, state.row, query, key, 5), kind: "arc", query, key });
  }
  return shapes;
}

/** The places of the greatest few of some numbers. */
function greatest(values, few) {
  if (few >= values.length) return values.keys();
  const found = [];
  values.forEach((value, place) => {
    if (found.length === few && value <= values[found[few - 1]]) return;
    let at = found.length;
    while (at > 0 && values[found[at - 1]] < value) at--;
    found.splice(at, 0, place);
    found.length = Math.min(found.length, few);
  });
  return found;
}

/** The line between two words, moved by some pixels: a curve between the sides, or an arc above. */
function pathOf(box, row, query, key, moved) {
  const [a, b] = [box.left[query], box.right[key]];
  if (row) {
    const [x, y, top] = [a.centre + moved / 2, b.centre - moved / 2, a.top - 2];
    if (query === key) return `M${x - 4} ${top}C${x - 12} ${top - 24} ${x + 12} ${top - 24} ${x + 4} ${top}`;
    const height = Math.min(top - 4, 14 + Math.abs(x - y) * 0.35 + moved) * 1.3;
    return `M${x} ${top}C${x} ${top - height} ${y} ${top - height} ${y} ${top}`;
  }
  const [x, y] = [a.right + 4, b.left - 4];
  const [up, down] = [a.middle + moved, b.middle + moved];
  const half = (x + y) / 2;
  return `M${x} ${up}C${half} ${up} ${half} ${down} ${y} ${down}`;
}

/** How a line looks: as dark and as thick as its weight. */
function strokeOf({ kind, weight }) {
  if (kind === "arc") return {};
  return { "stroke-width": (0.8 + 5 * weight).toFixed(2), "stroke-opacity": Math.sqrt(weight).toFixed(3) };
}

/** Draw what is in sight of a box that scrolls on the canvas over it. */
function paintOn(canvas, scrolled, shapes, place) {
  const [width, height] = [scrolled.clientWidth, scrolled.clientHeight];
  const pen = fitted(canvas, width, height);
  const colour = coloursOf(place);
  pen.translate(-scrolled.scrollLeft, -scrolled.scrollTop);
  pen.lineCap = "round";
  for (const shape of shapes) {
    const arc = shape.kind === "arc";
    pen.strokeStyle = arc ? colour.text : shape.kind === "any" ? colour.from : colour[shape.kind];
    pen.setLineDash(arc ? [1, 5] : []);
    pen.lineWidth = arc ? 2.5 : 0.8 + 5 * shape.weight;
    pen.globalAlpha = arc ? 1 : Math.sqrt(shape.weight);
    pen.stroke(new Path2D(shape.path));
  }
}

/** The pen of a canvas that is made as large, in pixels of the page. */
function fitted(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  return pen;
}

function coloursOf(place) {
  const style = getComputedStyle(place);
  const named = (name) => style.getPropertyValue(name).trim();
  return { text: named("--text"), soft: named("--soft"), page: named("--page"), from: named("--from"), to: named("--to") };
}

/** The matrix, a pixel a weight. */
function imageOf({ items, weights }, place) {
  const size = items.length;
  const canvas = element("canvas", { width: Math.max(1, size), height: Math.max(1, size) });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const colour = coloursOf(place);
  const [page, full] = [colour.page, colour.from].map((name) => {
    pen.fillStyle = name;
    return [1, 3, 5].map((at) => parseInt(pen.fillStyle.slice(at, at + 2), 16));
  });
  const image = pen.createImageData(canvas.width, canvas.height);
  weights.forEach((weight, place) => {
    const share = Math.sqrt(Math.min(1, weight));
    for (let part = 0; part < 3; part++) image.data[4 * place + part] = page[part] + share * (full[part] - page[part]);
    image.data[4 * place + 3] = 255;
  });
  pen.putImageData(image, 0, 0);
  return canvas;
}

/** How large the matrix is, in pixels of the page. */
function gridOf(canvas, { items }) {
  const room = canvas.parentElement.clientWidth;
  const size = items.length;
  const labels = size <= LABELLED_WORDS && room >= 16 * size + 90 ? 90 : 0;
  const cell = Math.min(labels ? 18 : 14, (Math.min(room, 560) - labels) / size);
  return { labels, cell, size, whole: labels + cell * size };
}

/** Draw the matrix; the row and the column of a word, or of a cell, stand out. */
function paintMatrix(canvas, current, active, pointed, place) {
  const { labels, cell, size, whole } = gridOf(canvas, current);
  const pen = fitted(canvas, whole, whole);
  const colour = coloursOf(place);
  pen.imageSmoothingEnabled = cell < 1;
  pen.drawImage(current.image, labels, labels, cell * size, cell * size);
  const [row, column] = pointed ?? [active, active];
  if (active !== null) {
    pen.fillStyle = colour.page;
    pen.globalAlpha = 0.7;
    for (const [x, y, w, h] of around(row, column, size)) {
      pen.fillRect(labels + x * cell, labels + y * cell, w * cell, h * cell);
    }
    pen.globalAlpha = 1;
    pen.lineWidth = 1.5;
    pen.strokeStyle = colour.from;
    pen.strokeRect(labels, labels + row * cell, size * cell, cell);
    pen.strokeStyle = colour.to;
    pen.strokeRect(labels + column * cell, labels, cell, size * cell);
  } else {
    pen.strokeStyle = colour.soft;
    pen.globalAlpha = 0.4;
    pen.strokeRect(labels + 0.5, labels + 0.5, size * cell - 1, size * cell - 1);
    pen.globalAlpha = 1;
  }
  pen.strokeStyle = colour.text;
  pen.setLineDash([2, 2]);
  pen.lineWidth = 1.5;
  for (const [query, key] of current.arcs) {
    if (query >= 0 && key >= 0) pen.strokeRect(labels + key * cell, labels + query * cell, cell, cell);
  }
  if (labels) paintLabels(pen, current, labels, cell, row, column, colour);
}

/** What is neither of a row nor of a column, as boxes. */
function around(row, column, size) {
  const [right, below] = [size - column - 1, size - row - 1];
  return [
    [0, 0, column, row], [column + 1, 0, right, row], [0, row + 1, column, below], [column + 1, row + 1, right, below],
  ];
}

function paintLabels(pen, { items }, labels, cell, row, column, colour) {
  pen.font = "12px system-ui, sans-serif";
  pen.textBaseline = "middle";
  items.forEach((item, number) => {
    const at = labels + (number + 0.5) * cell;
    const text = shortened(pen, item.text, labels - 8);
    pen.fillStyle = row === null ? colour.text : number === row ? colour.from : colour.soft;
    pen.textAlign = "right";
    pen.fillText(text, labels - 5, at);
    pen.save();
    pen.translate(at, labels - 5);
    pen.rotate(-Math.PI / 2);
    pen.fillStyle = column === null ? colour.text : number === column ? colour.to : colour.soft;
    pen.textAlign = "left";
    pen.fillText(text, 0, 0);
    pen.restore();
  });
}

function shortened(pen, text, width) {
  if (pen.measureText(text).width <= width) return text;
  const letters = [...text];
  while (letters.length && pen.measureText(`${letters.join("")}…`).width > width) letters.pop();
  return `${letters.join("")}…`;
}

/** The cell of the matrix under the pointer, null where there is none. */
function cellAt(canvas, current, event) {
  const { labels, cell, size } = gridOf(canvas, current);
  const [key, query] = [event.offsetX, event.offsetY].map((at) => Math.floor((at - labels) / cell));
  return query >= 0 && key >= 0 && query < size && key < size ? [query, key] : null;
}

function legendOf({ arcs, label }, many) {
  const mark = (kind, text) => element("span", {}, element("i", { class: `mark ${kind}` }), text);
  const marks = [mark("from", "attends to"), mark("to", "is attended by")];
  if (arcs.length) marks.push(mark("arc", label));
  if (many) marks.push(`Until a word is pointed at, the ${FEW_LINES} greatest weights of each are drawn.`);
  return marks;
}

/** In words what the active word attends to, and what attends to it. */
function saidOf({ items, weights, hidden }, active, { least, cell, held }) {
  if (active === null) {
    return [element("p", {}, "Point at a word, or go through them with the arrow keys; a click or Enter holds it, Escape lets it go.")];
  }
  const size = items.length;
  const name = () => element("strong", {}, element("bdi", {}, items[active].text));
  const all = [...items.keys()];
  const told = (weightAt, kind, unseen = 0) => {
    const found = all.filter((other) => weightAt(other) > 0 && weightAt(other) >= least);
    found.sort((a, b) => weightAt(b) - weightAt(a));
    const listed = found.slice(0, LISTED_WORDS);
    const more = found.length > listed.length ? [element("li", {}, `and ${found.length - listed.length} more`)] : [];
    const none = listed.length ? [] : [element("li", {}, `nothing with ${percent(least)} or more`)];
    const rows = listed.map((other) => element("li", {}, element("bdi", {}, items[other].text), " ", element("span", {}, percent(weightAt(other)))));
    const last = unseen ? [element("li", { class: "special" }, `special tokens, left out: ${percent(unseen)}`)] : [];
    return element("ol", { class: kind }, ...rows, ...more, ...none, ...last);
  };
  const pair = cell && held === null
    ? [element("p", {}, name(), " attends to ", element("strong", {}, element("bdi", {}, items[cell[1]].text)), ` with ${percent(weights[cell[0] * size + cell[1]])}.`)]
    : [];
  return [
    ...pair,
    element("div", {}, element("p", {}, name(), " attends to"), told((other) => weights[active * size + other], "from", hidden[active])),
    element("div", {}, element("p", {}, name(), " is attended by"), told((other) => weights[other * size + active], "to")),
  ];
}

/** The lines and words as they are shown, as a file of its own. */
function fileOf(current, example, state, shapes) {
  const { items, box, weights } = current;
  const size = items.length;
  const active = state.held ?? state.over;
  const colour = FILE_COLOURS;
  const width = Math.ceil(box.width) + 120;
  const root = svgElement("svg", {
    xmlns: "http://www.w3.org/2000/svg", width, height: Math.ceil(box.height),
    viewBox: `-60 0 ${width} ${Math.ceil(box.height)}`, "font-family": "sans-serif", "font-size": 15,
  });
  root.append(svgElement("title", {}, example.cite), svgElement("metadata", {}, example.cite));
  root.append(svgElement("rect", { x: -60, width: "100%", height: "100%", fill: colour.page }));
  for (const shape of shapes) {
    const arc = shape.kind === "arc";
    const stroke = arc ? colour.text : colour[shape.kind] ?? colour.from;
    const look = arc ? { "stroke-width": 2.5, "stroke-dasharray": "1 5", "stroke-linecap": "round" } : strokeOf(shape);
    root.append(svgElement("path", { d: shape.path, fill: "none", stroke, ...look }));
  }
  const write = (at, text, x, y, anchor, fill, bold) =>
    root.append(svgElement("text", { x, y, "text-anchor": anchor, fill, "dominant-baseline": "middle", "font-weight": bold && "bold" }, text));
  items.forEach((item, number) => {
    for (const at of state.row ? [box.left[number]] : [box.left[number], box.right[number]]) {
      write(at, item.text, at.centre, at.middle, "middle", item.special ? colour.soft : colour.text, number === active);
    }
    if (active === null) return;
    const [out, into] = [weights[active * size + number], weights[number * size + active]];
    const [left, right] = [box.left[number], box.right[number]];
    const numbers = state.row
      ? [[into, left.centre, left.middle + 20, "middle", "to"], [out, left.centre, left.middle + 36, "middle", "from"]]
      : [[into, left.text - 8, left.middle, "end", "to"], [out, right.text + right.width + 8, right.middle, "start", "from"]];
    for (const [weight, x, y, anchor, kind] of numbers) {
      if (weight > 0 && weight >= state.least) write(null, percent(weight), x, y, anchor, colour[kind], false);
    }
  });
  return new XMLSerializer().serializeToString(root);
}
