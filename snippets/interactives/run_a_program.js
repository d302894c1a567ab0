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

const POINT = "Which place each place points to: 4 6 1 means that 1 points to 4, 2 to 6, 3 to 1. A row is a place that starts, a column a place it reads.";

// Each program: its first input, what to type, and what it makes of it: names of the tokens, answer, exact answer, bound of the error.
export const PROGRAMS = {
  "look up": {
    begins: "red 3, blue 7, green 5; blue?", knob: "beta",
    hint: "Keys with their numbers, a semicolon, the key asked for. Only the last row asks; the pairs ask nothing, and look at all evenly.",
    make(text, { beta }) {
      const { names, values, asked } = pairs(text), n = names.length;
      const exact = [values[names.indexOf(asked)]], found = lookUp(names, values, asked, beta);
      return { ...found, exact, names: [...names, "?"], titles: ["whose key am I asking for?"], bound: spread([...values, 0]) * leak(beta, n) };
    },
  },
  move: {
    begins: "3 1 4 1 5 9", knob: "beta",
    hint: "Numbers. Each place gets the number before it; the first keeps its own.",
    make(text, { beta }) {
      const values = numbers(text, -MOST, MOST, PLACES, false), exact = values.map((_, i) => values[Math.max(i - 1, 0)]);
      return { ...move(values, 1, beta), exact, names: places(values.length), titles: ["what stands before me?"], bound: spread(values) * leak(beta, values.length - 1) };
    },
  },
  count: {
    begins: "3 1 4 1 5 9", knob: "",
    hint: "Digits. Each learns how often it stands there. Unused places are blank (a dot).",
    make(text) {
      const digits = numbers(text, 0, 9, PLACES), exact = digits.map((d) => digits.filter((e) => e === d).length);
      return { ...count(digits), exact, names: padded(digits).map((d) => (d === BLANK ? "·" : String(d))), titles: ["an even look at all"], bound: 0 };
    },
  },
  sort: {
    begins: "3 1 4 1 5 9 2 6", knob: "beta",
    hint: "Digits (columns of the second map). Place 1, 2, ... (its rows) looks for the digit that claims it. Unused places are blank (a dot).",
    make(text, { beta }) {
      const digits = numbers(text, 0, 9, PLACES), exact = [...digits].sort((a, b) => a - b);
      return { ...sort(digits, beta), exact, names: places(PLACES), read: padded(digits).map((d) => (d === BLANK ? "·" : String(d))), titles: ["an even look at all", "who claims my place?"], bound: 10 * leak(beta, PLACES - 1) };
    },
  },
  "follow pointers, one by one": { begins: "4 6 1 5 2 3", knob: "hops", hint: POINT, make: (text, knobs) => pointers(text, knobs, false) },
  "follow pointers, doubling": { begins: "4 6 1 5 2 3", knob: "hops", hint: POINT, make: (text, knobs) => pointers(text, knobs, true) },
  multiply: {
    begins: "6 7", knob: "scale", hint: "Two numbers, a and b. No token reads another: three GELUs, and a sum.",
    make(text, { scale }) {
      const [a, b] = two(text), bound = (scale ** 2 / 12) * ((a + b) ** 4 + a ** 4 + b ** 4) + (8 * 2 ** -53 * Math.sqrt(Math.PI / 2) * (Math.abs(a) + Math.abs(b))) / scale;
      return { answer: [multiply(a, b, scale)], exact: [a * b], patterns: [], names: [], titles: [], bound, lines: productLines(a, b, scale) };
    },
  },
  divide: {
    begins: "6 7", knob: "scale", hint: "Two numbers, a and b, with b above 0. No token reads another: one layer norm.",
    make(text, { scale }) {
      const [a, b] = two(text), answer = [divide(a, b, scale)];
      return { answer, exact: [a / b], patterns: [], names: [], titles: [], lines: quotientLines(a, b, scale), bound: Math.abs(a / b) * (((scale * a) / b) ** 2 / 2 + 16 * 2 ** -53) };
    },
  },
};

/** What happens on the way, a line each. */
function productLines(a, b, s) {
  const parts = [["s(a + b)", s * (a + b)], ["sa", s * a], ["sb", s * b]];
  const [sum, first, second] = parts.map(([, z]) => gelu(z));
  return [...parts.map(([name, z]) => `GELU(${name}) = ${shown(gelu(z), 10)}`), `first − second − third = ${shown(sum - first - second, 4)}`,
    `times √(π/2) / s² = ${shown(multiply(a, b, s))}`];
}

function quotientLines(a, b, s) {
  const vector = [s * a, -s * a, b, -b], size = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0) / 4);
  return [`(sa, −sa, b, −b) = (${vector.map((x) => shown(x, 4)).join(", ")})`, `root of its mean square = ${shown(size)}, almost b/√2`,
    `first entry, divided by it = ${shown(vector[0] / size)}`, `divided by √2 s = ${shown(divide(a, b, s))}`];
}

function two(text) {
  const found = numbers(text, -1000, 1000, PLACES, false);
  if (found.length !== 2) throw new Error("Type two numbers.");
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
  return { ...found, answer, exact: ends, names: places(n), off, hops, layers, titles: titlesOf(hops, layers, double) };
}

function titlesOf(hops, layers, double) {
  const titles = [];
  for (let layer = 0; layer < layers; layer++) {
    if (!double || (hops >> layer) & 1) titles.push(`layer ${layer + 1}: where I am`);
    if (double) titles.push(`layer ${layer + 1}: where my jump lands`);
  }
  return titles;
}

// What is seen.

