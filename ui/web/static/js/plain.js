/* Pages that the server draws: forms and buttons with `data-api` call the API, then the page's
   content is fetched again and put in place. Everything is delegated. */
import { announce, toast } from "./shell.js";
import "./file.js";

const main = () => document.getElementById("atl-content");
// not form.matches(): a field may be called "matches", and then that is what a form gives
const isForm = (from) => from instanceof HTMLFormElement;
const offline = () => main()?.dataset.atlOffline ?? "";
document.documentElement.setAttribute("data-atl-ready", "");

function typed(field, value) {
  switch (field?.dataset?.type) {
    case "number": return value === "" ? null : Math.round(Number(value) * Number(field.dataset.times ?? 1) * 1e6) / 1e6;
    case "boolean": return field.type === "checkbox" ? field.checked : value === "true";
    case "json": return value === "" ? null : JSON.parse(value);
    default: return value;
  }
}

function fields(form, submitter) {
  const given = new FormData(form, submitter ?? undefined);
  if (form.querySelector('input[type="file"]')) return given;
  const body = {};
  for (const field of form.elements) {
    if (!field.name || field.disabled) continue;
    if (field.name.endsWith("[]")) body[field.name.slice(0, -2)] ??= [];
    else if (field.type === "checkbox" && field.dataset.type === "boolean") body[field.name] = field.checked;
  }
  for (const [name, value] of given) {
    const field = form.querySelector(`[name="${CSS.escape(name)}"]`);
    if (name.endsWith("[]")) body[name.slice(0, -2)].push(typed(field, value));
    else body[name] = typed(field, value);
  }
  return body;
}

const filled = (address, values) =>
  address.replace(/\{(\w+)\}/g, (_all, name) => encodeURIComponent(values?.[name] ?? ""));

/* the session is over: what is typed stays, signing in happens beside it */
function again(from) {
  if (!from.closest("form") || !main()?.dataset.atlEnded) return location.reload();
  const here = encodeURIComponent(location.pathname + location.search);
  const link = Object.assign(document.createElement("a"), { href: `/sign-in?next=${here}`, target: "_blank", textContent: main().dataset.atlSignin });
  complain(from, `${main().dataset.atlEnded} `).append(link);
}

/* somebody else saved first: what is typed stays; look at theirs beside it, then save all the same */
function theirs(from, text, match) {
  const alert = complain(from, `${text} `);
  if (!from.closest("form") || !match) return;
  const here = Object.assign(document.createElement("a"), { href: location.href, target: "_blank", textContent: main().dataset.atlLook });
  const mine = Object.assign(document.createElement("button"), { type: "button", className: "atl-button", textContent: main().dataset.atlMine });
  mine.dataset.size = "small";
  mine.addEventListener("click", () => { from.dataset.match = match; alert.replaceChildren(); from.requestSubmit(); });
  alert.append(here, " ", mine);
}

function complain(from, text) {
  const form = from.closest("form");
  if (!form) return toast(text);
  let alert = form.querySelector("[role=alert]");
  if (!alert) {
    alert = document.createElement("p");
    alert.setAttribute("role", "alert");
    alert.className = "atl-formerror";
    form.append(alert);
  }
  alert.textContent = text;
  alert.hidden = false;
  return alert;
}

