// The sentence view: words with lines by the weight of a head's attention, and the matrix of it.
// Examples are made by attnray/report/sentences.py.

/** Lines are drawn as SVG for so many words; for more on a canvas, and each word's greatest few. */
const MANY_WORDS = 80;
const FEW_LINES = 4;
/** Lesser weights are not shown at first: of few words, and of many. */
const LEAST_WEIGHT = [0.05, 0.02];

/** What was chosen in any view holds for those that are made after it. */
const sentenceChoices = { pieces: false, special: false, row: false, least: null };

/**
 * Show an example in an element; gives `show(example, options)`, which puts another in its place.
 *
 * Options: `held`, the number of the word that is held at first.
 */
function sentenceView(place, example, options = {}) {
  // Of the items: the one that is held, the one that is pointed at, and a pair in the matrix.
  const state = { ...sentenceChoices, held: null, over: null, cell: null };
  state.least ??= LEAST_WEIGHT[Number(example.owner.length > MANY_WORDS)];
  const waiting = new Set();
  let shown = null; // the example
  let current = null; // its items, what is between them, and where they stand
  let asked = 0;
  const acts = {
    point, pointAtCell, hold, letGo, press, choose, save, cite,
    scroll: () => current?.items.length > MANY_WORDS && soon(paint),
    resize: () => soon(layout),
  };
  const parts = sentenceParts(place, state, acts);

  async function show(next, { held = null } = {}) {
    const number = ++asked;
    place.setAttribute("aria-busy", "true");
    const weights = await weightsOf(next);
    if (number !== asked) return;
    shown = { ...next, weights };
    arrange(held);
    place.setAttribute("aria-busy", "false");
  }

  /** Make all anew for an example, or for other items of it; hold a word. */
  function arrange(word) {
    const items = itemsOf(shown, state);
    const placeOf = (each) => items.findIndex((item) => item.word === each);
    const arcs = shown.arcs.map((arc) => arc.map(placeOf)).filter((arc) => !arc.includes(-1));
    current = { items, arcs, weights: weightsBetween(shown, items), hidden: hiddenOf(shown, items) };
    const held = word === null ? -1 : placeOf(word);
    [state.held, state.over, state.cell] = [held < 0 ? null : held, null, null];
    fill(parts, current, shown.label, state);
    rove(state.held ?? 0);
    layout();
    if (held >= 0) bringIntoSight(parts.scrolled, current.box.left[held]);
  }

  /** Measure where the words stand. */
  function layout() {
    current.box = boxesOf(parts, state);
    current.image = imageOf(current, place);
    draw();
  }

  /** Show what is held, or pointed at. */
  function draw() {
    mark(parts, current, state);
    parts.said.replaceChildren(...saidOf(current, state));
    paint();
    paintMatrix(parts.matrix, current, state, place);
  }

  function paint() {
    paintLines(parts, shapesOf(current, state), current.items.length > MANY_WORDS, place);
  }

  /** Do something before the next picture, once. */
  function soon(task) {
    if (waiting.has(task)) return;
    waiting.add(task);
    requestAnimationFrame(() => {
      waiting.delete(task);
      if (current) task();
    });
  }

  function point(number) {
    if (state.over === number && state.cell === null) return;
    [state.over, state.cell] = [number, null];
    soon(draw);
  }

  /** Point at the pair of words under the pointer; gives the one that attends. */
  function pointAtCell(event) {
    const cell = current && cellAt(parts.matrix, current, event);
    [state.over, state.cell] = [cell && cell[0], cell];
    soon(draw);
    return state.over;
  }

  function hold(number) {
    if (number === null) return;
    state.held = state.held === number ? null : number;
    rove(number);
    // For Escape, where the word at the right or the matrix was pressed.
    parts.from.children[number].focus({ preventScroll: true });
    draw();
  }

  function letGo() {
    if (state.held === null) return false;
    [state.held, state.over] = [null, null];
    draw();
    return true;
  }

  /** The one word that the tab key finds. */
  function rove(number) {
    for (const each of parts.from.querySelectorAll("[tabindex='0']")) each.tabIndex = -1;
    if (parts.from.children[number]) parts.from.children[number].tabIndex = 0;
  }

  /** What a key does at a word; whether it does anything. */
  function press(key, number) {
    const last = current.items.length - 1;
    const [left, right] = parts.content.dir === "rtl" ? [1, -1] : [-1, 1];
    const steps = { ArrowDown: 1, ArrowUp: -1, ArrowLeft: left, ArrowRight: right, Home: -last, End: last };
    if (key === "Enter" || key === " ") hold(number);
    else if (key in steps) {
      const next = Math.max(0, Math.min(last, number + steps[key]));
      rove(next);
      parts.from.children[next].focus();
    } else return false;
    return true;
  }

  function choose(name, value) {
    const word = state.held === null ? null : current.items[state.held].word;
    state[name] = sentenceChoices[name] = value;
    parts.least.textContent = percent(state.least);
    if (name === "least") draw();
    else arrange(word);
  }

  function save() {
    saved("attention.svg", fileOf(current, shown.cite, state, shapesOf(current, state)));
  }

  async function cite() {
    try {
      await navigator.clipboard.writeText(shown.cite);
      parts.note.textContent = "Copied.";
    } catch {
      parts.note.textContent = shown.cite;
    }
  }

  show(example, options);
  return { show };
}

