// The trained two-layer network of the letters, on a reader's own: who attends to whom, and what comes next.

import { infer, read, tokenise } from "./letters_network.js";
import { attentionMap, button, choice, guarded, html, noteLine, slider, softmax } from "./shared.js";

const TEXTS = {
  "a word that returns": "questionxbkwquestion",
  "no letter twice": "abcdefghijklmnop",
  "a name in a sentence": "hi zorblax how is zorbl",
  "one letter": "aaaaaaaaaa",
};
const MOST_SHOWN = 5; // next letters

/** @param {string} letter */
export const shownAs = (letter) => (letter === " " ? "␣" : letter);

/**
 * The likeliest next letters after a token.
 * @returns {{letter: string, p: number}[]}
 */
export function nextLetters(logits, alphabet, most = MOST_SHOWN) {
  return softmax(logits).map((p, token) => ({ letter: alphabet[token], p })).sort((a, b) => b.p - a.p).slice(0, most);
}

/** Where the context tells what comes next: the letter stood before, and what followed it there follows here. */
export function told(tokens) {
  return tokens.map((token, at) => at + 1 < tokens.length && tokens.some((other, from) => from < at && other === token && tokens[from + 1] === tokens[at + 1]));
}

/** Whether the likeliest next letter is the one that comes. @returns {boolean[]} */
export function right(logits, tokens) {
  return tokens.map((_, at) => at + 1 < tokens.length && logits[at].indexOf(Math.max(...logits[at])) === tokens[at + 1]);
}

/** What a head is, by its scores on repeated letters. */
export function role(data, layer, head) {
  if (layer === 0 && data.previous[0][head] >= 0.25) return "previous token";
  if (layer === 1 && data.prefix[1][head] >= 0.5) return "induction";
  return "other";
}

/** @param {HTMLElement} place @param {import("./letters_network.js").Data} data */
export async function mount(place, data) {
  const network = read(data), note = noteLine();
  const input = html("input", { type: "text", value: Object.values(TEXTS)[0], spellcheck: "false", autocapitalize: "none", autocomplete: "off" });
  const strip = html("div", { class: "touch-letters", "aria-hidden": "true" }), out = html("div");
  let seen = null;

  const at = slider({ name: "token", low: 1, high: 1, step: 1, value: 1, say: (value) => (seen ? `${value}: ${shownAs(seen.names[value - 1])}` : String(value)), changed: guarded(note, () => show()) });
  const names = [0, 1].flatMap((layer) => Array.from({ length: data.heads }, (_, head) => [layer, head]));
  const titled = ([layer, head]) => `layer ${layer + 1}, head ${head + 1}: ${role(data, layer, head)}`;
  const whole = choice({ name: "whole pattern of", options: Object.fromEntries(names.map((name, place) => [place, titled(name)])), changed: guarded(note, () => show()) });
  whole.input.value = String(Math.max(0, names.findIndex(([layer, head]) => role(data, layer, head) === "induction")));

  const readText = guarded(note, () => {
    const { tokens, left, cut } = tokenise(input.value, data.alphabet, data.positions);
    const words = [];
    if (left.length) words.push(`Left out: ${left.slice(0, 5).join(" ")}${left.length > 5 ? " ..." : ""}; the network knows a to z and the space.`);
    if (cut) words.push(`The network reads ${data.positions} letters; ${cut} more are left out.`);
    if (!tokens.length) {
      seen = null;
      strip.replaceChildren();
      out.replaceChildren();
      throw new Error(`${words.concat("Nothing to read: type some letters.").join(" ")}`);
    }
    const letters = tokens.map((token) => data.alphabet[token]);
    seen = { tokens, names: letters, ...infer(network, tokens) };
    at.limit(tokens.length);
    at.value = tokens.length;
    note.say([...words, counted(seen)].join(" "));
    show();
  });

  function show() {
    if (!seen) return;
    const query = at.value - 1, hits = right(seen.logits, seen.tokens);
    strip.replaceChildren(...seen.names.map((letter, place) => {
      const made = html("span", { class: `touch-letter${place === query ? " chosen" : ""}${place && hits[place - 1] ? " foreseen" : ""}` }, shownAs(letter));
      made.addEventListener("click", () => { at.value = place + 1; show(); });
      return made;
    }));
    const [layer, head] = names[Number(whole.value)], map = attentionMap(seen.names.map(shownAs), `Attention of ${titled([layer, head])}, a row for each token`);
    map.show(seen.patterns[layer][head]);
    out.replaceChildren(
      ...names.map((name) => headRow(titled(name), seen, seen.patterns[name[0]][name[1]][query])),
      html("div", { class: "touch-panels" }, nextPanel(seen, query, data.alphabet), html("div", {}, whole.node, map.node)));
  }

  input.addEventListener("input", readText);
  const examples = Object.entries(TEXTS).map(([words, text]) => button(words, () => { input.value = text; readText(); }));
  place.append(html("label", { class: "touch-choice" }, html("span", {}, "your letters"), input), html("div", { class: "touch-row" }, ...examples), note.node, strip, at.node, out);
  readText();
}

/** How many of the letters that the context tells were foreseen. */
function counted({ tokens, logits }) {
  const where = told(tokens), hits = right(logits, tokens), all = where.filter(Boolean).length;
  if (!all) return "No pair of letters stands twice: nothing tells the network what comes next.";
  return `Of ${all} letters that stood behind the same letter before, it names ${where.filter((is, at) => is && hits[at]).length} beforehand (underlined).`;
}

/** One head: the letters, darker where the chosen token attends. */
function headRow(title, { names }, row) {
  const most = row.indexOf(Math.max(...row));
  const letters = html("div", { class: "touch-letters", role: "img", "aria-label": `${title}: attends most to token ${most + 1}, ${shownAs(names[most])}, with ${row[most].toFixed(2)}` });
  names.forEach((letter, place) => {
    const weight = place < row.length ? row[place] : 0;
    const made = html("span", { class: `touch-letter${place < row.length ? "" : " later"}`, title: `${shownAs(letter)}: ${weight.toFixed(3)}` }, shownAs(letter));
    made.style.setProperty("--weight", `${Math.round(100 * weight)}%`);
    letters.append(made);
  });
  return html("div", { class: "touch-head" }, html("p", {}, title), letters);
}

/** The likeliest next letters after the chosen token, and which one comes. */
function nextPanel({ names, logits }, query, alphabet) {
  const coming = names[query + 1], list = html("ol", { class: "touch-next" });
  for (const { letter, p } of nextLetters(logits[query], alphabet)) {
    const bar = html("i", { "aria-hidden": "true" });
    bar.style.width = `${(6 * p).toFixed(2)}em`;
    list.append(html("li", {}, html("code", {}, shownAs(letter)), bar, ` ${p.toFixed(2)}${letter === coming ? " comes" : ""}`));
  }
  return html("div", {}, html("p", { class: "touch-title" }, `After token ${query + 1}, ${shownAs(names[query])}: what comes next`), list);
}
