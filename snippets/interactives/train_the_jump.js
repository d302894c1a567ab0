// Train the jump in the browser: a small network learns to use its context while the reader watches.
// A worker trains (train_the_jump_worker.js); this file shows what it reports.

import { attentionMap, axes, button, choice, guarded, html, legend, noteLine, still, svg, within } from "./shared.js";

const EVERY = 25; // steps between two looks
const JUMPED = 0.9; // accuracy on new classes
const AFTER = 300; // steps that are still watched after the jump
const PATIENT = 4000; // steps without a jump, until it pauses and asks
const SILENCE = 20; // seconds without a word from the worker
const BATCH = 64;

const SINKS = "; later accuracy sank again";

/**
 * Where the same network jumped in Python, on three seeds: accuracy of nine tenths between these steps, by "N L rate". null: no seed jumped in 2,500 steps.
 * The same seed jumps at another step here: it draws other numbers.
 */
export const TRIED = {
  "2 32 0.3": [250, 450], "3 32 0.3": [425, 600], "4 32 0.3": [625, 875], "5 32 0.3": [850, 975], "6 32 0.3": [1000, 1150], "7 32 0.3": [1150, 1300],
  "4 8 0.3": [600, 925], "4 16 0.3": [650, 675], "4 64 0.3": [800, 950],
  "4 32 0.1": [1475, 2125], "4 32 0.2": [825, 1125], "4 64 0.5": null,
  "4 16 0.5": [475, 500], "4 32 0.5": [450, 700, SINKS], "5 32 0.5": [775, 825, SINKS], "6 32 0.5": [875, 1025, SINKS],
};

/** @typedef {{seed: number, rate: number, pairs: number, labels: number}} Settings */

/**
 * The settings, or an error in words.
 * @param {Settings} told @returns {Settings}
 */
export function checked({ seed, rate, pairs, labels }) {
  within(seed, 0, 999999, "The seed");
  if (!Number.isInteger(seed)) throw new Error(`The seed is ${seed}; it is a whole number.`);
  within(rate, 0.001, 10, "The learning rate");
  within(pairs, 2, 7, "N");
  within(labels, 8, 64, "L");
  return { seed, rate, pairs, labels };
}

const number = (value) => value.toLocaleString("en");

/** What is known of these settings before they are tried here. @param {Settings} settings */
export function known({ rate, pairs, labels }) {
  const tried = TRIED[`${pairs} ${labels} ${rate}`];
  if (tried === null) return "Where we tried these settings, none of three seeds jumped in 2,500 steps.";
  if (!tried) return "These settings were not tried: it may not jump.";
  return `Where we tried these settings, three of three seeds jumped, at steps ${number(tried[0])} to ${number(tried[1])}${tried[2] ?? ""}.`;
}

/** How long until the jump, from what a step takes here. */
export function estimate({ rate, pairs, labels }, step, msAStep) {
  const tried = TRIED[`${pairs} ${labels} ${rate}`], speed = `${msAStep.toFixed(1)} ms a step here`;
  if (!tried) return `${speed}, ${Math.round(msAStep)} s for 1,000 steps`;
  const seconds = (to) => Math.max(0, Math.round(((to - step) * msAStep) / 1000));
  if (step >= tried[1]) return `${speed}; later than where we tried it`;
  return `${speed}: the jump in some ${seconds(tried[0])} to ${seconds(tried[1])} s`;
}

/** Why a training ended, for the reader. */
export function reason(words) {
  if (/memory|alloc/i.test(words)) return "The browser refused the memory for the training; close other tabs.";
  if (/WebAssembly|Content Security/i.test(words)) return `This page may not run WebAssembly here (${words}).`;
  return `The training stopped: ${words || "its worker did not start, or died"}.`;
}

/** By which circuit it jumped: the attention tells, not the accuracy. */
export function circuit({ labelToItem, targetToItem }) {
  if (labelToItem >= 0.5) return "Labels attend to their items, the target to the right label: an induction head.";
  if (targetToItem >= 0.5) return "Another circuit than the induction head: the target finds its item in layer 1 already, and labels do not attend to their items.";
  return "Which circuit does it is not to be seen in these two maps: labels do not attend to their items.";
}

