// The sentence view: words with lines by the weight of a head's attention, and the matrix of it.
// Examples are made by attnray/report/sentences.py.

/** Lines are drawn as SVG for so many words; for more on a canvas, and each word's greatest few. */
const MANY_WORDS = 80;
const FEW_LINES = 4;
/** Lesser weights are not shown at first: of few words, and of many. */
const LEAST_WEIGHT = [0.05, 0.02];

/** What was chosen in any view holds for those that are made after it. */
const sentenceChoices = { pieces: false, special: false, row: false, least: null };

start(() => {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const place of document.querySelectorAll(".sentence")) place.dispatchEvent(new Event("recolour"));
  });
});

/**
 * Show an example in an element; gives `show(example, options)`, which puts another in its place.
 *
 * Options: `held`, the number of the word that is held at first.
 */
function sentenceView(place, example, options = {}) {
  const state = { ...sentenceChoices, held: null, over: null, cell: null };
  state.least ??= LEAST_WEIGHT[Number(example.owner.length > MANY_WORDS)];
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
      checked: state[name],
      change: (event) => {
        const word = heldWord();
        state[name] = sentenceChoices[name] = event.target.checked;
        arrange(word);
      },
    }), ` ${label}`);
  const slider = element("input", {
    type: "range", min: 0, max: 50, step: 0.5, value: 100 * state.least, name: "least",
    input: (event) => {
      state.least = sentenceChoices.least = Number(event.target.value) / 100;
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
  place.addEventListener("recolour", () => soon(layout));

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
      const [sends, gets] = [isShown(into, state), isShown(out, state)];
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

  function paintLines() {
    const shapes = shapesOf(current, state);
    if (current.items.length <= MANY_WORDS) {
      lines.replaceChildren(...shapes.map((shape) => pathElement(shape, { class: shape.kind })));
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
    const text = fileOf(current, shown.cite, state, shapesOf(current, state));
    saved("attention.svg", text);
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

/** The colours of a place: of text, and of each kind of line. */
function coloursOf(place) {
  const style = getComputedStyle(place);
  const named = (name) => style.getPropertyValue(name).trim();
  const text = named("--text");
  return { text, arc: text, soft: named("--soft"), page: named("--page"), from: named("--from"), to: named("--to") };
}
