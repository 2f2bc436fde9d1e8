/* Secrets that are shown once: a form or button with data-once="id" fills the box of that id with
   what the API answered. The secret is in the page only, and gone when it is left. */
import { toast } from "./shell.js";
import { reload } from "./plain.js";

document.addEventListener("atl:done", (event) => {
  const from = event.target.closest?.("[data-once]");
  const box = from && document.getElementById(from.dataset.once);
  if (!box || !event.detail) return;
  for (const slot of box.querySelectorAll("[data-field]")) {
    const value = event.detail[slot.dataset.field] ?? "";
    slot.textContent = value;
    slot.closest("[data-slot]").hidden = value === "";
  }
  box.hidden = false;
  box.focus();
  if (from.dataset.fresh) reload(from.dataset.fresh.split(" "));
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copy-once]");
  if (!button) return;
  const text = button.closest("[data-slot]").querySelector("[data-field]").textContent;
  await navigator.clipboard?.writeText(text).then(() => toast(button.dataset.copyOnce), () => {});
});
