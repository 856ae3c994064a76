// Lines between the words of a sentence, by the weight of attention.

/** What is to be drawn: of each line its path and kind, and how it looks. */
function shapesOf(current, state) {
  const { items, weights, arcs, box } = current;
  const size = items.length;
  const active = activeOf(state);
  const shapes = [];
  const line = (query, key, kind) => {
    const weight = weights[query * size + key];
    if (!isShown(weight, state)) return;
    const path = pathOf(box, state.row, query, key, 0);
    shapes.push({ path, kind, width: 0.8 + 5 * weight, opacity: Math.sqrt(weight), dashes: [] });
  };
  if (active === null) {
    for (let query = 0; query < size; query++) {
      const row = weights.subarray(query * size, (query + 1) * size);
      for (const key of greatest(row, size > MANY_WORDS ? FEW_LINES : size)) line(query, key, "from");
    }
  } else {
    for (let other = 0; other < size; other++) {
      line(other, active, "to");
      line(active, other, "from");
    }
  }
  for (const [query, key] of arcs) {
    const faint = active !== null && active !== query && active !== key;
    const path = pathOf(box, state.row, query, key, 5);
    shapes.push({ path, kind: "arc", width: 2.5, opacity: faint ? 0.3 : 1, dashes: [1, 5] });
  }
  return shapes;
}

/** Whether a weight is not under the least. */
const isShown = (weight, { least }) => weight > 0 && weight >= least;

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

/** A line as SVG. */
function pathElement({ path, width, opacity, dashes }, attributes) {
  return svgElement("path", {
    d: path, fill: "none", "stroke-width": width.toFixed(2), "stroke-opacity": opacity.toFixed(3),
    "stroke-dasharray": dashes.join(" ") || null, "stroke-linecap": "round", ...attributes,
  });
}

/** Draw lines: as SVG, or many on the canvas over the box that scrolls, what is in sight of it. */
function paintLines({ lines, canvas, scrolled }, shapes, many, place) {
  if (!many) {
    lines.replaceChildren(...shapes.map((shape) => pathElement(shape, { class: shape.kind })));
    return;
  }
  const pen = fitted(canvas, scrolled.clientWidth, scrolled.clientHeight);
  const colour = coloursOf(place);
  pen.translate(-scrolled.scrollLeft, -scrolled.scrollTop);
  pen.lineCap = "round";
  for (const { path, kind, width, opacity, dashes } of shapes) {
    pen.strokeStyle = colour[kind];
    pen.setLineDash(dashes);
    [pen.lineWidth, pen.globalAlpha] = [width, opacity];
    pen.stroke(new Path2D(path));
  }
}
