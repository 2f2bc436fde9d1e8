/* The builder: steps by the address, the chat beside the form, documents by the API. */
import { knowledge } from "./knowledge.js";
import "./plain.js"; // buttons with data-api

const STEPS = ["purpose", "tools", "guards", "test"];

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
      each.dataset.atlChat = "loading"; // the chat's scripts are fetched when there is something to try
      (await import("./chat.js")).chat(each);
    });
    document.querySelectorAll("[data-atl-knowledge]:not([data-atl-filled])").forEach((each) => knowledge(each));
    if (document.querySelector(".atl-stepper a:not([data-atl-known])")) {
      document.querySelectorAll(".atl-stepper a").forEach((each) => { each.dataset.atlKnown = ""; });
      show(false);
    }
  };
  new MutationObserver(watch).observe(document.body, { childList: true, subtree: true });
  watch();
}
