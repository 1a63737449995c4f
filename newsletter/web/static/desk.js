// The writing desk. Without it the textarea and the button do the work.
import { block, commands, makeEditor, outline, past, replaceText } from "./vendor/codemirror.js";
import { forget, keepPast, orphans, past as kept } from "./desk/keeping.js";
import { menu } from "./desk/menu.js";
import { pictures } from "./desk/pictures.js";
import { previewer } from "./desk/preview.js";
import { saver } from "./desk/saving.js";

const desk = document.querySelector("[data-desk]");
const form = desk.querySelector("form#text");
const source = form.elements.markdown;
const status = desk.querySelector("[data-status]");
const say = JSON.parse(desk.dataset.say);
const blocks = JSON.parse(desk.dataset.blocks);
const lines = ["subject", "preheader", "tags"];

const values = () => Object.fromEntries([...lines, "markdown"].map((name) => [name, form.elements[name].value.replace(/\r\n/g, "\n")]));

function show(text, trouble, link) {
  status.textContent = text;
  status.classList.toggle("off", Boolean(trouble));
  if (link) status.append(" ", Object.assign(document.createElement("a"), { href: link.href, target: "_blank", textContent: link.text }));
}

const images = pictures({ desk, form, say, show });
const openMenu = menu({ box: desk.querySelector("[data-menu]") });

// A slash at the beginning of an empty line opens the list of blocks.
function slash(view) {
  const range = view.state.selection.main;
  const line = view.state.doc.lineAt(range.from);
  if (!range.empty || line.text.trim() !== "") return false;
  view.dispatch({ changes: { from: range.from, insert: "/" }, selection: { anchor: range.from + 1 } });
  openMenu(blocks, {
    place: view.coordsAtPos(range.from),
    chosen: (entry) => insertBlock(entry, view, range.from),
    closed: () => view.focus(),
  });
  return true;
}

function insertBlock(entry, view, from = null) {
  if (entry.deed) return entry.deed(view, from);
  block(view, entry.source, from);
}

for (const entry of blocks) {
  if (entry.id === "figure") entry.deed = (view, from) => {
    if (from !== null) view.dispatch({ changes: { from, to: view.state.selection.main.to } });
    picker.click();
  };
}

const bold = commands.wrap("**");
const italic = commands.wrap("*");
const deeds = {
  bold, italic,
  strike: commands.wrap("~~"),
  code: commands.wrap("`"),
  link: commands.link(say.link_words),
  heading: commands.lead("## "),
  deeper: commands.lead("### "),
  list: commands.lead("- "),
  numbers: commands.lead("1. "),
  quote: commands.lead("> "),
  undo: commands.undo,
  redo: commands.redo,
  find: commands.find,
  picture: () => picker.click(),
  block: (view) => openMenu(blocks, { place: view.coordsAtPos(view.state.selection.main.from), chosen: (entry) => insertBlock(entry, view), closed: () => view.focus() }),
  focus: () => toggle("focus"),
  outline: () => toggle("outline"),
  save: () => saving.save(),
  everything: () => palette(),
};
const key = (name, run = deeds[name]) => ({ key: name, preventDefault: true, run: (view) => (run(view), true) });
const keys = [
  { key: "/", run: slash },
  key("Mod-b", deeds.bold), key("Mod-i", deeds.italic), key("Mod-Shift-x", deeds.strike), key("Mod-Shift-k", deeds.link), key("Mod-k", deeds.everything),
  key("Mod-Alt-2", deeds.heading), key("Mod-Alt-3", deeds.deeper), key("Mod-Shift-8", deeds.list), key("Mod-Shift-7", deeds.numbers), key("Mod-Shift-9", deeds.quote),
  key("Mod-s", deeds.save), key("Mod-Shift-f", deeds.focus), key("Mod-Shift-o", deeds.outline),
];

const view = makeEditor({
  parent: desk.querySelector("[data-source]"),
  text: source.value.replace(/\r\n/g, "\n"),
  label: source.getAttribute("aria-label"),
  hint: source.placeholder,
  nonce: desk.dataset.nonce,
  past: kept(),
  phrases: say.phrases,
  keys,
  changed(text) {
    source.value = text;
    changed();
  },
  moved() {
    drawOutline();
  },
  paste: (data, editor, event) => images.take(data, editor, event, editor.state.selection.main.to) || rich(data, editor, event),
  drop: (data, editor, event) => images.take(data, editor, event, editor.posAtCoords({ x: event.clientX, y: event.clientY }) ?? editor.state.selection.main.to),
});
source.hidden = true;
desk.querySelector("[data-button]").hidden = true;