/** Fill the elements with items, before these are measured. */
function fill({ from, to, content, lines, canvas, legend, matrix, views }, { items, arcs }, label, state) {
  const [attending, attended] = [0, 1].map((end) => new Set(arcs.map((arc) => arc[end])));
  const asked = (number) => attending.has(number) || (state.row && attended.has(number));
  from.replaceChildren(...items.map((item, number) => wordOf(item, number, asked(number), true)));
  to.replaceChildren(...items.map((item, number) => wordOf(item, number, attended.has(number), false)));
  views.dataset.layout = state.row ? "row" : "sides";
  content.dir = state.row && isRightToLeft(items) ? "rtl" : "ltr";
  const many = items.length > MANY_WORDS;
  [lines.style.display, canvas.style.display] = many ? ["none", ""] : ["", "none"];
  legend.replaceChildren(...legendOf(arcs, label, many));
  matrix.setAttribute("aria-label", `Attention among ${items.length} ${state.pieces ? "pieces" : "words"}; the words by themselves tell theirs in numbers.`);
}

/** Where the words stand, and how large what holds them is. */
function boxesOf({ from, to, content, lines }, state) {
  const outer = content.getBoundingClientRect();
  const left = [...from.children].map((word) => boxOf(word, outer));
  const right = state.row ? left : [...to.children].map((word) => boxOf(word, outer));
  const [width, height] = [content.offsetWidth, content.offsetHeight];
  lines.setAttribute("width", width);
  lines.setAttribute("height", height);
  return { left, right, width, height };
}

/** Let the word that is held or pointed at stand out, with those that it has to do with, in numbers. */
function mark({ from, to, content }, { items, weights }, state) {
  const active = activeOf(state);
  const size = items.length;
  content.classList.toggle("sentence-active", active !== null);
  items.forEach((_, other) => {
    const [out, into] = active === null ? [0, 0] : [weights[active * size + other], weights[other * size + active]];
    const [word, twin] = [from.children[other], to.children[other]];
    const [gets, sends] = [isShown(out, state), isShown(into, state)];
    word.children[1].textContent = sends ? percent(into) : "";
    word.children[2].textContent = state.row && gets ? percent(out) : "";
    twin.children[1].textContent = gets ? percent(out) : "";
    word.classList.toggle("on", other === active || sends || (state.row && gets));
    twin.classList.toggle("on", other === active || gets);
    for (const each of [word, twin]) each.classList.toggle("held", other === active);
    word.setAttribute("aria-selected", String(other === state.held));
  });
}

const activeOf = ({ held, over }) => held ?? over;

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