async function act(from, body) {
  if (from.getAttribute("aria-busy") === "true") return;
  const [method, address] = (from.dataset.api ?? from.dataset.download).split(/\s+/);
  const plain = body instanceof FormData ? Object.fromEntries(body) : body;
  const buttons = isForm(from) ? [...from.querySelectorAll("button")] : [from];
  const wanted = buttons.filter((button) => !button.disabled);
  const focused = document.activeElement?.id; // a disabled button loses the focus
  from.setAttribute("aria-busy", "true");
  wanted.forEach((button) => { button.disabled = true; });
  from.querySelector("[role=alert]")?.replaceChildren();
  try {
    const multipart = body instanceof FormData;
    const answer = await fetch(filled(address, plain), {
      method,
      headers: {
        ...(multipart || body === undefined ? {} : { "content-type": "application/json" }),
        ...(from.dataset.match ? { "if-match": `"${from.dataset.match}"` } : {}),
      },
      body: multipart ? body : body === undefined ? undefined : JSON.stringify(body),
    }).catch(() => null);
    if (!answer) return complain(from, offline());
    if (answer.status === 401) return again(from);
    if (!answer.ok) {
      const text = (await answer.json().catch(() => null))?.message ?? offline();
      if (answer.status === 412) return theirs(from, text, answer.headers.get("etag")?.replaceAll('"', ""));
      if (from.dataset.autosave !== undefined) from.reset(); // shows again what holds
      return complain(from, text);
    }
    const now = answer.headers.get("etag")?.replaceAll('"', "");
    // what was saved is what this page shows next, also in other forms of the same thing
    const same = from.dataset.match && now ? document.querySelectorAll(`[data-match="${CSS.escape(from.dataset.match)}"]`) : [];
    same.forEach((form) => { form.dataset.match = now; });
    if (from.dataset.download !== undefined) await save(answer);
    const made = from.dataset.download === undefined ? await answer.json().catch(() => null) : null;
    from.dispatchEvent(new CustomEvent("atl:done", { bubbles: true, detail: made }));
    const then = from.dataset.then ?? (from.dataset.download === undefined ? "reload" : "none");
    if (from.dataset.ok) toast(from.dataset.ok);
    if (then.startsWith("go:")) return location.assign(filled(then.slice(3), { ...plain, ...made }));
    if (isForm(from) && from.dataset.keep === undefined) from.reset();
    if (from.dataset.close !== undefined) from.closest("details")?.removeAttribute("open");
    // "reload:id" leaves everything else of the page as it is
    if (then.startsWith("reload")) await reload(then.split(":")[1]?.split(",") ?? null, location.href, true);
    if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus({ preventScroll: true });
  } finally {
    from.removeAttribute("aria-busy");
    wanted.forEach((button) => { button.disabled = false; });
  }
}

async function save(answer) {
  const name = /filename\*?="?(?:UTF-8'')?([^";]+)/i.exec(answer.headers.get("content-disposition") ?? "")?.[1];
  const link = Object.assign(document.createElement("a"), {
    href: URL.createObjectURL(await answer.blob()),
    download: decodeURIComponent(name ?? "atelier"),
  });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/* what somebody has begun to write in forms, to be put into the same fields when they are drawn anew */
const WRITTEN = "textarea[name], input[name]:not([type=hidden], [type=password], [type=file], [type=checkbox], [type=radio])";
const unsent = () => [...(main()?.querySelectorAll("form[data-api]") ?? [])].flatMap((form) =>
  [...form.querySelectorAll(WRITTEN)].filter((field) => field.value !== field.defaultValue)
    .map(({ name, value, defaultValue }) => ({ api: form.dataset.api, match: form.dataset.match, name, value, defaultValue })));

function putBack({ api, match, name, value, defaultValue }) {
  const found = [...document.querySelectorAll(`form[data-api="${CSS.escape(api)}"] [name="${CSS.escape(name)}"]`)];
  const field = found.find((each) => each.matches(WRITTEN));
  if (!field || (field.value !== defaultValue && !match)) return;
  field.value = value;
  // what it was written over may not stand there any more: saving it has to notice
  if (match) field.form.dataset.match = match;
}

