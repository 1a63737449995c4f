// Runs inside the preview, which has no rights and no origin: it shows what the desk sends, and keeps its place.
addEventListener("message", (event) => {
  if (event.source !== parent) return;
  if (event.data?.hello) parent.postMessage({ ready: true }, "*");
  if (typeof event.data?.html !== "string") return;
  const next = new DOMParser().parseFromString(event.data.html, "text/html");
  const place = event.data.fresh ? 0 : scrollY;
  document.documentElement.lang = next.documentElement.lang;
  for (const old of document.head.querySelectorAll("style, link[rel=stylesheet], meta[name=color-scheme]")) old.remove();
  document.head.append(...next.head.querySelectorAll("style, link[rel=stylesheet], meta[name=color-scheme]"));
  document.body.replaceWith(next.body);
  document.title = next.title;
  scrollTo(0, place);
  requestAnimationFrame(() => setTimeout(() => parent.postMessage({ painted: event.data.turn }, "*")));
});
// A link would lead out of the preview; where it leads is said instead.
addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  if (!link) return;
  event.preventDefault();
  parent.postMessage({ link: link.href }, "*");
}, true);
parent.postMessage({ ready: true }, "*");
