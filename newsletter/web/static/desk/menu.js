// A list to choose from by keys: for blocks behind a slash, and for everything else behind Ctrl K.
export function menu({ box, empty }) {
  const input = box.querySelector("input");
  const list = box.querySelector("ul");
  let entries = [];
  let shown = [];
  let at = 0;
  let choose = () => {};
  let close = () => {};

  function draw() {
    const words = input.value.trim().toLowerCase().split(/\s+/);
    shown = entries.filter((entry) => words.every((word) => `${entry.title} ${entry.words ?? ""}`.toLowerCase().includes(word)));
    at = Math.max(0, Math.min(at, shown.length - 1));
    list.replaceChildren(
      ...shown.map((entry, index) => {
        const item = document.createElement("li");
        item.id = `${box.id}-${index}`;
        item.role = "option";
        item.ariaSelected = String(index === at);
        item.append(Object.assign(document.createElement("b"), { textContent: entry.title }));
        if (entry.words) item.append(Object.assign(document.createElement("span"), { textContent: entry.words }));
        if (entry.keys) item.append(Object.assign(document.createElement("kbd"), { textContent: entry.keys }));
        item.addEventListener("mousedown", (event) => {
          event.preventDefault();
          pick(entry);
        });
        return item;
      }),
    );
    box.querySelector("[data-none]").hidden = shown.length > 0;
    if (shown.length) input.setAttribute("aria-activedescendant", `${box.id}-${at}`);
    else input.removeAttribute("aria-activedescendant");
    list.children[at]?.scrollIntoView({ block: "nearest" });
  }

  function pick(entry) {
    hide();
    if (entry) choose(entry);
    else close();
  }

  function hide() {
    box.hidden = true;
    input.value = "";
  }

  input.addEventListener("input", () => {
    at = 0;
    draw();
  });
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) at = (at + step + shown.length) % Math.max(1, shown.length);
    else if (event.key === "Enter") pick(shown[at]);
    else if (event.key === "Escape" || (event.key === "Backspace" && !input.value)) pick(null);
    else return;
    event.preventDefault();
    if (step) draw();
  });
  input.addEventListener("blur", () => !box.hidden && pick(null));

  return function open(all, { place, chosen, closed }) {
    entries = all;
    at = 0;
    choose = chosen;
    close = closed;
    box.hidden = false;
    box.style.setProperty("--top", place ? `${Math.max(8, Math.min(place.bottom + 4, innerHeight - 340))}px` : "12vh");
    box.style.setProperty("--left", place ? `${Math.max(8, Math.min(place.left, innerWidth - 360))}px` : "max(1rem, calc(50vw - 11rem))");
    input.focus();
    draw();
  };
}
