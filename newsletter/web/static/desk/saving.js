// Saves while typing, one request at a time. Whatever goes wrong is said, and nothing typed is lost.
import { forget, keep } from "./keeping.js";

const pause = 900;

export function saver({ form, say, show, values, saved, merged }) {
  let base = values();
  let timer = 0;
  let busy = false;
  let again = false;
  let offline = 0;
  let last = document.querySelector("[data-status]").textContent;

  const differs = (one, other) => Object.keys(one).some((name) => one[name] !== other[name]);

  function later(wait = pause) {
    clearTimeout(timer);
    timer = setTimeout(save, wait);
    if (!keep({ ...values(), revision: form.elements.revision.value })) show(say.full, true);
    if (!offline) show(say.writing, false);
    window.addEventListener("beforeunload", warn);
  }

  function warn(event) {
    event.preventDefault();
  }

  function body(typed, whole) {
    const data = new FormData(form);
    data.delete("then");
    for (const [name, value] of Object.entries(typed)) data.set(name, value);
    if (whole) for (const [name, value] of Object.entries(base)) data.set(`base_${name}`, value);
    return data;
  }

  async function save(whole = false) {
    clearTimeout(timer);
    if (busy) {
      again = true;
      return;
    }
    const typed = values();
    if (!differs(typed, base)) return done({});
    busy = true;
    try {
      const answer = await fetch(form.action, { method: "POST", body: body(typed, whole === true), headers: { Accept: "application/json" }, redirect: "error" });
      offline = 0;
      if (answer.status === 413) return show(say.large, true);
      if (answer.status === 401) return loggedOut();
      if (answer.status === 400) return await renew();
      const state = await answer.json();
      if (answer.status === 409 && state.merge && whole !== true) {
        busy = false;
        return await save(true);
      }
      if (!answer.ok) return show(state.problem, true);
      base = typed;
      form.elements.revision.value = state.revision;
      if (state.text) {
        base = { ...typed, ...state.text };
        merged(state, typed);
      }
      if (!differs(values(), base)) done(state);
      else {
        saved(state);
        later();
      }
    } catch {
      offline++;
      show(say.offline, true);
      timer = setTimeout(save, Math.min(30, 2 ** offline) * 1000);
    } finally {
      busy = false;
      if (again) {
        again = false;
        save();
      }
    }
  }

  function done(state) {
    forget();
    window.removeEventListener("beforeunload", warn);
    last = state.said ?? state.saved ?? last;
    show(last, false);
    if (state.revision) saved(state);
  }

  function loggedOut() {
    show(say.logged_out, true, say.log_in);
    timer = setTimeout(renew, 4000);
  }

  // After a new log-in, in another tab perhaps, the page needs a new token; then it goes on by itself.
  async function renew() {
    const answer = await fetch(say.token, { headers: { Accept: "application/json" }, redirect: "error" }).catch(() => null);
    if (!answer?.ok) return loggedOut();
    const { csrf_token: token } = await answer.json();
    for (const field of document.querySelectorAll("[name=csrf_token]")) field.value = token;
    again = true;
    if (!busy) save();
  }

  window.addEventListener("online", () => differs(values(), base) && save());
  document.addEventListener("visibilitychange", () => document.hidden && differs(values(), base) && save());
  form.addEventListener("submit", () => {
    window.removeEventListener("beforeunload", warn);
    clearTimeout(timer);
  });
  return { later, save, settled: () => !busy && !differs(values(), base) };
}
