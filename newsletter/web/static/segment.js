// Counting while a segment is being built. Without this the button “Count” does it.
const form = document.querySelector("form[data-rules]");
const said = document.querySelector("[data-count]");
const free = form.dataset.free.split("|");
let timer = 0;
let asked = 0;

// Only what a rule can ask is offered, and a value only where there is one.
function fit(rule) {
  const [about, how] = rule.querySelectorAll("select");
  const value = rule.querySelector("input");
  const hows = (about.selectedOptions[0]?.dataset.hows ?? "").split("|");
  for (const option of how.options) option.hidden = option.disabled = !hows.includes(option.value);
  if (how.selectedOptions[0]?.disabled ?? true) how.value = hows[0];
  value.readOnly = free.includes(how.value);
  value.setAttribute("list", `values-${about.value.split(":")[0]}`);
}

async function count() {
  const mine = ++asked;
  const answer = await fetch(form.dataset.rules, { method: "POST", body: new FormData(form) });
  if (mine !== asked) return;
  const { text } = await answer.json();
  said.textContent = text;
}

for (const rule of form.querySelectorAll(".rule")) fit(rule);
form.addEventListener("input", (event) => {
  const rule = event.target.closest(".rule");
  if (rule) fit(rule);
  clearTimeout(timer);
  timer = setTimeout(count, 300);
});
