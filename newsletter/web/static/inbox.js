// The inbox by keys, drafts that survive a closed tab, and "somebody has read it". Everything works without this, too.
const typing = () => document.activeElement?.matches("input, textarea, select, [contenteditable]");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || typing()) return;
  if (event.key === "a") {
    event.preventDefault();
    document.getElementById("answer")?.focus();
    return;
  }
  document.querySelector(`[data-key="${CSS.escape(event.key)}"]`)?.click();
});

const form = document.querySelector("form[data-draft]");
if (form) {
  const key = `brieftaube:${form.dataset.draft}`;
  const field = form.querySelector("textarea");
  const kept = form.querySelector("[data-kept]");
  const old = localStorage.getItem(key);
  if (old && !field.value) {
    field.value = old;
    kept.hidden = false;
  }
  field.addEventListener("input", () => {
    localStorage.setItem(key, field.value);
    kept.hidden = !field.value;
  });
  form.addEventListener("submit", () => localStorage.removeItem(key));
}

const thread = document.querySelector("[data-read]");
if (thread?.dataset.read) {
  const token = document.querySelector("input[name=csrf_token]").value;
  fetch(thread.dataset.read, { method: "POST", body: new URLSearchParams({ csrf_token: token }) });
}
