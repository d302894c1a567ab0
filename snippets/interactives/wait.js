// How long the three numbers wait, for any size of the prompt: the reader collects points and finds the exponent.
// The flow is that of cliff.js, and so that of snippets/icl/theory/head_flow.py.

import { flow, loss, velocity } from "./cliff.js";
import { axes, button, guarded, html, noteLine, slider, svg, within } from "./shared.js";

const LEVEL = 0.5; // the wait ends when the right label has this probability
const LATEST = 1e6; // of the flow's time
const MOMENTS = 240; // of the curve
const N_TICKS = [2, 4, 8, 16, 32], STEP_POWERS = [0, 1, 2, 3, 4, 5, 6];

/** The probability of the right label. */
export const right = (theta, n, nLabels) => Math.exp(-loss(theta, n, nLabels));

/**
 * When the right label's probability first reaches one half on the flow from (size, size, size).
 * @param {number} n pairs in the prompt @param {number} nLabels @param {number} size @returns {number} time; steps are time / rate
 */
export function wait(n, nLabels, size) {
  if (!Number.isInteger(n) || n < 2) throw new Error(`N is ${n}: a prompt needs 2 pairs or more here, since with one a guess is right.`);
  if (!Number.isInteger(nLabels) || nLabels < n) throw new Error(`L is ${nLabels}: it takes as many labels as pairs, ${n}, or more.`);
  if (!(size > 0)) throw new Error(`The start is ${size}: give a size above 0.`);
  const move = (theta) => velocity(theta, n, nLabels);
  let theta = [size, size, size], now = 0, stride = 1;
  while (right(theta, n, nLabels) < LEVEL) {
    if (now > LATEST) throw new Error("It waits longer than can be followed here.");
    const next = flow(theta, [0, stride], move)[1];
    if (right(next, n, nLabels) >= LEVEL && stride > 1e-4 * (1 + now)) { stride /= 4; continue; } // come nearer first
    theta = next;
    now += stride;
    if (right(theta, n, nLabels) < LEVEL) stride = Math.min(stride * 1.5, 1 + now / 10);
  }
  return now;
}

/**
 * The slope of log y over log x through points by least squares; null where there are not two different x.
 * @param {[number, number][]} points
 */
export function exponent(points) {
  const xs = points.map(([x]) => Math.log(x)), ys = points.map(([, y]) => Math.log(y));
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const a = mean(xs), b = mean(ys), spread = xs.reduce((sum, x) => sum + (x - a) ** 2, 0);
  return spread > 1e-12 ? xs.reduce((sum, x, i) => sum + (x - a) * (ys[i] - b), 0) / spread : null;
}

/** @param {HTMLElement} place */
export async function mount(place) {
  const note = noteLine(), figure = new Waits(note), show = guarded(note, () => figure.show());
  const sliders = {
    n: slider({ name: "N, pairs in a prompt", low: 2, high: 32, step: 1, value: 8, changed: show }),
    labels: slider({ name: "labels for each pair, L / N", low: 1, high: 8, step: 0.5, value: 4, changed: show }),
    start: slider({ name: "size of the start", low: -4, high: -1, step: 0.5, value: -2, say: (power) => (10 ** power).toPrecision(1), changed: show }),
    rate: slider({ name: "learning rate", low: -2, high: 0, step: 0.1, value: -1, say: (power) => (10 ** power).toPrecision(2), changed: show }),
  };
  const panels = html("div", { class: "touch-panels" });
  const keep = button("Keep this point", guarded(note, () => figure.keep()));
  const forget = button("Forget all points", guarded(note, () => figure.forget()));
  figure.given({ sliders, panels });
  place.append(
    html("p", {}, "Set N, keep the point, and set another N. With two points or more the line through them says the power."),
    panels, ...Object.values(sliders).map((one) => one.node), html("div", { class: "touch-row" }, keep, forget), note.node,
  );
  show();
}

/** What is shown: the curve for the sliders' sizes, and the points that the reader keeps. */
class Waits {
  constructor(note) { this.note = note; this.points = []; }

