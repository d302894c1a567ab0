// The landscape of the three numbers, and a ball that runs the gradient flow from where the reader drops it.
// The same loss and velocity as snippets/icl/theory/three_exponentials.py and head_flow.py.

import { axes, button, choice, guarded, html, noteLine, slider, still, svg, within } from "./shared.js";

const N_PAIRS = 8, N_LABELS = 32;
const NUMBERS = [
  { name: "ξ", low: 0, high: 10, start: 0.1 }, { name: "α", low: 0, high: 7, start: 0.1 }, { name: "β", low: -1, high: 5, start: 0.1 },
];
const VIEWS = { "1,0": "α and ξ", "2,0": "β and ξ", "1,2": "α and β" }; // across, up; the third is the ball's own
const UNTIL = 200, MOMENTS = 801, SECONDS = 5; // of the flow; of its time; of the reader's
const CELLS = [42, 36], BAND = 0.25; // the loss is shown in bands of a quarter nat

/** Cross-entropy of the idealised head with theta = [xi, alpha, beta], in nats. */
export function loss([xi, alpha, beta], nPairs = N_PAIRS, nLabels = N_LABELS) {
  const y = Math.exp(beta) / (Math.exp(beta) + nPairs), match = Math.exp(alpha * y);
  const total = match + 2 * nPairs, right = xi * match / total, wrong = xi / total;
  return Math.log(Math.exp(right) + (nPairs - 1) * Math.exp(wrong) + nLabels - nPairs) - right;
}

/** Minus the gradient of the loss. */
export function velocity([xi, alpha, beta], nPairs = N_PAIRS, nLabels = N_LABELS) {
  const y = Math.exp(beta) / (Math.exp(beta) + nPairs), match = Math.exp(alpha * y);
  const total = match + 2 * nPairs, z = match / total, other = 1 / total;
  const right = Math.exp(xi * z), wrong = (nPairs - 1) * Math.exp(xi * other), everything = right + wrong + nLabels - nPairs;
  const p = right / everything, pWrong = wrong / everything;
  const alongMatch = (xi * match / total ** 2) * (2 * nPairs * (1 - p) + pWrong); // per unit of alpha y
  return [(1 - p) * z - pWrong * other, alongMatch * y, alongMatch * alpha * y * (1 - y)];
}

