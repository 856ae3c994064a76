// What all components build on: data, elements, numbers as the tables write them.

/** Run a component once all files are there; what fails in one leaves the others alone. */
function start(component) {
  queueMicrotask(component);
}

/** The data that the page has under an id; null where it has none. */
function dataOf(id) {
  const place = document.getElementById(id);
  return place && JSON.parse(place.textContent);
}

/** What `packed` made of a value. */
async function unpacked(text) {
  return JSON.parse(new TextDecoder().decode(await inflated(text)));
}

/** The bytes whose deflated base64 is given. */
async function inflated(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** An element with attributes (functions: what to do at an event) and children (texts as text). */
function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** An element of SVG. */
function svgElement(tag, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== false && value !== null && value !== undefined) {
      made.setAttribute(name, value === true ? "" : value);
    }
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

const NOTHING = "–";

/** A head as the paper writes it. */
const headName = (layer, head) => `${layer}-${head}`;

/** A count with thousands apart. */
const count = (value) => (value === null ? NOTHING : value.toLocaleString("en-US"));

/** With one decimal; of two that are as near the even one, as Python has it. */
const rounded = (value) =>
  (Math.abs(value) % 1 === 0.25 ? value - Math.sign(value) * 0.05 : value).toFixed(1);

/** A fraction as a percentage with one decimal. */
const percent = (value) => (value === null ? NOTHING : `${rounded(100 * value)}%`);

/** A difference of fractions in percent points, with its sign. */
function points(value) {
  if (value === null) return NOTHING;
  const text = rounded(100 * value).replace(/^-0.0$/, "0.0");
  return (text.startsWith("-") ? text : `+${text}`).replace("-", "−");
}

/** A 95% interval of fractions, without the sign. */
function interval(low, high) {
  if (low === null || high === null) return NOTHING;
  return `${rounded(100 * low)}–${rounded(100 * high)}`;
}

/** The 95% interval of a difference of fractions, in percent points. */
const signedInterval = (low, high) =>
  low === null || high === null ? NOTHING : `${points(low)} to ${points(high)}`;

/** A p-value: two digits, or that it is small. */
function pValue(value) {
  if (value === null) return NOTHING;
  return value < 0.001 ? "< 0.001" : String(Number(value.toPrecision(2)));
}