const saving = saver({
  form, say, show, values,
  saved(state) {
    if (state.versions) desk.querySelector("[data-versions]").textContent = state.versions;
    if (state.comments !== undefined) desk.querySelector("[data-comments]").textContent = state.comments;
  },
  merged(state, typed) {
    for (const name of lines) if (form.elements[name].value === typed[name] && state.text[name] !== undefined) form.elements[name].value = state.text[name];
    if (view.state.doc.toString() === typed.markdown) replaceText(view, state.text.markdown);
    const notice = desk.querySelector("[data-merged]");
    notice.hidden = false;
    notice.querySelector("p").textContent = state.said;
  },
});

const preview = previewer({
  desk, form, values, show,
  told(state) {
    desk.querySelector("[data-words]").textContent = state.words;
    const findings = desk.querySelector("[data-findings]");
    findings.textContent = state.findings;
    findings.classList.toggle("off", state.errors > 0);
    desk.querySelector("[data-first]").textContent = state.first;
    desk.querySelector("[data-subject]").textContent = state.subject;
    desk.querySelector("[data-preheader]").textContent = state.preheader;
    desk.querySelector("[data-reader-said]").textContent = state.reader;
  },
});

function changed() {
  saving.later();
  preview.later();
  clearTimeout(changed.timer);
  changed.timer = setTimeout(() => keepPast(past(view)), 1000);
}
addEventListener("pagehide", () => keepPast(past(view)));
for (const name of lines) form.elements[name].addEventListener("input", changed);

// Rich text and tables become Markdown on the server, where one converter serves imports, too. Offline the plain text is taken.
function rich(data, editor, event) {
  const html = data?.getData("text/html") ?? "";
  const plain = data?.getData("text/plain") ?? "";
  const table = !html && plain.includes("\t") && plain.trim().includes("\n");
  // A program that copies colours of code brings no meaning along: its text is taken as it is.
  if (html && !/<(p|h[1-6]|ul|ol|table|strong|b|em|i|a|blockquote|img)[\s>]/i.test(html)) return false;
  if (!html && !table) return false;
  event.preventDefault();
  const { from, to } = editor.state.selection.main;
  const body = new FormData();
  body.set("csrf_token", form.elements.csrf_token.value);
  body.set(html ? "html" : "table", html || plain);
  const put = (text) => {
    const at = Math.min(from, editor.state.doc.length);
    const end = Math.min(to, editor.state.doc.length);
    editor.dispatch({ changes: { from: at, to: end, insert: text }, selection: { anchor: at + text.length }, scrollIntoView: true, userEvent: "input.paste" });
  };
  if (html.length + plain.length > 6_000_000) {
    show(say.large, true);
    return true;
  }
  fetch(desk.dataset.paste, { method: "POST", body, headers: { Accept: "application/json" }, redirect: "error" })
    .then((answer) => (answer.ok ? answer.json() : Promise.reject()))
    .then((answer) => {
      put(answer.markdown);
      if (answer.said) show(answer.said, false);
    })
    .catch(() => {
      put(plain);
      show(say.pasted_plain, true);
    });
  return true;
}

// What a closed tab or a lost connection left behind.
orphans().then((found) => {
  const lost = found.find((one) => one.markdown !== undefined && (one.markdown !== source.value || one.subject !== form.elements.subject.value));
  for (const one of found) if (one !== lost) forget(one.key);
  if (!lost) return;
  const offer = desk.querySelector("[data-lost]");
  offer.hidden = false;
  offer.querySelector("[data-back]").addEventListener("click", () => {
    for (const name of lines) if (lost[name] !== undefined) form.elements[name].value = lost[name];
    replaceText(view, lost.markdown);
    changed();
    forget(lost.key);
    offer.hidden = true;
    view.focus();
  });
  offer.querySelector("[data-away]").addEventListener("click", () => {
    forget(lost.key);
    offer.hidden = true;
    view.focus();
  });
});

