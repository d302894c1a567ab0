// A walk over a graph, one round of mixing, and the plane in which the words then lie.

import { button, choice, guarded, html, noteLine, slider, svg, within } from "./shared.js";

/** Numbers in [0, 1) from 32-bit arithmetic (mulberry32). */
export function uniform(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Words without meaning: normal vectors of expected length 1. */
export function vectors(nWords, d, next) {
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return Array.from({ length: nWords }, () => Array.from({ length: d }, () => normal() / Math.sqrt(d)));
}

/** For each word the words beside it: on a board of `side` by `side`, or on a ring of as many. */
export function neighbours(kind, side) {
  const n = side * side;
  return Array.from({ length: n }, (_, word) => {
    if (kind === "ring") return [(word + n - 1) % n, (word + 1) % n];
    const row = Math.floor(word / side), column = word % side, beside = [];
    if (row > 0) beside.push(word - side);
    if (row < side - 1) beside.push(word + side);
    if (column > 0) beside.push(word - 1);
    if (column < side - 1) beside.push(word + 1);
    return beside;
  });
}

/** A random walk of so many steps. */
export function walk(beside, steps, next) {
  const path = [Math.floor(next() * beside.length)];
  for (let step = 0; step < steps; step++) {
    const open = beside[path[step]];
    path.push(open[Math.floor(next() * open.length)]);
  }
  return path;
}

/** Row i: which words stood before word i, as shares; zeros where it never came second. */
export function sharesBefore(path, nWords) {
  if (path.length < 2) throw new Error("A walk of no steps: nothing stands before anything. Take one step or more.");
  const counts = Array.from({ length: nWords }, () => new Array(nWords).fill(0));
  for (let step = 1; step < path.length; step++) counts[path[step]][path[step - 1]] += 1;
  return counts.map((row) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    return row.map((count) => count / Math.max(total, 1));
  });
}

/** One round: each word's vector, if it keeps it, and the mean of those that stood before. */
export function mixed(P, E, keeps) {
  return P.map((row, word) => {
    const made = keeps ? [...E[word]] : new Array(E[word].length).fill(0);
    row.forEach((share, other) => { if (share) for (let k = 0; k < made.length; k++) made[k] += share * E[other][k]; });
    return made;
  });
}

/** Eigenvalues and eigenvectors (as columns) of a symmetric matrix, by Jacobi's rotations. */
export function eigen(matrix) {
  const A = matrix.map((row) => [...row]), n = A.length;
  const V = A.map((_, i) => A.map((__, j) => Number(i === j)));
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) off += A[p][q] ** 2;
    if (off < 1e-24) break;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) {
      if (Math.abs(A[p][q]) < 1e-300) continue;
      const theta = (A[q][q] - A[p][p]) / (2 * A[p][q]);
      const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
      const c = 1 / Math.sqrt(t * t + 1), s = t * c;
      for (let k = 0; k < n; k++) [A[k][p], A[k][q]] = [c * A[k][p] - s * A[k][q], s * A[k][p] + c * A[k][q]];
      for (let k = 0; k < n; k++) [A[p][k], A[q][k]] = [c * A[p][k] - s * A[q][k], s * A[p][k] + c * A[q][k]];
      for (let k = 0; k < n; k++) [V[k][p], V[k][q]] = [c * V[k][p] - s * V[k][q], s * V[k][p] + c * V[k][q]];
    }
  }
  return { values: A.map((row, i) => row[i]), columns: V };
}

/** The first two principal components of the rows: where each word lies. */
export function plane(H) {
  const n = H.length, middle = H[0].map((_, k) => H.reduce((sum, row) => sum + row[k], 0) / n);
  const centred = H.map((row) => row.map((value, k) => value - middle[k]));
  const gram = centred.map((a) => centred.map((b) => a.reduce((sum, value, k) => sum + value * b[k], 0)));
  const { values, columns } = eigen(gram);
  const [first, second] = values.map((value, i) => [value, i]).sort((a, b) => b[0] - a[0]).slice(0, 2);
  const size = ([value]) => Math.sqrt(Math.max(value, 0));
  return columns.map((row) => [row[first[1]] * size(first), row[second[1]] * size(second)]);
}

/** How many steps the shortest way between two words has. */
export function stepsBetween(beside) {
  return beside.map((_, from) => {
    const far = beside.map(() => -1), queue = [from];
    far[from] = 0;
    for (const at of queue) for (const to of beside[at]) if (far[to] < 0) { far[to] = far[at] + 1; queue.push(to); }
    return far;
  });
}

