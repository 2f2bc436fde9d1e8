/* What a person says of one answer: good, wrong, biased, leaks something; people review it. */
import { el, icon } from "./dom.js";

/* `find()` resolves to {conversation, number} of the answer */
export function feedback(say, find) {
  const told = el("p", { role: "status", class: "atl-small" });
  const note = el("textarea", { rows: 2, maxlength: 1000, "aria-label": say("web.chat.feedback.note"), placeholder: say("web.chat.feedback.note") });
  const form = el("div", { class: "atl-feedback", hidden: true });
  const send = async (kind, text) => {
    const { conversation, number } = await find();
    const answer = await fetch(`/api/v1/conversations/${encodeURIComponent(conversation)}/feedback`, {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ message: number, kind, note: text }),
    }).catch(() => null);
    told.textContent = answer?.ok ? say(kind === "good" ? "web.chat.feedback.thanks" : "web.chat.feedback.sent")
      : (await answer?.json().catch(() => null))?.message ?? say("web.chat.offline");
    if (answer?.ok) form.hidden = true;
  };
  form.append(note, el("div", { class: "atl-actions" }, ...["wrong", "biased", "leaks"].map((kind) =>
    el("button", { type: "button", class: "atl-button", "data-size": "small", onclick: () => send(kind, note.value.trim()) }, say(`web.chat.feedback.${kind}`)))));
  const up = el("button", { type: "button", class: "atl-iconbutton", "aria-label": say("web.chat.feedback.good"), title: say("web.chat.feedback.good"), onclick: () => send("good", "") }, icon("thumbs-up"));
  const down = el("button", { type: "button", class: "atl-iconbutton", "aria-label": say("web.chat.feedback.bad"), title: say("web.chat.feedback.bad"), "aria-expanded": "false", onclick: () => {
    form.hidden = !form.hidden;
    down.setAttribute("aria-expanded", String(!form.hidden));
    if (!form.hidden) note.focus();
  } }, icon("thumbs-down"));
  return { buttons: [up, down], form: el("div", { class: "atl-feedback-box" }, form, told) };
}
