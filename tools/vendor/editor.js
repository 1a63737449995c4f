// CodeMirror 6 with the Markdown grammar alone: lang-markdown would bring HTML, CSS and JavaScript along.
import { defaultKeymap, history, historyField, historyKeymap, redo, undo } from "@codemirror/commands";
import { HighlightStyle, Language, defineLanguageFacet, syntaxHighlighting, syntaxTree } from "@codemirror/language";
import { openSearchPanel, search, searchKeymap } from "@codemirror/search";
import { EditorSelection, EditorState, StateEffect, StateField, Transaction } from "@codemirror/state";
import { Decoration, EditorView, MatchDecorator, ViewPlugin, WidgetType, drawSelection, keymap, placeholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { Strikethrough, Table, parser } from "@lezer/markdown";

const markdown = new Language(defineLanguageFacet(), parser.configure([Table, Strikethrough]), [], "markdown");

const highlighting = HighlightStyle.define([
  { tag: tags.heading1, fontSize: "1.25em", fontWeight: "600" },
  { tag: tags.heading2, fontSize: "1.16em", fontWeight: "600" },
  { tag: [tags.heading3, tags.heading4], fontWeight: "600" },
  { tag: tags.strong, fontWeight: "600" },
  { tag: tags.emphasis, fontStyle: "italic" },
  { tag: tags.strikethrough, textDecoration: "line-through" },
  { tag: [tags.link, tags.url], color: "var(--accent)" },
  { tag: tags.monospace, fontFamily: "var(--mono)", fontSize: ".88em" },
  { tag: tags.quote, color: "var(--ink-2)" },
  { tag: [tags.processingInstruction, tags.contentSeparator], color: "var(--ink-3)" },
]);

const theme = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "transparent" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--serif)", fontSize: "var(--size-name)", lineHeight: "1.6", overflow: "visible" },
  ".cm-content": { padding: "0 0 8rem", caretColor: "var(--accent)" },
  ".cm-line": { padding: "0" },
  ".cm-cursor": { borderLeftColor: "var(--accent)", borderLeftWidth: "2px" },
  ".cm-placeholder": { color: "var(--ink-3)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--accent-wash)" },
  ".cm-field": { color: "var(--accent)" },
  ".cm-colons": { color: "var(--ink-3)", fontFamily: "var(--sans)", fontSize: ".86em" },
  ".cm-upload": { fontFamily: "var(--sans)", fontSize: "var(--size-meta)", color: "var(--ink-2)" },
  ".cm-panels": { backgroundColor: "var(--sheet)", color: "var(--ink)", fontFamily: "var(--sans)", position: "sticky", zIndex: "3" },
  ".cm-panels.cm-panels-top": { borderBottom: "var(--hair)" },
  ".cm-panel.cm-search": { display: "flex", flexWrap: "wrap", gap: "var(--gap-2)", alignItems: "center", padding: "var(--gap-2) 0" },
  ".cm-panel.cm-search label": { display: "inline-flex", gap: "var(--gap-1)", alignItems: "center", fontSize: "var(--size-meta)" },
  ".cm-panel.cm-search br": { display: "none" },
  ".cm-textfield": { minHeight: "2.25rem", padding: ".25rem .5rem", border: "var(--line)", borderRadius: "var(--radius)", background: "var(--sheet)", color: "var(--ink)", font: "inherit" },
  ".cm-button": { minHeight: "2.25rem", padding: ".25rem .6rem", border: "var(--line)", borderRadius: "var(--radius)", background: "transparent", color: "var(--ink)", font: "inherit", fontSize: "var(--size-meta)" },
  ".cm-panel.cm-search [name=close]": { position: "static", marginLeft: "auto", font: "inherit", fontSize: "1.4rem", color: "var(--ink-2)", background: "none", border: "0", padding: "0 .5rem", minWidth: "2rem", minHeight: "2rem" },
  ".cm-searchMatch": { backgroundColor: "var(--accent-wash)", outline: "1px solid var(--accent-mid)" },
  ".cm-searchMatch-selected": { backgroundColor: "var(--accent-mid)" },
});

// Fields and the lines of blocks, which Markdown does not know.
function marked(pattern, name) {
  const matcher = new MatchDecorator({ regexp: pattern, decoration: Decoration.mark({ class: name }) });
  return ViewPlugin.define(
    (view) => ({
      decorations: matcher.createDeco(view),
      update(update) {
        this.decorations = matcher.updateDeco(update, this.decorations);
      },
    }),
    { decorations: (plugin) => plugin.decorations },
  );
}

