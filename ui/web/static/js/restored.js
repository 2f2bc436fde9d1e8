/* Says on every open page that a backup is being restored, or was: what is shown is of before. */
const EVERY = 20_000;
const box = document.getElementById("atl-restored");

function tell(text, reload) {
  if (box.dataset.shown === text) return;
  box.dataset.shown = text;
  box.replaceChildren(Object.assign(document.createElement("p"), { textContent: text }));
  if (!reload) return;
  const button = Object.assign(document.createElement("button"), { type: "button", className: "atl-button", textContent: box.dataset.reload });
  button.addEventListener("click", () => location.reload());
  box.append(button);
}

async function look() {
  if (document.visibilityState !== "visible" || document.getElementById("atl-restoring")) return;
  const answer = await fetch("/api/v1/health", { headers: { accept: "application/json" } }).catch(() => null);
  const now = answer?.ok ? await answer.json().catch(() => null) : null;
  if (now?.restored && now.restored !== box.dataset.at) return tell(box.dataset.restored, true);
  if (now?.status === "restoring") return tell(box.dataset.restoring, false);
  if (box.dataset.shown && now?.restored !== undefined) { // it was given up: nothing has changed
    delete box.dataset.shown;
    box.replaceChildren();
  }
}

export function watch() {
  if (!box || box.dataset.watched) return;
  box.dataset.watched = "1";
  look();
  setInterval(look, EVERY);
  document.addEventListener("visibilitychange", look);
}
