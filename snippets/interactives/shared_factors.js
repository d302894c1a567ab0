// Two strategies, a b c and d b c, that share b and c: their race by gradient descent, for a gap and a cost that the reader sets.
// The same eight numbers as snippets/icl/theory/shared_factors.py.

import { axes, choice, guarded, html, legend, noteLine, slider, within } from "./shared.js";

// sliders go evenly in these
export const GAPS = [0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4];
export const COSTS = [0, 0.003, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 3];
const LOW = -0.2; // strengths below are drawn here

/** M1, M2, C, and for each vector its pull k back to zero and its push h along the target. */
export function slopes(dimensions, mu1, alpha, length, p, q) {
  const [na, nb, nc, nd] = dimensions, r = p.map((v, i) => v * v + q[i] * q[i]), o = p.map((v, i) => v * length[i]), l = length.map((v) => v * v);
  const M1 = (l[0] * l[1] * l[2] - 2 * o[0] * o[1] * o[2] + r[0] * r[1] * r[2]) / (2 * na * nb * nc);
  const M2 = (l[3] * l[1] * l[2] - 2 * o[3] * o[1] * o[2] + r[3] * r[1] * r[2]) / (2 * nd * nb * nc);
  const f1 = M2 / (na * nb * nc), f2 = (M1 + mu1) / (nd * nb * nc), f3 = alpha / (na * nd);
  const common = f1 * r[0] + f2 * r[3], shared = f1 * o[0] + f2 * o[3];
  return {
    M1, M2, C: (r[0] * r[3]) / (2 * na * nd),
    k: [f1 * r[1] * r[2] + f3 * r[3], common * r[2], common * r[1], f2 * r[1] * r[2] + f3 * r[0]],
    h: [f1 * o[1] * o[2] * length[0], shared * o[2] * length[1], shared * o[1] * length[2], f2 * o[1] * o[2] * length[3]],
  };
}

/**
 * Strength of 1, strength of 2 and the loss, every so many steps of rate 1.
 * @param {number[]} dimensions @param {{length: number[], p: number[], q: number[]}} start @returns {number[][]}
 */
export function race(dimensions, start, mu1, alpha, steps, every) {
  const { length } = start, [na, nb, nc, nd] = dimensions, found = [];
  const nothing = [0, 3].map((i) => (length[i] * length[1] * length[2]) ** 2 / (2 * [na, 0, 0, nd][i] * nb * nc));
  let { p, q } = start;
  for (let step = 0; step <= steps; step++) {
    const { M1, M2, C, k, h } = slopes(dimensions, mu1, alpha, length, p, q);
    if (!Number.isFinite(M1 + M2)) throw new Error("The steps are too long for this cost: take a smaller one.");
    if (step % every === 0) found.push([1 - M1 / nothing[0], 1 - M2 / nothing[1], (M1 + mu1) * M2 + alpha * C]);
    p = p.map((v, i) => v - (k[i] * v - h[i]));
    q = q.map((v, i) => v - k[i] * v);
  }
  return found;
}

/** What became of strategy 1, in words. */
export function verdict(path) {
  const first = path.map(([one]) => one), most = Math.max(...first), last = first[first.length - 1], second = path[path.length - 1][1];
  const then = second > 0.9 ? "strategy 2 has taken over" : "strategy 2 is not learned yet";
  if (most < 0.5) return `Strategy 1 never gets half way (${Math.max(0, most).toFixed(2)} at most), and ${then}.`;
  if (last < 0.5) return `Strategy 1 came (${most.toFixed(2)}) and went (${last.toFixed(2)}): ${then}.`;
  if (last < most - 0.1) return `Strategy 1 came (${most.toFixed(2)}) and is fading (${last.toFixed(2)}).`;
  return second > 0.9 ? "Strategy 1 came and stays, and strategy 2 beside it." : "Strategy 1 came and stays; strategy 2 is not learned.";
}

/** @param {HTMLElement} place */
export async function mount(place, { dimensions, starts, seeds, steps, every }) {
  const note = noteLine(), x = Array.from({ length: steps / every + 1 }, (_, i) => (i * every) / 1000);
  const plot = axes({ label: "Strength of the two strategies against the step", x: [0, steps / 1000], y: [LOW, 1.1], xName: "step (thousands)", yName: "strength", height: 240, yTicks: [0, 0.5, 1] });
  const first = plot.line({ stroke: "var(--d-content)" }), second = plot.line({ stroke: "var(--d-label)", "stroke-dasharray": "5 3" });
  const gap = slider({ name: "gap μ₁", low: 0, high: GAPS.length - 1, step: 1, value: GAPS.indexOf(0.1), say: (i) => String(GAPS[i] ?? ""), changed: () => draw() });
  const cost = slider({ name: "cost α", low: 0, high: COSTS.length - 1, step: 1, value: COSTS.indexOf(0.1), say: (i) => String(COSTS[i] ?? ""), changed: () => draw() });
  const which = choice({ name: "Start", options: Object.fromEntries(seeds.map((seed, i) => [i, `seed ${seed}`])), changed: () => draw() });
  const draw = guarded(note, () => {
    const mu1 = GAPS[within(gap.value, 0, GAPS.length - 1, "The gap")], alpha = COSTS[within(cost.value, 0, COSTS.length - 1, "The cost")];
    const path = race(dimensions, starts[Number(which.value)], mu1, alpha, steps, every);
    first.draw(x, path.map(([one]) => Math.max(LOW, one)));
    second.draw(x, path.map(([, two]) => Math.max(LOW, two)));
    note.say(`Gap ${mu1}, cost ${alpha}. ${verdict(path)}`);
  });
  place.append(
    html("p", {}, "Set how much strategy 1 leaves to be gained, and how much it costs to have both."),
    plot.node, legend([["strategy 1", "border-top:3px solid var(--d-content)"], ["strategy 2", "border-top:3px dashed var(--d-label)"]]),
    gap.node, cost.node, which.node, note.node,
  );
  draw();
}
