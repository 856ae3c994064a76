// The matrix of the attention in a sentence.

/** So many words at the most stand beside the matrix. */
const LABELLED_WORDS = 32;
/** In pixels, what marks an arc in the matrix. */
const LEAST_MARK = 7;

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
function paintMatrix(canvas, current, state, place) {
  const active = activeOf(state);
  const { labels, cell, size, whole } = gridOf(canvas, current);
  const pen = fitted(canvas, whole, whole);
  const colour = coloursOf(place);
  pen.imageSmoothingEnabled = cell < 1;
  pen.drawImage(current.image, labels, labels, cell * size, cell * size);
  const [row, column] = (state.held === null && state.cell) || [active, active];
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
    const side = Math.max(cell, LEAST_MARK);
    const [x, y] = [key, query].map((at) => labels + (at + 0.5) * cell - side / 2);
    pen.strokeRect(x, y, side, side);
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
