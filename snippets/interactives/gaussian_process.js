// Put points down and see what a Gaussian process says of every place: its mean and its 95 % band, exactly.

import { axes, button, guarded, html, noteLine, slider, svg, within } from "./shared.js";

const UP = 3; // the plane: x in [0, 1], y in [-3, 3]
const ASKED = Array.from({ length: 101 }, (_, i) => i / 100);
const JITTER = 1e-8; // on the diagonal, for rounding; as in Python

const kernel = (a, b, length) => Math.exp(-0.5 * ((a - b) / length) ** 2);

/** The lower triangle L with L L' = K, or an error where K is no covariance. */
export function cholesky(K) {
  const L = K.map((row) => row.map(() => 0));
  for (let i = 0; i < K.length; i++) {
    for (let j = 0; j <= i; j++) {
      let left = K[i][j];
      for (let k = 0; k < j; k++) left -= L[i][k] * L[j][k];
      if (i === j && !(left > 0)) throw new Error("This is no covariance: points coincide, or the kernel is indefinite. Add noise.");
      L[i][j] = i === j ? Math.sqrt(left) : left / L[j][j];
    }
  }
  return L;
}

const forward = (L, b) => {
  const z = [];
  for (let i = 0; i < L.length; i++) z.push((b[i] - z.reduce((sum, value, k) => sum + L[i][k] * value, 0)) / L[i][i]);
  return z;
};

/** Mean, and variance of the function, at each place asked, given points [x, y]. Without points: the prior. */
export function posterior(points, asked, length, noise) {
  within(length, 1e-3, 10, "The length");
  within(noise, 0, 10, "The noise");
  const K = points.map(([a], i) => points.map(([b], j) => kernel(a, b, length) + (i === j ? noise ** 2 + JITTER : 0)));
  const L = cholesky(K), white = forward(L, points.map(([, y]) => y));
  const mean = [], variance = [];
  for (const place of asked) {
    const known = forward(L, points.map(([x]) => kernel(x, place, length)));
    mean.push(known.reduce((sum, value, i) => sum + value * white[i], 0));
    variance.push(Math.max(0, 1 - known.reduce((sum, value) => sum + value ** 2, 0)));
  }
  return { mean, variance };
}

/** @param {HTMLElement} place @param {any} data */
export async function mount(place, data) {
  if (!data?.lengths) throw new Error("the settings of the process are missing");
  const figure = new Process(data), { note } = figure;
  const act = (work) => guarded(note, () => { work(); figure.show(); });
  place.append(
    html("p", {}, "Tap an empty place to put a point down. Drag it, or focus it and use the arrow keys; Delete takes it away."),
    figure.map.node, figure.length.node,
    html("div", { class: "touch-row" },
      button("Add a point", act(() => figure.add([Math.random(), 2 * Math.random() - 1]))),
      button("Take the last away", act(() => figure.remove(figure.points.length - 1))),
      button("Start again", act(() => { while (figure.points.length) figure.remove(0); }))),
    note.node,
  );
  act(() => { for (const point of [[0.2, -0.8], [0.33, -0.3], [0.62, 0.9]]) figure.add(point); })();
}

class Process {
  constructor(data) {
    this.data = data;
    this.note = noteLine();
    this.points = [];
    this.dots = [];
    const label = "Points, and through them the mean of a Gaussian process with its 95 % band";
    this.map = axes({ label, x: [0, 1], y: [-UP, UP], xName: "x", yName: "y", width: 360, height: 280, xTicks: [0, 0.25, 0.5, 0.75, 1], yTicks: [-3, -2, -1, 0, 1, 2, 3] });
    this.map.node.setAttribute("role", "group"); // its points can be reached
    this.map.node.classList.add("touch-drop");
    this.band = svg("path", { class: "touch-band", fill: "var(--d-content)", "fill-opacity": 0.22 });
    this.map.front.append(this.band);
    this.mean = this.map.line({ stroke: "var(--d-content)", "stroke-width": 2.4 });
    const [low, high] = data.lengths;
    this.length = slider({ name: "length scale", low, high, step: 0.01, value: data.length, say: (value) => value.toFixed(2), changed: guarded(this.note, () => this.show()) });
    this.map.node.addEventListener("click", guarded(this.note, (event) => { // not pointerdown: a thumb that scrolls the page puts nothing down
      const [x, y] = this.map.at(event);
      if (event.target.closest(".touch-point") || x < -0.02 || x > 1.02 || Math.abs(y) > 1.03 * UP) return; // a point, or the margin with the numbers
      this.add([x, y]);
      this.show();
    }));
  }

