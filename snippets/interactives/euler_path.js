// Layers as steps: the way of gradient descent on one prompt's bowl, beside the flow that it becomes with many small ones.
// The same numbers as snippets/icl/theory/flows.py.

import { axes, button, guarded, html, legend, noteLine, slider, svg, within } from "./shared.js";

const LAYERS = [1, 64], STEPS = [0.05, 2.4], RANGE = { x: [-1, 4], y: [-0.5, 3.5] };

/** The eigenvalues and unit eigenvectors of a symmetric 2 by 2 matrix, the larger first. */
export function eigen([[a, b], [, c]]) {
  const middle = (a + c) / 2, half = Math.hypot((a - c) / 2, b), angle = Math.atan2(2 * b, a - c) / 2;
  const first = [Math.cos(angle), Math.sin(angle)];
  return [[middle + half, first], [middle - half, [-first[1], first[0]]]];
}

const times = (C, w) => C.map((row) => row[0] * w[0] + row[1] * w[1]);

/** w after 0, 1, ... layers, each a step of gradient descent from w = 0. */
export function euler(C, bottom, step, layers) {
  const path = [[0, 0]];
  for (let l = 0; l < layers; l++) {
    const w = path[l], slope = times(C, [w[0] - bottom[0], w[1] - bottom[1]]);
    path.push([w[0] - step * slope[0], w[1] - step * slope[1]]);
  }
  return path;
}

/** Where the gradient flow from w = 0 is at this time. */
export function flow(C, bottom, time) {
  const at = [...bottom];
  for (const [mu, u] of eigen(C)) {
    const left = (bottom[0] * u[0] + bottom[1] * u[1]) * Math.exp(-mu * time);
    at[0] -= left * u[0];
    at[1] -= left * u[1];
  }
  return at;
}

/** Half of (w - bottom)' C (w - bottom), as a share of what it is at w = 0. */
export function left(C, bottom, w) {
  const height = (off) => { const bent = times(C, off); return off[0] * bent[0] + off[1] * bent[1]; };
  return height([w[0] - bottom[0], w[1] - bottom[1]]) / height(bottom);
}

const percent = (share) => (share > 10 ? `${share.toPrecision(2)} times` : `${(100 * share).toPrecision(2)} % of`);

/** @param {HTMLElement} place */
export async function mount(place, { C, bottom, longest }) {
  const note = noteLine();
  const map = axes({ label: "The plane of w: contour lines of one prompt's loss, the steps of the layers, and the flow", ...RANGE, xName: "first entry of w", yName: "second", height: 270 });
  for (const share of [0.04, 0.2, 0.6, 1]) map.back.append(contour(map, C, bottom, share));
  const smooth = map.line({ stroke: "var(--d-label)", "stroke-dasharray": "5 3" }), steps = map.line({ stroke: "var(--d-content)" });
  const dots = svg("g");
  map.front.append(dots);
  const layers = slider({ name: "layers", low: LAYERS[0], high: LAYERS[1], step: 1, value: 4, changed: () => draw() });
  const size = slider({ name: "size of a step", low: STEPS[0], high: STEPS[1], step: 0.05, value: 1.2, say: (v) => v.toFixed(3).replace(/0$/, ""), changed: () => draw() });
  const draw = guarded(note, () => {
    const n = within(layers.value, ...LAYERS, "The number of layers"), step = within(size.value, ...STEPS, "The step");
    const path = euler(C, bottom, step, n), end = path[n], time = step * n, there = flow(C, bottom, time);
    const shown = path.map(([x, y]) => [Math.max(RANGE.x[0], Math.min(RANGE.x[1], x)), Math.max(RANGE.y[0], Math.min(RANGE.y[1], y))]);
    steps.draw(shown.map(([x]) => x), shown.map(([, y]) => y));
    dots.replaceChildren(...shown.map(([x, y]) => svg("circle", { cx: map.X(x), cy: map.Y(y), r: 3, fill: "var(--d-content)" })));
    const moments = Array.from({ length: 101 }, (_, i) => flow(C, bottom, (time * i) / 100));
    smooth.draw(moments.map(([x]) => x), moments.map(([, y]) => y));
    const off = Math.hypot(end[0] - there[0], end[1] - there[1]);
    const away = step >= longest ? ` From ${longest.toFixed(1)} on a step is too long for the steep direction: the walk does not end.` : "";
    note.say(`Time ${time.toFixed(2)}. The layers are ${off < 100 ? off.toPrecision(3) : off.toExponential(1)} from the flow and leave ${percent(left(C, bottom, end))} the loss.${away}`);
  });
  const halve = button("Half the step, twice the layers", guarded(note, () => {
    if (2 * layers.value > LAYERS[1] || size.value / 2 < STEPS[0]) throw new Error(`There is room for ${LAYERS[1]} layers and steps from ${STEPS[0]}: take fewer layers or a longer step first.`);
    const half = size.value / 2;
    size.input.step = "any"; // a half need not be a multiple of 0.05
    [layers.value, size.value] = [2 * layers.value, half];
    draw();
  }));
  place.append(
    html("p", {}, "Each dot is a layer's ", html("em", {}, "w"), ", from (0, 0). Keep the time and halve the step: the dots come to lie on the dashed flow."),
    map.node, legend([["layers, as steps", "border-color:var(--d-content)"], ["gradient flow", "border-color:var(--d-label);border-style:dashed"]]),
    layers.node, size.node, html("div", { class: "touch-row" }, halve), note.node,
  );
  draw();
}

/** The ellipse on which the loss is this share of what it is at w = 0. */
function contour(map, C, bottom, share) {
  const [[big, u], [small, v]] = eigen(C), height = share * (big * (bottom[0] * u[0] + bottom[1] * u[1]) ** 2 + small * (bottom[0] * v[0] + bottom[1] * v[1]) ** 2);
  const points = Array.from({ length: 73 }, (_, i) => {
    const a = Math.sqrt(height / big) * Math.cos((i * Math.PI) / 36), b = Math.sqrt(height / small) * Math.sin((i * Math.PI) / 36);
    const x = bottom[0] + a * u[0] + b * v[0], y = bottom[1] + a * u[1] + b * v[1];
    return `${map.X(Math.max(RANGE.x[0], Math.min(RANGE.x[1], x))).toFixed(1)},${map.Y(Math.max(RANGE.y[0], Math.min(RANGE.y[1], y))).toFixed(1)}`;
  });
  return svg("path", { d: `M${points.join("L")}Z`, fill: "none", stroke: "var(--book-rule)" });
}
