// What people say: by verdict and by words. Without it every statement is there.
const sayings = [...document.querySelectorAll(".beside")];
const place = document.querySelector("#sayings-filter");
const verdictOf = (saying) => saying.querySelector(".verdict-tag")?.textContent ?? "";
const headingOf = (saying) => {
  let element = saying.previousElementSibling;
  while (element && element.tagName !== "H2") element = element.previousElementSibling;
  return element;
};
const headings = new Map(sayings.map((saying) => [saying, headingOf(saying)]));

const field = (label, input) => {
  const box = document.createElement("label");
  box.append(label, input);
  return box;
};
const verdict = document.createElement("select");
for (const choice of ["", ...new Set(sayings.map(verdictOf))]) verdict.add(new Option(choice || "every verdict", choice));
const words = Object.assign(document.createElement("input"), { type: "search", placeholder: "words in it" });
const told = document.createElement("p");
told.setAttribute("role", "status");
const form = document.createElement("form");
form.append(field("Verdict", verdict), field("Words", words));
place.append(form, told);

const filter = () => {
  const text = words.value.trim().toLowerCase();
  let shown = 0;
  for (const heading of headings.values()) if (heading) heading.hidden = true;
  for (const saying of sayings) {
    const fits = (!verdict.value || verdictOf(saying) === verdict.value) && saying.textContent.toLowerCase().includes(text);
    saying.hidden = !fits;
    shown += fits;
    const heading = headings.get(saying);
    if (fits && heading) heading.hidden = false;
  }
  told.textContent = verdict.value || text ? `${shown} of ${sayings.length} statements` : `${sayings.length} statements`;
};
form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
filter();
