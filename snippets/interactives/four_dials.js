// Four dials of the data: prompts drawn by them, and what repeats inside a prompt and from prompt to prompt.

import { button, choice, guarded, html, noteLine, slider, within } from "./shared.js";

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** p(k), proportional to k^-alpha, for ranks 1 to K. */
export function frequencies(K, alpha) {
  const weights = Array.from({ length: K }, (_, k) => (k + 1) ** -alpha);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** The dials, or an error in words. */
export function checked({ K, B, alpha, share }, { N, L }) {
  if (!Number.isInteger(K) || K < L || K % L) throw new Error(`K is ${K}; it has to be a multiple of the ${L} labels.`);
  if (!Number.isInteger(B) || B < 0 || (B && N % B)) throw new Error(`B is ${B}; it has to be 0 or divide ${N}.`);
  within(alpha, 0, 10, "α");
  within(share, 0, 1, "The share of bursty prompts");
  return { K, B, alpha, share };
}

/** How often the context shows the target's class, how often that class was asked for, how much was asked often. */
export function told(dials, data) {
  const { K, B, alpha, share } = checked(dials, data);
  const p = frequencies(K, alpha), sum = (f) => p.reduce((total, one) => total + f(one), 0);
  const chance = sum((one) => one * (1 - (1 - one) ** data.N)), bursty = B ? share : 0;
  return {
    shown: bursty + (1 - bursty) * chance,
    asked: data.sequences * sum((one) => one * one),
    known: sum((one) => (data.sequences * one >= data.least ? one : 0)),
  };
}

/** Numbers in [0, 1) from 32-bit arithmetic (mulberry32). */
export function uniform(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function pick(p, at) {
  let total = 0;
  for (let k = 0; k < p.length; k++) {
    total += p[k];
    if (at < total) return k;
  }
  return p.length - 1;
}

/** The classes of a context and that of the target, counted from 0. */
export function prompt(dials, data, next) {
  const { K, B, alpha, share } = checked(dials, data), { N, L } = data, p = frequencies(K, alpha);
  if (!(next() < share && B)) {
    const drawn = Array.from({ length: N + 1 }, () => pick(p, next()));
    return { context: drawn.slice(0, N), target: drawn[N] };
  }
  const chosen = [pick(p, next())];
  while (chosen.length < N / B) {
    const other = pick(p, next());
    if (!chosen.some((k) => k % L === other % L)) chosen.push(other);
  }
  const context = Array.from({ length: N }, (_, place) => chosen[place % chosen.length]);
  for (let last = N - 1; last > 0; last--) {
    const other = Math.floor(next() * (last + 1));
    [context[last], context[other]] = [context[other], context[last]];
  }
  return { context, target: chosen[0] };
}

/** A prompt in a row of chips; pairs of the target's class are marked. */
function row({ context, target }, { L }) {
  const line = html("p", { style: "margin:.25em 0;display:flex;flex-wrap:wrap;gap:.35em" });
  const chip = (words, marked) => html("span", {
    style: `padding:.1em .5em;border-radius:1em;border:1px solid var(--book-rule);${marked ? "background:color-mix(in srgb, var(--d-content) 26%, transparent);font-weight:600" : ""}`,
  }, words);
  for (const k of context) line.append(chip(`${k + 1} ${LETTERS[k % L]}`, k === target));
  line.append(chip(`${target + 1} ?`, true));
  return line;
}

const count = (number) => (number < 10 ? number.toFixed(1) : Math.round(number).toLocaleString("en"));
const percent = (share) => `${(100 * share).toFixed(share > 0 && share < 1 && (share > 0.995 || share < 0.005) ? 1 : 0)} %`;

export async function mount(place, data) {
  const note = noteLine(), prompts = html("div", { role: "group", "aria-label": "Five prompts" });
  let seed = 1;
  const show = guarded(note, () => {
    const dials = { K: 2 ** classes.value, B: Number(copies.value.slice(1)), alpha: exponent.value, share: bursty.value };
    const { shown, asked, known } = told(dials, data), next = uniform(seed);
    prompts.replaceChildren(...Array.from({ length: 5 }, () => row(prompt(dials, data, next), data)));
    note.say(`The context shows the target's class in ${percent(shown)} of the prompts. After ${data.sequences.toLocaleString("en")} prompts the class of a `
      + `target has been asked for ${count(asked)} times on average, and ${percent(known)} of the targets are of a class asked for ${data.least} times or more.`);
  });
  const classes = slider({ name: "K, classes", low: 4, high: 12, step: 1, value: 10, say: (value) => (2 ** value).toLocaleString("en"), changed: show });
  const exponent = slider({ name: "α, unevenness", low: 0, high: 2, step: 0.125, value: 0, changed: show });
  const bursty = slider({ name: "share of bursty prompts", low: 0, high: 1, step: 0.05, value: 1, say: (value) => `${Math.round(100 * value)} %`, changed: show });
  const copies = choice({ name: "B, copies in a bursty prompt", options: { b1: "1", b2: "2", b4: "4", b0: "0: none is bursty" }, changed: show });
  place.append(classes.node, exponent.node, bursty.node, copies.node, prompts, button("Draw five others", () => { seed += 1; show(); }), note.node);
  show();
}
