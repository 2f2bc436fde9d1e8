/* The builder: steps by the address, the chat beside the form, documents by the API. */
import { knowledge } from "./knowledge.js";
import "./plain.js"; // buttons with data-api

const STEPS = ["purpose", "tools", "guards", "test"];

/* one of our style sheets, once; resolves when it is in force */
function sheet(name) {
  const href = new URL(`../css/${name}.css`, import.meta.url).pathname;
  if (document.querySelector(`link[href="${href}"]`)) return Promise.resolve();
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href });
  return new Promise((done) => { link.onload = link.onerror = done; document.head.append(link); });
}

export function build() {
  const root = document.documentElement;
  const show = (focus) => {
    const wanted = location.hash.slice(1);
    const step = STEPS.includes(wanted) ? wanted : "purpose";
    root.dataset.atlStep = step;
    document.querySelectorAll("[data-atl-step]").forEach((link) => {
      if (link === root) return;
      if (link.dataset.atlStep === step) link.setAttribute("aria-current", "step");
      else link.removeAttribute("aria-current");
      link.toggleAttribute("data-done", STEPS.indexOf(link.dataset.atlStep) < STEPS.indexOf(step));
    });
    if (focus) document.querySelector(`#atl-step-${step} h2`)?.focus();
  };
  addEventListener("hashchange", () => show(true));
  addEventListener("popstate", () => show(false));
  show(false);
  const watch = () => {
    document.querySelectorAll("#atl-tryout [data-agent]:not([data-atl-chat])").forEach(async (each) => {
      each.dataset.atlChat = "loading"; // the chat is fetched when there is something to try
      await sheet("chat");
      (await import("./chat.js")).chat(each);
    });
    // Gradio names every radio button differently: together they are one stop of the Tab key, with arrows inside
    document.querySelectorAll("#atl-form fieldset").forEach((set, at) => set.querySelectorAll("input[type=radio]").forEach((each) => {
      if (each.name !== `atl-choice-${at}`) each.name = `atl-choice-${at}`;
    }));
    document.querySelectorAll("[data-atl-knowledge]:not([data-atl-filled])").forEach((each) => knowledge(each));
    if (document.querySelector(".atl-stepper a:not([data-atl-known])")) {
      document.querySelectorAll(".atl-stepper a").forEach((each) => { each.dataset.atlKnown = ""; });
      show(false);
    }
  };
  new MutationObserver(watch).observe(document.body, { childList: true, subtree: true });
  watch();
}
