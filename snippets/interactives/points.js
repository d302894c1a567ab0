// Points of a plane that can be put down, dragged, moved by key and taken away: what several figures to touch share.

import { guarded, svg } from "./shared.js";

/** A figure extends this; it has a `map` (axes), a `note`, and draws itself in `show()`. */
export class Points {
  /**
   * @param {{noun: string, low: [number, number], high: [number, number], nudge: [number, number],
   *   digits: [number, number], most: number, full?: string}} told the plane's corners, what an arrow key moves a
   *   point by (ten times that with shift), digits that are read aloud, how many points there is room for
   */
  constructor({ noun, low, high, nudge, digits, most, full = `There is room for ${most} ${noun}s: take one away first.` }) {
    this.told = { noun, low, high, nudge, digits, most, full };
    this.points = [];
    this.dots = [];
  }

  add([x, y]) {
    if (this.points.length >= this.told.most) throw new Error(this.told.full);
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
    const i = this.dots.indexOf(dot), { noun, low, high, digits } = this.told;
    if (i < 0) return;
    if (!Number.isFinite(x) || !Number.isFinite(y)) throw new Error(`That is no place in the plane: the ${noun} stays where it was.`);
    const at = [x, y].map((value, axis) => Math.min(high[axis], Math.max(low[axis], value)));
    this.points[i] = at;
    dot.setAttribute("cx", this.map.X(at[0]));
    dot.setAttribute("cy", this.map.Y(at[1]));
    const name = noun[0].toUpperCase() + noun.slice(1);
    dot.setAttribute("aria-label", `${name} ${i + 1}, x ${at[0].toFixed(digits[0])}, y ${at[1].toFixed(digits[1])}`);
  }

  key(dot, event) {
    const i = this.dots.indexOf(dot), [x, y] = this.points[i], size = event.shiftKey ? 10 : 1, [across, up] = this.told.nudge;
    const ways = { ArrowLeft: [-across, 0], ArrowRight: [across, 0], ArrowUp: [0, up], ArrowDown: [0, -up] };
    const way = ways[event.key];
    if (way) this.move(dot, x + size * way[0], y + size * way[1]);
    else if (event.key === "Delete" || event.key === "Backspace") { this.remove(i); (this.dots[i] ?? this.dots[i - 1])?.focus(); }
    else return;
    event.preventDefault();
    this.show();
  }

  remove(i) {
    if (!this.points.length) throw new Error(`There is no ${this.told.noun} to take away.`);
    this.points.splice(i, 1);
    this.dots.splice(i, 1)[0].remove();
    this.dots.forEach((dot, j) => this.move(dot, ...this.points[j])); // their numbers are new
  }
}
