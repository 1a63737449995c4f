// What was typed is kept in this browser until the server has it: the network may go, the log-in end, the tab be closed.
// Each tab has a place of its own, so that two tabs never write over each other.
const page = `brieftaube.text.${location.pathname}`;
const tab = crypto.randomUUID();
const mine = `${page}.${tab}`;

// A lock that lives as long as the tab tells whose text still has somebody who writes it.
navigator.locks?.request(mine, () => new Promise(() => {}));

export function keep(values) {
  try {
    localStorage.setItem(mine, JSON.stringify({ ...values, at: Date.now() }));
    return true;
  } catch {
    return false;
  }
}

export function forget(key = mine) {
  localStorage.removeItem(key);
}

// Texts of tabs that are gone, newest first.
export async function orphans() {
  const held = new Set((await navigator.locks?.query())?.held.map((lock) => lock.name) ?? []);
  const found = [];
  for (const key of Object.keys(localStorage)) {
    if (!key.startsWith(`${page}.`) || held.has(key) || key === mine) continue;
    try {
      found.push({ key, ...JSON.parse(localStorage.getItem(key)) });
    } catch {
      forget(key);
    }
  }
  return found.sort((one, other) => other.at - one.at);
}

// What can be undone outlives a reload of the page.
const undone = `brieftaube.undo.${location.pathname}`;
export const past = () => sessionStorage.getItem(undone);
export function keepPast(text) {
  try {
    if (text.length < 1_500_000) sessionStorage.setItem(undone, text);
  } catch {
    sessionStorage.removeItem(undone);
  }
}
