"use strict";
// Sorts, downloads, folds. Reading and filtering need none of this.
(() => {
  const by = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (id) => document.getElementById(id);
  by(".js").forEach((element) => { element.hidden = false; });
  by(".without-js").forEach((element) => element.remove());

  // Articles: fold and unfold; say how many sentences the filter leaves.
  const articles = by("details.article");
  const fold = (open) => articles.forEach((article) => { article.open = open; });
  one("unfold").addEventListener("click", () => fold(true));
  one("fold").addEventListener("click", () => fold(false));
  const sentences = by(".reading .sentence").map((s) => s.dataset.has.split(" "));
  document.addEventListener("change", (event) => {
    if (!event.target.id.startsWith("only-")) return;
    const wanted = by("[id^=only-]:checked").map((box) => box.id.slice("only-".length));
    const left = sentences.filter((has) => wanted.every((signal) => has.includes(signal))).length;
    one("matching").textContent = wanted.length ? `${left} of ${sentences.length} sentences` : "";
    if (wanted.length && left <= 200) fold(true);
  });

  // Print what is folded as well.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = by("details:not([open])");
    folded.forEach((details) => { details.open = true; });
  });
  addEventListener("afterprint", () => folded.forEach((details) => { details.open = false; }));

  // The table.
  const { columns, rows } = JSON.parse(one("rows").textContent);
  const index = Object.fromEntries(columns.map((name, n) => [name, n]));
  const list = (row, name) => JSON.parse(row[index[name]] || "[]");
  const stance = (row) => list(row, "stance").map((s) => `${s.target}: ${s.label}`).join(", ");
  const count = (name) => (row) => (row[index[name]] === null ? null : list(row, name).length);
  const plain = (name) => (row) => row[index[name]];
  const said = (row) => (row[index.holder_kind] === "source" ? row[index.holder_name] || "a source" : row[index.holder_kind]);
  const shown = [
    ["Article", (row) => row[index.outlet] || row[index.article_id]],
    ["Sentence", plain("text")],
    ["Says", said],
    ["Quoted", plain("attribution")],
    ["Hedged", plain("hedging")],
    ["Loaded", plain("loaded")],
    ["Garbled", plain("garble")],
    ["Stance", stance],
    ["Drifts", count("drift")],
    ["Doubt", plain("uncertainty")],
  ];
  const PAGE = 50;
  const visible = (text) => text.replace(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, (c) => (/\s/.test(c) ? " " : "\ufffd"));
  const table = document.querySelector(".sortable");
  const body = table.tBodies[0];
  let order = rows;
  let filled = 0;
  const fill = () => {
    const fragment = document.createDocumentFragment();
    for (const row of order.slice(filled, filled + PAGE)) {
      const line = document.createElement("tr");
      for (const [title, value] of shown) {
        const cell = line.insertCell();
        const found = value(row);
        cell.textContent = found === null ? "" : typeof found === "number" && !Number.isInteger(found) ? found.toFixed(2) : visible(String(found));
        cell.dir = "auto";
        if (title === "Sentence") cell.className = "text";
      }
      fragment.append(line);
    }
    body.append(fragment);
    filled = Math.min(order.length, filled + PAGE);
    one("more-rows").hidden = filled >= order.length;
    one("rows-shown").textContent = `${filled} of ${order.length} sentences`;
  };
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en"));
  shown.forEach(([title, value]) => {
    const head = document.createElement("th");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = title;
    head.scope = "col";
    head.append(button);
    table.tHead.rows[0].append(head);
    button.addEventListener("click", () => {
      const down = head.ariaSort === "ascending" || (!head.ariaSort && typeof rows.map(value).find((v) => v !== null) === "number");
      by("th", table).forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const empty = (v) => v === null || v === "";
      order = rows.map((row) => [value(row), row]).sort(([a], [b]) => {
        if (empty(a) || empty(b)) return Number(empty(a)) - Number(empty(b));
        return down ? compare(b, a) : compare(a, b);
      }).map(([, row]) => row);
      body.replaceChildren();
      filled = 0;
      fill();
    });
  });
  one("more-rows").addEventListener("click", fill);
  fill();

  // The download: every column, in the order of the frame; a cell that a spreadsheet would take for a formula
  // begins with an apostrophe.
  const cell = (value) => {
    if (value === null) return "";
    let text = String(value);
    if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  one("download").addEventListener("click", () => {
    const lines = [columns, ...rows].map((row) => row.map(cell).join(","));
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff", lines.join("\r\n"), "\r\n"], { type: "text/csv" }));
    link.download = "scores.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
})();
