// Hand-set programs on one's own input: the attention patterns, the answer, and how far it is off.
// The same numbers as snippets/icl/networks/program_library.py and program_arithmetic.py.

import { choice, guarded, html, noteLine, slider, softmax, svg } from "./shared.js";

const PLACES = 16, BLANK = 10, MOST = 1e6;

/** A pattern from scores: a row for each token that asks. */
const pattern = (scores, beta) => scores.map((row) => softmax(row.map((score) => beta * score)));
const read = (weights, values) => weights.map((row) => row.reduce((sum, w, j) => sum + w * values[j], 0));
const square = (n, entry) => Array.from({ length: n }, (_, i) => Array.from({ length: n }, (__, j) => entry(i, j)));
const oneHot = (numbers) => square(numbers.length, (i, j) => Number(numbers[i] === j));

/** The value beside the key asked for; the last token asks, and the pairs ask nothing. */
export function lookUp(keys, values, asked, beta) {
  const n = keys.length;
  const scores = square(n + 1, (i, j) => (i === n && keys[j] === asked ? 1 : 0));
  const weights = pattern(scores, beta);
  return { answer: [read(weights, [...values, 0])[n]], patterns: [weights] };
}

/** Each place gets what stands `steps` before it. */
export function move(values, steps, beta) {
  const aim = (i) => Math.max(i - steps, 0);
  const weights = pattern(square(values.length, (i, j) => Number(aim(i) === j)), beta);
  return { answer: read(weights, values), patterns: [weights] };
}

const padded = (digits) => [...digits, ...Array(PLACES - digits.length).fill(BLANK)];

/** How many symbols are smaller than each place's own, and how many equal: an even look and an MLP. */
export function counted(digits) {
  const symbols = padded(digits), even = square(PLACES, () => 1 / PLACES);
  const counts = Array.from({ length: BLANK + 1 }, (_, u) => PLACES * read(even, symbols.map((s) => Number(s === u)))[0]);
  const sum = (own, meant) => counts.reduce((all, c, u) => all + Math.max(0, c + PLACES * (Number(meant(u, own)) - 1)), 0);
  return {
    before: symbols.map((own) => sum(own, (u, s) => u < s)),
    alike: symbols.map((own) => sum(own, (u, s) => u === s)),
    even,
  };
}

export function count(digits) {
  const { alike, even } = counted(digits);
  return { answer: alike.slice(0, digits.length), patterns: [even] };
}

/** A token claims the places from `before` to before + alike - 1; place r looks for who claims it. */
export function sort(digits, beta) {
  const { before, alike, even } = counted(digits), step = (z) => Math.max(0, z + 1) - Math.max(0, z);
  const claims = square(PLACES, (token, r) => step(r - before[token]) - step(r - before[token] - alike[token]));
  const weights = pattern(square(PLACES, (r, token) => claims[token][r]), beta);
  return { answer: read(weights, padded(digits)).slice(0, digits.length), patterns: [even, weights] };
}

export const layersNeeded = (hops, double) => (double ? (hops ? Math.floor(Math.log2(hops)) + 1 : 0) : hops);

/** Where one is after so many hops: a share for each place; `here` and `jump` are rows of shares. */
export function chase(pointsTo, hops, double, beta) {
  const n = pointsTo.length, patterns = [];
  const follow = (at, jump) => {
    const weights = pattern(at, beta); // a score is the share of the pointer on that place
    patterns.push(weights);
    return weights.map((row) => jump[0].map((_, end) => row.reduce((sum, w, j) => sum + w * jump[j][end], 0)));
  };
  let here = square(n, (i, j) => Number(i === j)), jump = oneHot(pointsTo);
  for (let layer = 0; layer < layersNeeded(hops, double); layer++) {
    const old = jump;
    if (!double || (hops >> layer) & 1) here = follow(here, old);
    if (double) jump = follow(old, old);
  }
  return { answer: here, patterns };
}

/** erf, by a series whose terms are all of one sign. */
export function erf(x) {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x, sum = x;
  for (let n = 1; n < 200 && Math.abs(term) > 1e-18 * Math.abs(sum); n++) { term *= (2 * x * x) / (2 * n + 1); sum += term; }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const gelu = (z) => 0.5 * z * (1 + erf(z / Math.SQRT2));

export function multiply(a, b, scale) {
  const down = Math.sqrt(Math.PI / 2) / scale ** 2;
  return down * (gelu(scale * (a + b)) - gelu(scale * a) - gelu(scale * b));
}

/** The first entry of the layer norm of (scale a, -scale a, b, -b), made as long as it should be. */
export function divide(a, b, scale) {
  if (b === 0) throw new Error("Division by 0.");
  if (b < 0) throw new Error(`${b} is below 0: a layer norm divides by a length, which has no sign.`);
  const vector = [scale * a, -scale * a, b, -b];
  const size = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0) / 4);
  return vector[0] / size / (Math.SQRT2 * scale);
}

// What a reader types.

