// A prompt of four shots to put in order: what a trained network says, recorded, and what Bayes' rule says, computed here.
import { button, choice, guarded, html, noteLine } from "./shared.js";

const YES = 0, NO = 1;

/** P(yes) of each rule for each thing, and for the last, of which nothing is known. */
export function rules({ traits, noise }) {
  const clean = [];
  for (let trait = 0; trait < traits[0].length; trait++) clean.push([...traits.map((has) => has[trait]), 0.5]);
  for (let trait = 0; trait < traits[0].length; trait++) clean.push([...traits.map((has) => 1 - has[trait]), 0.5]);
  clean.push([...traits.map(() => 1), 1], [...traits.map(() => 0), 0]);
  return clean.map((row) => row.map((yes) => noise + (1 - 2 * noise) * yes));
}

/** P(yes) for a question after these shots: the exact predictor. @param {number[]} things @param {number[]} answers */
export function exact(data, things, answers, question) {
  const table = rules(data), n = table.length - 2;
  for (const thing of [...things, question])
    if (!(thing in table[0])) throw new Error(`There is no thing ${thing}: they go from 0 to ${table[0].length - 1}.`);
  let belief = table.map((_, rule) => (rule < n ? (1 - data.constant) / n : data.constant / 2));
  things.forEach((thing, shot) => {
    belief = belief.map((share, rule) => share * (answers[shot] === YES ? table[rule][thing] : 1 - table[rule][thing]));
  });
  const total = belief.reduce((sum, share) => sum + share, 0);
  return belief.reduce((sum, share, rule) => sum + share * table[rule][question], 0) / total;
}

/** What the network said. @param {number[]} order places in data.box, first shot first @param {number[]} answers by place in data.box */
export function recorded(data, order, answers, question) {
  const at = data.orders.findIndex((one) => one.every((place, shot) => place === order[shot]));
  if (at < 0) throw new Error(`${order} is no order of four shots.`);
  const questions = data.names.length;
  if (!(question >= 0 && question < questions)) throw new Error(`There is no thing ${question}: they go from 0 to ${questions - 1}.`);
  const labels = answers.reduce((number, answer) => 2 * number + (answer === NO ? 1 : 0), 0);
  const bytes = (data.bytes ??= Uint8Array.from(atob(data.said), (letter) => letter.charCodeAt(0)));
  return bytes[(at * 16 + labels) * questions + question] / 255;
}

/** Least and largest of what the network says over all orders. */
export function overOrders(data, answers, question) {
  const all = data.orders.map((order) => recorded(data, order, answers, question));
  return [Math.min(...all), Math.max(...all)];
}

const marks = (data, thing) => (thing < data.traits.length ? data.traits[thing].map((has) => (has ? "●" : "○")).join("") : "no traits");

function bar(name) {
  const fill = html("i", { style: "display:block;height:100%;background:var(--d-content);opacity:.55" });
  const track = html("span", { "aria-hidden": "true", style: "display:block;height:1em;border:1px solid var(--md-default-fg-color--lighter)" }, fill);
  const said = html("output");
  return {
    node: html("label", {}, html("span", {}, name), track, said),
    show(share) { fill.style.width = `${100 * share}%`; said.textContent = share.toFixed(2); },
  };
}

export async function mount(place, data) {
  let order = [0, 1, 2, 3], focus = null;
  const answers = [YES, YES, NO, NO];
  const rows = html("ol", { style: "list-style:none;margin:0;padding:0", "aria-label": "the shots, first to last" });
  const note = noteLine(), network = bar("network"), best = bar("exact");
  const options = Object.fromEntries(data.names.map((name, thing) => [thing, `say: ${name}? (${marks(data, thing)})`]));
  const question = choice({ name: "question", options, changed: () => draw() });
  question.input.value = "1";

  const move = (shot, by) => {
    const to = shot + by;
    if (to < 0 || to > 3) return;
    [order[shot], order[to]] = [order[to], order[shot]];
    focus = [to, by];
    draw();
  };
  const row = (which, shot) => {
    const name = data.names[data.box[which]], said = answers[which] === YES ? "yes" : "no";
    const up = button("↑", () => move(shot, -1)), down = button("↓", () => move(shot, 1));
    up.setAttribute("aria-label", `move ${name} up`);
    down.setAttribute("aria-label", `move ${name} down`);
    up.disabled = shot === 0;
    down.disabled = shot === 3;
    const flip = button(said, () => { answers[which] = 1 - answers[which]; focus = [shot, 0]; draw(); });
    flip.setAttribute("aria-label", `answer for ${name}: ${said}; change it`);
    const words = html("span", { style: "flex:1 1 9em" }, `say: ${name}? (${marks(data, data.box[which])})`);
    const made = html("li", { class: "touch-row", style: "flex-wrap:nowrap;gap:.4em" }, words, flip, up, down);
    return { made, buttons: { "-1": up, 0: flip, 1: down }, flip };
  };
  const draw = guarded(note, () => {
    const drawn = order.map(row);
    rows.replaceChildren(...drawn.map(({ made }) => made));
    if (focus) {
      const wanted = drawn[focus[0]].buttons[focus[1]];
      (wanted.disabled ? drawn[focus[0]].flip : wanted).focus();
      focus = null;
    }
    const asked = Number(question.value), things = order.map((which) => data.box[which]);
    const said = recorded(data, order, answers, asked);
    network.show(said);
    best.show(exact(data, things, order.map((which) => answers[which]), asked));
    const [least, most] = overOrders(data, answers, asked);
    note.say(`P(yes) by the network: ${said.toFixed(2)} in this order; over all 24 orders ${least.toFixed(2)} to ${most.toFixed(2)}. The exact predictor says the same in each.`);
  });
  place.append(rows, question.node, network.node, best.node, note.node);
  draw();
}
