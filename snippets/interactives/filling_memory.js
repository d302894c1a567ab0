// A matrix memory that fills up, pair by pair: what each stored key recalls, under three rules.
// The same reads as snippets/interactives/filling_memory.py, from the overlaps of the keys alone.

import { button, choice, guarded, html, noteLine, slider, svg, within } from "./shared.js";

const RULES = { linear: "linear attention: add", delta: "DeltaNet: look first, write what is missing", mesa: "mesa-layer: the best fit" };
const SIZE = 300, MARGIN = 30;

/** The first n keys, cut to d dimensions and scaled to length 1. */
export function keysOf(numbers, n, d) {
  within(n, 1, numbers.length, "The number of pairs");
  within(d, 1, numbers[0].length, "The number of dimensions");
  return numbers.slice(0, n).map((row) => {
    const cut = row.slice(0, d), length = Math.hypot(...cut);
    return cut.map((x) => x / length);
  });
}

/** How much of each stored value a read of each key returns: rows are keys asked, columns stored values. */
export function recalled(rule, keys, strength) {
  if (!(rule in RULES)) throw new Error(`There is no rule '${rule}'.`);
  const overlaps = keys.map((a) => keys.map((b) => a.reduce((sum, x, i) => sum + x * b[i], 0)));
  const unit = keys.map((_, i) => keys.map((_, j) => Number(i === j)));
  // the memory is a sum of key times e; e says how much of each value stands there
  const e = rule === "linear" ? unit : rule === "delta" ? lower(overlaps, unit) : solve(overlaps.map((row, i) => row.map((x, j) => x + strength * unit[i][j])), unit);
  return overlaps.map((row) => keys.map((_, j) => row.reduce((sum, x, s) => sum + x * e[s][j], 0)));
}

// e_t = v_t - sum over s < t of <k_t, k_s> e_s
function lower(overlaps, values) {
  const e = [];
  values.forEach((value, t) => e.push(value.map((x, j) => x - e.reduce((sum, row, s) => sum + overlaps[t][s] * row[j], 0))));
  return e;
}

// Gauss and Jordan, with the largest pivot
function solve(matrix, right) {
  const rows = matrix.map((row, i) => [...row, ...right[i]]), n = matrix.length;
  for (let c = 0; c < n; c++) {
    let best = c;
    for (let r = c; r < n; r++) if (Math.abs(rows[r][c]) > Math.abs(rows[best][c])) best = r;
    [rows[c], rows[best]] = [rows[best], rows[c]];
    for (let r = 0; r < n; r++) {
      if (r === c) continue;
      const times = rows[r][c] / rows[c][c];
      for (let j = c; j < 2 * n; j++) rows[r][j] -= times * rows[c][j];
    }
  }
  return rows.map((row, i) => row.slice(n).map((x) => x / row[i]));
}

/** For each key the squared error of its read, and whether the read is nearer to its value than nothing is. */
export function judged(read) {
  return read.map((row, i) => {
    const error = row.reduce((sum, x, j) => sum + (x - Number(i === j)) ** 2, 0);
    return { error, useful: error < 1 - 1e-9 };
  });
}

/** @param {HTMLElement} place @param {{numbers: number[][], strength: number}} data */
export async function mount(place, data) {
  const note = noteLine(), map = html("div"), most = data.numbers.length;
  const redraw = guarded(note, () => show(map, note, data, rule.value, n.value, d.value));
  const rule = choice({ name: "Memory", options: RULES, changed: redraw });
  const n = slider({ name: "pairs stored", low: 1, high: most, step: 1, value: 4, changed: redraw });
  const d = slider({ name: "dimensions of a key", low: 1, high: data.numbers[0].length, step: 1, value: 8, changed: redraw });
  const add = button("Store one more pair", guarded(note, () => {
    if (n.value >= most) throw new Error(`There are ${most} pairs, and all are stored. Start again.`);
    n.value += 1;
    redraw();
  }));
  const empty = button("Start again", guarded(note, () => { n.value = 1; redraw(); }));
  place.append(
    html("p", {}, "Each row is a stored key that is asked for; its squares show how much of each stored value comes back (blue: added, orange: subtracted). A perfect memory fills the diagonal alone; its error is 0. A memory that returns nothing has an error of 1, and a row that does better has a tick."),
    rule.node, html("div", { class: "touch-row" }, add, empty), n.node, d.node, map, note.node,
  );
  redraw();
}

function show(place, note, data, rule, n, d) {
  const read = recalled(rule, keysOf(data.numbers, n, d), data.strength), found = judged(read);
  const useful = found.filter((one) => one.useful).length;
  const mean = found.reduce((sum, one) => sum + one.error, 0) / n;
  place.replaceChildren(picture(read, found));
  note.say(`${n} ${n === 1 ? "pair" : "pairs"} in ${d} ${d === 1 ? "dimension" : "dimensions"}: ${useful} of ${n} reads ${useful === 1 ? "is" : "are"} better than nothing (\u2713). Mean error ${mean.toFixed(2)}; of the oldest ${found[0].error.toFixed(2)}, of the newest ${found[n - 1].error.toFixed(2)}.`);
}

function picture(read, found) {
  const n = read.length, cell = (SIZE - MARGIN) / n;
  const label = `A square of ${n} by ${n}: how much of each stored value a read of each key returns.`;
  const node = svg("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img", "aria-label": label, style: "max-width: 22rem" });
  node.append(svg("text", { x: MARGIN + (SIZE - MARGIN) / 2, y: 12, "text-anchor": "middle", "font-size": 11 }, "stored values, oldest first"));
  const across = `translate(10, ${MARGIN + (SIZE - MARGIN) / 2}) rotate(-90)`;
  node.append(svg("text", { transform: across, "text-anchor": "middle", "font-size": 11 }, "keys asked"));
  read.forEach((row, i) => {
    row.forEach((x, j) => {
      const at = { x: MARGIN + j * cell, y: MARGIN + i * cell, width: cell, height: cell };
      const ink = svg("rect", { ...at, class: "touch-ink" }, svg("title", {}, `key ${i + 1} returns ${x.toFixed(2)} of value ${j + 1}`));
      ink.style.fillOpacity = String(Math.min(1, Math.abs(x)));
      if (x < 0) ink.style.fill = "var(--d-position)";
      node.append(svg("rect", { ...at, class: "touch-cell" }), ink);
    });
    const sign = found[i].useful ? "\u2713" : "\u2717";
    node.append(svg("text", { x: MARGIN - 4, y: MARGIN + (i + 0.5) * cell + 4, "text-anchor": "end", "font-size": Math.min(12, cell) }, sign));
  });
  return node;
}
