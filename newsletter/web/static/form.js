// The preview of a form follows what is typed. Without this the button “Look at it first” does it.
const form = document.querySelector("form[data-preview]");
const shown = document.querySelector("[data-shown]");
const wrong = document.querySelector("[data-wrong]");
let timer = 0;
let asked = 0;

async function look() {
  const mine = ++asked;
  const answer = await fetch(form.dataset.preview, { method: "POST", body: new FormData(form) });
  const text = await answer.text();
  if (mine !== asked) return;
  wrong.hidden = answer.ok;
  if (!answer.ok) {
    wrong.textContent = text;
    return;
  }
  const page = new DOMParser().parseFromString(text, "text/html");
  shown.replaceChildren(...page.querySelector("main").childNodes);
}

form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(look, 250);
});
