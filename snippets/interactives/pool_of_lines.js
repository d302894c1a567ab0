// Put examples down and see two exact answers: of one who knows a pool of slopes, and of one who does not.

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

class Lines {
  constructor(data) {
    this.data = data;
    this.note = noteLine();
    this.points = [];
    this.dots = [];
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

  add([x, y]) {
    if (this.points.length >= this.data.most) throw new Error(`There is room for ${this.data.most} examples: take one away first.`);
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

  move(dot, x, y) {
    const i = this.dots.indexOf(dot);
    if (i < 0) return;
    if (!Number.isFinite(x) || !Number.isFinite(y)) throw new Error("That is no place in the plane: the example stays where it was.");
    const at = [Math.min(WIDE, Math.max(-WIDE, x)), Math.min(UP, Math.max(-UP, y))];
    this.points[i] = at;
    dot.setAttribute("cx", this.map.X(at[0]));
    dot.setAttribute("cy", this.map.Y(at[1]));
    dot.setAttribute("aria-label", `Example ${i + 1}, x ${at[0].toFixed(1)}, y ${at[1].toFixed(1)}`);
  }

  key(dot, event) {
    const i = this.dots.indexOf(dot), [x, y] = this.points[i], size = event.shiftKey ? 10 : 1;
    const ways = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] };
    const way = ways[event.key];
    if (way) this.move(dot, x + size * way[0], y + size * way[1]);
    else if (event.key === "Delete" || event.key === "Backspace") { this.remove(i); (this.dots[i] ?? this.dots[i - 1])?.focus(); }
    else return;
    event.preventDefault();
    this.show();
  }

  remove(i) {
    if (!this.points.length) throw new Error("There is no example to take away.");
    this.points.splice(i, 1);
    this.dots.splice(i, 1)[0].remove();
    this.dots.forEach((dot, j) => this.move(dot, ...this.points[j])); // their numbers are new
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
