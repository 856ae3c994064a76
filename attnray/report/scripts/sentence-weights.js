// What the sentence view shows: words or pieces of an example, and the attention between them.

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
function itemsOf({ words, tokens, owner }, { pieces, special }) {
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

/** Whether most words are of a script that runs from right to left. */
function isRightToLeft(items) {
  const right = items.filter((item) => /\p{Script=Arabic}|\p{Script=Hebrew}|\p{Script=Syriac}|\p{Script=Thaana}/u.test(item.text));
  return 2 * right.length > items.length;
}
