// Descent on a function, layer by layer: what attention with a chosen h makes of a few points, beside the posterior of a process with kernel K.
// The same numbers as snippets/icl/theory/kernels.py and snippets/interactives/function_steps.py.

import { axes, choice, guarded, html, legend, noteLine, slider, svg, within } from "./shared.js";

const dot = (u, v) => u.reduce((sum, value, i) => sum + value * v[i], 0);
const NEAR_ONE = 1 - 1e-6;

/** The kernels, of two vectors. */
export const KERNELS = {
  linear: dot,
  arccos: (u, v) => {
    const lengths = Math.sqrt(dot(u, u)) * Math.sqrt(dot(v, v));
    const cosine = Math.max(-NEAR_ONE, Math.min(NEAR_ONE, dot(u, v) / Math.max(lengths, 1e-12)));
    return (lengths * (Math.sqrt(1 - cosine ** 2) + (Math.PI - Math.acos(cosine)) * cosine)) / Math.PI;
  },
  exp: (u, v) => Math.exp(dot(u, v)),
  rbf: (u, v) => Math.exp((dot(u, v) - dot(u, u) / 2 - dot(v, v) / 2) / 0.7 ** 2),
};

/** A number as a vector, with a 1 for the constant. */
const vector = (x) => [x, 1];

function table(name, rows, columns) {
  if (!KERNELS[name]) throw new Error(`Kernel "${name}" is none of ${Object.keys(KERNELS).join(", ")}.`);
  return rows.map((x) => columns.map((z) => KERNELS[name](vector(x), vector(z))));
}

/** Attention weights of the places asked on the points: the kernel over n, or softmax. */
export function weights(h, rows, columns) {
  if (!columns.length) throw new Error("There are no points: a layer needs at least 1 to read.");
  if (h !== "softmax") return table(h, rows, columns).map((row) => row.map((value) => value / columns.length));
  return table("exp", rows, columns).map((row) => {
    const total = row.reduce((sum, value) => sum + value, 0);
    return row.map((value) => value / total);
  });
}

/** f at each place asked after each layer, with steps of `share` times the size that is safe. */
export function fit(points, asked, h, layers, share) {
  const n = points.length, places = [...points.map(([x]) => x), ...asked];
  const W = weights(h, places, places.slice(0, n));
  const size = share / Math.max(...W.slice(0, n).map((row) => row.reduce((sum, value) => sum + Math.abs(value), 0)));
  let f = places.map(() => 0);
  const path = [f];
  for (let l = 0; l < layers; l++) {
    const left = points.map(([, y], i) => y - f[i]);
    f = f.map((value, j) => value + size * dot(W[j], left));
    path.push(f);
  }
  return path.map((row) => ({ shown: row.slice(0, n), asked: row.slice(n) }));
}

/** The posterior mean at each place asked; `noise` is the variance of the noise in y. */
export function posterior(points, asked, K, noise) {
  if (!points.length) throw new Error("There are no points: a posterior needs at least 1.");
  const xs = points.map(([x]) => x), G = table(K, xs, xs).map((row, i) => row.map((value, j) => value + (i === j ? noise : 0)));
  const alpha = solve(G, points.map(([, y]) => y));
  return table(K, asked, xs).map((row) => dot(row, alpha));
}

/** a with G a = y, by elimination with the largest pivot. */
export function solve(G, y) {
  const rows = G.map((row, i) => [...row, y[i]]), n = rows.length;
  for (let k = 0; k < n; k++) {
    const most = rows.slice(k).reduce((best, row, i) => (Math.abs(row[k]) > Math.abs(rows[best][k]) ? k + i : best), k);
    [rows[k], rows[most]] = [rows[most], rows[k]];
    if (Math.abs(rows[k][k]) < 1e-12) throw new Error("Points coincide: no process has these values without noise.");
    for (let i = k + 1; i < n; i++) {
      const times = rows[i][k] / rows[k][k];
      for (let j = k; j <= n; j++) rows[i][j] -= times * rows[k][j];
    }
  }
  const a = new Array(n).fill(0);
  for (let k = n - 1; k >= 0; k--) a[k] = (rows[k][n] - dot(rows[k].slice(k + 1, n), a.slice(k + 1))) / rows[k][k];
  return a;
}

const NAMES = { linear: "linear", arccos: "arccos", exp: "exp", rbf: "RBF" };
const ASKED = Array.from({ length: 81 }, (_, i) => -1 + i / 40);
const rms = (a, b) => Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0) / a.length);

/** @param {HTMLElement} place @param {any} data */
export async function mount(place, data) {
  if (!data?.points) throw new Error("the points of the figure are missing");
  const note = noteLine(), [few, most] = data.layers, [short, long] = data.shares;
  const map = axes({ label: "Points, the function after so many layers, and the posterior mean", x: [-1, 1], y: [-2, 2], xName: "x", yName: "y", width: 360, height: 260, xTicks: [-1, -0.5, 0, 0.5, 1], yTicks: [-2, -1, 0, 1, 2] });
  const goal = map.line({ stroke: "var(--d-label)", "stroke-dasharray": "5 3" });
  const trail = Array.from({ length: 5 }, () => map.line({ stroke: "var(--d-content)", "stroke-width": 0.8, "stroke-opacity": 0.45 }));
  const line = map.line({ stroke: "var(--d-content)", "stroke-width": 2.4 }), dots = svg("g");
  map.front.append(dots);
  const draw = guarded(note, () => {
    const n = within(layers.value, few, most, "The number of layers"), share = within(size.value, short, long, "The step");
    const points = data.points[shape.value], path = fit(points, ASKED, h.value, n, share), end = path[n];
    const mean = posterior(points, ASKED, K.value, data.noise);
    dots.replaceChildren(...points.map(([x, y]) => svg("circle", { cx: map.X(x), cy: map.Y(y), r: 4.5, fill: "var(--md-default-fg-color)" })));
    const clipped = (ys) => ys.map((y) => Math.max(-2, Math.min(2, y)));
    goal.draw(ASKED, clipped(mean));
    trail.forEach((one, i) => one.draw(ASKED, clipped(path[Math.floor((n * i) / 5)].asked)));
    line.draw(ASKED, clipped(end.asked));
    const left = rms(points.map(([, y]) => y), end.shown);
    note.say(`After ${n === 1 ? "1 layer" : `${n} layers`} the points are missed by ${left.toFixed(2)}, the posterior mean by ${rms(end.asked, mean).toFixed(2)} (root mean square).`);
  });
  const shape = choice({ name: "points", options: Object.fromEntries(Object.keys(data.points).map((name) => [name, name])), changed: draw });
  const h = choice({ name: "h, of the attention", options: { rbf: "RBF", exp: "exp", arccos: "arccos", linear: "linear", softmax: "softmax" }, changed: draw });
  const K = choice({ name: "K, of the process", options: { rbf: NAMES.rbf, exp: NAMES.exp, arccos: NAMES.arccos, linear: NAMES.linear }, changed: draw });
  const layers = slider({ name: "layers", low: few, high: most, step: 1, value: data.start, changed: draw });
  const size = slider({ name: "size of a step", low: short, high: long, step: 0.05, value: 1, say: (v) => `${v.toFixed(2)} of the safe one`, changed: draw });
  place.append(
    html("p", {}, "Each layer adds a bump at each point, as high as what is left there. Thin: layers before."),
    map.node, legend([["after the layers", "border-top:2.4px solid var(--d-content)"], ["posterior mean", "border-top:2px dashed var(--d-label)"]]),
    layers.node, size.node, h.node, K.node, shape.node, note.node,
  );
  draw();
}
