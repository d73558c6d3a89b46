// Tables: rows are searched, filtered and sorted where they stand.
function controlsOf(table) {
  return [...document.querySelectorAll(`[data-filters="${table.id}"]`)];
}

function fits(row, control) {
  if (control.type === "checkbox") return !control.checked || row.dataset[control.name] === "yes";
  if (control.type === "search") {
    const words = control.value.toLowerCase().split(/\s+/);
    return words.every((word) => row.textContent.toLowerCase().includes(word));
  }
  return !control.value || row.dataset[control.name] === control.value;
}

function filterTable(table) {
  const rows = [...table.tBodies[0].rows];
  const controls = controlsOf(table);
  for (const row of rows) row.hidden = !controls.every((control) => fits(row, control));
  const left = rows.filter((row) => !row.hidden).length;
  document.getElementById(`${table.id}-count`).textContent = `${left} of ${rows.length} rows`;
}

function keyOf(row, column) {
  const cell = row.cells[column];
  const key = cell.dataset.key ?? cell.textContent;
  return key !== "" && !Number.isNaN(Number(key)) ? Number(key) : key.toLowerCase();
}

function compare(one, other) {
  if (typeof one === typeof other) return one < other ? -1 : Number(one > other);
  return typeof one === "number" ? -1 : 1; // Numbers come before words, such as none.
}

function sortTable(table, heading) {
  const isAscending = heading.getAttribute("aria-sort") !== "ascending";
  for (const each of table.tHead.rows[0].cells) each.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", isAscending ? "ascending" : "descending");
  const rows = [...table.tBodies[0].rows].map((row) => ({ row, key: keyOf(row, heading.cellIndex) }));
  rows.sort((one, other) => compare(one.key, other.key) * (isAscending ? 1 : -1));
  table.tBodies[0].append(...rows.map((each) => each.row));
}

function makeSortable(table) {
  for (const heading of table.tHead.rows[0].cells) {
    const button = Object.assign(document.createElement("button"), { type: "button" });
    button.append(...heading.childNodes);
    button.addEventListener("click", () => sortTable(table, heading));
    heading.append(button);
  }
}

// What each cell is, for narrow windows, where there is no room for the headings.
function nameCells(table) {
  const names = [...table.tHead.rows[0].cells].map((heading) => heading.textContent);
  for (const row of table.tBodies[0].rows) for (const cell of row.cells) cell.dataset.name = names[cell.cellIndex];
}

function setUpTables() {
  for (const table of document.querySelectorAll("table")) nameCells(table);
  for (const table of document.querySelectorAll("table.filtered")) {
    for (const control of controlsOf(table)) control.addEventListener("input", () => filterTable(table));
    makeSortable(table);
    filterTable(table);
  }
}