/** Names of those that ask, at the rows, and of those that are read, at the columns. */
function fullMap(names, read, weights, title, many) {
  const n = names.length, size = 300, top = many ? 34 : 24, letters = Math.min(many ? 26 : n > 8 ? 13 : 17, ((size - 32) / n) * 0.75);
  const short = (name) => (name.length > 7 ? `${name.slice(0, 6)}…` : name);
  const margin = 12 + 0.62 * letters * Math.max(2, ...names.map((name) => short(name).length)), cell = (size - margin) / n;
  const node = svg("svg", { viewBox: `0 0 ${size} ${n * cell + top + 1}`, role: "img", "aria-label": `Attention map, ${title}: rows ask, columns are read` });
  names.forEach((name, row) => {
    const middle = top + (row + 0.5) * cell + 0.35 * letters, fit = Math.min(letters, (1.5 * cell) / short(read[row]).length);
    node.append(svg("text", { x: margin - 5, y: middle, "text-anchor": "end", "font-size": letters }, short(name)));
    node.append(svg("text", { x: margin + (row + 0.5) * cell, y: top - 7, "text-anchor": "middle", "font-size": fit }, short(read[row])));
    names.forEach((_, column) => {
      const at = { x: margin + column * cell, y: top + row * cell, width: cell, height: cell }, weight = weights[row][column];
      const told = svg("title", {}, `${name} reads ${read[column]}: ${weight.toFixed(3)}`);
      node.append(svg("rect", { ...at, class: "touch-cell" }), svg("rect", { ...at, class: "touch-ink", style: `fill-opacity:${weight}` }, told));
    });
  });
  return html("div", {}, html("p", { class: "touch-title" }, title), node);
}

/** A number to so many digits, with a power of ten as one prints it. */
const shown = (x, digits = 6) => {
  const [head, power] = String(Number(x.toPrecision(digits))).replace(/-/g, "−").split("e");
  return power === undefined ? head : `${head} · 10${raised(power.replace("+", ""))}`;
};
const raised = (power) => [...power].map((letter) => "⁰¹²³⁴⁵⁶⁷⁸⁹"["0123456789".indexOf(letter)] ?? "⁻").join("");
const small = (x) => {
  if (x !== 0 && x < 0.001) { const [head, power] = x.toExponential(1).split("e"); return `${head} · 10${raised(power)}`; }
  return x >= 10 ? String(Math.round(x)) : x === 0 ? "0" : x.toPrecision(2);
};

/** What the line below says. */
export function words(made) {
  if (made.layers !== undefined) {
    const undecided = made.off >= 0.5 ? " With half of it or more astray, the largest share need not be the right one." : "";
    const right = made.answer.every((place, i) => place === made.exact[i]);
    return `After ${made.hops} hop${made.hops === 1 ? "" : "s"}, from places ${places(made.answer.length).join(", ")}, one is at ${made.answer.join(", ")}: ${right ? "all right" : `not all right, it should be ${made.exact.join(", ")}`}. `
      + `Layers: ${made.layers}. Of the weight, ${small(Math.max(made.off, 0))} at most is on a wrong place.${undecided}`;
  }
  const error = largest(made.answer, made.exact), told = made.answer.map((x) => shown(x)).join(", ");
  return `Answer: ${told}. Largest error ${small(error)}; ${made.bound ? `the bound is ${small(made.bound)}` : "but for rounding it is exact"}.`;
}

/** @param {HTMLElement} place */
export async function mount(place) {
  const note = noteLine(), maps = html("div", { class: "touch-panels" });
  const input = html("input", { type: "text", style: "width:100%;max-width:28rem;box-sizing:border-box", maxlength: 200, autocomplete: "off", spellcheck: "false" });
  const typed = html("label", { class: "touch-choice" }, html("span", {}, "Your input"), input);
  const hint = html("p", { style: "opacity:.85" });
  const show = guarded(note, () => {
    const program = PROGRAMS[chosen.value];
    const used = (knob, ...those) => { knob.node.style.display = those.includes(program.knob) ? "" : "none"; };
    used(beta, "beta", "hops");
    used(hops, "hops");
    used(scale, "scale");
    hint.textContent = program.hint;
    maps.replaceChildren();
    const made = program.make(input.value, { beta: beta.value, hops: hops.value, scale: 10 ** scale.value });
    const many = made.patterns.length > 2 && made.names.length <= 8;
    made.patterns.forEach((weights, i) => {
      const last = i === made.patterns.length - 1, own = made.read ?? made.names;
      maps.append(fullMap(last ? made.names : own, own, weights, made.titles[i], many));
    });
    maps.style.alignItems = "end";
    if (many) for (const map of maps.children) map.style.flex = "0 0 min(9rem, calc(50% - .7em))";
    if (made.lines) maps.append(html("div", { class: "touch-wide" }, ...made.lines.map((line) => html("p", {}, line))));
    note.say(words(made));
  });
  const options = Object.fromEntries(Object.keys(PROGRAMS).map((name) => [name, name]));
  const chosen = choice({ name: "Program", options, changed: () => { input.value = PROGRAMS[chosen.value].begins; show(); } });
  const beta = slider({ name: "β", low: 0, high: 20, step: 0.5, value: 8, changed: show });
  const hops = slider({ name: "Hops", low: 0, high: 7, step: 1, value: 5, changed: show });
  const scale = slider({ name: "Scale", low: -8, high: 0, step: 0.5, value: -6, say: (x) => shown(10 ** x, 2), changed: show });
  input.value = PROGRAMS["look up"].begins;
  input.addEventListener("input", show);
  place.append(chosen.node, typed, hint, beta.node, hops.node, scale.node, note.node, maps);
  show();
}