// Pictures on their way: a line in the text that is not in the text, and that moves with it.
const arrives = StateEffect.define({ map: (value, changes) => ({ ...value, at: changes.mapPos(value.at, 1) }) });
const gone = StateEffect.define();

class Progress extends WidgetType {
  constructor(upload) {
    super();
    this.upload = upload;
  }
  eq(other) {
    return other.upload === this.upload;
  }
  toDOM() {
    return this.upload.element;
  }
}

const uploads = StateField.define({
  create: () => Decoration.none,
  update(value, transaction) {
    let set = value.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (effect.is(arrives)) set = set.update({ add: [Decoration.widget({ widget: new Progress(effect.value.upload), upload: effect.value.upload, side: 1, block: false }).range(effect.value.at)] });
      if (effect.is(gone)) set = set.update({ filter: (from, to, deco) => deco.spec.upload !== effect.value });
    }
    return set;
  },
  provide: (field) => EditorView.decorations.from(field),
});

function placeOf(view, upload) {
  let place = null;
  view.state.field(uploads).between(0, view.state.doc.length, (from, to, deco) => {
    if (deco.spec.upload === upload) place = from;
  });
  return place;
}

// Wraps the selection, or takes the marks away when they are there.
function wrap(mark) {
  return (view) => {
    view.dispatch(
      view.state.changeByRange((range) => {
        const size = mark.length;
        const text = view.state.sliceDoc(range.from, range.to);
        const around = view.state.sliceDoc(range.from - size, range.from) === mark && view.state.sliceDoc(range.to, range.to + size) === mark;
        if (around && range.from >= size) {
          return { changes: [{ from: range.from - size, to: range.from }, { from: range.to, to: range.to + size }], range: EditorSelection.range(range.from - size, range.to - size) };
        }
        const inside = text.startsWith(mark) && text.endsWith(mark) && text.length >= 2 * size;
        const insert = inside ? text.slice(size, -size) : mark + text + mark;
        if (range.empty) return { changes: { from: range.from, insert }, range: EditorSelection.cursor(range.from + size) };
        return { changes: { from: range.from, to: range.to, insert }, range: inside ? EditorSelection.range(range.from, range.to - 2 * size) : EditorSelection.range(range.from + size, range.to + size) };
      }),
    );
    view.focus();
    return true;
  };
}

// Puts a mark in front of each selected line, or takes it away where every line has it.
function lead(mark, other = /^(#{1,4} |> |[-*] |\d+\. )/) {
  return (view) => {
    const { state } = view;
    const lines = [];
    for (const range of state.selection.ranges) {
      for (let at = state.doc.lineAt(range.from).number; at <= state.doc.lineAt(range.to).number; at++) lines.push(state.doc.line(at));
    }
    const numbered = mark === "1. ";
    const has = (line) => (numbered ? /^\d+\. /.test(line.text) : line.text.startsWith(mark));
    const all = lines.every(has);
    const changes = lines.map((line, index) => {
      const old = (line.text.match(other) ?? [""])[0];
      return { from: line.from, to: line.from + old.length, insert: all ? "" : numbered ? `${index + 1}. ` : mark };
    });
    view.dispatch({ changes, scrollIntoView: true });
    view.focus();
    return true;
  };
}

function link(words) {
  return (view) => {
    const range = view.state.selection.main;
    const text = view.state.sliceDoc(range.from, range.to);
    const address = /^https?:\/\/\S+$/.test(text);
    const label = address ? words : text || words;
    const target = address ? text : "https://";
    view.dispatch({
      changes: { from: range.from, to: range.to, insert: `[${label}](${target})` },
      selection: address || !text ? { anchor: range.from + 1, head: range.from + 1 + label.length } : { anchor: range.from + label.length + 3, head: range.from + label.length + 3 + target.length },
    });
    view.focus();
    return true;
  };
}

// An Enter in a list goes on with the list; in an empty item it ends the list.
function goOn(view) {
  const { state } = view;
  const range = state.selection.main;
  if (!range.empty) return false;
  const line = state.doc.lineAt(range.from);
  const found = line.text.match(/^(\s*)(?:([-*+])|(\d+)([.)])|(>))(\s+)/);
  if (!found || range.from < line.from + found[0].length) return false;
  if (line.text.length === found[0].length) {
    view.dispatch({ changes: { from: line.from, to: line.to }, userEvent: "input" });
    return true;
  }
  const mark = found[3] ? `${Number(found[3]) + 1}${found[4]}` : (found[2] ?? found[5]);
  view.dispatch({ changes: { from: range.from, insert: `\n${found[1]}${mark}${found[6]}` }, selection: { anchor: range.from + 1 + found[1].length + mark.length + found[6].length }, scrollIntoView: true, userEvent: "input" });
  return true;
}

