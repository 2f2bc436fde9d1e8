/* "Did this help?": minutes saved and how the result compares, as the person says. */
import { el } from "./dom.js";

export function savedForm(say, conversation) {
  const state = { minutes: null, quality: null };
  const told = el("p", { role: "status", class: "atl-small" });
  const group = (label, name, choices) => el("div", { role: "group", "aria-label": label, class: "atl-choices" }, el("span", { class: "atl-small" }, label),
    ...choices.map(([value, text]) => el("button", {
      type: "button", class: "atl-pill", "aria-pressed": "false", onclick: (event) => {
        state[name] = value;
        event.target.parentElement.querySelectorAll("button").forEach((each) => each.setAttribute("aria-pressed", String(each === event.target)));
        send();
      },
    }, text)));
  async function send() {
    if (state.minutes === null || state.quality === null) return;
    const answer = await fetch(`/api/v1/conversations/${encodeURIComponent(conversation)}/saved`, {
      method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify(state),
    }).catch(() => null);
    told.textContent = answer?.ok ? say("web.chat.saved.thanks") : (await answer?.json().catch(() => null))?.message ?? say("web.chat.offline");
  }
  return el("details", { class: "atl-saved-form" }, el("summary", {}, say("web.chat.saved")),
    group(say("web.chat.saved.minutes"), "minutes", [[0, say("web.chat.saved.none")], ...[5, 15, 30].map((n) => [n, say("web.chat.saved.n", { n })])]),
    group(say("web.chat.saved.quality"), "quality", ["better", "same", "worse"].map((name) => [name, say(`web.chat.saved.${name}`)])), told);
}
