/* Backup page: uploads a backup with its progress, and follows a restore through the restart. */
import { announce } from "./shell.js";

const form = document.querySelector("[data-restore]");
form?.addEventListener("submit", (event) => {
  event.preventDefault();
  const file = form.elements.file.files[0];
  const state = form.querySelector("[data-state]");
  const button = form.querySelector("button");
  if (!file || button.disabled) return;
  form.querySelector("[role=alert]")?.remove();
  const refused = (text) => {
    state.textContent = "";
    button.disabled = false;
    form.append(Object.assign(document.createElement("p"), { className: "atl-formerror", role: "alert", textContent: text }));
  };
  button.disabled = true;
  // not fetch(): it does not tell how much is sent
  const sent = new XMLHttpRequest();
  sent.open("POST", "/api/v1/backup/held");
  sent.responseType = "json";
  sent.setRequestHeader("content-type", "application/x-tar");
  sent.upload.onprogress = ({ loaded, total }) => {
    state.textContent = loaded < total ? form.dataset.going.replace("{percent}", Math.floor((100 * loaded) / total)) : form.dataset.checking;
  };
  sent.onerror = () => refused(document.getElementById("atl-content").dataset.atlOffline);
  sent.onload = () => {
    if (sent.status === 401) return location.reload();
    if (sent.status !== 200) return refused(sent.response?.message ?? "");
    location.assign(`${form.dataset.then}?held=${sent.response.id}`);
  };
  sent.send(file);
});

const steps = ["checking", "ending", "saving", "swapping"];
const box = document.getElementById("atl-restoring");
const part = (name) => box.querySelector(`[data-${name}]`);

function reached(step) {
  const at = steps.indexOf(step);
  if (at < 0) return;
  box.querySelectorAll("[data-step]").forEach((item) => {
    const here = steps.indexOf(item.dataset.step);
    item.toggleAttribute("data-done", here < at);
    if (here === at && !item.hasAttribute("aria-current")) {
      box.querySelector("[aria-current]")?.removeAttribute("aria-current");
      item.setAttribute("aria-current", "step");
      part("said").textContent = item.textContent;
    }
  });
}

function ended(title, more, good) {
  part("title").textContent = title;
  part("more").textContent = more;
  box.querySelector("[aria-current]")?.removeAttribute("aria-current");
  if (good) box.querySelectorAll("[data-step]").forEach((item) => item.setAttribute("data-done", ""));
  box.toggleAttribute("data-good", good);
  const next = part(good ? "on" : "back");
  next.hidden = false;
  next.focus();
  announce(`${title}. ${more}`);
}

let begun = false;
async function follow() {
  const answer = await fetch("/api/v1/backup/restoring").catch(() => null); // away: the server starts again
  const now = answer?.ok ? await answer.json().catch(() => null) : null;
  if (now) {
    begun ||= now.step !== "";
    if (now.restored !== box.dataset.before) return ended(box.dataset.done, box.dataset.doneMore, true);
    if (now.step === "failed") return ended(box.dataset.failed, now.message, false);
    // a server that knows of no restore: it ended, or none was begun
    if (now.step === "") return begun ? location.assign(part("back").href) : ended(box.dataset.failed, "", false);
    reached(now.step);
  }
  setTimeout(follow, 700);
}
if (box) follow();
