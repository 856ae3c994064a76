// Example sentences of a head, from `head_examples` of attnray/report/head_examples.py.

const EXAMPLE_GROUPS = { right: "Surest right", wrong: "Surest wrong", random: "At random" };

const NO_EXAMPLES =
  "No example sentences: the run measured neither syntax nor coreference, or kept the attention of no " +
  "example that has cases. attnray explore shows every example whose attention is stored.";

/** Fill an element with the example sentences of a head; layers and heads count from 1. */
function headExamples(place, layer, number) {
  const head = headName(layer, number);
  const [shared, own] = [dataOf("examples"), dataOf(`examples-${head}`)];
  if (!own) {
    place.replaceChildren(element("p", {}, NO_EXAMPLES));
    return;
  }
  const maps = mapsOf(own, shared);
  const list = element("div", { class: "examples-list" });
  const about = element("p", { class: "examples-about" });
  const board = element("div");
  let view = null;

  const choice = element(
    "select",
    { "aria-label": "Kind of cases", change: (event) => listKind(own.kinds[event.target.value]) },
    own.kinds.map((kind, number) => element("option", { value: number }, kindName(kind))),
  );
  const one = own.kinds.length === 1;
  place.classList.add("examples");
  place.replaceChildren(
    element("h3", {}, "Example sentences"),
    element("p", {}, "Cases of ", one ? element("strong", {}, kindName(own.kinds[0])) : choice),
    about,
    list,
    board,
  );
  listKind(own.kinds[0]);

  /** List the cases of a kind, and show the first. */
  function listKind(kind) {
    about.textContent = aboutKind(kind, head, shared.seed);
    const groups = Object.entries(EXAMPLE_GROUPS).map(([group, title]) => {
      const rows = kind.groups[group].map((row) => element("li", {}, caseButton(kind, row, group === "random")));
      return element("div", {}, element("h4", {}, title), rows.length ? element("ol", {}, rows) : element("p", {}, "None."));
    });
    list.replaceChildren(...groups);
    list.querySelector("button")?.click();
  }

  function caseButton(kind, row, said) {
    const [map, word, answers, picked, weight] = row;
    const text = shared.texts[own.examples[map]];
    const right = answers.includes(picked);
    const marked = (number) => {
      if (number === word) return element("strong", {}, text.words[number]);
      return answers.includes(number) ? element("u", {}, text.words[number]) : text.words[number];
    };
    const words = excerptOf(text.words.length, [word, picked, nearest(answers, word)])
      .flatMap((number) => [number === null ? "…" : marked(number), " "]);
    const picks = element("span", { class: right ? "examples-right" : "examples-wrong" },
      element("bdi", {}, text.words[picked]), ` ${percent(weight)}`);
    const sentence = element("span", { dir: "auto" }, words);
    return element(
      "button",
      { type: "button", "aria-pressed": "false", click: (event) => choose(event, kind, row) },
      element("span", { class: "examples-case" }, said ? `${right ? "Right" : "Wrong"}: ` : "", picks, " · ", sentence),
    );
  }

  async function choose({ currentTarget: button, isTrusted: byPerson }, kind, [map, word, answers]) {
    for (const each of list.querySelectorAll("[aria-pressed='true']")) each.setAttribute("aria-pressed", "false");
    button.setAttribute("aria-pressed", "true");
    const text = shared.texts[own.examples[map]];
    const example = {
      ...text,
      merge: shared.merge,
      arcs: answers.map((answer) => (kind.attended ? [answer, word] : [word, answer])),
      label: kind.arcs,
      cite: `Attention of head ${head} of ${shared.cite}, ${text.source}`,
      weights: (await maps)[map],
    };
    if (view) view.show(example, { held: word });
    else view = sentenceView(board, example, { held: word });
    if (byPerson && board.getBoundingClientRect().top > 0.8 * innerHeight) board.scrollIntoView();
  }
}

const nearest = (words, to) => words.reduce((one, other) => (Math.abs(other - to) < Math.abs(one - to) ? other : one));

/** The places of so many words around some; null where others are left out. */
function excerptOf(size, around, beside = 3) {
  const kept = [...Array(size).keys()].filter((number) => around.some((word) => Math.abs(word - number) <= beside));
  const all = kept.flatMap((number, at) => (number === (at ? kept[at - 1] + 1 : 0) ? [number] : [null, number]));
  return kept.at(-1) === size - 1 ? all : [...all, null];
}

/** The weights of each example of a head. */
async function mapsOf(own, shared) {
  const codes = codesOf(await inflated(own.weights));
  let start = 0;
  return own.examples.map((number) => {
    const size = shared.texts[number].owner.length ** 2;
    start += size;
    return codes.subarray(start - size, start);
  });
}

const kindName = ({ name, gloss }) => (gloss ? `${name} (${gloss})` : name);

function aboutKind({ cases, right, drawn, attended }, head, seed) {
  const attention = attended ? "the word that attends most to the one in bold" : "the word that the one in bold attends to most";
  return (
    `Head ${head} picks ${attention}; the right one is underlined. Of ${count(cases)} cases in ${drawn} drawn ` +
    `from the run (seed ${seed}) it has ${count(right)} right. The surest are its best and its worst: ` +
    "only the random ones say how it mostly does."
  );
}
