/* Side by side: one message, up to four answers as they come, a vote, then who was who. */
import { el, icon, useSprite, wording } from "./dom.js";
import { blocks, render } from "./markdown.js";
import { announce } from "./shell.js";
import { events } from "./stream.js";

const form = document.getElementById("atl-compare"), sides = document.getElementById("atl-sides");
if (form) start();

function start() {
  const language = document.documentElement.lang;
  const say = wording(JSON.parse(form.dataset.words), language);
  const told = form.querySelector("[role=alert]"), button = form.querySelector("button");
  useSprite(form.dataset.icons);

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const wanted = [...form.querySelectorAll("fieldset")].map((each) => ({
      agent: each.querySelector("[name=agent]").value, model: each.querySelector("[name=model]").value,
    })).filter((each) => each.agent);
    told.textContent = "";
    button.disabled = true;
    try { await ask({ text: form.elements.text.value, sides: wanted }); }
    catch (error) { told.textContent = error.message || say("web.chat.offline"); }
    button.disabled = false;
  });

  async function ask(body) {
    const response = await fetch("/api/v1/compare", {
      method: "POST", headers: { "content-type": "application/json", "x-atelier-language": language }, body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error((await response.json().catch(() => null))?.message ?? "");
    const columns = new Map();
    let id = "";
    for await (const { name, data } of events(response)) {
      if (name === "begin") {
        id = data.id;
        sides.replaceChildren(...data.labels.map((label) => {
          const column = { text: "", body: el("div", { class: "atl-md" }, say("web.compare.waiting")), foot: el("p", { class: "atl-small" }) };
          column.node = el("article", { class: "atl-card atl-stack", "aria-busy": "true" }, el("h2", { class: "atl-h3" }, say("web.compare.side", { label })), column.body, column.foot);
          columns.set(label, column);
          return column.node;
        }));
      }
      const column = columns.get(data.label);
      if (name === "delta") { column.text += data.text; draw(column); }
      if (name === "reply") { if (data.text) column.text = data.text; draw(column); column.foot.textContent = data.status === "done" ? "" : data.message; column.node.setAttribute("aria-busy", "false"); }
      if (name === "error") { column.foot.textContent = data.message; column.node.setAttribute("aria-busy", "false"); }
      if (name === "done") vote(id, columns);
    }
  }

  const draw = (column) => column.body.replaceChildren(...blocks(column.text).flatMap((block) => render(block, () => null)));

  function vote(id, columns) {
    const box = el("div", { class: "atl-card atl-stack", tabindex: "-1" }, el("h2", { class: "atl-h3" }, say("web.compare.vote")));
    const choices = [...columns.keys()].map((label) => [label, say("web.compare.side", { label })]);
    box.append(el("div", { class: "atl-actions" }, ...[...choices, ["same", say("web.compare.same")], ["none", say("web.compare.none")]].map(([value, text]) =>
      el("button", { type: "button", class: "atl-button", onclick: () => send(value) }, text))));
    sides.append(box);
    box.focus();
    announce(say("web.compare.vote"));
    async function send(value) {
      const answer = await fetch(`/api/v1/compare/${encodeURIComponent(id)}/vote`, {
        method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ vote: value }),
      }).catch(() => null);
      const row = await answer?.json().catch(() => null);
      if (!answer?.ok) { box.append(el("p", { role: "alert", class: "atl-formerror" }, row?.message ?? say("web.chat.offline"))); return; }
      box.replaceChildren(el("h2", { class: "atl-h3" }, icon("check"), say("web.compare.thanks")));
      for (const side of row.sides) {
        const column = columns.get(side.label);
        const name = form.querySelector(`[name=agent] option[value="${CSS.escape(side.agent)}"]`)?.textContent ?? side.agent;
        column.node.querySelector("h2").textContent = `${say("web.compare.side", { label: side.label })} · ${name} ${side.version}${side.model ? ` · ${side.model}` : ""}`;
      }
    }
  }
}
