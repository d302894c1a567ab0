// A box of four loaded dice: throw, and watch the belief in each die and the bets on the next face.

import { button, choice, html, noteLine } from "./shared.js";

const LONGEST = 200; // throws that are kept

/**
 * Bayes' rule: the belief in each die after these faces (0 to 5), and the bets on the next face.
 * @param {number[]} text @param {number[][]} chances a row a die
 */
export function believe(text, chances) {
  if (chances.length === 0) throw new Error("A belief over no dice: give at least one.");
  const told = chances.map(() => 0);
  for (const face of text) {
    if (!Number.isInteger(face) || face < 0 || face >= chances[0].length) throw new Error(`There is no face ${face + 1}: a die has 1 to ${chances[0].length}.`);
    chances.forEach((row, die) => { told[die] += Math.log(row[face]); });
  }
  const most = Math.max(...told);
  if (most === -Infinity) throw new Error("No die can throw this: no belief is left.");
  const powers = told.map((one) => Math.exp(one - most)); // exp(-Infinity) is 0: ruled out for good
  const total = powers.reduce((sum, one) => sum + one, 0);
  const belief = powers.map((one) => one / total);
  const bets = chances[0].map((_, face) => chances.reduce((sum, row, die) => sum + belief[die] * row[face], 0));
  return { belief, bets };
}

/** A face drawn from chances by a number from 0 to 1. @param {number[]} chances @param {number} u */
export function draw(chances, u) {
  let passed = 0;
  for (let face = 0; face < chances.length; face += 1) {
    passed += chances[face];
    if (u < passed) return face;
  }
  return chances.reduce((last, one, face) => (one > 0 ? face : last), 0); // rounding: the last that can come
}

/** Faces from what a reader typed, such as "1 1 6": 0 to 5. @param {string} typed */
export function faces(typed) {
  const found = (typed.match(/[^\s,;]+/g) ?? []).flatMap((word) => (/^\d+$/.test(word) ? [...word] : [word]));
  return found.map((word) => {
    const face = Number(word) - 1;
    if (!Number.isInteger(face) || face < 0 || face > 5) throw new Error(`"${word}" is no face: type numbers from 1 to 6.`);
    return face;
  });
}

// Rows of name, bar and number.
function bars(place, title, names) {
  const made = html("table", { style: "display:table;width:100%;border:0;font-size:inherit" });
  made.append(html("caption", { style: "text-align:left" }, title));
  const body = html("tbody");
  made.append(body);
  const cells = names.map((name) => {
    const cell = html("td", { style: "width:75%;padding:.25em .5em;font-variant-numeric:tabular-nums" });
    body.append(html("tr", {}, html("th", { scope: "row", style: "text-align:left;min-width:0;padding:.25em .5em" }, name), cell));
    return cell;
  });
  place.append(made);
  return (values) => values.forEach((value, at) => {
    cells[at].textContent = value === 0 ? "0: ruled out" : value.toFixed(3);
    cells[at].style.background = `linear-gradient(90deg, color-mix(in srgb, var(--d-content) 32%, transparent) ${100 * value}%, transparent 0)`;
  });
}

export async function mount(place, data) {
  let text = [];
  const note = noteLine();
  const pick = choice({ name: "who throws", options: { ...Object.fromEntries(data.names.map((name, die) => [die, `the ${name} die`])), own: "the bets themselves (own text)" }, changed: () => {} });
  const typed = html("input", { type: "text", inputmode: "numeric", "aria-label": "faces thrown, from 1 to 6" });
  typed.style.cssText = "box-sizing:border-box;width:100%;font:inherit;padding:.3em .5em;border:1px solid var(--md-default-fg-color--lighter);background:transparent;color:inherit";
  const row = html("div", { style: "display:flex;flex-wrap:wrap;gap:.5em;margin:.5em 0" });
  const both = html("div", { style: "display:grid;grid-template-columns:repeat(auto-fit,minmax(min(14rem,100%),1fr));gap:1em" });
  const left = html("div"), right = html("div");
  both.append(left, right);
  const show = [bars(left, "belief in each die", data.names), bars(right, "bets on the next face", ["1", "2", "3", "4", "5", "6"])];
  const update = (rewrite = true) => {
    const { belief, bets } = believe(text, data.chances);
    if (rewrite) typed.value = text.map((face) => face + 1).join(" ");
    show[0](belief);
    show[1](bets);
    const best = belief.indexOf(Math.max(...belief));
    note.say(`After ${text.length} throw${text.length === 1 ? "" : "s"} the likeliest die is ${data.names[best]}, believed at ${belief[best].toFixed(2)}.`);
  };
  const add = (times, next) => {
    try {
      if (text.length + times > LONGEST) throw new Error(`${LONGEST} throws are enough: begin anew.`);
      for (let n = 0; n < times; n += 1) text = [...text, next()];
      update();
    } catch (error) { note.fail(error); }
  };
  const thrown = () => draw(pick.value === "own" ? believe(text, data.chances).bets : data.chances[Number(pick.value)], Math.random());
  row.append(button("throw once", () => add(1, thrown)), button("throw ten times", () => add(10, thrown)), button("plant a six", () => add(1, () => 5)), button("begin anew", () => { text = []; update(); }));
  typed.addEventListener("input", () => {
    try {
      const found = faces(typed.value);
      if (found.length > LONGEST) throw new Error(`${LONGEST} throws are enough: type fewer.`);
      text = found;
      update(false);
    } catch (error) { note.fail(error); }
  });
  place.append(pick.node, row, html("label", { style: "display:block" }, "the throws, which you can type: ", typed), both, note.node);
  update();
}
