// Trains the network of the chapter away from the page, and reports now and then.
//
// In:  {kind: "train", task, seed, rate, batch, every} once; {kind: "pause"}, {kind: "go"}
// Out: {kind: "looked", step, accuracy, loss, labelToItem, targetToLabel, maps, msAStep, compiled}, {kind: "failed", why}

import { TASK, draw, length, measures, newWorld, randomStream } from "./jump_task.js";
import { begin, firstWeights, given, looker, onDevice, sgd, tokensOf } from "./jump_network.js";

const N_TEST = 256;
const BREATH = 50; // ms of work between two looks at the mailbox

let paused = false;
let wake = () => {};
self.onmessage = ({ data }) => {
  if (data.kind === "train") train(data).catch((error) => self.postMessage({ kind: "failed", why: String(error?.message ?? error) }));
  paused = data.kind === "pause";
  if (!paused) wake();
};

/** Lets messages in: a tick of a channel takes no time, where a timer would wait for milliseconds. */
const channel = new MessageChannel();
const tick = () => new Promise((resolve) => { channel.port1.onmessage = resolve; channel.port2.postMessage(0); });

async function breath() {
  await tick();
  while (paused) await new Promise((resolve) => { wake = resolve; });
}

async function train({ task: chosen, seed, rate, batch, every }) {
  await begin();
  const task = { ...TASK, ...chosen };
  const [fixed, first, data, exam] = [0, 1, 2, 3].map((stream) => randomStream(seed, stream));
  const world = newWorld(task, fixed), test = draw(world, N_TEST, 1, exam);
  let weights = onDevice(firstWeights(task, first));
  const step = sgd(rate), look = looker();
  let spent = 0, timed = 0, rested = performance.now();
  for (let now = 0; ; now++) {
    if (now % every === 0) {
      const seen = await look(weights, tokensOf(task, test));
      self.postMessage({ kind: "looked", step: now, ...measures(task, test, seen.logits, seen.first, seen.second), maps: maps(task, test, seen), msAStep: timed ? spent / timed : null });
      await breath();
    }
    const began = performance.now(), [x, answer] = given(task, draw(world, batch, task.novel, data));
    let loss;
    [weights, loss] = step(weights, x, answer);
    const value = (await loss.data())[0];
    if (!Number.isFinite(value)) throw new Error(`the loss is no longer a number at step ${now + 1}: the learning rate ${rate} is too large here`);
    if (now > 1) { spent += performance.now() - began; timed += 1; } // the first two compile
    if (performance.now() - rested > BREATH) { await breath(); rested = performance.now(); }
  }
}

/** Both attention maps of the first test sequence, and which pair is its answer. */
function maps(task, test, { first, second }) {
  const size = length(task);
  return { first: Array.from({ length: size }, (_, query) => [...first.subarray(query * size, (query + 1) * size)]), second: [...second.subarray(0, size)], place: test.place[0] };
}
