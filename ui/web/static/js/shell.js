/* What every page needs: the ready flag, theme, role switch, and the parts that Gradio fills later.
   Everything is delegated: Gradio may draw its parts again at any time. */
const ready = () => document.documentElement.setAttribute("data-atl-ready", "");

const pages = {
  build: async () => {
    const { build } = await import("./build.js");
    build();
  },
  playground: async (root) => {
    const { chat } = await import("./chat.js");
    chat(root.querySelector("[data-agent]") ?? root);
  },
};

function seen(root) {
  if (root.dataset.atlSeen) return;
  root.dataset.atlSeen = "1";
  ready();
  const loading = document.getElementById("atl-loading");
  if (loading) loading.textContent = "";
  pages[root.dataset.atlPage]?.(root);
}

new MutationObserver(() => {
  document.querySelectorAll("[data-atl-page]:not([data-atl-seen])").forEach(seen);
  const address = document.querySelector("[data-atl-address]")?.dataset.atlAddress;
  if (address && location.pathname + location.search !== address) history.replaceState(null, "", address + location.hash);
}).observe(document.documentElement, { childList: true, subtree: true });

document.querySelectorAll("[data-atl-page]").forEach(seen);
/* a long list of pages shows the one that is open, and moves no further than it must */
document.querySelector(".atl-side [aria-current=page]")?.scrollIntoView({ block: "nearest" });

/* a page whose content never comes must not stay a skeleton */
setTimeout(() => { if (document.querySelector("gradio-app")) ready(); }, 6000);

export function announce(text) {
  const live = document.getElementById("atl-live");
  if (live) live.textContent = text;
}

export function toast(text) {
  document.querySelector(".atl-toast")?.remove();
  const box = Object.assign(document.createElement("div"), { className: "atl-toast", textContent: text });
  document.body.append(box);
  announce(text);
  setTimeout(() => box.remove(), 3500);
}

/* the pages' list: on a phone it opens over the page */
function menu(open) {
  const root = document.documentElement, button = document.querySelector("[data-atl-menu][aria-controls]");
  if (root.hasAttribute("data-atl-menu") === open) return;
  root.toggleAttribute("data-atl-menu", open);
  button.setAttribute("aria-expanded", String(open));
  if (open) (document.querySelector('.atl-side [aria-current="page"]') ?? document.querySelector(".atl-side a")).focus();
  else button.focus();
}

document.addEventListener("keydown", (event) => { if (event.key === "Escape") menu(false); });
document.addEventListener("focusin", (event) => {
  if (document.documentElement.hasAttribute("data-atl-menu") && !event.target.closest(".atl-side, [data-atl-menu]")) menu(false);
});

document.addEventListener("click", async (event) => {
  const at = (selector) => event.target.closest?.(selector);
  if (at("button[data-atl-menu]")) return menu(!document.documentElement.hasAttribute("data-atl-menu"));
  if (!at(".atl-side")) menu(false);
  if (at("[data-atl-theme]")) return window.atelierTheme();
  const filter = at("[data-atl-category]");
  if (filter) {
    filter.parentElement.querySelectorAll("button").forEach((each) => each.setAttribute("aria-pressed", String(each === filter)));
    return gallery();
  }
  const copy = at("[data-atl-copy]");
  if (copy) {
    await navigator.clipboard.writeText(new URL(copy.dataset.atlCopy, location.href).href);
    return toast(copy.dataset.atlDone);
  }
  const remove = at("[data-atl-delete]");
  if (remove && confirm(remove.dataset.atlSure)) {
    // through the API: it erases the files and the vault too, and writes that down first
    const answer = await fetch(`/api/v1/conversations/${encodeURIComponent(remove.dataset.atlDelete)}`, { method: "DELETE" }).catch(() => null);
    if (!answer?.ok) return toast((await answer?.json().catch(() => null))?.message ?? remove.dataset.atlFailed);
    const list = remove.closest("ul");
    remove.closest("li").remove();
    if (!list.children.length) location.reload();
  }
  const trace = at("[data-atl-trace]");
  if (trace && !event.metaKey && !event.ctrlKey) {
    event.preventDefault();
    press("atl-open", trace.dataset.atlTrace);
    document.querySelectorAll("[data-atl-trace]").forEach((each) => each.closest("tr")?.toggleAttribute("data-open", each === trace));
    if (matchMedia("(max-width: 1100px)").matches) document.getElementById("atl-detail")?.scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }
  if (at("[data-atl-signout]")) {
    const answer = await fetch("/api/v1/session", { method: "DELETE" }).catch(() => null);
    // whoever believes to be signed out walks away
    if (!answer?.ok && answer?.status !== 401) return toast((await answer?.json().catch(() => null))?.message ?? at("[data-atl-signout]").dataset.atlFailed);
    location.assign("/sign-in");
  }
  const step = at(".atl-stepper a, .atl-step-foot a");
  if (step) {
    // Gradio's page has a <base>, which would lead a bare #step to another page
    event.preventDefault();
    history.pushState(null, "", `${location.pathname}${location.search}${step.getAttribute("href")}`);
    dispatchEvent(new HashChangeEvent("hashchange"));
  }
  const skip = at(".atl-skip");
  if (skip) { event.preventDefault(); document.getElementById("atl-main").focus(); }
});

/* write into a hidden Gradio text field, then press its hidden button */
function press(name, value) {
  const field = document.querySelector(`#${name}-id textarea, #${name}-id input`);
  field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  setTimeout(() => (document.querySelector(`button#${name}-go, #${name}-go button`) ?? document.getElementById(`${name}-go`)).click(), 30);
}

document.addEventListener("change", (event) => {
  if (event.target.matches?.("[data-atl-role]")) {
    const role = event.target.value || null;
    fetch("/api/v1/session/view", { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify({ role }) })
      .then(() => location.reload(), () => { event.target.value = event.target.querySelector("[selected]")?.value ?? ""; toast(event.target.dataset.atlFailed); });
  }
});

document.addEventListener("input", (event) => {
  if (event.target.closest?.("[data-atl-gallery]")) gallery();
});

const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

function gallery() {
  const root = document.querySelector("[data-atl-gallery]");
  const category = root.querySelector("[aria-pressed=true]")?.dataset.atlCategory ?? "";
  const words = plain(root.querySelector("input").value).split(/\s+/).filter(Boolean);
  let shown = 0;
  root.querySelectorAll("[data-atl-card]").forEach((card) => {
    const text = plain(card.dataset.atlWords);
    // words are looked for among all, not only among the few that are featured
    const kind = category === "featured" ? !!words.length || card.hasAttribute("data-atl-featured") : !category || card.dataset.atlCard === category;
    const fits = kind && words.every((word) => text.includes(word));
    card.hidden = !fits;
    shown += fits;
  });
  root.querySelector("[data-atl-none]").hidden = shown > 0;
}

/* the model is warming up: look again until it is ready, then say so once */
async function warming() {
  const banner = document.querySelector("[data-atl-warming]");
  if (!banner) return;
  try {
    const answer = await fetch("/api/v1/health", { headers: { accept: "application/json" } });
    const { model } = await answer.json();
    if (model?.state === "ready") return banner.remove();
    const percent = banner.querySelector("p");
    if (model?.progress) percent.textContent = percent.textContent.replace(/\d+\s?%/, `${Math.round(100 * model.progress)} %`);
  } catch { /* the server restarts: the next look tells */ }
  setTimeout(warming, 3000);
}
setTimeout(warming, 1500);

/* a page that stays open learns that the server was restored from a backup */
setTimeout(() => import("./restored.js").then(({ watch }) => watch(), () => {}), 3000);
