// The rule of the longest earlier match on a reader's own text: what it would guess of each word, and from where.

import { button, guarded, html, noteLine, slider } from "./shared.js";

const MOST = 400; // words that are read

/** The words of a text, as `snippets/icl/tasks/words.py` splits it. @param {string} text @returns {string[]} */
export const split = (text) => text.match(/\n *|[A-Za-z]+|[0-9]+|[^ \t\r\n]/gu) ?? [];

/**
 * For each word: where its longest earlier match ends, and how many words agree there (0 and 0 where it is new).
 * @param {string[]} words
 */
export function longestMatch(words) {
  const place = [], agree = [];
  let run = []; // agreeing words that end at q and at j
  words.forEach((word, q) => {
    const before = run;
    run = words.slice(0, q).map((other, j) => (other === word ? (before[j - 1] ?? 0) + 1 : 0));
    agree.push(Math.max(0, ...run));
    place.push(agree[q] ? run.lastIndexOf(agree[q]) : 0);
  });
  return { place, agree };
}

/**
 * The rule's guess of each word but the first.
 * @returns {{from: number, agree: number, right: boolean}[]} from: where the guess is copied from, -1 where there is none
 */
export function guesses(words) {
  const { place, agree } = longestMatch(words);
  return words.slice(1).map((word, i) => {
    const from = agree[i] ? place[i] + 1 : -1;
    return { from, agree: agree[i], right: from >= 0 && words[from] === word };
  });
}

const shownAs = (word) => (word.startsWith("\n") ? "↵" : word);

/** @param {HTMLElement} place @param {{passages: Object<string, string>}} data */
export async function mount(place, data) {
  const note = noteLine(), names = Object.keys(data.passages);
  const input = html("textarea", { rows: 5, spellcheck: "false", autocomplete: "off" });
  input.style.cssText = "width:100%;font:inherit;color:inherit;background:transparent;border:1px solid var(--book-rule)";
  const strip = html("div", { class: "touch-letters" }), why = html("p", { role: "status" });
  let words = [], found = [];
  const at = slider({ name: "word", low: 1, high: 1, step: 1, value: 1, say: (value) => (words[value - 1] ? `${value}: ${shownAs(words[value - 1])}` : String(value)), changed: guarded(note, () => show()) });

  const readText = guarded(note, () => {
    const all = split(input.value);
    words = all.slice(0, MOST);
    found = guesses(words);
    strip.replaceChildren();
    why.textContent = "";
    if (words.length < 2) throw new Error("Nothing to guess: type two words or more.");
    at.limit(words.length);
    at.value = Math.max(2, 1 + found.findLastIndex(({ right }) => right) + 1);
    const right = found.filter((one) => one.right).length;
    const cut = all.length > MOST ? ` Only the first ${MOST} words are read.` : "";
    note.say(`The rule names ${right} of ${found.length} words (${Math.round((100 * right) / found.length)} %).${cut}`);
    show();
  });

  function show() {
    if (words.length < 2) return;
    const chosen = at.value - 1, one = chosen ? found[chosen - 1] : null;
    strip.replaceChildren(...words.map((word, i) => span(word, i, chosen, one)));
    why.textContent = told(words, chosen, one);
  }

  function span(word, i, chosen, one) {
    const right = i > 0 && found[i - 1].right, made = html("span", { class: `touch-letter${i === chosen ? " chosen" : ""}${right ? " foreseen" : ""}` }, shownAs(word));
    made.style.cssText += "padding:.35rem .25em 0;width:auto";
    const matched = one && one.agree && i < one.from && i >= one.from - one.agree;
    made.style.setProperty("--weight", one && i === one.from ? "70%" : matched ? "30%" : "0%");
    made.addEventListener("click", () => { at.value = i + 1; show(); });
    return made;
  }

  input.addEventListener("input", readText);
  const examples = names.map((name) => button(name, () => { input.value = data.passages[name]; readText(); }));
  input.value = data.passages[names[0]];
  place.append(html("div", { class: "touch-row" }, ...examples), html("label", { class: "touch-choice" }, html("span", {}, "your text"), input), note.node, strip, at.node, why);
  readText();
}

/** Why the rule guesses what it guesses of the chosen word, in a sentence. */
function told(words, chosen, one) {
  if (!one) return "The first word: nothing stands before it.";
  const before = shownAs(words[chosen - 1]);
  if (one.from < 0) return `“${before}” is new here: the rule has no guess.`;
  const many = one.agree === 1 ? "one word agrees" : `${one.agree} words agree`;
  return `Before it, ${many} with an earlier place. There “${shownAs(words[one.from])}” came next: the guess is ${one.right ? "right" : `wrong, “${shownAs(words[chosen])}” comes`}.`;
}
