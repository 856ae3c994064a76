// The lines of a sentence as an SVG file of its own.

/** Files have the light colours, whatever the screen has. */
const FILE_COLOURS = { text: "#1b1b1b", arc: "#1b1b1b", soft: "#5a5a5a", page: "#ffffff", from: "#0072b2", to: "#b34700" };
/** Room at the sides and below, in pixels. */
const FILE_MARGIN = 12;

/** The lines, words and numbers as they are shown; `cite` is written below, and in the metadata. */
function fileOf(current, cite, state, shapes) {
  const { items, box, weights } = current;
  const size = items.length;
  const active = activeOf(state);
  const [width, height] = [Math.ceil(box.width) + 2 * FILE_MARGIN, Math.ceil(box.height) + 3 * FILE_MARGIN];
  const root = svgElement("svg", {
    xmlns: "http://www.w3.org/2000/svg", width, height, viewBox: `${-FILE_MARGIN} 0 ${width} ${height}`,
    "font-family": "sans-serif", "font-size": 15, "dominant-baseline": "middle",
  });
  const write = (text, x, y, anchor, colour, more) =>
    root.append(svgElement("text", { x, y, "text-anchor": anchor, fill: FILE_COLOURS[colour], ...more }, text));

  root.append(
    svgElement("title", {}, cite),
    svgElement("metadata", {}, cite),
    svgElement("rect", { x: -FILE_MARGIN, width, height, fill: FILE_COLOURS.page }),
    ...shapes.map((shape) => pathElement(shape, { stroke: FILE_COLOURS[shape.kind] })),
  );
  items.forEach((item, number) => {
    const [left, right] = [box.left[number], box.right[number]];
    const words = state.row
      ? [[left.centre, left.middle, "middle"]]
      : [[left.text + left.width, left.middle, "end"], [right.text, right.middle, "start"]];
    const look = number === active ? { "font-weight": "bold" } : {};
    for (const place of words) write(item.text, ...place, item.special ? "soft" : "text", look);
    if (active === null) return;
    const numbers = state.row
      ? { to: [left.centre, left.middle + 19, "middle"], from: [left.centre, left.middle + 35, "middle"] }
      : { to: [left.text - 8, left.middle, "end"], from: [right.text + right.width + 8, right.middle, "start"] };
    const found = { to: weights[number * size + active], from: weights[active * size + number] };
    for (const [kind, weight] of Object.entries(found)) {
      if (isShown(weight, state)) write(percent(weight), ...numbers[kind], kind, { "font-size": 12 });
    }
  });
  write(cite, 0, height - FILE_MARGIN, "start", "soft", { "font-size": 11 });
  return new XMLSerializer().serializeToString(root);
}
