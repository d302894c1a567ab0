// Put points down and drag them: the trained network's answers beside least squares and ridge.

import { Points } from "./points.js";
import { answers, ridge, unpack } from "./regression_network.js";
import { axes, button, guarded, html, legend, noteLine, svg } from "./shared.js";

const ACROSS = 4, UP = 6; // the plane: x in [-4, 4], y in [-6, 6]
const NUDGE = 0.1; // of an arrow key; ten times that with shift
const ASKED = Array.from({ length: 81 }, (_, i) => -ACROSS + (2 * ACROSS * i) / 80);
const LINES = {
  network: { words: "the trained network", stroke: "var(--d-content)", "stroke-width": 2.6 },
  ridge: { words: "ridge", stroke: "var(--d-position)", "stroke-dasharray": "7 4" },
  leastSquares: { words: "least squares", stroke: "var(--d-label)", "stroke-dasharray": "2 3" },
};

/** @param {HTMLElement} place @param {any} data */
export async function mount(place, data) {
  if (!data?.steps) throw new Error("the network's weights are missing");
  const figure = new Plane(data), { note } = figure;
  const act = (work) => guarded(note, () => { work(); figure.show(); });
  const buttons = [
    button("Add a point", act(() => figure.add(figure.somewhere()))),
    button("Take the last away", act(() => figure.remove(figure.points.length - 1))),
    button("A new line", act(() => figure.newLine())),
  ];
  place.append(
    html("p", {}, "Drag a point, or focus it and use the arrow keys (Delete takes it away). Tap an empty place to put one down."),
    figure.map.node, legend(Object.values(LINES).map(({ words, stroke, ...dash }) => [words, `border-top: 3px ${dashed(dash)} ${stroke}`])),
    html("div", { class: "touch-row" }, ...buttons), note.node,
  );
  act(() => figure.open())();
}

const dashed = (line) => ({ "7 4": "dashed", "2 3": "dotted" })[line["stroke-dasharray"]] ?? "solid";

/** A draw from the normal law. */
const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());

class Plane extends Points {
  constructor(data) {
    super({
      noun: "point", low: [-ACROSS, -UP], high: [ACROSS, UP], nudge: [NUDGE, NUDGE], digits: [1, 1], most: data.most,
      full: `It was trained on at most ${data.most} points: take one away first.`,
    });
    this.data = data;
    this.network = unpack(data);
    this.note = noteLine();
    const label = "A plane of points, and through it the answers of the network, of ridge and of least squares";
    this.map = axes({ label, x: [-ACROSS, ACROSS], y: [-UP, UP], xName: "x", yName: "y", width: 360, height: 300, yTicks: [-6, -4, -2, 0, 2, 4, 6] });
    this.map.node.setAttribute("role", "group"); // its points can be reached
    this.map.node.classList.add("touch-drop");
    this.shade();
    this.lines = Object.fromEntries(Object.entries(LINES).map(([name, { words, ...look }]) => [name, this.map.line(look)]));
    this.map.node.addEventListener("pointerdown", guarded(this.note, (event) => {
      if (event.target.closest(".touch-point")) return;
      this.add(this.map.at(event));
      this.show();
    }));
  }

  /** What training never showed. */
  shade() {
    const { map, data: { reach } } = this;
    for (const [from, to] of [[-ACROSS, -reach], [reach, ACROSS]]) {
      map.back.append(svg("rect", { class: "touch-outside", x: map.X(from), y: map.box.top, width: map.X(to) - map.X(from), height: map.box.bottom - map.box.top }));
    }
    for (const x of [-3, 3]) map.back.append(svg("text", { x: map.X(x), y: map.box.top + 10, "text-anchor": "middle", "font-size": 9 }, "not trained on"));
  }

  /** A place for one more point: on the present line, with the noise of training. */
  somewhere() {
    const { reach, noise } = this.data, x = reach * (2 * Math.random() - 1), [slope, offset] = this.line ?? [0, 0];
    return [x, slope * x + offset + noise * normal()];
  }

  /** Points to begin with. */
  open() {
    this.line = [-0.8, 0.6];
    for (const point of [[-1.6, 2.2], [-0.9, 0.9], [0.1, 0.9], [0.8, -0.3], [1.5, -0.4]]) this.add(point);
  }

  /** Points of a line drawn as in training, as many as there are. */
  newLine(n = Math.max(2, this.points.length)) {
    while (this.points.length) this.remove(0);
    this.line = [normal(), normal()];
    for (let k = 0; k < n; k++) this.add(this.somewhere());
  }

  show() {
    const { points, lines, data } = this, strength = data.noise ** 2;
    const rules = { ridge: ridge(points, strength), leastSquares: ridge(points, 0) };
    const clipped = (values) => values.map((value) => Math.min(UP, Math.max(-UP, value)));
    lines.network.draw(ASKED, clipped(answers(this.network, points, ASKED)));
    for (const [name, [slope, offset]] of Object.entries(rules)) lines[name].draw(ASKED, clipped(ASKED.map((x) => slope * x + offset)));
    this.note.say(`${told(this.network, points, rules)} ${unlikeTraining(points, rules.ridge, data)}`.trim());
  }
}

function told(network, points, rules) {
  const [here] = answers(network, points, [1]), at = ([slope, offset]) => (slope + offset).toFixed(2);
  const count = points.length === 1 ? "1 point" : `${points.length} points`;
  return `${count}. At x = 1 the network says ${here.toFixed(2)}, ridge ${at(rules.ridge)}, least squares ${at(rules.leastSquares)}.`;
}

/** In what the points differ from those of training, in a sentence; nothing where they do not. */
export function unlikeTraining(points, [slope, offset], { reach, noise }) {
  const why = [];
  if (points.some(([x]) => Math.abs(x) > reach)) why.push(`an x beyond ${reach}`);
  if (Math.max(Math.abs(slope), Math.abs(offset)) > 3) why.push("a line steeper or farther from zero than nearly all it saw");
  const off = Math.sqrt(points.reduce((sum, [x, y]) => sum + (y - slope * x - offset) ** 2, 0) / Math.max(1, points.length));
  if (points.length > 2 && off > 3 * noise) why.push("points that lie on no line");
  return why.length ? `Outside what it was trained on: ${why.join("; ")}.` : "";
}