/** @param {HTMLElement} place */
export async function mount(place) {
  const note = noteLine();
  if (typeof Worker === "undefined" || typeof WebAssembly === "undefined") {
    note.fail("This browser has no WebAssembly or no workers, so nothing can be trained in it. The figures of the page show the same.");
    place.append(note.node);
    return;
  }
  const inputs = settingInputs(() => note.say(told())), told = () => { try { return known(checked(inputs.read())); } catch (error) { return error.message; } };
  const pace = html("p", { class: "touch-pace" }), shown = html("div");
  let run = null, screen = null;

  const clear = () => {
    run?.end();
    run = null;
    screen = newScreen(checkedOr(inputs.read()), shown);
    inputs.lock(false);
    main.textContent = "Train";
    pace.textContent = "";
    note.say(told());
  };
  const main = button("Train", guarded(note, () => {
    if (run && !run.over) {
      run.pause(!run.paused);
      main.textContent = run.paused ? "Go on" : "Pause";
      if (!run.paused) note.say("It trains.");
      return;
    }
    if (run) clear();
    const settings = checked(inputs.read());
    screen = newScreen(settings, shown);
    inputs.lock(true);
    main.textContent = "Pause";
    note.say("It trains. The first steps wait for the compiler.");
    run = newRun(settings, {
      looked: (seen) => {
        screen.add(seen);
        if (seen.msAStep) pace.textContent = `Step ${number(seen.step)}. ${sentence(run.jumpedAt === null ? estimate(settings, seen.step, seen.msAStep) : `${seen.msAStep.toFixed(1)} ms a step here`)}`;
      },
      says: (words) => { note.say(words); main.textContent = run.paused ? "Go on" : "Pause"; },
      failed: (why) => { note.fail(`${why} Press Reset to begin again.`); main.textContent = "Train again"; inputs.lock(false); },
    });
  }));
  place.append(inputs.node, html("div", { class: "touch-row" }, main, button("Reset", guarded(note, clear))), note.node, pace, shown);
  clear();
}

const sentence = (words) => (words.endsWith(".") ? words : `${words}.`);
const checkedOr = (settings) => { try { return checked(settings); } catch { return { seed: 0, rate: 0.3, pairs: 4, labels: 32 }; } };

/** Seed, learning rate, N and L. */
function settingInputs(changed) {
  const field = (name, value, step) => {
    const input = html("input", { type: "number", value, step, min: 0, inputmode: "decimal" });
    input.addEventListener("input", changed);
    return { node: html("label", { class: "touch-choice" }, html("span", {}, name), input), input };
  };
  const seed = field("seed", 0, 1), rate = field("learning rate", 0.3, "any");
  const pick = (name, values, value) => {
    const made = choice({ name, options: Object.fromEntries(values.map((one) => [`${one}`, `${one}`])), changed });
    made.input.value = `${value}`;
    return made;
  };
  const pairs = pick("pairs N", [2, 3, 4, 5, 6, 7], 4), labels = pick("labels L", [8, 16, 32, 64], 32);
  const all = [seed, rate, pairs, labels];
  return {
    node: html("div", { class: "touch-row" }, ...all.map((one) => one.node)),
    read: () => ({ seed: seed.input.valueAsNumber, rate: rate.input.valueAsNumber, pairs: Number(pairs.value), labels: Number(labels.value) }),
    lock: (locked) => all.forEach((one) => { one.input.disabled = locked; }),
  };
}

/**
 * One training, in a worker of its own.
 * @param {Settings} settings
 * @param {{looked: (seen: any) => void, says: (words: string) => void, failed: (why: string) => void}} hear
 */
function newRun(settings, hear) {
  const worker = new Worker(new URL("./train_the_jump_worker.js", import.meta.url), { type: "module" });
  const every = still() ? 4 * EVERY : EVERY;
  const run = { paused: false, over: false, jumpedAt: null, end, pause };
  let heard = performance.now(), until = PATIENT;
  const watch = setInterval(() => {
    if (run.paused || performance.now() - heard < 1000 * SILENCE) return;
    heard = Infinity; // says it once
    hear.failed(`The worker has said nothing for ${SILENCE} s; it may have died.`);
  }, 1000);
  function end() { run.over = true; clearInterval(watch); worker.terminate(); }
  function pause(paused) {
    run.paused = paused;
    heard = performance.now();
    worker.postMessage({ kind: paused ? "pause" : "go" });
  }
  const fail = (why) => { end(); hear.failed(why); };
  worker.onerror = (event) => { event.preventDefault(); fail(reason(event.message ?? "")); };
  worker.onmessage = ({ data }) => {
    heard = performance.now();
    if (run.over) return;
    if (data.kind === "failed") { fail(reason(data.why)); return; }
    hear.looked(data);
    if (run.jumpedAt === null && data.accuracy >= JUMPED) {
      run.jumpedAt = data.step;
      until = data.step + AFTER;
      hear.says(`It jumped: at step ${number(data.step)} more than nine of ten answers on new classes are right.`);
    } else if (data.step >= until) {
      until = data.step + PATIENT;
      pause(true);
      hear.says(run.jumpedAt === null ? `No jump in ${number(data.step)} steps. Go on, or Reset and choose others.` : `It jumped at step ${number(run.jumpedAt)} and is paused. ${circuit(data)}`);
    }
  };
  worker.postMessage({ kind: "train", task: { pairs: settings.pairs, labels: settings.labels }, seed: settings.seed, rate: settings.rate, batch: BATCH, every });
  return run;
}