/** Numbers between commas or blanks. */
export function numbers(text, low, high, most, whole = true) {
  const words = text.trim().split(/[\s,]+/).filter(Boolean);
  if (!words.length) throw new Error("The input is empty: type at least one number.");
  if (words.length > most) throw new Error(`${words.length} numbers are too many: there are ${most} places.`);
  return words.map((word) => {
    const value = Number(word);
    if (!Number.isFinite(value)) throw new Error(`“${word.slice(0, 20)}” is not a number.`);
    if (value < low || value > high || (whole && !Number.isInteger(value))) throw new Error(`${word.slice(0, 20)} cannot be used here: numbers are ${whole ? "whole and " : ""}from ${low} to ${high}.`);
    return value;
  });
}

/** "red 3, blue 7; blue?" */
export function pairs(text) {
  const found = text.trim().match(/^([^;]*);\s*([^\s?;]+)\s*\??$/);
  if (!found) throw new Error("Type pairs, a semicolon, and the key you ask for: red 3, blue 7; blue?");
  const names = [], values = [];
  for (const pair of found[1].split(",").filter((part) => part.trim())) {
    const [name, value, more] = pair.trim().split(/\s+/);
    if (value === undefined || more !== undefined) throw new Error(`“${pair.trim().slice(0, 20)}” is no pair of a key and a number.`);
    if (names.includes(name)) throw new Error(`The key ${name} stands there twice: its values would be averaged.`);
    names.push(name);
    values.push(...numbers(value, -MOST, MOST, 1, false));
  }
  if (!names.length) throw new Error("The input is empty: type at least one pair.");
  if (names.length > PLACES - 1) throw new Error(`${names.length} pairs are too many: there are ${PLACES - 1} places.`);
  if (!names.includes(found[2])) throw new Error(`${found[2].slice(0, 20)} is asked for and is not among the keys.`);
  return { names, values, asked: found[2] };
}

const leak = (beta, wrong) => wrong / (Math.exp(beta) + wrong);
const largest = (found, exact) => Math.max(...found.map((x, i) => Math.abs(x - exact[i])));
const places = (n) => Array.from({ length: n }, (_, i) => String(i + 1));
const spread = (values) => Math.max(...values) - Math.min(...values);

// Each program: its first input, and what it makes of one: names of the tokens, answer, exact answer, bound of the error.
export const PROGRAMS = {
  "look up": {
    begins: "red 3, blue 7, green 5; blue?", knob: "beta",
    make(text, { beta }) {
      const { names, values, asked } = pairs(text), n = names.length;
      const exact = [values[names.indexOf(asked)]], found = lookUp(names, values, asked, beta);
      return { ...found, exact, names: [...names, "?"], titles: ["whose key am I asking for?"], bound: spread([...values, 0]) * leak(beta, n) };
    },
  },
  move: {
    begins: "3 1 4 1 5 9", knob: "beta",
    make(text, { beta }) {
      const values = numbers(text, -MOST, MOST, PLACES, false), exact = values.map((_, i) => values[Math.max(i - 1, 0)]);
      return { ...move(values, 1, beta), exact, names: places(values.length), titles: ["what stands before me?"], bound: spread(values) * leak(beta, values.length - 1) };
    },
  },
  count: {
    begins: "3 1 4 1 5 9", knob: "",
    make(text) {
      const digits = numbers(text, 0, 9, PLACES), exact = digits.map((d) => digits.filter((e) => e === d).length);
      return { ...count(digits), exact, names: places(PLACES), titles: ["an even look at all"], bound: 0 };
    },
  },
  sort: {
    begins: "3 1 4 1 5 9 2 6", knob: "beta",
    make(text, { beta }) {
      const digits = numbers(text, 0, 9, PLACES), exact = [...digits].sort((a, b) => a - b);
      return { ...sort(digits, beta), exact, names: places(PLACES), titles: ["an even look at all", "who claims my place?"], bound: 10 * leak(beta, PLACES - 1) };
    },
  },
  "follow pointers, one by one": { begins: "4 6 1 5 2 3", knob: "hops", make: (text, knobs) => pointers(text, knobs, false) },
  "follow pointers, doubling": { begins: "4 6 1 5 2 3", knob: "hops", make: (text, knobs) => pointers(text, knobs, true) },
  multiply: {
    begins: "6 7", knob: "scale",
    make(text, { scale }) {
      const [a, b] = two(text), bound = (scale ** 2 / 12) * ((a + b) ** 4 + a ** 4 + b ** 4) + (8 * 2 ** -53 * Math.sqrt(Math.PI / 2) * (Math.abs(a) + Math.abs(b))) / scale;
      return { answer: [multiply(a, b, scale)], exact: [a * b], patterns: [], names: [], titles: [], bound };
    },
  },
  divide: {
    begins: "6 7", knob: "scale",
    make(text, { scale }) {
      const [a, b] = two(text), answer = [divide(a, b, scale)];
      return { answer, exact: [a / b], patterns: [], names: [], titles: [], bound: Math.abs(a / b) * (((scale * a) / b) ** 2 / 2 + 16 * 2 ** -53) };
    },
  },
};

function two(text) {
  const found = numbers(text, -1000, 1000, 2, false);
  if (found.length < 2) throw new Error("Type two numbers.");
  return found;
}

