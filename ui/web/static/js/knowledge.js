/* The documents of one agent: list, add (drop or choose), remove, by the API. */
import { el, icon, useSprite, wording } from "./dom.js";
import { announce } from "./shell.js";

export async function knowledge(root) {
  root.dataset.atlFilled = "1";
  const say = wording(JSON.parse(root.dataset.words), document.documentElement.lang);
  const address = `/api/v1/agents/${encodeURIComponent(root.dataset.atlKnowledge)}/knowledge`;
  const sprite = document.querySelector(".atl-icon use")?.getAttribute("href")?.split("#")[0];
  if (sprite) useSprite(sprite);
  const list = el("ul"), told = el("p", { role: "status", class: "atl-hint" });
  const choose = el("input", { type: "file", multiple: true, "aria-label": say("build.knowledge.add") });
  const drop = el("label", { class: "atl-drop" }, icon("paperclip"), el("span", {}, say("build.knowledge.add")), choose);
  const readers = el("select", {}, ...["everyone", "department", "me"].map((who) => el("option", { value: who }, say(`build.knowledge.readers.${who}`))));
  const who = el("label", { class: "atl-field" }, say("build.knowledge.readers"), readers, el("small", {}, say("build.knowledge.readers.info")));
  root.replaceChildren(el("h3", { class: "atl-h3" }, say("build.knowledge.title")), list, who, drop, told);

  async function fill() {
    const answer = await fetch(address).catch(() => null);
    if (!answer?.ok) { told.textContent = say("build.knowledge.offline"); return; }
    const found = await answer.json();
    const rows = found.documents ?? found;
    list.replaceChildren(...rows.map(row));
    if (!rows.length) told.textContent = say("build.knowledge.none");
    else if (told.textContent === say("build.knowledge.none")) told.textContent = "";
    if (rows.some((each) => each.complete === false && !each.error)) setTimeout(fill, 1500);
  }

  function row(each) {
    return el("li", {}, icon("file-text"), el("span", {}, each.name),
      each.error ? el("small", { role: "alert" }, each.message || each.error) : each.complete === false
        ? el("progress", { max: 1, value: each.progress ?? null, "aria-label": say("build.knowledge.reading", { name: each.name }) })
        : el("small", {}, [each.pages ? say("build.knowledge.pages", { n: each.pages }) : "", say(`build.knowledge.readers.${readBy(each.readers ?? ["*"])}`)].filter(Boolean).join(" · ")),
      el("button", { type: "button", class: "atl-iconbutton", "aria-label": say("build.knowledge.remove", { name: each.name }), onclick: () => remove(each) }, icon("trash-2")));
  }

  const readBy = (keys) => keys.includes("*") ? "everyone" : keys.some((key) => key.startsWith("department:")) ? "department" : "me";

  async function remove(each) {
    if (!confirm(say("build.knowledge.sure", { name: each.name }))) return;
    const answer = await fetch(`${address}/${encodeURIComponent(each.id ?? each.name)}`, { method: "DELETE" }).catch(() => null);
    if (!answer?.ok) told.textContent = (await answer?.json().catch(() => null))?.message ?? say("build.knowledge.offline");
    await fill();
  }

  async function add(files) {
    for (const file of files) {
      told.textContent = say("build.knowledge.reading", { name: file.name });
      const body = new FormData();
      body.append("files", file, file.name);
      body.append("readers", readers.value);
      const answer = await fetch(address, { method: "POST", body }).catch(() => null);
      const reason = answer?.ok ? "" : (await answer?.json().catch(() => null))?.message ?? say("build.knowledge.offline");
      told.textContent = reason ? say("build.knowledge.failed", { name: file.name, reason }) : "";
      if (reason) announce(told.textContent);
      await fill();
      if (reason) return;
    }
  }

  choose.addEventListener("change", () => { add([...choose.files]); choose.value = ""; });
  const over = (event) => { event.preventDefault(); drop.toggleAttribute("data-drop", event.type === "dragover"); };
  for (const name of ["dragover", "dragleave"]) drop.addEventListener(name, over);
  drop.addEventListener("drop", (event) => { over(event); add([...event.dataTransfer.files]); });
  await fill();
}
