// The search of the archive. Everything else here works without script.
const field = document.getElementById("q");
const status = document.getElementById("status");
const results = document.getElementById("results");
const years = (results.dataset.years || "").split(" ").filter(Boolean);
const SHOWN = 20;
let engine = null;
let asked = 0;

async function load() {
  // Each year has the whole search with it; the newest one is the one that runs.
  const pagefind = await import(`./${years[0]}/pagefind.js`);
  const here = new URL("./", import.meta.url).pathname;
  const top = new URL("../", import.meta.url).pathname;
  await pagefind.options({ baseUrl: top, excerptLength: 24 });
  for (const year of years.slice(1)) await pagefind.mergeIndex(`${here}${year}/`, { baseUrl: top });
  return pagefind;
}

function row(found) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = found.url;
  const title = document.createElement("span");
  title.className = "t";
  title.textContent = found.meta.title;
  const day = document.createElement("time");
  day.dateTime = found.meta.date || "";
  day.textContent = found.meta.date ? new Date(`${found.meta.date}T12:00:00`).toLocaleDateString(document.documentElement.lang, { dateStyle: "medium" }) : "";
  const words = document.createElement("span");
  words.className = "d";
  // Pagefind marks what was found with <mark>; everything else is text.
  for (const part of found.excerpt.split(/(<mark>.*?<\/mark>)/)) {
    const marked = part.match(/^<mark>(.*?)<\/mark>$/);
    const piece = marked ? document.createElement("mark") : document.createTextNode("");
    piece.textContent = plain(marked ? marked[1] : part);
    words.append(piece);
  }
  link.append(title, " ", day, " ", words);
  item.append(link);
  return item;
}

function plain(html) {
  const inert = document.createElement("template");
  inert.innerHTML = html;
  return inert.content.textContent;
}

async function search() {
  const term = field.value.trim();
  const turn = ++asked;
  history.replaceState(null, "", term ? `?q=${encodeURIComponent(term)}` : location.pathname);
  if (!term || !years.length) {
    results.replaceChildren();
    status.textContent = "";
    return;
  }
  try {
    engine ??= load();
    const found = await (await engine).search(term);
    if (turn !== asked) return;
    const rows = await Promise.all(found.results.slice(0, SHOWN).map((one) => one.data()));
    if (turn !== asked) return;
    const count = found.results.length;
    status.textContent = count === 0 ? status.dataset.none : count === 1 ? status.dataset.one : status.dataset.many.replace("{n}", count);
    results.replaceChildren(...rows.map(row));
  } catch (error) {
    engine = null;
    status.textContent = status.dataset.broken;
    console.error(error);
  }
}

let waiting = 0;
field.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(search, 150);
});
field.form.addEventListener("submit", (event) => {
  event.preventDefault();
  search();
});
field.value = new URLSearchParams(location.search).get("q") || "";
if (field.value) search();