/** Curves and maps, empty. `add` draws one more look. */
function newScreen(settings, shown) {
  const seen = [], size = 2 * settings.pairs + 1;
  const names = Array.from({ length: size }, (_, at) => `${at % 2 ? "ℓ" : "x"}${at === size - 1 ? "?" : "₁₂₃₄₅₆₇"[at >> 1]}`);
  const first = attentionMap(names, "Layer 1: which token attends to which, in one prompt of new classes"), second = targetMap(names);
  const curves = html("div", { class: "touch-panels" });
  let drawn = newCurves(settings, 1500, curves);
  shown.replaceChildren(
    legend([
      ["accuracy on new classes", `border-top: 2px solid ${COLOURS.accuracy}`],
      ["label to item, layer 1", `border-top: 2px dashed ${COLOURS.labelToItem}`],
      ["target to label, layer 2", `border-top: 2px dotted ${COLOURS.targetToLabel}`],
    ]),
    curves,
    html("div", { class: "touch-panels" },
      html("div", {}, html("p", { class: "touch-title" }, "Layer 1: a row attends to columns"), first.node),
      html("div", {}, html("p", { class: "touch-title" }, "Layer 2: where the target looks; the right label is framed"), second.node)));
  first.show(names.map(() => names.map(() => 0)));
  return {
    add(look) {
      seen.push(look);
      if (look.step > drawn.most) drawn = newCurves(settings, 2 * drawn.most, curves);
      drawn.draw(seen);
      first.show(look.maps.first);
      second.show(look.maps.second, look.maps.place);
    },
  };
}

const COLOURS = { accuracy: "var(--d-content)", labelToItem: "var(--d-position)", targetToLabel: "var(--d-buffer)", loss: "var(--d-label)" };
const DASHES = { accuracy: "none", labelToItem: "6 3", targetToLabel: "2 3" };

function newCurves(settings, most, into) {
  const share = axes({ label: "Accuracy on new classes and two attention measures against training step", x: [0, most], y: [0, 1], xName: "training step", yName: "share" });
  const top = Math.log(settings.labels), roof = Math.ceil(top + 0.3);
  const loss = axes({ label: "Loss on new classes against training step", x: [0, most], y: [0, roof], xName: "training step", yName: "loss (nats)" });
  for (const [value, words] of [[top, "ln L: any label"], [Math.log(settings.pairs), "ln N: any label shown"]]) {
    loss.back.append(svg("line", { x1: loss.box.left, x2: loss.box.right, y1: loss.Y(value), y2: loss.Y(value), stroke: "var(--md-default-fg-color--light)", "stroke-dasharray": "1 3" }));
    loss.back.append(svg("text", { x: loss.box.right, y: loss.Y(value) - 3, "text-anchor": "end", "font-size": 10 }, words));
  }
  const lines = Object.keys(DASHES).map((name) => [name, share.line({ stroke: COLOURS[name], "stroke-dasharray": DASHES[name] })]);
  const fall = loss.line({ stroke: COLOURS.loss });
  into.replaceChildren(html("div", {}, share.node), html("div", {}, loss.node));
  return {
    most,
    draw(seen) {
      const steps = seen.map((look) => look.step), last = seen.at(-1);
      for (const [name, line] of lines) line.draw(steps, seen.map((look) => look[name]));
      fall.draw(steps, seen.map((look) => Math.min(look.loss, roof)));
      const say = (value) => value.toFixed(2);
      share.node.setAttribute("aria-label", `At step ${last.step}: accuracy ${say(last.accuracy)}, label to item ${say(last.labelToItem)}, target to label ${say(last.targetToLabel)}`);
      loss.node.setAttribute("aria-label", `At step ${last.step}: loss ${say(last.loss)} nats`);
    },
  };
}

/** One row of cells: the second layer's attention from the target. */
function targetMap(names) {
  const cell = 300 / names.length, node = svg("svg", { viewBox: "0 0 300 60", role: "img", "aria-label": "Layer 2: the target's attention to each token" });
  const inks = names.map((name, at) => {
    const box = { x: at * cell, y: 18, width: cell, height: 30 }, title = svg("title"), ink = svg("rect", { ...box, class: "touch-ink" }, title);
    ink.style.fillOpacity = "0";
    node.append(svg("text", { x: (at + 0.5) * cell, y: 12, "text-anchor": "middle", "font-size": 11 }, name), svg("rect", { ...box, class: "touch-cell" }), ink);
    return { ink, title };
  });
  const frame = svg("rect", { y: 17, width: cell, height: 32, fill: "none", stroke: "var(--md-accent-fg-color)", "stroke-width": 2, visibility: "hidden" });
  node.append(frame);
  return {
    node,
    show(row, place) {
      row.forEach((weight, at) => { inks[at].ink.style.fillOpacity = String(weight); inks[at].title.textContent = `${names[at]}: ${weight.toFixed(3)}`; });
      frame.setAttribute("x", String((2 * place + 1) * cell));
      frame.setAttribute("visibility", "visible");
      node.setAttribute("aria-label", `Layer 2: the target gives ${row[2 * place + 1].toFixed(2)} of its attention to the right label`);
    },
  };
}