/** Correlation, over all pairs of words, of distances in the plane with steps on the graph. */
export function likeness(points, steps) {
  const a = [], b = [];
  points.forEach((p, i) => points.forEach((q, j) => { if (i < j) { a.push(Math.hypot(p[0] - q[0], p[1] - q[1])); b.push(steps[i][j]); } }));
  const centre = (xs) => { const m = xs.reduce((sum, x) => sum + x, 0) / xs.length; return xs.map((x) => x - m); };
  const dot = (xs, ys) => xs.reduce((sum, x, i) => sum + x * ys[i], 0), [x, y] = [centre(a), centre(b)];
  return dot(x, y) / Math.max(Math.sqrt(dot(x, x) * dot(y, y)), 1e-12);
}

/** The points turned, and mirrored where that helps, so that they lie as near to `goal` as they can. */
export function turned(points, goal) {
  let best = null;
  for (const mirror of [1, -1]) {
    let along = 0, across = 0;
    points.forEach(([x, y], i) => {
      along += x * goal[i][0] + mirror * y * goal[i][1];
      across += x * goal[i][1] - mirror * y * goal[i][0];
    });
    const fit = Math.hypot(along, across) || 1;
    if (best === null || fit > best.fit) best = { fit, mirror, c: along / fit, s: across / fit };
  }
  const { mirror, c, s } = best;
  return points.map(([x, y]) => [c * x - s * mirror * y, s * x + c * mirror * y]);
}

const WORDS = "ant bee cup dog egg fig gem hat ink jar key log map nut owl pen".split(" ");
const SIDE = 4, SIZE = 320;

function placesOf(kind) {
  return WORDS.map((_, word) => {
    if (kind !== "ring") return [word % SIDE - 1.5, Math.floor(word / SIDE) - 1.5];
    const angle = (2 * Math.PI * word) / WORDS.length;
    return [Math.cos(angle), Math.sin(angle)];
  });
}

/** The words in their plane, joined where they are neighbours on the graph. */
function picture() {
  const node = svg("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, role: "img" });
  return {
    node,
    show(points, beside, words) {
      node.setAttribute("aria-label", words);
      const most = Math.max(...points.flat().map(Math.abs)) || 1;
      const at = points.map(([x, y]) => [SIZE / 2 + (x / most) * (SIZE / 2 - 30), SIZE / 2 + (y / most) * (SIZE / 2 - 22)]);
      const lines = beside.flatMap((others, i) => others.filter((j) => i < j).map((j) => svg("line", {
        x1: at[i][0], y1: at[i][1], x2: at[j][0], y2: at[j][1], stroke: "var(--md-default-fg-color--lighter)", "stroke-width": 1.5,
      })));
      const names = at.flatMap(([x, y], i) => [
        svg("circle", { cx: x, cy: y, r: 4, fill: "var(--md-accent-fg-color)" }),
        svg("text", { x, y: y - 7, "text-anchor": "middle", "font-size": 13 }, WORDS[i]),
      ]);
      node.replaceChildren(...lines, ...names);
    },
  };
}

export async function mount(place) {
  const note = noteLine(), drawn = picture(), said = html("p", { style: "overflow-wrap:anywhere" });
  let seed = 1;
  const show = guarded(note, () => {
    const kind = graph.value, steps = Math.round(2 ** within(length.value, 0, 11, "The walk's length, as a power of two,"));
    const next = uniform(seed), beside = neighbours(kind, SIDE), d = Number(dimensions.value.slice(1));
    const path = walk(beside, 2048, next).slice(0, steps + 1), E = vectors(WORDS.length, d, next);
    const points = turned(plane(mixed(sharesBefore(path, WORDS.length), E, own.value === "keeps")), placesOf(kind));
    const like = likeness(points, stepsBetween(beside));
    const words = `After ${steps.toLocaleString("en")} ${steps === 1 ? "step" : "steps"}, in ${d.toLocaleString("en")} dimensions, distances in the plane correlate with steps on the ${kind} by ${like.toFixed(2).replace("-", "−")}.`;
    drawn.show(points, beside, words);
    said.textContent = `… ${path.slice(-9).map((word) => WORDS[word]).join(" ")}`;
    note.say(words);
  });
  const length = slider({ name: "steps of the walk", low: 0, high: 11, step: 0.25, value: 5, say: (value) => Math.round(2 ** value).toLocaleString("en"), changed: show });
  const dimensions = choice({ name: "dimensions", options: { d1024: "1,024", d256: "256", d64: "64", d16: "16" }, changed: show });
  const graph = choice({ name: "graph", options: { board: "a board, 4 by 4", ring: "a ring of 16" }, changed: show });
  const own = choice({ name: "its own vector", options: { keeps: "is kept", forgets: "is forgotten" }, changed: show });
  const row = html("div", { class: "touch-row" }, dimensions.node, graph.node, own.node);
  place.append(length.node, row, drawn.node, said, button("Other words, another walk", () => { seed += 1; show(); }), note.node);
  show();
}
