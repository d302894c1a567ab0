// Put points down and see what a Gaussian process says of every place: its mean and its 95 % band, exactly.

import { Points } from "./points.js";
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

class Process extends Points {
  constructor(data) {
    super({ noun: "point", low: [0, -UP], high: [1, UP], nudge: [0.01, 0.1], digits: [2, 1], most: data.most });
    this.data = data;
    this.note = noteLine();
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