  given({ sliders, panels }) { Object.assign(this, { sliders, panels }); }

  /** The sliders' sizes, and the wait that belongs to them. */
  read() {
    const { n, labels, start, rate } = this.sliders;
    const pairs = within(n.value, 2, 32, "N"), nLabels = Math.round(pairs * within(labels.value, 1, 8, "L / N"));
    const size = 10 ** within(start.value, -4, -1, "The start"), pace = 10 ** within(rate.value, -2, 0, "The rate");
    const time = wait(pairs, nLabels, size);
    return { n: pairs, nLabels, size, rate: pace, time, steps: time / pace };
  }

  show() {
    this.now = this.read();
    this.panels.replaceChildren(html("div", {}, this.curve()), html("div", {}, this.collected()));
    this.tell();
  }

  curve() {
    const { n, nLabels, size, rate, time, steps } = this.now, end = 1.25 * time;
    const times = Array.from({ length: MOMENTS }, (_, i) => (end * i) / (MOMENTS - 1));
    const path = flow([size, size, size], times, (theta) => velocity(theta, n, nLabels));
    const chart = axes({ label: "Probability of the right label against step; a mark where it reaches one half", x: [0, end / rate], y: [0, 1], xName: "step", yName: "right label", xTicks: [0, Math.round(steps)] });
    chart.back.append(svg("path", { class: "touch-level", d: `M${chart.X(steps)},${chart.box.top}V${chart.box.bottom}` }));
    chart.line({ stroke: "var(--d-content)" }).draw(times.map((t) => t / rate), path.map((theta) => right(theta, n, nLabels)));
    chart.front.append(svg("circle", { r: 5, class: "touch-ball", cx: chart.X(steps), cy: chart.Y(LEVEL) }));
    return chart.node;
  }

  collected() {
    const x = [Math.log(1.7), Math.log(40)], y = [0, Math.log(4e6)];
    const chart = axes({ label: "The wait in steps against N, both logarithmic: your points, and the line through them", x, y, xName: "N (logarithmic)", yName: "wait, steps (logarithmic)", xTicks: [], yTicks: [] });
    for (const n of N_TICKS) chart.back.append(svg("text", { x: chart.X(Math.log(n)), y: chart.box.bottom + 13, "text-anchor": "middle", "font-size": 10 }, String(n)));
    for (const power of STEP_POWERS) chart.back.append(svg("text", { x: chart.box.left - 3, y: chart.Y(power * Math.log(10)) + 3.5, "text-anchor": "end", "font-size": 10 }, power < 4 ? String(10 ** power) : `10${"⁴⁵⁶"[power - 4]}`));
    for (const [n, steps] of this.points) chart.front.append(svg("circle", { r: 4.5, fill: "var(--d-content)", class: "wait-point", cx: chart.X(Math.log(n)), cy: chart.Y(Math.log(steps)) }));
    chart.front.append(svg("circle", { r: 5, class: "touch-ball", cx: chart.X(Math.log(this.now.n)), cy: chart.Y(Math.log(this.now.steps)) }));
    const slope = exponent(this.points);
    if (slope !== null) {
      const mean = (of) => this.points.reduce((sum, point) => sum + Math.log(point[of]), 0) / this.points.length;
      chart.line({ class: "touch-level" }).draw(x, x.map((at) => mean(1) + slope * (at - mean(0))));
    }
    return chart.node;
  }

  keep() {
    this.now ??= this.read();
    this.points.push([this.now.n, this.now.steps]);
    this.show();
  }

  forget() { this.points = []; this.show(); }

  tell() {
    const { n, nLabels, time, steps } = this.now, slope = exponent(this.points), count = this.points.length;
    const kept = count ? ` ${count} point${count > 1 ? "s" : ""} kept.` : "";
    const power = slope === null ? "" : ` The line through them: the wait grows as N to the power ${slope.toFixed(2)}.`;
    this.note.say(`N = ${n}, L = ${nLabels}: the wait is ${Math.round(steps)} steps, ${time.toFixed(1)} units of time.${kept}${power}`);
  }
}
