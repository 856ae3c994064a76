// Figures: each is saved as SVG, and copied with what it shows and where it is from.

start(() => {
  for (const figure of document.querySelectorAll("figure")) {
    const drawing = figure.querySelector(":scope > .scroll > svg[role=img]");
    if (drawing) figure.querySelector("figcaption").append(figureTools(figure, drawing));
  }
});

function figureTools(figure, drawing) {
  const name = drawing.querySelector("[id$='-figure_1']")?.id.replace(/-figure_1$/, "") ?? "figure";
  const about = figure.querySelector(".scroll").getAttribute("aria-label");
  const citation = document.getElementById("citation")?.textContent.trim() ?? "";
  const text = [`${about}.`, citation].filter(Boolean).join(" ");
  const said = element("output", {});
  const save = () => saved(`${name}.svg`, alone(drawing, text));
  const copy = async () => {
    try {
      await copied(text, alone(drawing, text));
      said.textContent = "copied";
    } catch {
      said.textContent = "this browser does not let pages copy";
    }
  };
  return element(
    "span", { class: "figure-tools" },
    element("button", { type: "button", click: save, "aria-label": `Save as SVG: ${about}` }, "Save as SVG"),
    element("button", { type: "button", click: copy, "aria-label": `Copy with citation: ${about}` }, "Copy with citation"),
    said,
  );
}

/** The drawing as a file of its own: in the light colours, with its citation. */
function alone(drawing, citation) {
  const copy = drawing.cloneNode(true);
  copy.prepend(svgElement("desc", {}, citation));
  return new XMLSerializer().serializeToString(copy).replace(/var\(--[\w-]+, (#\w+)\)/g, "$1");
}

function saved(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  const link = element("a", { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** Put a text on the clipboard, and the drawing where the clipboard takes drawings. */
async function copied(text, drawing) {
  const kinds = { "text/plain": new Blob([text], { type: "text/plain" }) };
  if (ClipboardItem.supports?.("image/svg+xml")) {
    kinds["image/svg+xml"] = new Blob([drawing], { type: "image/svg+xml" });
  }
  await navigator.clipboard.write([new ClipboardItem(kinds)]);
}
