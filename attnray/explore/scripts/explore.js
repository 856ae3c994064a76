// The page of `attnray explore`: another answer takes the place of this one, under its own address.

/** Whether a link asks this page, and a plain click means it to be followed here. */
function asksHere(event) {
  const link = event.target.closest("a[href]");
  const plain = !(event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
  return link && plain && link.origin === location.origin && link.pathname === "/" ? link : null;
}

/** What shows other heads of the same cases: a case that is opened stays so. */
const OF_HEADS = new Set(["a", "a_direction", "b", "b_direction", "b_run"]);

/** The address of a form: what is not said is left out. */
function addressOf(form, changed) {
  const said = new URLSearchParams([...new FormData(form)].filter(([, value]) => value.trim() !== ""));
  const opened = new URLSearchParams(location.search).get("case");
  if (opened && OF_HEADS.has(changed)) said.set("case", opened);
  return `/?${said}`;
}

function explore() {
  const part = () => document.getElementById("part");
  if (!part()) return;
  const said = document.getElementById("said");
  let asking = new AbortController();
  let waiting = 0;

  /** The document at an address; null where another was asked for since. */
  async function answer(address, signal) {
    const response = await fetch(address, { signal, headers: { "X-Part": "1" } });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return new DOMParser().parseFromString(text, "text/html");
  }

  /** Show what an address answers. */
  async function show(address, focus) {
    asking.abort();
    asking = new AbortController();
    part().setAttribute("aria-busy", "true");
    try {
      const next = (await answer(address, asking.signal)).getElementById("part");
      const focused = focus ?? document.activeElement.id;
      part().replaceWith(document.adoptNode(next));
      begin();
      const place = focused && document.getElementById(focused);
      if (place) place.focus({ preventScroll: !focus });
      if (focus) place?.scrollIntoView({ block: focus === "opened" ? "start" : "nearest" });
      document.title = next.dataset.title;
      said.textContent = document.getElementById("found").textContent;
    } catch (error) {
      if (error.name === "AbortError") return;
      part().removeAttribute("aria-busy");
      said.textContent = error instanceof TypeError ? "No answer: attnray explore has ended." : error.message;
      said.classList.remove("unseen");
      return;
    }
    said.classList.add("unseen");
  }

  /** Go to an address, unless a change and the Enter that made it both ask for it. */
  function go(address, focus) {
    if (address === location.pathname + location.search) return;
    history.pushState(null, "", address);
    show(address, focus);
  }

  /** What is on the page beside its text: sentences, and what is counted over all cases. */
  function begin() {
    for (const place of document.querySelectorAll("[data-sentence]")) {
      const held = place.dataset.held === "" ? null : Number(place.dataset.held);
      sentenceView(place, dataOf(place.dataset.sentence), { held });
    }
    const summary = document.querySelector("[data-summary]");
    if (summary) {
      answer(summary.dataset.summary, asking.signal)
        .then((found) => summary.replaceChildren(...found.getElementById("together").children))
        .catch((error) => error.name === "AbortError" || summary.append(element("p", { class: "note" }, error.message)));
    }
    clearTimeout(waiting);
    if ("reading" in part().dataset) waiting = setTimeout(readOn, 1000);
  }

  /** Show what has been read since, unless it would disturb. */
  function readOn() {
    const disturbs = document.getElementById("opened") || document.activeElement.matches("input, select");
    if (disturbs) waiting = setTimeout(readOn, 1000);
    else show(location.href);
  }

  document.addEventListener("change", ({ target }) => target.form?.id === "asked" && go(addressOf(target.form, target.name)));
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "asked") return;
    event.preventDefault();
    go(addressOf(event.target));
  });
  document.addEventListener("click", (event) => {
    const link = asksHere(event);
    if (!link) return;
    event.preventDefault();
    const address = new URL(link.href);
    go(`${address.pathname}${address.search}`, link.dataset.back ?? (address.searchParams.has("case") ? "opened" : "found"));
  });
  addEventListener("popstate", () => show(location.href));
  begin();
}

start(explore);
