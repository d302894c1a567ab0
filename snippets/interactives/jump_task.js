// Item-label sequences, as snippets/icl/tasks/item_label.py draws them: x_1, l_1, ..., x_N, l_N, x_target.

/**
 * @typedef {{pairs: number, labels: number, classes: number, items: number, slots: number, noise: number, novel: number}} Task
 *   N, L, K, D, P, epsilon, and the share of training sequences with new classes
 * @typedef {{tokens: Float32Array, answer: Int32Array, place: Int32Array}} Batch
 *   (sequence, token, slots + items); the target's label; which pair is the target's
 */

/** @type {Task} */
export const TASK = { pairs: 4, labels: 32, classes: 256, items: 16, slots: 16, noise: 0.1, novel: 0.8 };

export const width = (task) => task.slots + task.items;
export const length = (task) => 2 * task.pairs + 1;

/** Random numbers that a seed and a stream begin (mulberry32): weights, data and test share no draws. */
export function randomStream(seed, stream) {
  let state = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca6b);
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 16; i++) uniform(); // neighbouring seeds begin alike
  let spare = null;
  const normal = () => { // Box and Muller: two at a time
    if (spare !== null) { const kept = spare; spare = null; return kept; }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform())), angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
  const below = (n) => Math.floor(uniform() * n);
  const normals = (count, spread) => Float32Array.from({ length: count }, () => spread * normal());
  return { uniform, normal, below, normals };
}

/** The fixed part of a task: a mean for each class, a vector for each label. */
export function newWorld(task, random) {
  const points = (count) => random.normals(count * task.items, task.items ** -0.5);
  return { task, means: points(task.classes), labels: points(task.labels) };
}

/**
 * Fresh sequences; in a share `novel` of them the classes were drawn for that sequence alone.
 * @returns {Batch}
 */
export function draw(world, count, novel, random) {
  const { task } = world, size = length(task), d = width(task);
  const batch = { tokens: new Float32Array(count * size * d), answer: new Int32Array(count), place: new Int32Array(count) };
  for (let sequence = 0; sequence < count; sequence++) {
    const labels = someLabels(task, random), isNew = random.uniform() < novel;
    const means = labels.map((label) => {
      if (isNew) return random.normals(task.items, task.items ** -0.5);
      const known = label + task.labels * random.below(Math.floor(task.classes / task.labels));
      return world.means.subarray(known * task.items, (known + 1) * task.items);
    });
    const place = random.below(task.pairs);
    batch.place[sequence] = place;
    batch.answer[sequence] = labels[place];
    const here = batch.tokens.subarray(sequence * size * d, (sequence + 1) * size * d);
    write(here, world, [...means, means[place]], labels, random);
  }
  return batch;
}

/** N different labels of L, in any order. */
function someLabels(task, random) {
  const all = Array.from({ length: task.labels }, (_, label) => label);
  for (let i = 0; i < task.pairs; i++) {
    const other = i + random.below(task.labels - i);
    [all[i], all[other]] = [all[other], all[i]];
  }
  return all.slice(0, task.pairs);
}

/** Noisy items and label vectors in turn, each behind its one-hot position. */
function write(tokens, world, means, labels, random) {
  const { task } = world, d = width(task), shift = random.below(task.slots - length(task) + 1);
  const noise = task.noise * task.items ** -0.5, unit = (1 + task.noise ** 2) ** -0.5;
  for (let at = 0; at < length(task); at++) {
    const token = tokens.subarray(at * d, (at + 1) * d), pair = at >> 1;
    token[shift + at] = 1;
    for (let i = 0; i < task.items; i++) {
      token[task.slots + i] = at % 2 ? world.labels[labels[pair] * task.items + i] : (means[pair][i] + noise * random.normal()) * unit;
    }
  }
}

/** What is measured on test sequences: the chapter's four numbers, and how much the
 * target attends to its own item in layer 1, which is the way of another circuit. */
export function measures(task, batch, logits, first, second) {
  const size = length(task), count = batch.answer.length;
  const found = { accuracy: 0, loss: 0, labelToItem: 0, targetToLabel: 0, targetToItem: 0 };
  for (let sequence = 0; sequence < count; sequence++) {
    const row = logits.subarray(sequence * task.labels, (sequence + 1) * task.labels), answer = batch.answer[sequence];
    const most = row.reduce((best, value) => Math.max(best, value), -Infinity);
    found.accuracy += row[answer] === most ? 1 : 0;
    found.loss += most + Math.log(row.reduce((sum, value) => sum + Math.exp(value - most), 0)) - row[answer];
    for (let label = 1; label < size; label += 2) found.labelToItem += first[(sequence * size + label) * size + label - 1] / task.pairs;
    found.targetToItem += first[(sequence * size + size - 1) * size + 2 * batch.place[sequence]];
    found.targetToLabel += second[sequence * size + 2 * batch.place[sequence] + 1];
  }
  for (const name of Object.keys(found)) found[name] /= count;
  return found;
}
