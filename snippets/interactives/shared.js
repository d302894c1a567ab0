// What figures to touch share: elements, labelled inputs, maps, axes, a line that says what went wrong.

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element with attributes and children.
 * @param {string} tag
 * @param {Object<string, any>} [attributes] `class`, `style`, ARIA, ...
 * @param {...(Node|string)} children
 */
export function html(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/**
 * A slider with its name and its value in words.
 * @param {{name: string, low: number, high: number, step: number, value: number, say?: (value: number) => string,
 *   changed: (value: number) => void}} told
 */
export function slider({ name, low, high, step, value, say = String, changed }) {
  const input = html("input", { type: "range", min: low, max: high, step, value });
  const output = html("output");
  const told = () => {
    output.textContent = say(input.valueAsNumber);
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.addEventListener("input", () => { told(); changed(input.valueAsNumber); });
  told();
  return {
    node: html("label", {}, html("span", {}, name), input, output),
    input,
    get value() { return input.valueAsNumber; },
    set value(to) { input.value = String(to); told(); },
    limit(to) { input.max = String(to); told(); },
  };
}

/**
 * A choice among a few, with its name.
 * @param {{name: string, options: Object<string, string>, changed: (value: string) => void}} told options: value -> words
 */
export function choice({ name, options, changed }) {
  const input = html("select");
  for (const [value, words] of Object.entries(options)) input.append(html("option", { value }, words));
  input.addEventListener("change", () => changed(input.value));
  return { node: html("label", { class: "touch-choice" }, html("span", {}, name), input), input, get value() { return input.value; } };
}

/** @param {string} words @param {() => void} pressed */
export function button(words, pressed) {
  const made = html("button", { type: "button" }, words);
  made.addEventListener("click", pressed);
  return made;
}

/** A line below a figure: what it shows now, or in one sentence why it cannot. */
export function noteLine() {
  const node = html("p", { class: "touch-note", role: "status" });
  return {
    node,
    say(words) { node.classList.remove("touch-failed"); node.textContent = words; },
    fail(error) { node.classList.add("touch-failed"); node.textContent = error instanceof Error ? error.message : String(error); },
  };
}

/**
 * What runs at every touch: an error becomes the note, and the figure stays usable.
 * @param {{fail: (error: unknown) => void}} note @param {(...given: any[]) => void} work
 */
export function guarded(note, work) {
  return (...given) => {
    try { work(...given); } catch (error) { console.warn(error); note.fail(error); }
  };
}

/** A number between two others, or an error in words. */
export function within(value, low, high, name) {
  if (!Number.isFinite(value)) throw new Error(`${name} is not a number.`);
  if (value < low || value > high) throw new Error(`${name} is ${value}; it goes from ${low} to ${high}.`);
  return value;
}

/** Whether the reader asked for less motion. */
export const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Softmax of a row, of entries that may be -Infinity. */
export function softmax(row) {
  const most = Math.max(...row);
  const powers = row.map((value) => Math.exp(value - most));
  const total = powers.reduce((sum, value) => sum + value, 0);
  return powers.map((value) => value / total);
}

/**
 * An attention map: a row for each token that attends, a column for each that is attended to; more colour is more.
 * @param {string[]} names of the tokens
 * @param {string} label what it is, for those who do not see it
 */
export function attentionMap(names, label) {
  const n = names.length, margin = 30, size = 300, cell = (size - margin) / n, letters = Math.min(11, cell * 0.8);
  const node = svg("svg", { viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": label });
  const cells = [];
  for (let row = 0; row < n; row++) {
    const middle = (row + 0.7) * cell;
    node.append(svg("text", { x: margin - 3, y: margin + middle, "text-anchor": "end", "font-size": letters }, names[row]));
    node.append(svg("text", { x: margin + (row + 0.5) * cell, y: margin - 4, "text-anchor": "middle", "font-size": letters }, names[row]));
    for (let column = 0; column <= row; column++) {
      const at = { x: margin + column * cell, y: margin + row * cell, width: cell, height: cell };
      const ground = svg("rect", { ...at, class: "touch-cell" }), title = svg("title");
      const ink = svg("rect", { ...at, class: "touch-ink" }, title);
      node.append(ground, ink);
      cells.push({ row, column, ink, title });
    }
  }
  return {
    node,
    /** @param {number[][]} weights (query, key) */
    show(weights) {
      for (const { row, column, ink, title } of cells) {
        const weight = weights[row][column];
        ink.style.fillOpacity = String(weight);
        title.textContent = `${names[row]} attends to ${names[column]}: ${weight.toFixed(3)}`;
      }
    },
  };
}

/**
 * Axes in an SVG, and what is drawn on them.
 * @param {{label: string, x: [number, number], y: [number, number], xName: string, yName: string, width?: number,
 *   height?: number, xTicks?: number[], yTicks?: number[]}} told
 */
export function axes({ label, x, y, xName, yName, width = 320, height = 220, xTicks = ticks(x), yTicks = ticks(y) }) {
  const box = { left: 34, right: width - 12, top: 20, bottom: height - 32 };
  const node = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label, class: "touch-axes" });
  const X = (value) => box.left + ((value - x[0]) / (x[1] - x[0])) * (box.right - box.left);
  const Y = (value) => box.bottom - ((value - y[0]) / (y[1] - y[0])) * (box.bottom - box.top);
  const back = svg("g"), frame = svg("g"), front = svg("g");
  node.append(back, frame, front);
  frame.append(svg("path", { class: "touch-frame", d: `M${box.left},${box.top}V${box.bottom}H${box.right}` }));
  for (const tick of xTicks) frame.append(svg("text", { x: X(tick), y: box.bottom + 13, "text-anchor": "middle", "font-size": 10 }, String(tick)));
  for (const tick of yTicks) frame.append(svg("text", { x: box.left - 4, y: Y(tick) + 3.5, "text-anchor": "end", "font-size": 10 }, String(tick)));
  frame.append(svg("text", { x: (box.left + box.right) / 2, y: height - 4, "text-anchor": "middle", "font-size": 11 }, xName));
  frame.append(svg("text", { x: 2, y: 11, "font-size": 11 }, yName));
  return {
    node, back, front, X, Y, box,
    /** From a point of the screen to the axes' own numbers. */
    at(event) {
      const seen = node.getBoundingClientRect(), scale = width / seen.width;
      const across = (event.clientX - seen.left) * scale, down = (event.clientY - seen.top) * scale;
      return [
        x[0] + ((across - box.left) / (box.right - box.left)) * (x[1] - x[0]),
        y[0] + ((box.bottom - down) / (box.bottom - box.top)) * (y[1] - y[0]),
      ];
    },
    /** A line that can be drawn again: `draw(xs, ys)`. */
    line(attributes) {
      const path = svg("path", { fill: "none", "stroke-width": 1.8, "stroke-linejoin": "round", ...attributes });
      front.append(path);
      return {
        path,
        draw(xs, ys) {
          const points = [...xs].map((value, i) => [X(value), Y(ys[i])]).filter((point) => point.every(Number.isFinite));
          path.setAttribute("d", points.map(([a, b], i) => `${i ? "L" : "M"}${a.toFixed(1)},${b.toFixed(1)}`).join(""));
        },
      };
    },
  };
}

function ticks([low, high]) {
  const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500].find((size) => (high - low) / size <= 6) ?? (high - low) / 5;
  const found = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high + 1e-9; tick += step) found.push(Number(tick.toFixed(6)));
  return found;
}

/** Words with the colour or dash of a line: what a legend says. @param {[string, string][]} lines words, style of the swatch */
export function legend(lines) {
  const node = html("p", { class: "touch-legend" });
  for (const [words, style] of lines) node.append(html("span", {}, html("i", { style, "aria-hidden": "true" }), words));
  return node;
}
