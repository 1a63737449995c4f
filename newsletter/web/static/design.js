// The letter beside the choice of its look.
const form = document.querySelector("[data-design]");
const frame = document.querySelector("[data-frame]");
let medium = "mail";
let turn = 0;
let timer = 0;

async function draw() {
  const mine = ++turn;
  const body = new FormData(form);
  body.set("medium", medium === "phone" ? "mail" : medium);
  const answer = await fetch(form.dataset.look, { method: "POST", body, headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok || mine !== turn) return;
  const state = await answer.json();
  if (state.html) frame.contentWindow.postMessage({ html: state.html, turn }, "*");
  const words = document.querySelector("[data-words]");
  words.replaceChildren(...(state.words ?? [state.problem]).map((textContent) => Object.assign(document.createElement("p"), { textContent })));
}

form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(draw, 120);
});
for (const button of document.querySelectorAll("[data-medium]")) {
  button.addEventListener("click", () => {
    for (const other of document.querySelectorAll("[data-medium]")) other.setAttribute("aria-pressed", String(other === button));
    medium = button.dataset.medium;
    frame.classList.toggle("phone", medium === "phone");
    draw();
  });
}
addEventListener("message", (event) => event.source === frame.contentWindow && event.data.ready && draw());
frame.contentWindow.postMessage({ hello: true }, "*");
