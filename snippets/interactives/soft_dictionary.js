// A dictionary that answers softly: turn and stretch the query, and see scores, weights and the weighted sum.

const LONGEST = 8; // of a query
const LIMIT = 1e6; // of any coordinate: beyond it, and for what is no number, scores would be none

const usable = (number, limit = LIMIT) => {
  const found = Number(number);
  return Number.isNaN(found) ? 0 : Math.max(-limit, Math.min(limit, found));
};

// The whole computation: a score for each key, a softmax, an average of the values.
export function attend(query, keys, values) {
  const asked = query.map((x) => usable(x));
  const scores = keys.map((key) => key.reduce((sum, x, place) => sum + x * asked[place], 0));
  const largest = Math.max(...scores); // taken off, or exp overflows
  const powers = scores.map((score) => Math.exp(score - largest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  const weights = powers.map((power) => power / total);
  const answer = weights.reduce((sum, weight, place) => sum + weight * values[place], 0);
  return { scores, weights, answer };
}

// From the sliders to a vector; direction in degrees, counted from the right, to the left.
export function queryAt(degrees, length) {
  const angle = (usable(degrees) * Math.PI) / 180, long = usable(length);
  return [long * Math.cos(angle), long * Math.sin(angle)];
}

const SVG = "http://www.w3.org/2000/svg";
const svg = (name, fields, parent) => {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(fields)) made.setAttribute(key, value);
  parent?.append(made);
  return made;
};
const html = (name, fields, parent) => {
  const made = Object.assign(document.createElement(name), fields);
  parent?.append(made);
  return made;
};
const signed = (number, digits = 2) => number.toFixed(digits).replace("-", "\u2212").replace(/^\u2212(0\.?0*)$/, "$1");

const SIZE = 240, MIDDLE = SIZE / 2, UNIT = 12.5; // a query of length 8 stays inside
const at = ([x, y]) => [MIDDLE + UNIT * x, MIDDLE - UNIT * y];

// The plane: three keys, drawn four times as long as they are so that they can be seen, and the query.
function plane(place, { names, keys }) {
  const drawn = svg("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, width: SIZE, height: SIZE, role: "img", "aria-label": "The query and the three keys as arrows in a plane. Drag, or use the sliders." }, place);
  drawn.style.touchAction = "none";
  drawn.style.cursor = "crosshair";
  svg("circle", { cx: MIDDLE, cy: MIDDLE, r: UNIT * LONGEST, fill: "none", stroke: "var(--book-rule)" }, drawn);
  keys.forEach((key, number) => {
    const [x, y] = at(key.map((one) => 4 * one)), [tx, ty] = at(key.map((one) => 5.6 * one));
    svg("line", { x1: MIDDLE, y1: MIDDLE, x2: x, y2: y, stroke: "var(--md-default-fg-color--light)", "stroke-width": 2 }, drawn);
    svg("circle", { cx: x, cy: y, r: 3, fill: "var(--md-default-fg-color--light)" }, drawn);
    svg("text", { x: tx, y: ty + 4, "text-anchor": "middle", "font-size": 13 }, drawn).textContent = names[number];
  });
  const line = svg("line", { x1: MIDDLE, y1: MIDDLE, stroke: "var(--md-accent-fg-color)", "stroke-width": 3 }, drawn);
  const tip = svg("circle", { r: 7, fill: "var(--md-accent-fg-color)" }, drawn);
  const move = (query) => {
    const [x, y] = at(query);
    for (const [key, value] of [["x2", x], ["y2", y]]) line.setAttribute(key, value);
    for (const [key, value] of [["cx", x], ["cy", y]]) tip.setAttribute(key, value);
  };
  return { drawn, move };
}

// A row for each key: score, weight as number and bar, value.
function table(place, { names, values }) {
  const made = html("table", {}, place);
  made.style.cssText = "display:table;width:100%;border:0;font-size:inherit";
  const head = html("tr", {}, html("thead", {}, made));
  for (const name of ["key", "score", "weight", "value"]) html("th", { textContent: name, scope: "col" }, head);
  const body = html("tbody", {}, made);
  const rows = names.map((name, number) => {
    const row = html("tr", {}, body);
    html("th", { textContent: name, scope: "row" }, row);
    const score = html("td", {}, row), weight = html("td", {}, row);
    html("td", { textContent: values[number] }, row);
    return { score, weight };
  });
  for (const cell of made.querySelectorAll("th, td")) cell.style.cssText = "min-width:0;padding:.35em .5em;text-align:left;font-variant-numeric:tabular-nums";
  return ({ scores, weights }) => rows.forEach(({ score, weight }, number) => {
    score.textContent = signed(scores[number]);
    weight.textContent = weights[number].toFixed(2);
    weight.style.background = `linear-gradient(90deg, color-mix(in srgb, var(--d-content) 32%, transparent) ${100 * weights[number]}%, transparent 0)`;
  });
}

function slider(place, name, most, step, unit) {
  const label = html("label", {}, place);
  html("span", { textContent: name }, label);
  const input = html("input", { type: "range", min: 0, max: most, step }, label);
  const shown = html("output", {}, label);
  return { input, show: (value) => { input.value = value; shown.textContent = `${Number(value.toFixed(1))}${unit}`; input.setAttribute("aria-valuetext", shown.textContent); } };
}

export async function mount(place, data) {
  const state = { degrees: 0, length: 2 };
  const both = html("div", {}, place);
  both.style.cssText = "display:grid;grid-template-columns:repeat(auto-fit,minmax(min(13rem,100%),1fr));gap:1em;align-items:center";
  const picture = plane(html("div", {}, both), data);
  const fill = table(html("div", {}, both), data);
  const direction = slider(place, "direction", 359, 1, "°");
  const length = slider(place, "length", LONGEST, 0.1, "");
  const answer = html("p", {}, place);
  answer.setAttribute("role", "status");
  answer.style.margin = ".6em 0 0";
  const draw = () => {
    const query = queryAt(state.degrees, state.length), found = attend(query, data.keys, data.values);
    direction.show(state.degrees);
    length.show(state.length);
    picture.move(query);
    fill(found);
    const terms = found.weights.map((weight, number) => `${weight.toFixed(2)} × ${data.values[number]}`).join(" + ");
    answer.replaceChildren("answer: ", terms, " = ", html("strong", { textContent: found.answer.toFixed(2) }));
  };
  const set = (degrees, long) => {
    state.degrees = ((usable(degrees) % 360) + 360) % 360;
    state.length = Math.max(0, usable(long, LONGEST));
    draw();
  };
  direction.input.addEventListener("input", () => set(direction.input.value, state.length));
  length.input.addEventListener("input", () => set(state.degrees, length.input.value));
  const point = (event) => {
    const box = picture.drawn.getBoundingClientRect(), scale = SIZE / (box.width || SIZE);
    const x = ((event.clientX - box.left) * scale - MIDDLE) / UNIT, y = (MIDDLE - (event.clientY - box.top) * scale) / UNIT;
    const long = Math.hypot(x, y);
    set(long ? (Math.atan2(y, x) * 180) / Math.PI : state.degrees, long);
  };
  picture.drawn.addEventListener("pointerdown", (event) => { picture.drawn.setPointerCapture(event.pointerId); point(event); });
  picture.drawn.addEventListener("pointermove", (event) => { if (event.buttons) point(event); });
  draw();
}
