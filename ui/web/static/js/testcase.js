/* One answer of one's own draft becomes a test case: to stay like this, or never to come back. */
import { el, icon } from "./dom.js";

/* `find()` resolves to {conversation, number} of the answer */
export function testCase(say, agent, find) {
  const told = el("p", { role: "status", class: "atl-small" });
  const choice = el("div", { class: "atl-feedback", hidden: true }, el("p", { class: "atl-small" }, say("web.chat.case.more")));
  const send = async (good) => {
    const { conversation, number } = await find();
    const answer = await fetch(`/api/v1/agents/${encodeURIComponent(agent)}/cases/from-conversation`, {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ conversation, message: number, good }),
    }).catch(() => null);
    const made = await answer?.json().catch(() => null);
    told.textContent = answer?.ok ? say("web.chat.case.kept", { name: made.id }) : made?.message ?? say("web.chat.offline");
    if (answer?.ok) {
      show(false);
      button.focus();
    }
  };
  const show = (open) => {
    choice.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
  };
  choice.append(el("div", { class: "atl-actions" }, ...[true, false].map((good) =>
    el("button", { type: "button", class: "atl-button", "data-size": "small", onclick: () => send(good) }, say(good ? "web.chat.case.good" : "web.chat.case.bad")))));
  const button = el("button", { type: "button", class: "atl-iconbutton", "aria-label": say("web.chat.case"), title: say("web.chat.case"), "aria-expanded": "false", onclick: () => {
    show(choice.hidden);
    if (!choice.hidden) choice.querySelector("button").focus();
  } }, icon("list-checks"));
  return { button, form: el("div", { class: "atl-feedback-box" }, choice, told) };
}