/* fetch the page again; replace all of its content, or only the elements with these ids */
export async function reload(ids = null, address = location.href, fresh = false) {
  const here = () => location.pathname + location.search;
  const place = here();
  const answer = await fetch(address, { headers: { accept: "text/html", ...(fresh ? { "x-atelier-fresh": "1" } : {}) } }).catch(() => null);
  if (answer?.redirected && new URL(answer.url).pathname === "/sign-in") return location.reload();
  const drawn = answer && new DOMParser().parseFromString(await answer.text().catch(() => ""), "text/html");
  // nobody there, or a proxy, or a server that is starting: what stands here stays, and is asked for again
  if (!drawn?.getElementById("atl-content")) return unreachable(ids);
  told = false;
  if (here() !== place) return; // back and forward in one breath: only the page of the last step is drawn
  const focused = document.activeElement?.id;
  const typed = document.activeElement?.matches("input[type=search], input[type=text]") ? document.activeElement.value : null;
  const begun = unsent();
  const open = new Set([...document.querySelectorAll("details[open][id]")].map((each) => each.id));
  const counts = [...document.querySelectorAll("[data-atl-count]")].map((each) => each.id); // of the navigation
  for (const id of [...(ids ?? ["atl-content"]), ...counts]) {
    const [old, now] = [document.getElementById(id), drawn.getElementById(id)];
    if (old && now) old.replaceWith(document.adoptNode(now));
    else old?.remove();
  }
  open.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
  begun.forEach(putBack);
  const again = focused ? document.getElementById(focused) : null;
  again?.focus({ preventScroll: true });
  if (typed && again?.value === "") again.value = typed; // what is typed while the page is on its way stays
  arrived();
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.live !== undefined) {
    event.preventDefault();
    return look(form);
  }
  if (form.dataset.api === undefined) return;
  event.preventDefault();
  if (form.dataset.sure && !confirm(form.dataset.sure)) return;
  try {
    act(form, fields(form, event.submitter));
  } catch (error) {
    complain(form, String(error.message));
  }
});

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("button[data-api], button[data-download]");
  if (!button || button.disabled) return;
  event.preventDefault();
  if (button.dataset.sure && !confirm(button.dataset.sure)) return;
  act(button, button.dataset.fields ? JSON.parse(button.dataset.fields) : undefined);
});

/* a form with data-autosave is sent by itself when one of its fields has changed */
document.addEventListener("change", (event) => {
  const form = event.target.closest?.("form[data-autosave]");
  if (form?.reportValidity()) form.requestSubmit();
});

/* filters: a GET form with data-live changes the address and the content as it is used */
function look(form) {
  const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
  const address = `${location.pathname}${query.size ? `?${query}` : ""}`;
  history.replaceState(null, "", address);
  return reload();
}

let waiting;
for (const kind of ["input", "change"]) {
  document.addEventListener(kind, (event) => {
    const form = event.target.closest?.("form[data-live]");
    if (!form) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => look(form), kind === "input" ? 350 : 0);
  });
}

/* a chosen day in the page's words: the browser's own input speaks the browser's */
document.addEventListener("input", ({ target }) => {
  const said = target.type === "date" && target.closest("label")?.querySelector("[data-day]");
  if (!said) return;
  const day = target.value ? new Date(`${target.value}T12:00`) : null;
  said.textContent = day && !Number.isNaN(day.getTime())
    ? new Intl.DateTimeFormat(document.documentElement.lang === "fr" ? "fr-FR" : "en-GB", { dateStyle: "full" }).format(day) : "";
});

let told = false; // once is enough

function unreachable(ids) {
  if (!told) toast(offline());
  told = true;
  for (const id of ids ?? []) document.getElementById(id)?.removeAttribute("data-polled");
  poll();
}

function arrived() {
  poll();
  main()?.dispatchEvent(new CustomEvent("atl:content", { bubbles: true }));
}

function poll() {
  document.querySelectorAll("[data-poll][id]").forEach((part) => {
    if (part.dataset.polled) return;
    part.dataset.polled = "1";
    setTimeout(() => document.getElementById(part.id) === part && reload([part.id]), 1000 * Number(part.dataset.poll));
  });
}
arrived();
