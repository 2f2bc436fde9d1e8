/* The three-minute tour: notes beside the real chat, each waiting for what it speaks of. */
import { el } from "./dom.js";

export function tour(root, say, { write, conversation }) {
  const answered = () => root.querySelector(".atl-answer[aria-busy=false]");
  const steps = [
    { text: "send", at: "[data-atl-send]", begin: () => write(say("web.chat.tour.message")), until: answered },
    { text: "masked", at: ".atl-answer .atl-ribbon" },
    { text: "how", at: "[data-atl-how] .atl-water" },
    { text: "adapt", at: ".atl-play-do .atl-button" },
    { text: "end", at: "[data-atl-text]" },
  ];
  let note = null, watch = null, number = 0;

  function end() {
    watch?.disconnect();
    note?.remove();
    document.querySelectorAll("[data-atl-toured]").forEach((each) => each.removeAttribute("data-atl-toured"));
    fetch("/api/v1/me/lessons/tour", { method: "PUT", headers: { "content-type": "application/json" }, body: '{"done":true}' });
    const address = new URL(location.href);
    address.searchParams.delete("tour");
    history.replaceState(null, "", address);
  }

  async function remove() {
    const id = conversation();
    if (id) await fetch(`/api/v1/conversations/${encodeURIComponent(id)}`, { method: "DELETE" });
    end();
    location.assign(location.pathname.replace(/\/playground.*/, "/learn"));
  }

  const button = (key, act, kind) => el("button", { type: "button", class: "atl-button", "data-size": "small", "data-kind": kind, onclick: act }, say(`web.chat.tour.${key}`));

  function show(at) {
    number = at;
    const step = steps[at];
    step.begin?.();
    watch?.disconnect();
    note?.remove();
    document.querySelectorAll("[data-atl-toured]").forEach((each) => each.removeAttribute("data-atl-toured"));
    const target = root.querySelector(step.at);
    target?.setAttribute("data-atl-toured", "");
    const last = at === steps.length - 1;
    note = el("section", { class: "atl-tour", role: "dialog", tabindex: "-1", "aria-label": say("web.chat.tour.title", { n: at + 1, total: steps.length }) },
      el("small", {}, say("web.chat.tour.title", { n: at + 1, total: steps.length })),
      el("p", {}, say(`web.chat.tour.${step.text}`)),
      el("div", { class: "atl-actions" },
        last ? button("keep", end, "primary") : step.until ? null : button("next", () => show(at + 1), "primary"),
        last ? button("remove", remove) : button("close", end, "quiet")));
    document.body.append(note);
    target?.scrollIntoView({ block: "nearest" });
    place(target);
    if (!step.begin) note.focus();
    if (step.until) {
      watch = new MutationObserver(() => { if (step.until()) setTimeout(() => { if (number === at) show(at + 1); }, 900); });
      watch.observe(root, { childList: true, subtree: true, attributes: true, attributeFilter: ["aria-busy"] });
    }
  }

  function place(target) {
    if (!target || matchMedia("(max-width: 860px)").matches) return; // on a phone it sits at the top
    const box = target.getBoundingClientRect(), own = note.getBoundingClientRect();
    const top = box.top > own.height + 24 ? box.top - own.height - 12 : Math.min(innerHeight - own.height - 12, box.bottom + 12);
    note.style.top = `${Math.max(12, top)}px`;
    note.style.left = `${Math.max(12, Math.min(innerWidth - own.width - 12, box.left))}px`;
  }

  addEventListener("keydown", (event) => { if (event.key === "Escape" && note?.isConnected) end(); });
  addEventListener("resize", () => note?.isConnected && place(root.querySelector(steps[number].at)));
  show(0);
}