// Puts a block on lines of its own; "§" marks what is selected afterwards.
function block(view, text, from = null) {
  const { state } = view;
  const range = from === null ? state.selection.main : { from, to: state.selection.main.to };
  const before = state.sliceDoc(0, range.from);
  const after = state.sliceDoc(range.to);
  const first = before === "" || before.endsWith("\n\n") ? "" : before.endsWith("\n") ? "\n" : "\n\n";
  const last = after === "" ? "\n\n" : after.startsWith("\n\n") ? "" : after.startsWith("\n") ? "\n" : "\n\n";
  const parts = text.split("§");
  const insert = first + parts.join("") + last;
  const start = range.from + first.length + parts[0].length;
  view.dispatch({ changes: { from: range.from, to: range.to, insert }, selection: parts.length > 1 ? { anchor: start, head: start + (parts.length > 2 ? parts[1].length : 0) } : { anchor: range.from + insert.length }, scrollIntoView: true, userEvent: "input" });
  view.focus();
}

function outline(state) {
  const found = [];
  syntaxTree(state).iterate({
    enter(node) {
      const level = /^(?:ATX|Setext)Heading(\d)$/.exec(node.name);
      if (level) found.push({ level: Number(level[1]), title: state.sliceDoc(node.from, node.to).replace(/^#+\s*|\s*\{[^}]*\}\s*$|\n[=-]+$/g, ""), at: node.from });
    },
  });
  return found;
}

// What was undone in an earlier load of the page is still there: the history is kept beside the text.
function remembered(past, extensions, text) {
  if (past) {
    try {
      const state = EditorState.fromJSON(JSON.parse(past), { extensions }, { history: historyField });
      if (state.doc.toString() === text) return state;
    } catch {
      // It was written by another version of the editor; the text itself is in the page.
    }
  }
  return EditorState.create({ doc: text, extensions });
}

export function makeEditor({ parent, text, label, hint, nonce, past, phrases, keys, changed, moved, paste, drop }) {
  const extensions = [
    history(),
    drawSelection(),
    search({ top: true }),
    EditorState.phrases.of(phrases),
    EditorView.lineWrapping,
    EditorView.cspNonce.of(nonce),
    EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "true", autocorrect: "on", autocapitalize: "sentences" }),
    placeholder(hint),
    keymap.of([...keys, { key: "Enter", run: goOn }, ...defaultKeymap, ...historyKeymap, ...searchKeymap]),
    markdown,
    syntaxHighlighting(highlighting),
    marked(/\{\{[^{}\n]*\}\}/g, "cm-field"),
    marked(/^ {0,3}(?::::.*|\|\|\|)$/g, "cm-colons"),
    uploads,
    theme,
    EditorView.updateListener.of((update) => {
      if (update.docChanged) changed(update.state.doc.toString(), update);
      if (update.docChanged || update.selectionSet) moved(update);
    }),
    EditorView.domEventHandlers({
      paste: (event, view) => paste(event.clipboardData, view, event),
      drop: (event, view) => drop(event.dataTransfer, view, event),
    }),
  ];
  return new EditorView({ parent, state: remembered(past, extensions, text) });
}

// Takes over another text as few changes as possible, so that the cursor stays where it was.
export function replaceText(view, text) {
  const old = view.state.doc.toString();
  let from = 0;
  while (from < old.length && from < text.length && old[from] === text[from]) from++;
  let end = 0;
  while (end < old.length - from && end < text.length - from && old[old.length - 1 - end] === text[text.length - 1 - end]) end++;
  if (old !== text) view.dispatch({ changes: { from, to: old.length - end, insert: text.slice(from, text.length - end) }, annotations: Transaction.userEvent.of("merge") });
}

export const past = (view) => JSON.stringify(view.state.toJSON({ history: historyField }));
export const commands = { wrap, lead, link, undo, redo, find: openSearchPanel };
export const uploading = { begin: (view, upload, at) => view.dispatch({ effects: arrives.of({ upload, at }) }), end: (view, upload) => view.dispatch({ effects: gone.of(upload) }), placeOf };
export { block, outline };
