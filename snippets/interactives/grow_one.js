// A scrubber through training: the attention maps of two heads, the losses, the scores, and the next letters.
// Nothing is interpolated: each look of snippets/induction_heads/watch_it_grow.py is shown as it was recorded.

import { attentionMap, axes, button, choice, guarded, html, legend, noteLine, slider, still, svg, within } from "./shared.js";

const EACH = 250; // milliseconds for which a look is shown when it plays

/**
 * @typedef {{maps: string, right: string, loss: number[][], previous: number[][], prefix: number[][], heads: number[]}} Run
 *   maps: bytes (look, layer, head, place), right: bytes (look, letter), both in base 64; loss: (look, [repeats,
 *   background]); previous and prefix: (look, head), of layer 1 and of layer 2
 * @typedef {{probe: string, second: [number, number], steps: number[], runs: Run[]}} Data
 */

/** Bytes from base 64. */
export function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** The map of one head at one look, (query, key): only what a query can see was kept. */
export function mapAt(maps, letters, nHeads, look, layer, head) {
  const size = (letters * (letters + 1)) / 2;
  let place = ((look * 2 + layer) * nHeads + head) * size;
  if (!(place >= 0 && place + size <= maps.length)) throw new Error(`There is no map of look ${look}, layer ${layer + 1}, head ${head + 1}.`);
  return Array.from({ length: letters }, (_, query) => Array.from({ length: query + 1 }, () => maps[place++] / 255));
}

/** @param {HTMLElement} place @param {Data} data */
export async function mount(place, data) {
  if (!data?.runs?.length) throw new Error("the recorded maps are missing");
  const figure = new Training(data), { note } = figure;
  const time = slider({ name: "training step", low: 0, high: data.steps.length - 1, step: 1, value: 0, say: (look) => String(data.steps[look] ?? ""), changed: guarded(note, (look) => figure.pause().show(look)) });
  const play = button("Play", guarded(note, () => figure.play()));
  const seeds = Object.fromEntries(data.runs.map((_, seed) => [seed, `seed ${seed}`]));
  const seed = choice({ name: "Network", options: seeds, changed: guarded(note, (chosen) => figure.open(Number(chosen))) });
  const heads = choice({ name: "Heads", options: { circuit: "the two of the circuit", others: "the other two" }, changed: guarded(note, () => figure.show()) });
  Object.assign(figure, { time, button: play, heads });
  place.append(html("div", { class: "touch-row" }, play, time.node), figure.panels, html("div", { class: "touch-row" }, seed.node, heads.node), note.node);
  guarded(note, () => figure.open(0))();
}

/** What is shown of one network's training. */
class Training {
  constructor(data) {
    this.data = data;
    this.note = noteLine();
    this.look = 0;
    const names = [...data.probe];
    this.maps = [1, 2].map((layer) => attentionMap(names, `Attention map of a head of layer ${layer} on the letters ${data.probe}`));
    this.titles = [1, 2].map(() => html("p", { class: "touch-title" }));
    this.letters = letterRow(names, data.second);
    this.curves = curves(data);
    this.panels = html("div", { class: "touch-panels" },
      ...this.maps.map((map, i) => html("div", {}, this.titles[i], map.node)), this.letters.node, ...this.curves.nodes);
  }

  open(seed) {
    const run = this.data.runs[within(seed, 0, this.data.runs.length - 1, "The seed")];
    this.run = { ...run, maps: bytes(run.maps), right: bytes(run.right) };
    this.curves.draw(run);
    this.show();
  }

  show(look = this.look) {
    const { run, data } = this, n = data.probe.length, nHeads = run.previous[0].length;
    this.look = within(look, 0, data.steps.length - 1, "The look");
    for (const layer of [0, 1]) {
      const head = this.heads.value === "circuit" ? run.heads[layer] : (run.heads[layer] + 1) % nHeads;
      this.maps[layer].show(mapAt(run.maps, n, nHeads, look, layer, head));
      const role = this.heads.value === "circuit" ? ["looks back by one", "finds what followed"][layer] : "the other";
      this.titles[layer].textContent = `Layer ${layer + 1}, head ${head + 1}: ${role}`;
    }
    const right = [...run.right.slice(look * (n - 1), (look + 1) * (n - 1))].map((value) => value / 255);
    this.letters.show(right);
    this.curves.mark(look);
    if (!this.playing) this.note.say(words(data, run, look, right));
  }

