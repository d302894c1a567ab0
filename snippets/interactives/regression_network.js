// The trained network of snippets/icl/networks/regression_transformer.py, to ask and not to train; and two rules beside it.

/**
 * @typedef {{shape: number[], values: Float64Array}} Weight
 * @typedef {{weights: Object<string, Weight>, heads: number, layers: number}} Network
 * @typedef {[number, number]} Point x and y
 */

/** The weights as they were kept: whole steps, and how large each column gets. */
export function unpack({ shapes, steps, largest, heads, layers }) {
  const whole = new Int8Array(Uint8Array.from(atob(steps), (letter) => letter.charCodeAt(0)).buffer);
  const weights = {};
  let place = 0, column = 0;
  for (const [name, shape] of Object.entries(shapes)) {
    const size = shape.reduce((product, n) => product * n, 1), columns = shape.length > 1 ? shape[shape.length - 1] : 1;
    const values = new Float64Array(size);
    for (let i = 0; i < size; i++) values[i] = (whole[place + i] * largest[column + (i % columns)]) / 127;
    weights[name] = { shape, values };
    place += size;
    column += columns;
  }
  if (place !== whole.length || column !== largest.length) throw new Error("the network's weights do not fit their shapes");
  return { weights, heads, layers };
}

/** x W + b, for a row x. */
function linear(x, W, b) {
  const columns = W.shape[1], y = b ? Float64Array.from(b.values) : new Float64Array(columns);
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < columns; j++) y[j] += x[i] * W.values[i * columns + j];
  }
  return y;
}

function layerNorm(x) {
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
  const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
  return x.map((value) => (value - mean) / Math.sqrt(variance + 1e-5));
}

/** The error function: its series for small x, a continued fraction for large. */
export function erf(x) {
  const size = Math.abs(x);
  if (size > 6) return Math.sign(x);
  if (size < 2.5) {
    let term = x, sum = x;
    for (let n = 1; Math.abs(term) > 1e-17; n++) { term *= (-x * x) / n; sum += term / (2 * n + 1); }
    return (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = size;
  for (let n = 60; n > 0; n--) fraction = size + n / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-size * size) / (Math.sqrt(Math.PI) * fraction));
}

const gelu = (x) => 0.5 * x * (1 + erf(x / Math.SQRT2));

/** One token reads keys and values, by each head; then its MLP. */
function layer(weight, heads, token, keys, values) {
  const q = linear(layerNorm(token), weight("W_Q"), weight("b_Q")), d = q.length / heads, read = new Float64Array(q.length);
  for (let head = 0; head < heads; head++) {
    const from = head * d, scores = keys.map((key) => {
      let sum = 0;
      for (let i = from; i < from + d; i++) sum += q[i] * key[i];
      return sum / Math.sqrt(d);
    });
    const most = Math.max(...scores), powers = scores.map((score) => Math.exp(score - most));
    const total = powers.reduce((sum, value) => sum + value, 0);
    powers.forEach((power, k) => { for (let i = from; i < from + d; i++) read[i] += (power / total) * values[k][i]; });
  }
  const brought = linear(read, weight("W_O"));
  const z = token.map((value, i) => value + brought[i]);
  const hidden = linear(layerNorm(z), weight("W_up"), weight("b_up")).map(gelu);
  const written = linear(hidden, weight("W_down"), weight("b_down"));
  return z.map((value, i) => value + written[i]);
}

/**
 * What the network answers at each x that is asked, after all the points.
 * @param {Network} network @param {Point[]} points @param {number[]} asked @returns {number[]}
 */
export function answers({ weights, heads, layers }, points, asked) {
  const kind = weights.kind.values, width = weights.W_y.values.length;
  const embed = (x, which) => linear([x, 1], weights.W_x).map((value, i) => value + kind[which * width + i]);
  let examples = [Float64Array.from(weights.start.values)];
  for (const [x, y] of points) examples.push(embed(x, 1).map((value, i) => value + y * weights.W_y.values[i]));
  let queries = asked.map((x) => embed(x, 0));
  for (let number = 0; number < layers; number++) {
    const weight = (name) => weights[`layers.${number}.${name}`];
    const both = examples.map((example) => linear(layerNorm(example), weight("W_KV"), weight("b_KV")));
    const keys = both.map((row) => row.slice(0, width)), values = both.map((row) => row.slice(width));
    queries = queries.map((query) => layer(weight, heads, query, keys, values));
    examples = examples.map((example, k) => layer(weight, heads, example, keys.slice(0, k + 1), values.slice(0, k + 1)));
  }
  const { values: read } = weights.W_read, [offset] = weights.b_read.values;
  return queries.map((query) => layerNorm(query).reduce((sum, value, i) => sum + value * read[i], offset));
}

/**
 * Ridge: the [slope, offset] that minimise the squares plus strength times their own. Strength 0 is least squares; where many
 * lines fit as well, the shortest [slope, offset].
 * @param {Point[]} points @param {number} strength
 */
export function ridge(points, strength) {
  const sum = (f) => points.reduce((total, [x, y]) => total + f(x, y), 0);
  const xx = sum((x) => x * x) + strength, x1 = sum((x) => x), n = points.length + strength;
  const xy = sum((x, y) => x * y), y1 = sum((x, y) => y), determinant = xx * n - x1 * x1;
  if (determinant > 1e-9 * xx * n) return [(n * xy - x1 * y1) / determinant, (xx * y1 - x1 * xy) / determinant];
  if (!points.length) return [0, 0];
  // all points at one x: [slope, offset] is a multiple of [x, 1]
  const x = x1 / points.length, size = (y1 / points.length) / (x * x + 1);
  return [size * x, size];
}
