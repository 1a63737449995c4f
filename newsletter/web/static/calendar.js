// Drafts move by dragging, and by Alt and the arrow keys. The page without script has a date field for each.
const table = document.querySelector("[data-calendar]");
const said = document.querySelector("[data-said]");
const days = [...table.querySelectorAll("[data-day]")];

async function move(chip, day) {
  const body = new FormData();
  body.set("csrf_token", table.dataset.token);
  body.set("day", day.dataset.day);
  const answer = await fetch(chip.dataset.goal, { method: "POST", body, headers: { Accept: "application/json" } }).catch(() => null);
  const state = answer ? await answer.json().catch(() => ({})) : {};
  said.textContent = state.said ?? state.problem ?? "";
  if (!answer?.ok) return;
  const row = chip.closest("[data-loose] li");
  day.append(chip);
  row?.remove();
}

addEventListener("dragstart", (event) => {
  const chip = event.target.closest?.("[data-goal]");
  if (chip) event.dataTransfer.setData("text/plain", chip.dataset.issue);
});
for (const day of days) {
  day.addEventListener("dragover", (event) => {
    event.preventDefault();
    day.classList.add("target");
  });
  day.addEventListener("dragleave", () => day.classList.remove("target"));
  day.addEventListener("drop", (event) => {
    event.preventDefault();
    day.classList.remove("target");
    const chip = document.querySelector(`[data-goal][data-issue="${CSS.escape(event.dataTransfer.getData("text/plain"))}"]`);
    if (chip) move(chip, day);
  });
}
addEventListener("keydown", async (event) => {
  const chip = event.target.closest?.("[data-goal][data-issue]");
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }[event.key];
  if (!chip || !step || !event.altKey) return;
  event.preventDefault();
  const here = days.indexOf(chip.closest("[data-day]"));
  const today = days.findIndex((day) => day.hasAttribute("aria-current"));
  const goal = days[here < 0 ? Math.max(0, today) : here + step];
  if (goal) {
    await move(chip, goal);
    chip.focus();
  }
});
