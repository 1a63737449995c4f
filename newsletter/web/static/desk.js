// The writing desk: the editor, saving while typing, the preview. Without it the textarea and the button do the work.
import { makeEditor } from "./vendor/codemirror.js";

const desk = document.querySelector("[data-desk]");
const form = desk.querySelector("form");
const source = form.elements.markdown;
const status = desk.querySelector("[data-status]");
const say = JSON.parse(desk.dataset.say);
const kept = `brieftaube.${location.pathname}`;
const pause = 700;
let timer = 0;
let saving = false;
let again = false;
let medium = "mail";

const editor = makeEditor({
  parent: desk.querySelector("[data-source]"),
  text: source.value,
  label: source.getAttribute("aria-label"),
  nonce: desk.dataset.nonce,
  changed(text) {
    source.value = text;
    later();
  },
  files(data, view, event) {
    const file = [...(data?.files ?? [])].find((one) => one.type.startsWith("image/"));
    if (!file) return false;
    event.preventDefault();
    upload(file, view);
    return true;
  },
});
source.hidden = true;
desk.querySelector("[data-button]").hidden = true;

for (const name of ["subject", "preheader", "tags"]) form.elements[name].addEventListener("input", later);
form.addEventListener("submit", () => window.removeEventListener("beforeunload", warn));

// What could not be saved lies in the browser, in case the tab is closed or the log-in is over.
const lost = localStorage.getItem(kept);
if (lost && lost !== source.value) {
  const offer = desk.querySelector("[data-lost]");
  offer.hidden = false;
  offer.querySelector("button").addEventListener("click", () => {
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: lost } });
    offer.hidden = true;
  });
} else localStorage.removeItem(kept);

function later() {
  clearTimeout(timer);
  timer = setTimeout(save, pause);
  localStorage.setItem(kept, source.value);
  window.addEventListener("beforeunload", warn);
}

function warn(event) {
  event.preventDefault();
}

async function save() {
  if (saving) {
    again = true;
    return;
  }
  saving = true;
  try {
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" }, redirect: "error" });
    if (answer.status === 413) return show(say.large, true);
    const state = await answer.json();
    if (answer.ok) saved(state);
    else show(state.problem, true);
  } catch {
    show(say.offline, true);
    clearTimeout(timer);
    timer = setTimeout(save, 8000);
  } finally {
    saving = false;
    if (again) {
      again = false;
      save();
    }
  }
}

function saved(state) {
  form.elements.revision.value = state.revision;
  localStorage.removeItem(kept);
  window.removeEventListener("beforeunload", warn);
  show(state.saved, false);
  desk.querySelector("[data-words]").textContent = state.words;
  const findings = desk.querySelector("[data-findings]");
  findings.textContent = state.findings;
  findings.classList.toggle("off", state.errors > 0);
  desk.querySelector("[data-first]").textContent = state.first;
  desk.querySelector("[data-subject]").textContent = state.subject;
  desk.querySelector("[data-preheader]").textContent = state.preheader;
  load();
}

function show(text, trouble) {
  status.textContent = text;
  status.classList.toggle("off", trouble);
}

// The new preview loads behind the old one and then takes its place, so that nothing flickers.
const frames = desk.querySelector("[data-frames]");

function load() {
  const next = frames.querySelector("iframe").cloneNode();
  next.src = `${frames.dataset.base}${medium === "phone" ? "mail" : medium}?revision=${form.elements.revision.value}`;
  next.hidden = true;
  next.addEventListener("load", () => {
    // Only the latest one counts; one that was overtaken while loading goes.
    if (next !== frames.lastElementChild) return next.remove();
    for (const other of [...frames.children]) if (other !== next) other.remove();
    next.hidden = false;
  });
  frames.append(next);
}

for (const button of desk.querySelectorAll("[data-medium]")) {
  button.addEventListener("click", () => {
    for (const other of desk.querySelectorAll("[data-medium]")) other.setAttribute("aria-pressed", String(other === button));
    medium = button.dataset.medium;
    desk.querySelector(".view").classList.toggle("phone", medium === "phone");
    load();
  });
}

// Images: by paste, by drop, by button.
const picker = desk.querySelector("[data-file]");
desk.querySelector("[data-pick]").addEventListener("click", () => picker.click());
picker.addEventListener("change", () => {
  if (picker.files[0]) upload(picker.files[0], editor);
  picker.value = "";
});

async function upload(file, view) {
  show(say.uploading, false);
  const body = new FormData();
  body.append("file", file);
  body.append("csrf_token", form.elements.csrf_token.value);
  try {
    const answer = await fetch(desk.dataset.upload, { method: "POST", body });
    if (answer.status === 413) return show(say.large, true);
    const image = await answer.json();
    if (!answer.ok) return show(image.problem, true);
    const place = view.state.selection.main.to;
    const text = `\n\n![${say.describe}](${image.path})\n\n`;
    view.dispatch({ changes: { from: place, insert: text }, selection: { anchor: place + 4, head: place + 4 + say.describe.length } });
    view.focus();
  } catch {
    show(say.offline, true);
  }
}
