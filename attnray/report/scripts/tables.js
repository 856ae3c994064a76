// Tables: sorted by any column, and cut to the rows that are looked for.

/** Of fewer rows all are seen at once: they are only sorted. */
const FEWEST_ROWS = 9;

start(() => {
  for (const place of document.querySelectorAll("table[data-sorted]")) sortedTable(place);
});

/** Let a table be sorted and filtered; printed, it stands whole. */
function sortedTable(place) {
  const rows = [...place.tBodies[0].rows];
  const DataTable = dataTables().default;
  const none = { topStart: null, topEnd: null, bottomStart: null, bottomEnd: null };
  const table = new DataTable(place, {
    paging: false, info: false, autoWidth: false, order: [], layout: none,
  });
  let whole = false;
  const filters = [searched(), leastCases(rows), afterHolm(rows)].filter(Boolean);
  const shown = element("output", {});
  table.search.fixed("filters", (_, __, index) => {
    const row = table.row(index).node();
    return whole || filters.every((filter) => filter.keeps(row));
  });
  const draw = () => {
    table.draw();
    const left = table.rows({ search: "applied" }).count();
    shown.textContent = left === rows.length ? `${left} rows` : `${left} of ${rows.length} rows`;
  };
  const tools = element("div", { class: "tools", input: draw });
  tools.append(...filters.map((filter) => filter.control), shown);
  if (rows.length >= FEWEST_ROWS) place.closest(".scroll").before(tools);
  draw();
  const fold = place.closest("details");
  let unfolded = fold?.open;
  const print = (value) => () => {
    whole = value;
    if (fold && value) unfolded = fold.open;
    if (fold) fold.open = value || unfolded;
    table.draw();
  };
  addEventListener("beforeprint", print(true));
  addEventListener("afterprint", print(false));
}

/** Rows that have a text in one of their cells. */
function searched() {
  const field = element("input", { type: "search" });
  const text = (row) => row.textContent.toLowerCase();
  return {
    control: element("label", {}, "Search ", field),
    keeps: (row) => text(row).includes(field.value.trim().toLowerCase()),
  };
}

/** Rows with so many cases; null where rows are not about cases. */
function leastCases(rows) {
  if (!rows.some((row) => row.dataset.cases)) return null;
  const field = element("input", { type: "number", min: 0, step: 1, placeholder: 0 });
  return {
    control: element("label", {}, "At least ", field, " cases"),
    keeps: (row) => Number(row.dataset.cases) >= Number(field.value),
  };
}

/** Rows whose test passes after Holm's correction; null where nothing is corrected. */
function afterHolm(rows) {
  if (!rows.some((row) => "holm" in row.dataset)) return null;
  const box = element("input", { type: "checkbox" });
  return {
    control: element("label", {}, box, " Only significant after Holm (p < 0.05)"),
    keeps: (row) => !box.checked || (row.dataset.holm !== "" && Number(row.dataset.holm) < 0.05),
  };
}
