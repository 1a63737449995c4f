// CodeMirror 6 with the Markdown grammar alone: lang-markdown would bring HTML, CSS and JavaScript along.
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { HighlightStyle, Language, defineLanguageFacet, syntaxHighlighting } from "@codemirror/language";
import { EditorState } from "@codemirror/state";
import { EditorView, drawSelection, keymap } from "@codemirror/view";
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
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--accent-wash)" },
});

// Wraps the selection, or takes the marks away when they are there.
function wrap(mark) {
  return (view) => {
    view.dispatch(
      view.state.changeByRange((range) => {
        const text = view.state.sliceDoc(range.from, range.to);
        const size = mark.length;
        const inside = text.startsWith(mark) && text.endsWith(mark) && text.length >= 2 * size;
        const insert = inside ? text.slice(size, -size) : mark + text + mark;
        const shift = inside ? -size : size;
        return {
          changes: { from: range.from, to: range.to, insert },
          range: range.empty ? range.extend(range.from + size, range.from + size) : range.extend(range.from, range.to + 2 * shift),
        };
      }),
    );
    return true;
  };
}

export function makeEditor({ parent, text, label, nonce, changed, files }) {
  return new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        history(),
        drawSelection(),
        EditorView.lineWrapping,
        EditorView.cspNonce.of(nonce),
        EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "true", autocorrect: "on", autocapitalize: "sentences" }),
        keymap.of([{ key: "Mod-b", run: wrap("**") }, { key: "Mod-i", run: wrap("*") }, ...defaultKeymap, ...historyKeymap]),
        markdown,
        syntaxHighlighting(highlighting),
        theme,
        EditorView.updateListener.of((update) => update.docChanged && changed(update.state.doc.toString())),
        EditorView.domEventHandlers({
          paste: (event, view) => files(event.clipboardData, view, event),
          drop: (event, view) => files(event.dataTransfer, view, event),
        }),
      ],
    }),
  });
}
