// The two-layer attention-only network of the letters: snippets/icl/networks/small_transformer.py in plain JavaScript.

import { softmax } from "./shared.js";

/**
 * @typedef {{alphabet: string, positions: number, heads: number, prefix: number[][], previous: number[][],
 *   weights: Object<string, {shape: number[], half: string}>}} Data
 * @typedef {{d: number, heads: number, layers: {QKV: Float64Array, O: Float64Array, byDistance: Float64Array}[],
 *   E: Float64Array, U: Float64Array, letters: number, positions: number}} Network matrices by rows
 */

/** 16-bit numbers in base 64 as plain ones. */
export function fromHalf(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const halves = new Uint16Array(bytes.buffer);
  return Float64Array.from(halves, (bits) => {
    const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
    return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : (fraction / 1024) * 2 ** -14);
  });
}

/** @param {Data} data @returns {Network} */
export function read({ alphabet, positions, heads, weights }) {
  const of = (name) => {
    const told = weights[name];
    const values = told && fromHalf(told.half);
    if (!values || values.length !== told.shape.reduce((all, size) => all * size, 1)) throw new Error(`the weights ${name} are not whole`);
    return values;
  };
  const layers = [0, 1].map((layer) => ({ QKV: of(`W_QKV_${layer}`), O: of(`W_O_${layer}`), byDistance: of(`by_distance_${layer}`) }));
  return { layers, E: of("W_E"), U: of("W_U"), d: weights.W_E.shape[1], heads, letters: alphabet.length, positions };
}

/** A row times a matrix that is stored by rows. */
function times(row, matrix, columns) {
  const made = new Float64Array(columns);
  row.forEach((value, i) => { for (let j = 0; j < columns; j++) made[j] += value * matrix[i * columns + j]; });
  return made;
}

/** A row scaled to a mean square of 1. */
function normed(row) {
  const square = row.reduce((sum, value) => sum + value * value, 0) / row.length;
  return row.map((value) => value / Math.sqrt(square + 2 ** -23)); // torch's epsilon of 32-bit numbers
}

/**
 * What comes after each letter, and who attends to whom.
 * @param {Network} network @param {number[]} tokens
 * @returns {{logits: number[][], patterns: number[][][][]}} (pos, letter), (layer, head, query, key)
 */
export function infer(network, tokens) {
  const { d, heads } = network, size = d / heads;
  let stream = tokens.map((token) => network.E.slice(token * d, (token + 1) * d));
  const patterns = network.layers.map(({ QKV, O, byDistance }) => {
    const projected = stream.map((x) => times(normed(x), QKV, 3 * d));
    const read = tokens.map(() => new Float64Array(d));
    const layer = Array.from({ length: heads }, (_, head) => projected.map((query, at) => {
      const scores = projected.slice(0, at + 1).map((key, from) => {
        let score = 0;
        for (let i = head * size; i < (head + 1) * size; i++) score += query[i] * key[d + i];
        return score / Math.sqrt(size) + byDistance[head * network.positions + at - from];
      });
      const row = softmax(scores);
      row.forEach((weight, from) => { for (let i = head * size; i < (head + 1) * size; i++) read[at][i] += weight * projected[from][2 * d + i]; });
      return row;
    }));
    stream = stream.map((x, at) => { const written = times(read[at], O, d); return x.map((value, i) => value + written[i]); });
    return layer;
  });
  return { logits: stream.map((x) => [...times(normed(x), network.U, network.letters)]), patterns };
}

/**
 * The letters as the network knows them: small, and what it does not know left out and named.
 * @returns {{tokens: number[], left: string[], cut: number}}
 */
export function tokenise(text, alphabet, positions) {
  const known = [], left = [];
  for (const letter of text.toLowerCase().replace(/\s+/g, " ")) {
    const token = alphabet.indexOf(letter);
    if (token >= 0) known.push(token);
    else if (!left.includes(letter)) left.push(letter);
  }
  return { tokens: known.slice(0, positions), left, cut: Math.max(0, known.length - positions) };
}