// Dormand and Prince's pair of orders 5 and 4: stages, the fifth-order sum, and its difference from the fourth
const STAGES = [
  [1 / 5], [3 / 40, 9 / 40], [44 / 45, -56 / 15, 32 / 9], [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
  [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656], [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
];
const ERRORS = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40];

/**
 * The flow from `start` at the given times, the first of which is 0.
 * @param {number[]} start @param {number[]} times @returns {number[][]} theta at each time
 */
export function flow(start, times, move = velocity, tolerance = 1e-9) {
  const path = [start];
  let theta = start, step = 0.1;
  for (let i = 1; i < times.length; i++) {
    let now = times[i - 1];
    for (let tries = 0; now < times[i]; tries++) {
      if (tries > 20000) throw new Error("The flow is too steep to follow from there.");
      const taken = Math.min(step, times[i] - now), { next, error } = oneStep(theta, taken, move);
      if (!Number.isFinite(error)) { step = taken / 10; continue; }
      const wanted = tolerance * (1 + Math.hypot(...theta));
      if (error <= wanted) { theta = next; now = times[i] - now <= taken ? times[i] : now + taken; }
      const factor = Math.min(5, Math.max(0.2, 0.9 * (wanted / (error + 1e-300)) ** 0.2));
      if (error > wanted || taken === step) step = taken * factor;
    }
    path.push(theta);
  }
  return path;
}

function oneStep(theta, size, move) {
  const slopes = [move(theta)], sum = (weights) => theta.map((_, i) => weights.reduce((s, w, j) => s + w * slopes[j][i], 0));
  let next = theta;
  for (const weights of STAGES) {
    const by = sum(weights);
    next = theta.map((value, i) => value + size * by[i]);
    slopes.push(move(next));
  }
  return { next, error: size * Math.hypot(...sum(ERRORS)) };
}

/** @param {HTMLElement} place */
export async function mount(place) {
  const note = noteLine(), panels = html("div", { class: "touch-panels" }), figure = new Landscape(note);
  const sliders = NUMBERS.map(({ name, low, high, start }, i) =>
    slider({ name: `${name} at the start`, low, high, step: 0.05, value: start, say: (v) => v.toFixed(2), changed: guarded(note, () => figure.drop(i)) }));
  const time = slider({ name: "time", low: 0, high: UNTIL, step: UNTIL / (MOMENTS - 1), value: 0, say: (v) => v.toFixed(0), changed: guarded(note, (t) => figure.pause().show(t)) });
  const view = choice({ name: "The map shows", options: VIEWS, changed: guarded(note, (chosen) => figure.look(chosen)) });
  const roll = button("Let it roll", guarded(note, () => figure.roll()));
  figure.given({ sliders, time, roll, panels });
  place.append(
    html("p", {}, "Drop the ball: tap the map, or use the sliders. Colour is height, the loss. The map is the cut at the ball's own third number, so the ground changes as it rolls."),
    panels, html("div", { class: "touch-row" }, roll, time.node), ...sliders.map((one) => one.node), view.node, note.node,
  );
  guarded(note, () => figure.look("1,0"))();
}

/** What is shown: where the ball was dropped, its way, and where it is. */
class Landscape {
  constructor(note) { this.note = note; this.frame = 0; }

  given({ sliders, time, roll, panels }) { Object.assign(this, { sliders, time, button: roll, panels }); }

  /** Show two of the three numbers. */
  look(view) {
    [this.across, this.up] = view.split(",").map(Number);
    this.third = 3 - this.across - this.up;
    const a = NUMBERS[this.across], b = NUMBERS[this.up];
    const map = axes({ label: `The loss over ${a.name} and ${b.name}, the stronger the colour the higher, with the ball's way`, x: [a.low, a.high], y: [b.low, b.high], xName: a.name, yName: b.name, height: 280 });
    map.node.classList.add("touch-drop");
    this.cells = cells(map, a, b);
    this.way = map.line({ class: "touch-way" });
    this.ball = svg("circle", { r: 7, class: "touch-ball" });
    map.front.append(this.ball);
    map.node.addEventListener("pointerdown", guarded(this.note, (event) => this.dropAt(map.at(event))));
    this.map = map;
    this.curve = curves();
    this.panels.replaceChildren(html("div", {}, map.node), html("div", {}, this.curve.node));
    this.drop();
  }

  dropAt([a, b]) {
    this.sliders[this.across].value = a; // a slider keeps to its range
    this.sliders[this.up].value = b;
    this.drop();
  }

  /** Compute the way from where the sliders say, and put the ball there. */
  drop() {
    this.pause();
    const start = this.sliders.map((one, i) => within(one.value, NUMBERS[i].low, NUMBERS[i].high, NUMBERS[i].name));
    this.times = Array.from({ length: MOMENTS }, (_, i) => (i * UNTIL) / (MOMENTS - 1));
    this.path = flow(start, this.times);
    this.losses = this.path.map((theta) => loss(theta));
    this.curve.draw(this.times, this.losses);
    this.time.value = 0;
    this.show(0);
  }

  pause() {
    cancelAnimationFrame(this.frame);
    this.rolling = false;
    this.button.textContent = "Let it roll";
    return this;
  }

  roll() {
    if (this.rolling) return this.pause();
    if (this.time.value >= UNTIL) this.time.value = 0;
    if (still()) return this.show(this.time.value = UNTIL);
    const from = this.time.value, began = performance.now();
    this.rolling = true;
    this.button.textContent = "Stop";
    const tick = guarded(this.note, (now) => {
      const t = Math.min(UNTIL, from + (Math.max(0, now - began) / (1000 * SECONDS)) * UNTIL);
      this.time.value = t;
      this.show(t);
      if (t >= UNTIL) this.pause();
      else this.frame = requestAnimationFrame(tick);
    });
    this.frame = requestAnimationFrame(tick);
    return this;
  }

  show(time) {
    const i = Math.round((within(time, 0, UNTIL, "The time") / UNTIL) * (MOMENTS - 1)), theta = this.path[i], { map } = this;
    const seen = this.path.slice(0, i + 1), kept = (which, value) => Math.min(NUMBERS[which].high, Math.max(NUMBERS[which].low, value));
    for (const cell of this.cells) {
      const at = [0, 0, 0];
      at[this.across] = cell.a; at[this.up] = cell.b; at[this.third] = theta[this.third];
      const opacity = String((Math.floor(loss(at) / BAND) * BAND) / 4);
      if (cell.shown !== opacity) cell.rect.style.fillOpacity = cell.shown = opacity;
    }
    this.way.draw(seen.map((one) => kept(this.across, one[this.across])), seen.map((one) => kept(this.up, one[this.up])));
    this.ball.setAttribute("cx", map.X(kept(this.across, theta[this.across])));
    this.ball.setAttribute("cy", map.Y(kept(this.up, theta[this.up])));
    this.curve.mark(this.times[i], this.losses[i]);
    const off = [this.across, this.up].some((which) => kept(which, theta[which]) !== theta[which]) ? " The ball is beyond the map's edge." : "";
    if (!this.rolling) this.note.say(`Time ${time.toFixed(0)}: loss ${this.losses[i].toFixed(2)}; ${theta.map((v, j) => `${NUMBERS[j].name} = ${v.toFixed(2)}`).join(", ")}.${off}`);
  }
}

function cells(map, a, b) {
  const made = [], [columns, rows] = CELLS, wide = (a.high - a.low) / columns, tall = (b.high - b.low) / rows;
  for (let c = 0; c < columns; c++) {
    for (let r = 0; r < rows; r++) {
      const left = a.low + c * wide, low = b.low + r * tall;
      const rect = svg("rect", { x: map.X(left), y: map.Y(low + tall), width: map.X(left + wide) - map.X(left), height: map.Y(low) - map.Y(low + tall), class: "touch-ink touch-ground" });
      map.back.append(rect);
      made.push({ a: left + wide / 2, b: low + tall / 2, rect, shown: "" });
    }
  }
  return made;
}

function curves() {
  const made = axes({ label: "The loss against time, with its levels ln L and ln N", x: [0, UNTIL], y: [0, 4], xName: "time", yName: "loss (nats)", height: 280 });
  for (const [value, name] of [[Math.log(N_LABELS), "ln L: any label"], [Math.log(N_PAIRS), "ln N: a label of the context"]]) {
    made.back.append(svg("path", { class: "touch-level", d: `M${made.box.left},${made.Y(value)}H${made.box.right}` }));
    made.back.append(svg("text", { x: made.box.right, y: made.Y(value) - 4, "text-anchor": "end", "font-size": 10 }, name));
  }
  const line = made.line({ stroke: "var(--d-content)" }), dot = svg("circle", { r: 5, class: "touch-ball" });
  made.front.append(dot);
  return {
    node: made.node,
    draw: (times, losses) => line.draw(times, losses),
    mark(time, value) { dot.setAttribute("cx", made.X(time)); dot.setAttribute("cy", made.Y(value)); },
  };
}
