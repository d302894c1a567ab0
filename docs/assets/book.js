// What the theme leaves to a script: names for screen readers, keys for what scrolls, a word where a site has no server.
(() => {
  // The theme's annotations are links without a text.
  const name = () =>
    document.querySelectorAll(".md-annotation__index:not([aria-label])").forEach((link) => {
      const number = link.querySelector("[data-md-annotation-id]")?.dataset.mdAnnotationId;
      if (number) link.setAttribute("aria-label", `Annotation ${number}`);
    });

  // The buttons over each listing are no landmark of the page.
  const group = () => document.querySelectorAll("nav.md-code__nav:not([role])").forEach((nav) => nav.setAttribute("role", "group"));

  // A formula or table that is wider than the screen scrolls; the arrow keys reach it only where it can be focused.
  const SCROLLING = { ".formula": "Formula, scrolls sideways", ".md-typeset__scrollwrap": "Table, scrolls sideways" };
  const reach = () => {
    for (const [selector, label] of Object.entries(SCROLLING)) {
      document.querySelectorAll(selector).forEach((box) => {
        const scrolls = box.scrollWidth > box.clientWidth;
        if (scrolls === box.hasAttribute("tabindex")) return;
        const told = { tabindex: "0", role: "group", "aria-label": label };
        for (const [key, value] of Object.entries(told)) {
          if (scrolls) box.setAttribute(key, value);
          else box.removeAttribute(key);
        }
      });
    }
  };

  const look = () => { name(); group(); reach(); };
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
  new ResizeObserver(reach).observe(document.body);
  document.addEventListener("toggle", reach, true); // a fold that opens shows what had no width
  look();

  // A prediction: its options become buttons, and the figure that answers is veiled until one is chosen.
  const predict = (box) => {
    const list = box.querySelector(".predict-options"), because = box.querySelector(".predict-because");
    const figure = document.getElementById(box.dataset.unveils), right = Number(box.dataset.answer) - 1;
    const told = Object.assign(document.createElement("p"), { className: "predict-told" });
    told.setAttribute("role", "status");
    const buttons = [...list.children].map((item, place) => {
      const button = Object.assign(document.createElement("button"), { type: "button" });
      for (const link of item.querySelectorAll("a")) link.replaceWith(...link.childNodes); // no link inside a button
      button.append(...item.childNodes);
      item.append(button);
      button.addEventListener("click", () => choose(place));
      return button;
    });
    const show = Object.assign(document.createElement("button"), { type: "button", className: "predict-show", textContent: "Just show me" });
    show.addEventListener("click", () => unveil());
    list.after(show, told);
    const unveil = () => { figure?.classList.remove("veiled"); show.remove(); };
    const choose = (place) => {
      buttons.forEach((button, number) => {
        button.setAttribute("aria-pressed", String(number === place));
        button.parentElement.classList.toggle("right", number === right);
        button.parentElement.classList.toggle("wrong", number === place && number !== right);
      });
      told.replaceChildren(place === right ? "Yes, that is what was measured. " : `Measured was number ${right + 1}. `, ...because.cloneNode(true).childNodes);
      unveil();
    };
    if (figure && location.hash !== `#${figure.id}`) figure.classList.add("veiled");
    addEventListener("hashchange", () => { if (location.hash === `#${figure?.id}`) unveil(); });
    addEventListener("beforeprint", unveil);
  };
  document.querySelectorAll(".predict").forEach(predict);

  // A figure to touch: its module is fetched when it comes near, and gets its place and its data. Where that fails the
  // page says so and stays as it is.
  const touch = async (place) => {
    const failed = (error) => {
      console.warn(error);
      place.replaceChildren(Object.assign(document.createElement("p"), { className: "touch-failed", textContent: `This figure could not start here (${error.message}). The page says the same without it.` }));
    };
    try {
      const { mount } = await import(new URL(place.dataset.script, location.href));
      let data = null;
      if (place.dataset.data) {
        const answer = await fetch(new URL(place.dataset.data, location.href));
        if (!answer.ok) throw new Error(`its data did not come: ${answer.status}`);
        data = await answer.json();
      }
      place.replaceChildren();
      await mount(place, data, failed);
      place.dataset.ready = "";
    } catch (error) { failed(error); }
  };
  const reached = new IntersectionObserver((seen) => seen.filter((one) => one.isIntersecting).forEach(({ target }) => {
    reached.unobserve(target);
    touch(target);
  }), { rootMargin: "300px" });
  document.querySelectorAll(".touch-place").forEach((place) => reached.observe(place));

  // Pictures that were not looked at yet are fetched before the page is printed.
  addEventListener("beforeprint", () => document.querySelectorAll("img[loading=lazy]").forEach((image) => { image.loading = "eager"; }));

  if (location.protocol === "file:") {
    const note = document.createElement("p");
    note.className = "book-from-disk";
    note.textContent = "Opened from disk, links lead to folders and search is off. In this folder run: python3 -m http.server";
    document.body.prepend(note);
  }
})();
