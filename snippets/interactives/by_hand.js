// The hand-built induction head: alpha, beta and the number of pairs, and both attention maps.
// The same numbers as snippets/icl/networks/induction_head.py with contents at right angles.

import { attentionMap, choice, guarded, html, noteLine, slider, softmax, within } from "./shared.js";

const MOST_PAIRS = 8;
const XI = 8; // what the whole attention on a label adds to its logit

/** y: how much label number k (from 1) holds of its item. */
export function heldByLabel(beta, k) {
  return Math.exp(beta) / (Math.exp(beta) + 2 * k - 1);
}

/** z, where the rest of layer 1 goes to the start token. */
export function attentionOnAnswer(alpha, y, nPairs) {
  return Math.exp(alpha * y) / (Math.exp(alpha * y) + 2 * nPairs);
}

/** z, where layer 1 spreads the rest of its attention over the other tokens. */
export function attentionWithLeaks(alpha, beta, k, nPairs) {
  const e = Math.exp(beta), item = 2 * k - 1, target = 2 * nPairs + 1;
  const held = Array(item - 1).fill(0); // tokens before the item
  held.push(1 / (e + Math.max(item - 1, 1)), e / (e + item));
  for (let p = item + 2; p < target; p++) held.push(1 / (e + p - 1));
  held.push(2 / (e + target - 1)); // the target sees the item, and itself
  const total = held.reduce((sum, h) => sum + Math.exp(alpha * h), 0);
  return Math.exp(alpha * held[item]) / total;
}

/** The tokens of a context: items 0 .. N-1, labels N .. 2N-1, the start token -1; the target repeats item k. */
export function context(nPairs, k) {
  const tokens = [-1];
  for (let pair = 0; pair < nPairs; pair++) tokens.push(pair, nPairs + pair);
  return [...tokens, k - 1];
}

/** Layer 1: beta for the position before; the rest on the start token ("start") or on all others ("spread"). */
export function firstLayer(nPositions, beta, rest) {
  const others = rest === "spread" ? 0 : -Infinity;
  return Array.from({ length: nPositions }, (_, p) => {
    const logits = Array(p + 1).fill(others);
    if (p >= 2) logits[0] = rest === "start" ? Math.log(p - 1) : -Infinity;
    if (p >= 1) logits[p - 1] = beta;
    else logits[0] = 0;
    return softmax(logits);
  });
}

/** Layer 2: alpha times what each buffer holds of the content that asks; the start token is left out. */
export function secondLayer(tokens, first, alpha) {
  const held = (p, token) => first[p].reduce((sum, weight, r) => sum + (tokens[r] === token ? weight : 0), 0);
  return tokens.map((token, query) => {
    if (query === 0) return [1];
    return softmax(Array.from({ length: query + 1 }, (_, p) => (p ? alpha * held(p, token) : -Infinity)));
  });
}

/**
 * Both maps, what the target gives to the right label, and the label that wins.
 * @returns {{first: number[][], second: number[][], z: number, logits: number[], guess: number}}
 */
export function network(nPairs, k, alpha, beta, rest) {
  const tokens = context(nPairs, k), first = firstLayer(tokens.length, beta, rest);
  const second = secondLayer(tokens, first, alpha), last = second[second.length - 1];
  const logits = Array.from({ length: nPairs }, (_, pair) => XI * last[2 * pair + 2]);
  return { first, second, z: last[2 * k], logits, guess: 1 + logits.indexOf(Math.max(...logits)) };
}

/** For how many of the N pairs the right label has the largest logit, by more than rounding. */
export function rightPairs(nPairs, alpha, beta, rest) {
  let right = 0;
  for (let k = 1; k <= nPairs; k++) {
    const { logits } = network(nPairs, k, alpha, beta, rest);
    if (logits.every((logit, pair) => pair === k - 1 || logits[k - 1] > logit + 1e-12)) right += 1;
  }
  return right;
}

/** @param {HTMLElement} place */
export async function mount(place) {
  const note = noteLine(), maps = html("div", { class: "touch-panels" });
  let drawn = null;
  const read = () => {
    const nPairs = within(pairs.value, 1, MOST_PAIRS, "The number of pairs"), k = within(asked.value, 1, nPairs, "The pair asked for");
    return [nPairs, k, within(alpha.value, 0, 20, "Alpha"), within(beta.value, -2, 12, "Beta"), rest.value];
  };
  const show = guarded(note, () => {
    asked.limit(pairs.value);
    const [nPairs, k, a, b, where] = read();
    if (drawn?.nPairs !== nPairs) drawn = newMaps(maps, nPairs);
    const found = network(nPairs, k, a, b, where);
    drawn.first.show(found.first);
    drawn.second.show(found.second);
    note.say(words(nPairs, k, a, b, where, found));
  });
  const one = (value) => value.toFixed(1);
  const alpha = slider({ name: "α, layer 2", low: 0, high: 20, step: 0.5, value: 8, say: one, changed: show });
  const beta = slider({ name: "β, layer 1", low: -2, high: 12, step: 0.5, value: 3, say: one, changed: show });
  const pairs = slider({ name: "N, pairs", low: 1, high: MOST_PAIRS, step: 1, value: 4, changed: show });
  const asked = slider({ name: "k, asked for", low: 1, high: 4, step: 1, value: 2, changed: show });
  const rest = choice({ name: "The rest of layer 1", options: { start: "to the start token", spread: "to all tokens" }, changed: show });
  place.append(alpha.node, beta.node, pairs.node, asked.node, rest.node, maps, note.node);
  show();
}

function newMaps(maps, nPairs) {
  const names = ["start"];
  for (let pair = 1; pair <= nPairs; pair++) names.push(`x${pair}`, `l${pair}`);
  names.push("x?");
  const first = attentionMap(names, "Attention map of layer 1: rows attend to columns");
  const second = attentionMap(names, "Attention map of layer 2: rows attend to columns");
  maps.replaceChildren(
    html("div", {}, html("p", { class: "touch-title" }, "Layer 1: look back by one"), first.node),
    html("div", {}, html("p", { class: "touch-title" }, "Layer 2: who holds what I am?"), second.node),
  );
  return { nPairs, first, second };
}

function words(nPairs, k, alpha, beta, rest, found) {
  const y = heldByLabel(beta, k);
  const formula = rest === "start" ? attentionOnAnswer(alpha, y, nPairs) : attentionWithLeaks(alpha, beta, k, nPairs);
  const right = rightPairs(nPairs, alpha, beta, rest);
  return `Label ${k} holds y = ${y.toFixed(3)} of its item. The target gives it z = ${found.z.toFixed(4)} of its attention; `
    + `the formula says ${formula.toFixed(4)}. Whichever pair is asked for: right for ${right} of ${nPairs}.`;
}
