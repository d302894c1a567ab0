// The chapter's network and its training step, in jax-js. The same as snippets/icl/networks/two_layer.py.
//
// jax-js owns its arrays: whoever is given one uses it up, and `.ref` keeps it for another use. A batch that nobody
// uses up stays in memory for good.

import { defaultDevice, init, jit, nn, numpy as np, tree, valueAndGrad } from "./jax/index.js";
import { length, width } from "./jump_task.js";

export const HIDDEN = 64; // width of the classifier

/** Where jax-js computes: WebAssembly, which every browser has. */
export async function begin() {
  const devices = await init("wasm");
  if (!devices.includes("wasm")) throw new Error("This browser offers no WebAssembly");
  defaultDevice("wasm");
}

/**
 * First weights as plain numbers, by name: [shape, values].
 * @returns {Object<string, [number[], Float32Array]>}
 */
export function firstWeights(task, random, hidden = HIDDEN) {
  const d = width(task), drawn = (rows, columns, spread) => [[rows, columns], random.normals(rows * columns, spread)];
  const weights = {};
  for (const layer of [1, 2]) for (const name of ["W_Q", "W_K", "W_V"]) weights[name + layer] = drawn(d, d, task.items ** -0.5);
  weights.W_1 = drawn(d, hidden, (2 / hidden) ** 0.5);
  weights.W_2 = drawn(hidden, hidden, (2 / hidden) ** 0.5);
  weights.W_3 = drawn(hidden, hidden, (2 / hidden) ** 0.5);
  weights.W_out = drawn(hidden, task.labels, hidden ** -0.5);
  return weights;
}

export const array = (values, shape) => np.array(values, { shape });
export const onDevice = (weights) => Object.fromEntries(Object.entries(weights).map(([name, [shape, values]]) => [name, array(values, shape)]));

/**
 * Logits, the first layer's attention (sequence, query, key) and the second's from the target (sequence, key).
 * x: (sequence, token, d).
 */
export function forward(w, x) {
  const [count, size, d] = x.shape;
  const times = (tokens, matrix) => np.matmul(tokens.reshape([count * size, d]), matrix).reshape([count, size, d]);

  // layer 1: every token reads what stands before it
  const match1 = np.matmul(w.W_Q1, np.transpose(w.W_K1));
  const scores = np.matmul(times(x.ref, match1), np.swapaxes(x.ref, 1, 2)).add(later(size));
  const first = nn.softmax(scores, -1);
  const h = x.ref.add(np.matmul(first.ref, times(x, w.W_V1)));

  // layer 2, for the target alone
  const target = np.matmul(lastOf(size, count), h.ref).reshape([count, d]);
  const asked = np.matmul(np.matmul(target.ref, w.W_Q2), np.transpose(w.W_K2)).reshape([count, 1, d]);
  const second = nn.softmax(np.matmul(asked, np.swapaxes(h.ref, 1, 2)), -1); // (sequence, 1, key)
  const read = np.matmul(np.matmul(second.ref, h).reshape([count, d]), w.W_V2);
  let z = target.add(read);

  for (const name of ["W_1", "W_2", "W_3"]) z = nn.relu(np.matmul(z, w[name]));
  return [np.matmul(z, w.W_out), first, second.reshape([count, size])];
}

/** -1e9 where a key comes after the query. */
function later(size) {
  const mask = new Float32Array(size * size);
  for (let query = 0; query < size; query++) mask.fill(-1e9, query * size + query + 1, (query + 1) * size);
  return array(mask, [size, size]);
}

/** Picks the last token of each sequence. */
function lastOf(size, count) {
  const pick = new Float32Array(count * size);
  for (let sequence = 1; sequence <= count; sequence++) pick[sequence * size - 1] = 1;
  return array(pick, [count, 1, size]);
}

/** Mean cross-entropy; answer: (sequence, label), 1 at the right one. */
function loss(w, x, answer) {
  const [logits, first, second] = forward(w, x);
  first.dispose();
  second.dispose();
  return nn.logSoftmax(logits, -1).mul(answer).sum(-1).mean().mul(-1);
}

/** One step of SGD, compiled at its first call: (weights, x, answer) to [weights, loss]. */
export function sgd(rate) {
  return jit((w, x, answer) => {
    const [value, gradient] = valueAndGrad(loss)(tree.ref(w), x, answer);
    return [tree.map((weight, slope) => weight.sub(slope.mul(rate)), w, gradient), value];
  });
}

/** The tokens of a batch, for the device. */
export const tokensOf = (task, batch) => array(batch.tokens, [batch.answer.length, length(task), width(task)]);

/** Tokens and right answers of a batch, for the device. */
export function given(task, batch) {
  const count = batch.answer.length, right = new Float32Array(count * task.labels);
  batch.answer.forEach((label, sequence) => { right[sequence * task.labels + label] = 1; });
  return [tokensOf(task, batch), array(right, [count, task.labels])];
}

/** The compiled network, to look at test sequences with: typed arrays of logits and both attentions. */
export function looker() {
  const compiled = jit(forward);
  return async (w, x) => {
    const [logits, first, second] = compiled(tree.ref(w), x);
    return { logits: await logits.data(), first: await first.data(), second: await second.data() };
  };
}
