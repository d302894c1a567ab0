// Put examples down and see two exact answers: of one who knows a pool of slopes, and of one who does not.

import { Points } from "./points.js";
import { axes, button, guarded, html, legend, noteLine, slider, softmax, svg, within } from "./shared.js";

const WIDE = 3, UP = 4; // the plane: x in [-3, 3], y in [-4, 4]

/** The posterior over the pool's slopes given points [x, y], its mean, and the slope of ridge regression. */
export function answers(points, pool, noise) {
  within(noise, 0.01, 100, "The noise");
  if (!pool.length) throw new Error("The pool is empty: it needs at least one task.");
  if (![...points.flat(), ...pool].every(Number.isFinite)) throw new Error("A point or a slope is not a number.");
  const misfit = (w) => points.reduce((sum, [x, y]) => sum + (y - w * x) ** 2, 0);
  const weights = softmax(pool.map((w) => -misfit(w) / (2 * noise ** 2)));
  const memory = weights.reduce((sum, weight, i) => sum + weight * pool[i], 0);
  const xy = points.reduce((sum, [x, y]) => sum + x * y, 0), xx = points.reduce((sum, [x]) => sum + x * x, 0);
  return { weights, memory, ridge: xy / (xx + noise ** 2) };
}

/** The two ends of the line y = w x, where it leaves the plane. */
export function ends(w) {
  const x = Math.min(WIDE, UP / Math.max(Math.abs(w), 1e-9));
  return [[-x, -w * x], [x, w * x]];
}

/** @param {HTMLElement} place @param {any} data */
export async function mount(place, data) {
  if (!data?.pool?.length) throw new Error("the pool of slopes is missing");
  const figure = new Lines(data), { note } = figure;
  const act = (work) => guarded(note, () => { work(); figure.show(); });
  place.append(
    html("p", {}, "Tap the plane to add an example (x, y). Drag it, or focus it and use the arrow keys; Delete takes it away."),
    figure.map.node,
    legend([["memory: the mean of the pool's lines", "border-top: 3px dashed var(--d-content)"], ["ridge: any slope is possible", "border-top: 3px solid var(--d-label)"]]),
    figure.size.node, figure.noise.node,
    html("div", { class: "touch-row" },
      button("Add an example of slope 1", act(() => figure.add(figure.next()))),
      button("Take the last away", act(() => figure.remove(figure.points.length - 1))),
      button("Start again", act(() => { while (figure.points.length) figure.remove(0); }))),
    note.node,
  );
  act(() => { for (const point of [[1, 1], [2, 2]]) figure.add(point); })();
}

class Lines extends Points {
  constructor(data) {
    super({ noun: "example", low: [-WIDE, -UP], high: [WIDE, UP], nudge: [0.1, 0.1], digits: [1, 1], most: data.most });
    this.data = data;
    this.note = noteLine();
    const label = "Examples, the lines of a pool, and two answers: memory's line and ridge's";
    this.map = axes({ label, x: [-WIDE, WIDE], y: [-UP, UP], xName: "x", yName: "y", width: 360, height: 300, xTicks: [-3, -2, -1, 0, 1, 2, 3], yTicks: [-4, -2, 0, 2, 4] });
    this.map.node.setAttribute("role", "group"); // its points can be reached
    this.map.node.classList.add("touch-drop");
    this.pool = data.pool.map(() => svg("line", { stroke: "currentColor", "stroke-width": 1 }));
    this.map.front.append(...this.pool);
    this.memory = svg("line", { stroke: "var(--d-content)", "stroke-width": 3, "stroke-dasharray": "7 4" });
    this.ridge = svg("line", { stroke: "var(--d-label)", "stroke-width": 2.4 });
    this.map.front.append(this.ridge, this.memory);
    const changed = guarded(this.note, () => this.show());
    this.size = slider({ name: "tasks in the pool", low: 1, high: data.pool.length, step: 1, value: 4, changed });
    const [low, high] = data.noises;
    this.noise = slider({ name: "noise", low, high, step: 0.05, value: data.noise, say: (value) => value.toFixed(2), changed });
    this.map.node.addEventListener("click", guarded(this.note, (event) => { // not pointerdown: a thumb that scrolls puts nothing down
      const [x, y] = this.map.at(event);
      if (event.target.closest(".touch-point") || Math.abs(x) > 1.02 * WIDE || Math.abs(y) > 1.02 * UP) return;
      this.add([x, y]);
      this.show();
    }));
  }

  /** Another example of slope 1, at x = 1 and x = 2 in turn. */
  next() {
    const x = 1 + (this.points.length % 2);
    return [x, x];
  }

  draw(line, w) {
    const [[x1, y1], [x2, y2]] = ends(w), { map } = this;
    for (const [name, value] of Object.entries({ x1: map.X(x1), y1: map.Y(y1), x2: map.X(x2), y2: map.Y(y2) })) line.setAttribute(name, value.toFixed(1));
  }

  show() {
    const M = within(this.size.value, 1, this.data.pool.length, "The size of the pool");
    const pool = this.data.pool.slice(0, M), { weights, memory, ridge } = answers(this.points, pool, this.noise.value);
    this.pool.forEach((line, i) => {
      line.style.display = i < M ? "" : "none";
      if (i < M) this.draw(line, pool[i]);
      line.style.opacity = String(i < M ? 0.15 + 0.85 * weights[i] : 0);
    });
    this.draw(this.memory, memory);
    this.draw(this.ridge, ridge);
    const many = this.points.length, best = weights.indexOf(Math.max(...weights));
    const told = `Memory says slope ${memory.toFixed(2)}, ridge ${ridge.toFixed(2)}.`;
    const sure = `Of ${M} known ${M === 1 ? "task" : "tasks"} slope ${pool[best].toFixed(2)} is likeliest, ${(100 * weights[best]).toFixed(0)} %.`;
    this.note.say(`${many === 0 ? "No example" : many === 1 ? "1 example" : `${many} examples`}. ${told} ${sure}`.replaceAll("-", "\u2212"));
  }
}
