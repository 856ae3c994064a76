// The elements of a sentence view, and who is told what is done with them.

/** Make them in a place; `acts` are what the view does, its items given by their numbers. */
function sentenceParts(place, state, acts) {
  const hidden = { "aria-hidden": "true" };
  const parts = {
    from: element("ol", { role: "listbox", "aria-label": "Words of the sentence", class: "sentence-words" }),
    to: element("ol", { ...hidden, class: "sentence-words" }),
    lines: svgElement("svg", { ...hidden, class: "sentence-lines" }),
    canvas: element("canvas", { ...hidden, class: "sentence-lines" }),
    matrix: element("canvas", { class: "sentence-matrix", role: "img" }),
    said: element("div", { class: "sentence-said", "aria-live": "polite" }),
    legend: element("p", { class: "sentence-legend" }),
    note: element("span", { role: "status", class: "sentence-note" }),
    least: element("output", {}, percent(state.least)),
  };
  parts.content = element("div", { class: "sentence-content" }, parts.lines, parts.from, parts.to);
  parts.scrolled = element("div", { class: "sentence-scroll" }, parts.content);
  parts.views = element(
    "div",
    { class: "sentence-views" },
    element("div", { class: "sentence-side" }, element("div", { class: "sentence-frame" }, parts.scrolled, parts.canvas), parts.legend),
    element("div", { class: "sentence-side" }, parts.matrix, parts.said),
  );
  place.classList.add("sentence");
  place.replaceChildren(sentenceControls(parts, state, acts), parts.views);
  listen(place, parts, acts);
  return parts;
}

function sentenceControls(parts, state, acts) {
  const toggle = (name, label) => {
    const choose = (event) => acts.choose(name, event.target.checked);
    return element("label", {}, element("input", { type: "checkbox", name, checked: state[name], change: choose }), ` ${label}`);
  };
  const slide = (event) => acts.choose("least", Number(event.target.value) / 100);
  const slider = { type: "range", name: "least", min: 0, max: 50, step: 0.5, value: 100 * state.least, input: slide };
  return element(
    "div",
    { class: "sentence-controls", role: "group", "aria-label": "How the sentence is shown" },
    toggle("pieces", "word pieces"),
    toggle("special", "special tokens"),
    toggle("row", "one row"),
    element("label", {}, "least weight ", element("input", slider), " ", parts.least),
    element("button", { type: "button", click: acts.save }, "Save as SVG"),
    element("button", { type: "button", click: acts.cite }, "Copy citation"),
    parts.note,
  );
}

function listen(place, { from, to, matrix, scrolled }, acts) {
  const numberOf = ({ target }) => {
    const word = target.closest("[data-item]");
    return word && Number(word.dataset.item);
  };
  for (const side of [from, to]) {
    side.addEventListener("pointerover", (event) => acts.point(numberOf(event)));
    side.addEventListener("pointerleave", () => acts.point(null));
    side.addEventListener("click", (event) => acts.hold(numberOf(event)));
  }
  from.addEventListener("focusin", (event) => acts.point(numberOf(event)));
  from.addEventListener("focusout", () => acts.point(null));
  from.addEventListener("keydown", (event) => acts.press(event.key, numberOf(event)) && event.preventDefault());
  // Escape would close the dialog that the view is in.
  place.addEventListener("keydown", (event) => event.key === "Escape" && acts.letGo() && event.preventDefault());
  matrix.addEventListener("pointermove", (event) => acts.pointAtCell(event));
  matrix.addEventListener("pointerleave", () => acts.point(null));
  matrix.addEventListener("click", (event) => acts.hold(acts.pointAtCell(event)));
  scrolled.addEventListener("scroll", acts.scroll);
  place.addEventListener("recolour", acts.resize);
  new ResizeObserver(acts.resize).observe(place);
}

start(() => {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const place of document.querySelectorAll(".sentence")) place.dispatchEvent(new Event("recolour"));
  });
});
