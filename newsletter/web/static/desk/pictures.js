// Pictures by paste, drop or button: each shows how far it is, where it will stand, and moves with the text meanwhile.
import { uploading } from "../vendor/codemirror.js";

export function pictures({ desk, form, say, show }) {
  function send(file, view, at) {
    const element = document.createElement("span");
    element.className = "cm-upload";
    const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0 });
    bar.setAttribute("aria-label", say.uploading);
    element.append(bar, ` ${file.name || say.picture}`);
    const upload = { element };
    uploading.begin(view, upload, at);
    const { doc, selection } = view.state;
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", (event) => event.lengthComputable && (bar.value = event.loaded / event.total));
    request.addEventListener("loadend", () => {
      const place = uploading.placeOf(view, upload) ?? view.state.selection.main.to;
      uploading.end(view, upload);
      if (!request.status) return show(say.lost_picture.replace("{name}", file.name || say.picture), true);
      if (request.status === 413) return show(say.large, true);
      let image = {};
      try {
        image = JSON.parse(request.responseText);
      } catch {
        return show(request.status === 401 || request.responseURL.includes("log-in") ? say.logged_out : say.lost_picture.replace("{name}", file.name), true);
      }
      if (request.status >= 300) return show(image.problem, true);
      insert(view, image, place, view.state.doc.eq(doc) && view.state.selection.eq(selection));
      show(say.described, false);
    });
    request.open("POST", desk.dataset.upload);
    request.setRequestHeader("Accept", "application/json");
    const body = new FormData();
    body.append("file", file);
    body.append("csrf_token", form.elements.csrf_token.value);
    request.send(body);
  }

  // Who has gone on writing meanwhile keeps the cursor; who has waited finds the description selected, to type over it.
  function insert(view, image, place, waited) {
    const before = view.state.sliceDoc(0, place);
    const after = view.state.sliceDoc(place);
    const first = before === "" || before.endsWith("\n\n") ? "" : before.endsWith("\n") ? "\n" : "\n\n";
    const last = after === "" ? "\n\n" : after.startsWith("\n\n") ? "" : after.startsWith("\n") ? "\n" : "\n\n";
    const words = image.alt || say.describe;
    const from = place + first.length + 2;
    view.dispatch({ changes: { from: place, insert: `${first}![${words}](${image.path})${last}` }, ...(waited && { selection: { anchor: from, head: from + words.length }, scrollIntoView: true }), userEvent: "input.paste" });
    if (waited) view.focus();
  }

  // The pictures among what was pasted or dropped; whether there were any.
  function take(data, view, event, at) {
    const files = [...(data?.files ?? [])].filter((one) => one.type.startsWith("image/"));
    if (!files.length) return false;
    event.preventDefault();
    for (const file of files) send(file, view, at);
    return true;
  }

  return { send, insert, take };
}
