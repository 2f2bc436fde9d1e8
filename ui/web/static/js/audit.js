/* The audit page: filters, pages and traces change the content in place and the address with it. */
import { reload } from "./plain.js";

async function go(address) {
  history.pushState(null, "", address);
  await reload();
}

function filtered(form) {
  const given = [...new FormData(form)].filter(([, value]) => value !== "");
  return `${location.pathname}?${new URLSearchParams(given)}`;
}

document.addEventListener("submit", (event) => {
  if (event.target.id !== "atl-filters") return;
  event.preventDefault();
  go(filtered(event.target));
});

document.addEventListener("change", (event) => {
  const form = event.target.closest?.("#atl-filters");
  if (form) go(filtered(form));
});

document.addEventListener("click", async (event) => {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
  const trace = event.target.closest?.("a[data-record-trace]");
  if (trace) {
    event.preventDefault();
    history.pushState(null, "", trace.href);
    document.querySelectorAll("#atl-table a[data-record-trace]").forEach((each) =>
      each.closest("tr").toggleAttribute("data-open", each.dataset.recordTrace === trace.dataset.recordTrace));
    const narrow = matchMedia("(max-width: 1099px)").matches;
    await reload(["atl-detail"], `${trace.href}&part=detail`);
    const detail = document.getElementById("atl-detail");
    if (narrow) detail.scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    else detail.scrollTop = 0;
    return;
  }
  const link = event.target.closest?.("a[data-record-go]");
  if (link) {
    event.preventDefault();
    go(link.href);
  }
});

/* real values stand in the page only after they were asked for, and never in its address */
document.addEventListener("atl:done", (event) => {
  const button = event.target.closest?.("[data-record-reveal]");
  if (!button || !event.detail) return;
  const place = button.parentElement.querySelector(".atl-revealed");
  place.querySelector("[data-request]").textContent = event.detail.request;
  place.querySelector("[data-reply]").textContent = event.detail.reply || "–";
  place.hidden = false;
});

addEventListener("popstate", () => reload());

/* a shared link on a phone: what it is about stands below the table */
if (new URLSearchParams(location.search).has("open") && matchMedia("(max-width: 1099px)").matches)
  document.getElementById("atl-detail")?.scrollIntoView();