function pointers(text, { beta, hops }, double) {
  const typed = numbers(text, 1, PLACES, PLACES), n = typed.length;
  const astray = typed.find((place) => place > n);
  if (astray) throw new Error(`${astray} is no place: there are places 1 to ${n}.`);
  const found = chase(typed.map((place) => place - 1), hops, double, beta);
  let ends = places(n).map(Number);
  for (let hop = 0; hop < hops; hop++) ends = ends.map((place) => typed[place - 1]);
  const answer = found.answer.map((row) => 1 + row.indexOf(Math.max(...row)));
  const off = Math.max(...found.answer.map((row, i) => 1 - row[ends[i] - 1]));
  const layers = layersNeeded(hops, double);
  return { ...found, answer, exact: ends, names: places(n), off, layers, titles: titlesOf(hops, layers, double) };
}

function titlesOf(hops, layers, double) {
  const titles = [];
  for (let layer = 0; layer < layers; layer++) {
    if (!double || (hops >> layer) & 1) titles.push(`layer ${layer + 1}: the place where I am`);
    if (double) titles.push(`layer ${layer + 1}: the place where my jump lands`);
  }
  return titles;
}

// What is seen.

function fullMap(names, weights, title) {
  const n = names.length, margin = 32, size = 300, cell = (size - margin) / n, letters = Math.min(11, cell * 0.75);
  const node = svg("svg", { viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": `Attention map, ${title}: rows ask, columns are read` });
  names.forEach((name, row) => {
    const short = name.slice(0, 5), middle = (row + 0.7) * cell;
    node.append(svg("text", { x: margin - 3, y: margin + middle, "text-anchor": "end", "font-size": letters }, short));
    node.append(svg("text", { x: margin + (row + 0.5) * cell, y: margin - 4, "text-anchor": "middle", "font-size": letters }, short));
    names.forEach((other, column) => {
      const at = { x: margin + column * cell, y: margin + row * cell, width: cell, height: cell }, weight = weights[row][column];
      const title = svg("title", {}, `${name} reads ${other}: ${weight.toFixed(3)}`);
      node.append(svg("rect", { ...at, class: "touch-cell" }), svg("rect", { ...at, class: "touch-ink", style: `fill-opacity:${weight}` }, title));
    });
  });
  return html("div", {}, html("p", { class: "touch-title" }, title), node);
}

const small = (x) => (x === 0 ? "0" : x < 0.001 ? x.toExponential(1).replace("e-", " · 10^−").replace("e+", " · 10^") : x.toPrecision(2));
const shown = (x) => String(Number(x.toPrecision(6))).replace("-", "−");

/** What the line below says. */
export function words(made) {
  if (made.layers !== undefined) {
    const right = made.answer.every((place, i) => place === made.exact[i]);
    return `From places 1 to ${made.answer.length} one ends at ${made.answer.join(", ")}: ${right ? "all right" : `not all right, it should be ${made.exact.join(", ")}`}. `
      + `Layers: ${made.layers}. Up to ${small(Math.max(made.off, 0))} of a pointer points elsewhere.`;
  }
  const error = largest(made.answer, made.exact), told = made.answer.map(shown).join(", ");
  return `Answer: ${told}. Largest error ${small(error)}; it can be ${small(made.bound)} at most${made.bound ? "" : ", but for rounding"}.`;
}

/** @param {HTMLElement} place */
export async function mount(place) {
  const note = noteLine(), maps = html("div", { class: "touch-panels" });
  const input = html("input", { type: "text", maxlength: 200, autocomplete: "off", spellcheck: "false" });
  const typed = html("label", { class: "touch-choice" }, html("span", {}, "Your input"), input);
  const show = guarded(note, () => {
    const program = PROGRAMS[chosen.value];
    const used = (knob, ...those) => { knob.node.style.display = those.includes(program.knob) ? "" : "none"; };
    used(beta, "beta", "hops");
    used(hops, "hops");
    used(scale, "scale");
    maps.replaceChildren();
    const made = program.make(input.value, { beta: beta.value, hops: hops.value, scale: 10 ** scale.value });
    made.patterns.forEach((weights, i) => maps.append(fullMap(made.names, weights, made.titles[i])));
    note.say(words(made));
  });
  const options = Object.fromEntries(Object.keys(PROGRAMS).map((name) => [name, name]));
  const chosen = choice({ name: "Program", options, changed: () => { input.value = PROGRAMS[chosen.value].begins; show(); } });
  const beta = slider({ name: "β", low: 0, high: 20, step: 0.5, value: 8, changed: show });
  const hops = slider({ name: "Hops", low: 0, high: 7, step: 1, value: 5, changed: show });
  const scale = slider({ name: "Scale", low: -8, high: 0, step: 0.5, value: -6, say: (x) => `10^${x}`.replace("-", "−"), changed: show });
  input.value = PROGRAMS["look up"].begins;
  input.addEventListener("input", show);
  place.append(chosen.node, typed, beta.node, hops.node, scale.node, note.node, maps);
  show();
}