// Buttons of the bar, and everything by name behind Ctrl K.
const picker = desk.querySelector("[data-file]");
picker.addEventListener("change", () => {
  for (const file of picker.files) images.send(file, view, view.state.selection.main.to);
  picker.value = "";
});
for (const button of desk.querySelectorAll("[data-deed]")) button.addEventListener("click", () => deeds[button.dataset.deed](view));

function palette() {
  const buttons = [...desk.querySelectorAll("[data-deed]")].map((button) => ({ title: button.dataset.name ?? button.textContent.trim(), keys: button.dataset.keys, deed: () => deeds[button.dataset.deed](view) }));
  const media = [...desk.querySelectorAll("[data-medium]")].map((button) => ({ title: `${say.preview} ${button.textContent.trim()}`, deed: () => (button.click(), view.focus()) }));
  const links = [...desk.querySelectorAll("[data-goal]")].map((link) => ({ title: link.dataset.goal || link.textContent.trim(), deed: () => link.click() }));
  const inserts = blocks.map((entry) => ({ ...entry, title: `${say.insert} ${entry.title}`, deed: () => insertBlock(entry, view) }));
  openMenu([...buttons, ...media, ...links, ...inserts], { place: null, chosen: (entry) => entry.deed(), closed: () => view.focus() });
}
addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k" && !event.defaultPrevented) {
    event.preventDefault();
    palette();
  }
  if (event.key === "Escape" && desk.classList.contains("focus") && !event.defaultPrevented) toggle("focus");
});

// Focus and outline are remembered for the next time.
function toggle(name, on = !desk.classList.contains(name)) {
  desk.classList.toggle(name, on);
  for (const button of desk.querySelectorAll(`[data-deed="${name}"]`)) button.setAttribute("aria-pressed", String(on));
  localStorage.setItem(`brieftaube.desk.${name}`, on ? "1" : "");
  if (name === "outline") drawOutline();
  view.focus();
}
for (const name of ["outline"]) if (localStorage.getItem(`brieftaube.desk.${name}`)) toggle(name, true);

// Whom to read as: a few addresses to choose from, asked for when somebody wants to.
const reader = desk.querySelector("[data-reader]");
reader.addEventListener("focus", async () => {
  const answer = await fetch(desk.dataset.readers, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok) return;
  desk.querySelector("#readers").replaceChildren(...(await answer.json()).map((value) => Object.assign(document.createElement("option"), { value })));
}, { once: true });

function drawOutline() {
  if (!desk.classList.contains("outline")) return;
  const list = desk.querySelector("[data-outline] ol");
  const here = view.state.selection.main.head;
  const found = outline(view.state);
  const current = found.findLast((heading) => heading.at <= here);
  list.replaceChildren(
    ...found.map((heading) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: heading.title || "…", className: `level-${heading.level}` });
      if (heading === current) button.setAttribute("aria-current", "true");
      button.addEventListener("click", () => {
        view.dispatch({ selection: { anchor: heading.at }, scrollIntoView: true });
        view.focus();
      });
      const item = document.createElement("li");
      item.append(button);
      return item;
    }),
  );
  desk.querySelector("[data-outline] [data-none]").hidden = found.length > 0;
}

// Say something about a passage: what is selected goes along as its quote.
const remark = desk.querySelector("[data-remark]");
remark?.addEventListener("toggle", () => {
  if (!remark.open) return;
  const { from, to } = view.state.selection.main;
  remark.querySelector("[name=quote]").value = view.state.sliceDoc(from, to).slice(0, 300);
  const shown = remark.querySelector("[data-quote]");
  shown.textContent = remark.querySelector("[name=quote]").value;
  shown.hidden = !shown.textContent;
  remark.querySelector("textarea").focus();
});

// A link with a line behind it, as the pre-flight gives it, leads to that line.
const wanted = Number(new URLSearchParams(location.search).get("line"));
if (wanted) {
  const line = view.state.doc.line(Math.min(wanted, view.state.doc.lines));
  view.dispatch({ selection: { anchor: line.from, head: line.to }, scrollIntoView: true });
  view.focus();
}
document.documentElement.dataset.desk = "ready";
