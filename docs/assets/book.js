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

  // Pictures that were not looked at yet are fetched before the page is printed.
  addEventListener("beforeprint", () => document.querySelectorAll("img[loading=lazy]").forEach((image) => { image.loading = "eager"; }));

  if (location.protocol === "file:") {
    const note = document.createElement("p");
    note.className = "book-from-disk";
    note.textContent = "Opened from disk, links lead to folders and search is off. In this folder run: python3 -m http.server";
    document.body.prepend(note);
  }
})();
