#include "report/page.hpp"

namespace gaincal::report {

const char* const kStyle = R"css(:root {
  --paper: #ffffff; --panel: #f6f8fa; --ink: #24292f; --soft: #57606a; --grid: #d8dde3; --link: #0a5cad;
  --c-spice: #1b3a5c; --c-held: #d55e00; --c-table: #0072b2; --c-closed: #b8860b; --c-accent: #009e73;
  --c-muted: #8c959f;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #10141a; --panel: #181e26; --ink: #e3e8ee; --soft: #9aa6b2; --grid: #323b46; --link: #7ab8f5;
    --c-spice: #dbe7f3; --c-held: #ff9140; --c-table: #56b4e9; --c-closed: #e8c547; --c-accent: #3fd0a0;
    --c-muted: #77818c;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
body {
  margin: 0 auto; padding: 1.5rem clamp(0.8rem, 3vw, 2.5rem) 4rem; max-width: 1280px; background: var(--paper);
  color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif;
  overflow-wrap: break-word;
}
h1 { font-size: 1.7rem; margin: 0; line-height: 1.25; }
h2 { font-size: 1.3rem; margin: 0 0 0.6rem; padding-top: 1.2rem; border-top: 1px solid var(--grid); }
header p { color: var(--soft); margin: 0.3rem 0 0.8rem; }
p { max-width: 75ch; }
a { color: var(--link); }
nav { display: flex; flex-wrap: wrap; gap: 0.2rem 1rem; margin-bottom: 1.2rem; }
section { margin-top: 1.8rem; }
.headlines { display: grid; grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr)); gap: 0.8rem; }
.headlines div { background: var(--panel); border-radius: 8px; padding: 0.8rem 1rem; }
.headlines b { display: block; font-size: 1.45rem; line-height: 1.25; }
.headlines span { display: block; }
.headlines small { color: var(--soft); display: block; line-height: 1.35; }
figure { margin: 1rem 0 1.6rem; }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 0.8rem; }
.panel { position: relative; background: var(--panel); border-radius: 8px; padding: 0.5rem; min-width: 0; }
.panel svg { display: block; width: 100%; max-width: 620px; height: auto; margin: 0 auto; }
.csv { position: absolute; top: 0.35rem; right: 0.7rem; font-size: 0.75rem; }
.table-csv { font-size: 0.75rem; white-space: nowrap; }
figcaption { color: var(--soft); margin-top: 0.5rem; max-width: 90ch; font-size: 0.92rem; }
.scroll { overflow-x: auto; margin: 0 0 1.4rem; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
.caption { color: var(--soft); font-size: 0.92rem; margin: 1rem 0 0.2rem; max-width: 90ch; }
th, td { padding: 0.25rem 0.8rem 0.25rem 0; border-bottom: 1px solid var(--grid); text-align: left; vertical-align: top; }
td.n, th.n { text-align: right; }
td.n { white-space: nowrap; }
th { vertical-align: bottom; }
td:first-child { min-width: 7rem; }
td.n:first-child { min-width: 0; }
td.long { min-width: 15rem; }
.note { color: var(--soft); font-size: 0.92rem; margin: 0.2rem 0 0.4rem; max-width: 90ch; }
.scroll:has(+ .note) { margin-bottom: 0.4rem; }
th button { all: unset; cursor: pointer; font-weight: 600; }
th button:focus-visible { outline: 2px solid var(--link); }
th[aria-sort="ascending"] button::after { content: " \2191"; }
th[aria-sort="descending"] button::after { content: " \2193"; }
code, pre { font: 0.88em ui-monospace, "DejaVu Sans Mono", monospace; }
pre { overflow-x: auto; background: var(--panel); padding: 0.8rem; border-radius: 8px; }
.missing { border-left: 4px solid var(--c-held); padding: 0.3rem 0.8rem; background: var(--panel); }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
@media print {
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  nav, .csv, .table-csv, details { display: none; }
  .panels { grid-template-columns: 1fr 1fr; }
  .panel, .headlines div { background: none; border: 1px solid var(--grid); }
  figure, tr, .panel { break-inside: avoid; }
  h2 { break-after: avoid; }
  .scroll { overflow: visible; }
}
)css";

const char* const kScript = R"js(for (const table of document.querySelectorAll("table")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    if (table.querySelector(`tbody td:nth-child(${column + 1}).n`)) head.classList.add("n");
    head.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const value = (row) => row.cells[column].dataset.v;
      const order = (a, b) => {
        const x = value(a), y = value(b);
        if (x !== undefined && y !== undefined) return x - y;
        if (x !== undefined || y !== undefined) return x !== undefined ? -1 : 1;
        return a.cells[column].textContent.localeCompare(b.cells[column].textContent);
      };
      const rows = [...table.tBodies[0].rows].sort(order);
      if (down) rows.reverse();
      table.tBodies[0].append(...rows);
    });
  });
}
)js";

}  // namespace gaincal::report