  add([x, y]) {
    if (this.points.length >= this.data.most) throw new Error(`There is room for ${this.data.most} points: take one away first.`);
    if (!Number.isFinite(x) || !Number.isFinite(y)) throw new Error("That is no place in the plane.");
    const dot = svg("circle", { r: 8, class: "touch-point", tabindex: 0, role: "button" });
    this.points.push([0, 0]);
    this.dots.push(dot);
    this.map.front.append(dot);
    this.move(dot, x, y);
    dot.addEventListener("pointerdown", (event) => dot.setPointerCapture(event.pointerId));
    dot.addEventListener("pointermove", guarded(this.note, (event) => {
      if (dot.hasPointerCapture(event.pointerId)) { this.move(dot, ...this.map.at(event)); this.show(); }
    }));
    dot.addEventListener("keydown", guarded(this.note, (event) => this.key(dot, event)));
  }

  /** Within the plane; what is no number stays where it was. */
  move(dot, x, y) {
    const i = this.dots.indexOf(dot);
    if (i < 0) return;
    if (!Number.isFinite(x) || !Number.isFinite(y)) throw new Error("That is no place in the plane: the point stays where it was.");
    const at = [Math.min(1, Math.max(0, x)), Math.min(UP, Math.max(-UP, y))];
    this.points[i] = at;
    dot.setAttribute("cx", this.map.X(at[0]));
    dot.setAttribute("cy", this.map.Y(at[1]));
    dot.setAttribute("aria-label", `Point ${i + 1}, x ${at[0].toFixed(2)}, y ${at[1].toFixed(1)}`);
  }

  key(dot, event) {
    const i = this.dots.indexOf(dot), [x, y] = this.points[i], size = event.shiftKey ? 10 : 1;
    const ways = { ArrowLeft: [-0.01, 0], ArrowRight: [0.01, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] };
    const way = ways[event.key];
    if (way) this.move(dot, x + size * way[0], y + size * way[1]);
    else if (event.key === "Delete" || event.key === "Backspace") { this.remove(i); (this.dots[i] ?? this.dots[i - 1])?.focus(); }
    else return;
    event.preventDefault();
    this.show();
  }

  remove(i) {
    if (!this.points.length) throw new Error("There is no point to take away.");
    this.points.splice(i, 1);
    this.dots.splice(i, 1)[0].remove();
    this.dots.forEach((dot, j) => this.move(dot, ...this.points[j])); // their numbers are new
  }

  show() {
    const { points, map, data } = this;
    const { mean, variance } = posterior(points, ASKED, this.length.value, data.noise);
    const reach = variance.map((value) => 1.959964 * Math.sqrt(value + data.noise ** 2));
    const clip = (value) => Math.min(UP, Math.max(-UP, value));
    const corner = (sign) => (i) => `${map.X(ASKED[i]).toFixed(1)},${map.Y(clip(mean[i] + sign * reach[i])).toFixed(1)}`;
    const there = ASKED.map((_, i) => i);
    this.band.setAttribute("d", `M${there.map(corner(1)).join("L")}L${there.reverse().map(corner(-1)).join("L")}Z`);
    this.mean.draw(ASKED, mean.map(clip));
    const count = points.length === 1 ? "1 point" : `${points.length} points`, middle = 50;
    const told = `At x = 0.5 the next y is ${mean[middle].toFixed(2)}, give or take ${reach[middle].toFixed(2)} in 95 of 100 cases.`;
    this.note.say(`${points.length ? count : "No point: this is the prior"}. ${told}`.replaceAll("-", "\u2212"));
  }
}
