/* What an agent wants to do and a person decides: the action, its exact payload, yes or no. */
import { el, icon } from "./dom.js";

const post = (address, body) => fetch(address, {
  method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
}).catch(() => null);

/* `approval` as the API gives it; `decided(row)` is called once it is approved or rejected */
export function approvalCard(say, language, approval, decided) {
  const mine = approval.may_decide ?? approval.approver === "self";
  const told = el("p", { role: "alert", class: "atl-formerror" });
  const until = new Date(approval.expires).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
  const buttons = el("div", { class: "atl-actions" });
  const node = el("section", { class: "atl-approval", "data-approval": approval.id, "aria-label": say("web.chat.approval") },
    el("h3", { class: "atl-h3" }, icon("handshake"), mine ? say("web.chat.approval.mine") : say("web.chat.approval.theirs", { who: approval.approver_text ?? "" })),
    el("p", {}, el("b", {}, approval.action ?? approval.tool), approval.why ? ` · ${approval.why}` : ""),
    el("dl", {}, ...Object.entries(approval.payload ?? {}).flatMap(([name, value]) => [
      el("dt", {}, say.has(`web.chat.payload.${name}`) ? say(`web.chat.payload.${name}`) : name),
      el("dd", {}, typeof value === "string" ? value : Array.isArray(value) ? value.map((each) => (each && typeof each === "object" ? JSON.stringify(each) : each)).join(", ") : JSON.stringify(value)),
    ])),
    el("p", { class: "atl-small" }, icon("clock"), say("web.chat.approval.expires", { when: until })),
    buttons, told);

  async function decide(answer) {
    buttons.querySelectorAll("button").forEach((each) => { each.disabled = true; });
    const response = await post(`/api/v1/approvals/${encodeURIComponent(approval.id)}/${answer}`, {});
    const row = await response?.json().catch(() => null);
    if (!response?.ok) {
      told.textContent = row?.message ?? say("web.chat.offline");
      buttons.querySelectorAll("button").forEach((each) => { each.disabled = false; });
      return;
    }
    settle(row.state);
    decided(row);
  }

  function settle(state) {
    node.dataset.state = state;
    buttons.replaceChildren(el("b", {}, say.has(`web.chat.approval.${state}`) ? say(`web.chat.approval.${state}`) : state));
  }

  if (approval.state && approval.state !== "pending") settle(approval.state);
  else {
    if (mine) buttons.append(el("button", { type: "button", class: "atl-button", "data-kind": "primary", onclick: () => decide("approve") }, icon("check"), say("web.chat.approve")));
    if (mine || approval.mine !== false) buttons.append(el("button", { type: "button", class: "atl-button", onclick: () => decide("reject") }, icon("x"), say(mine ? "web.chat.reject" : "web.chat.withdraw")));
  }
  return node;
}

/* "Why was this blocked" goes on: ask security for an exception, with a reason */
export function exceptionForm(say, rule, trace) {
  const reason = el("textarea", { rows: 2, maxlength: 1000, "aria-label": say("web.chat.exception.reason"), placeholder: say("web.chat.exception.reason") });
  const told = el("p", { role: "status", class: "atl-small" });
  const send = el("button", { type: "button", class: "atl-button", "data-size": "small" }, say("web.chat.exception.send"));
  const fold = el("details", { class: "atl-exception" }, el("summary", {}, icon("handshake"), say("web.chat.exception")),
    el("p", { class: "atl-small" }, say("web.chat.exception.more")), reason, send, told);
  send.addEventListener("click", async () => {
    if (!reason.value.trim()) { reason.focus(); return; }
    send.disabled = true;
    const response = await post("/api/v1/exceptions", { rule, trace_id: trace, reason: reason.value.trim() });
    const answer = await response?.json().catch(() => null);
    told.textContent = response?.ok ? say("web.chat.exception.sent") : answer?.message ?? say("web.chat.offline");
    if (response?.ok) { reason.remove(); send.remove(); } else send.disabled = false;
  });
  return fold;
}
