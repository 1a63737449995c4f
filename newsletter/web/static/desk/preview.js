// The letter as it will arrive. One request at a time; while one is on its way the latest text waits.
export function previewer({ desk, form, values, show, told }) {
  const frame = desk.querySelector("[data-frame]");
  const view = desk.querySelector(".view");
  const reader = desk.querySelector("[data-reader]");
  const pause = 90;
  let medium = "mail";
  let ready = false;
  let busy = false;
  let waiting = false;
  let timer = 0;
  let turn = 0;
  let typedAt = 0;
  let fresh = true;

  addEventListener("message", (event) => {
    if (event.source !== frame.contentWindow) return;
    if (event.data.ready && !ready) {
      ready = true;
      draw();
    }
    if (event.data.link) show(event.data.link, false);
    if (event.data.painted === turn && typedAt) {
      performance.measure("brieftaube.preview", { start: typedAt, end: performance.now() });
      typedAt = 0;
    }
  });

  // Whichever of the two was there first: the other one asks.
  frame.contentWindow.postMessage({ hello: true }, "*");

  function later() {
    typedAt ||= performance.now();
    clearTimeout(timer);
    timer = setTimeout(draw, pause);
  }

  async function draw() {
    if (!ready) return;
    if (busy) {
      waiting = true;
      return;
    }
    busy = true;
    const wanted = medium;
    const body = new FormData();
    body.set("csrf_token", form.elements.csrf_token.value);
    body.set("medium", wanted === "phone" ? "mail" : wanted);
    body.set("reader", reader.value);
    for (const [name, value] of Object.entries(values())) body.set(name, value);
    try {
      const answer = await fetch(desk.dataset.look, { method: "POST", body, headers: { Accept: "application/json" }, redirect: "error" });
      if (answer.ok) {
        const state = await answer.json();
        frame.contentWindow.postMessage({ html: state.html, turn: ++turn, fresh }, "*");
        fresh = false;
        told(state);
      }
    } catch {
      // The preview stays as it was; saving says that the server does not answer.
    } finally {
      busy = false;
      if (waiting) {
        waiting = false;
        draw();
      }
    }
  }

  for (const button of desk.querySelectorAll("[data-medium]")) {
    button.addEventListener("click", () => {
      for (const other of desk.querySelectorAll("[data-medium]")) other.setAttribute("aria-pressed", String(other === button));
      medium = button.dataset.medium;
      fresh = true;
      view.classList.toggle("phone", medium === "phone");
      draw();
    });
  }
  reader.addEventListener("change", draw);
  return { later, draw };
}