  pause() {
    clearTimeout(this.timer);
    this.playing = false;
    this.button.textContent = "Play";
    return this;
  }

  play() {
    if (this.playing) { this.pause(); return this.show(); }
    const last = this.data.steps.length - 1;
    let look = this.look >= last ? 0 : this.look;
    this.playing = true;
    this.button.textContent = "Stop";
    const next = guarded(this.note, () => {
      this.time.value = look;
      if (look >= last) this.pause();
      this.show(look);
      look += 1;
      if (this.playing) this.timer = setTimeout(next, still() ? 4 * EACH : EACH);
    });
    return next();
  }
}

function words({ steps, second }, run, look, right) {
  const mean = right.slice(...second).reduce((sum, value) => sum + value, 0) / (second[1] - second[0]);
  const [repeats, background] = run.loss[look];
  return `Step ${steps[look]}: loss ${repeats.toFixed(2)} on repeats, ${background.toFixed(2)} on the background. `
    + `The letters of the second copy that the first has shown get ${mean.toFixed(2)} of the probability.`;
}

/** The letters, each as strong in colour as the probability that the network gave it beforehand. */
function letterRow(names, [from, to]) {
  const inks = names.map(() => svg("rect", { y: 4, width: 18, height: 22, class: "touch-ink" }));
  const marks = names.map(() => svg("title"));
  const node = svg("svg", { viewBox: `0 0 ${20 * names.length} 46`, role: "img", "aria-label": "Each letter, in stronger colour the more probability the network gave it before it came" });
  names.forEach((name, i) => {
    inks[i].setAttribute("x", String(20 * i + 1));
    inks[i].append(marks[i]);
    const frame = svg("rect", { x: 20 * i + 1, y: 4, width: 18, height: 22, class: "touch-cell" });
    node.append(frame, inks[i], svg("text", { x: 20 * i + 10, y: 40, "text-anchor": "middle", "font-size": 12 }, name));
  });
  node.append(svg("path", { class: "touch-frame", d: `M${20 * (from + 1)},44H${20 * (to + 1)}` }));
  return {
    node: html("div", { class: "touch-wide" }, html("p", { class: "touch-title" }, "Was the next letter foreseen? (underlined: the first copy has shown it)"), node),
    /** @param {number[]} right for letters 2 .. n */
    show(right) {
      inks.forEach((ink, i) => {
        ink.style.fillOpacity = String(i ? right[i - 1] : 0);
        marks[i].textContent = i ? `${names[i]}: ${right[i - 1].toFixed(2)}` : "nothing to foresee it from";
      });
    },
  };
}

const COLOURS = ["var(--d-content)", "var(--d-position)"];

/** The losses and the scores over training, and a mark at the present look. */
function curves({ steps }) {
  const x = [0, steps[steps.length - 1]];
  const losses = axes({ label: "Loss on repeats and on the background against training step", x, y: [0, 4], xName: "training step", yName: "loss (nats)", height: 200 });
  const scores = axes({ label: "Previous-token score and prefix-matching score against training step", x, y: [0, 1], xName: "training step", yName: "score", height: 200 });
  const both = [losses, scores];
  const lines = both.map((one) => COLOURS.map((stroke, i) => one.line({ stroke, ...(i ? { "stroke-dasharray": "5 3" } : {}) })));
  const marks = both.map((one) => {
    const mark = svg("path", { class: "touch-mark" });
    one.front.append(mark);
    return mark;
  });
  const swatch = COLOURS.map((colour, i) => `border-top: 3px ${i ? "dashed" : "solid"} ${colour}`);
  return {
    nodes: [
      html("div", {}, losses.node, legend([["repeats", swatch[0]], ["background", swatch[1]]])),
      html("div", {}, scores.node, legend([["layer 1: previous token", swatch[0]], ["layer 2: prefix matching", swatch[1]]])),
    ],
    draw({ loss, previous, prefix, heads }) {
      [0, 1].forEach((i) => lines[0][i].draw(steps, loss.map((row) => row[i])));
      lines[1][0].draw(steps, previous.map((row) => row[heads[0]]));
      lines[1][1].draw(steps, prefix.map((row) => row[heads[1]]));
    },
    mark(look) {
      both.forEach((one, i) => marks[i].setAttribute("d", `M${one.X(steps[look])},${one.box.top}V${one.box.bottom}`));
    },
  };
}
