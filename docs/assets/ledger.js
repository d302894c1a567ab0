// The ledger's filter: by verdict, chapter, paper and words. Without it everything is there, folded.
const claims = [...document.querySelectorAll("details.ledger-claim")];
const chapters = [...document.querySelectorAll("details.ledger-chapter")];
const place = document.querySelector("#ledger-filter");

const headingOf = (chapter) => {
  let element = chapter.previousElementSibling;
  while (element && element.tagName !== "H2") element = element.previousElementSibling;
  return element;
};
const titleOf = (chapter) => headingOf(chapter)?.firstChild?.textContent.trim() ?? "";
const features = new Map(claims.map((claim) => [claim, {
  verdict: claim.dataset.verdict, paper: claim.dataset.paper, chapter: titleOf(claim.closest(".ledger-chapter")), text: claim.textContent.toLowerCase(),
}]));

const choices = (key) => [...new Set([...features.values()].map((found) => found[key]).filter(Boolean))];
const field = (label, input) => {
  const box = document.createElement("label");
  box.append(label, input);
  return box;
};
const select = (key, every) => {
  const input = document.createElement("select");
  input.name = key;
  const found = key === "chapter" ? choices(key) : choices(key).sort();
  for (const choice of ["", ...found]) input.add(new Option(choice || every, choice));
  return input;
};

const words = Object.assign(document.createElement("input"), { type: "search", placeholder: "words in the claim" });
const selects = [select("verdict", "every verdict"), select("chapter", "every chapter"), select("paper", "every paper, or none")];
const told = document.createElement("p");
told.setAttribute("role", "status");
const form = document.createElement("form");
form.append(...["Verdict", "Chapter", "Paper"].map((label, index) => field(label, selects[index])), field("Words", words));
place.append(form, told);

const filter = () => {
  const wanted = Object.fromEntries(selects.map((input) => [input.name, input.value]));
  const text = words.value.trim().toLowerCase();
  const active = text || Object.values(wanted).some(Boolean);
  let shown = 0;
  for (const [claim, found] of features) {
    const fits = Object.entries(wanted).every(([key, value]) => !value || found[key] === value) && found.text.includes(text);
    claim.hidden = !fits;
    shown += fits;
  }
  for (const chapter of chapters) {
    const any = [...chapter.querySelectorAll(".ledger-claim")].some((claim) => !claim.hidden);
    chapter.hidden = !any;
    const heading = headingOf(chapter);
    if (heading) heading.hidden = !any;
    chapter.open = Boolean(active && any);
  }
  told.textContent = active ? `${shown} of ${claims.length} claims` : `${claims.length} claims`;
};
form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
filter();

// A mark on a page leads to its claim: what it is folded in opens.
const open = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let box = target?.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
  target?.scrollIntoView();
};
addEventListener("hashchange", open);
open();
