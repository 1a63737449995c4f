// Keeps the page of a mailing true while it runs. Without it the page can be loaded again.
const part = document.querySelector("[data-progress]");

async function look() {
  if (!document.hidden) {
    try {
      const answer = await fetch(`${location.pathname}?part=1`, { redirect: "error" });
      if (answer.ok) part.innerHTML = await answer.text();
    } catch {
      // The server is away for a moment; the next look may find it.
    }
  }
  if (part.querySelector("[data-running]")) setTimeout(look, 1000);
}

if (part?.querySelector("[data-running]")) setTimeout(look, 1000);
