/* A draft of the rules: forms that save each change, and a text with line numbers, live problems
   and completion. What is typed is saved by the server, also while it is wrong; a draft that
   somebody else has saved meanwhile is never overwritten. */
import { toast } from "./shell.js";
import { reload } from "./plain.js";

const API = "/api/v1/policies";
const QUIET = 1200; // ms without a key before the text is saved

async function call(method, path, body) {
  const answer = await fetch(API + path, {
    method,
    headers: { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  }).catch(() => null);
  if (!answer) return { code: "offline" };
  const told = await answer.json().catch(() => ({ code: "offline" }));
  return answer.ok ? { done: told } : told;
}

/* one draft on the page: its revision, and what to do when a save is refused */
class Draft {
  constructor(part, number) {
    this.part = part;
    this.number = number;
    this.revision = Number(part.dataset.revisionNow);
    this.words = JSON.parse(part.dataset.words);
    this.status = part.querySelector("[data-status]");
    this.turn = Promise.resolve();
  }

  say(key, tone = "") {
    this.status.textContent = this.words[key] ?? key;
    this.status.dataset.tone = tone;
  }

  /* saves follow each other, so that each knows the revision that the one before has made */
  save(path, body, mine) {
    this.turn = this.turn.then(async () => {
      this.say("saving");
      const told = await call("PUT", `/drafts/${this.number}${path}`, { ...body(), revision: this.revision });
      if (told.done) {
        this.revision = told.done.revision;
        document.querySelectorAll("[data-revision]").forEach((field) => { field.value = this.revision; });
        this.say("saved", "good");
        return told.done;
      }
      if (told.code === "draft-changed") this.conflict(mine);
      else this.say(told.code === "offline" ? "offline" : told.message, "bad");
      return null;
    });
    return this.turn;
  }

  conflict(mine) {
    this.say("unsaved", "bad");
    const place = this.part.querySelector("[data-conflict]");
    const ribbon = Object.assign(document.createElement("div"), { className: "atl-ribbon" });
    ribbon.dataset.kind = "limit";
    const text = Object.assign(document.createElement("p"), { textContent: this.words.conflict });
    const theirs = button(this.words.theirs, () => open(`${this.part.dataset.page}?draft=${this.number}&as=text`, "_blank"));
    ribbon.append(text, theirs);
    if (mine) {
      ribbon.append(button(this.words["mine-as-new"], async () => {
        const told = await call("POST", "/drafts", { text: mine() });
        if (!told.done) return toast(told.message ?? this.words.offline);
        forget(this.number);
        location.assign(`${this.part.dataset.page}?draft=${told.done.number}&as=text`);
      }));
    }
    place.replaceChildren(ribbon);
  }
}

function button(text, act) {
  const made = Object.assign(document.createElement("button"), { type: "button", className: "atl-button", textContent: text });
  made.dataset.size = "small";
  made.addEventListener("click", act);
  return made;
}

/* ── forms ─────────────────────────────────────────────────────────────────────────────── */

function forms(part) {
  const draft = new Draft(part, part.dataset.forms);
  const listed = (rule, slot) =>
    [...part.querySelectorAll(`input[data-rule="${CSS.escape(rule)}"][data-slot="${CSS.escape(slot)}"]`)]
      .filter((box) => box.checked).map((box) => box.value);
  const kinds = (data_class, wanted) =>
    [...part.querySelectorAll(`select[data-class="${data_class}"]`)]
      .filter((box) => box.value === wanted).map((box) => box.dataset.kindRow);
  const send = (changes) => draft.save("/rules", () => ({ changes: changes() }))
    .then((done) => done && refresh());

  part.addEventListener("change", (event) => {
    const field = event.target;
    if (field.dataset.switch) {
      field.closest(".atl-rule-set").toggleAttribute("data-off", !field.checked);
      send(() => [{ rule: field.dataset.switch, on: field.checked }]);
    } else if (field.dataset.kindRow) {
      field.dataset.now = field.value;
      const slot = `kinds@${field.dataset.class}`;
      send(() => [
        { rule: "DP-01", values: { [slot]: kinds(field.dataset.class, "allow") } },
        { rule: "DP-09", values: { [slot]: kinds(field.dataset.class, "block") } },
      ]);
    } else if (field.dataset.factor) {
      const number = Math.round(Number(field.value) * Number(field.dataset.factor));
      if (number > 0) send(() => [{ rule: field.dataset.rule, values: { [field.dataset.slot]: number } }]);
    } else if (field.dataset.rule) {
      const { rule, slot } = field.dataset;
      send(() => [{ rule, values: { [slot]: listed(rule, slot) } }]);
    } else if (field.dataset.add) add(field);
  });
  part.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.dataset.add) {
      event.preventDefault();
      add(event.target);
    }
  });

  function add(field) {
    const value = field.value.trim();
    field.value = "";
    if (!value) return;
    const { add: rule, slotName: slot } = field.dataset;
    const known = part.querySelector(`input[data-rule="${CSS.escape(rule)}"][data-slot="${CSS.escape(slot)}"][value="${CSS.escape(value)}"]`);
    if (known) {
      if (!known.checked) known.click();
      return;
    }
    const box = Object.assign(document.createElement("input"), { type: "checkbox", value, checked: true });
    Object.assign(box.dataset, { rule, slot });
    const label = Object.assign(document.createElement("label"), { className: "atl-rule-pick" });
    label.append(box, Object.assign(document.createElement("span"), { textContent: value }));
    field.before(label);
    send(() => [{ rule, values: { [slot]: listed(rule, slot) } }]);
  }
}

/* the steps beside the form depend on the text: whether it can be sent for approval */
let later;
function refresh() {
  clearTimeout(later);
  later = setTimeout(() => {
    const life = document.getElementById("rules-life");
    const typing = [...(life?.querySelectorAll("textarea, input") ?? [])].some((one) => one.type !== "hidden" && one.value !== one.defaultValue);
    // a note that is being written there stays: the next save looks again
    // nor does what is under way or was just refused go away
    const busy = life?.querySelector("[aria-busy=true], [role=alert]:not(:empty)");
    if (!typing && !busy && !life?.contains(document.activeElement)) reload(["rules-life"]);
  }, 300);
}

/* ── the text ──────────────────────────────────────────────────────────────────────────── */

const kept = (number) => `atl-policy-${number}`;
const forget = (number) => sessionStorage.removeItem(kept(number));

function editor(part) {
  const number = part.dataset.editor;
  const text = part.querySelector("textarea");
  const lines = part.querySelector(".atl-rule-lines");
  let levels = {};
  number_lines();
  text.addEventListener("scroll", () => { lines.scrollTop = text.scrollTop; });
  part.addEventListener("click", (event) => {
    const line = event.target.closest("[data-line]")?.dataset.line;
    if (line) go(Number(line));
  });
  mark([...part.querySelectorAll("[data-problems] li")].map((row) => ({
    line: Number(row.querySelector("[data-line]").dataset.line), level: row.dataset.level,
  })));
  if (part.dataset.locked !== undefined) return;

  const draft = new Draft(part, number);
  const words = completion(part, text);
  const waiting = sessionStorage.getItem(kept(number));
  if (waiting !== null && waiting !== text.value) {
    const [revision, mine] = [Number(waiting.split("\n", 1)[0]), waiting.slice(waiting.indexOf("\n") + 1)];
    if (mine !== text.value) {
      draft.revision = revision;
      text.value = mine;
      number_lines();
      save();
    }
  }
  let quiet;
  text.addEventListener("input", () => {
    number_lines();
    sessionStorage.setItem(kept(number), `${draft.revision}\n${text.value}`);
    draft.say("unsaved");
    words.offer();
    clearTimeout(quiet);
    quiet = setTimeout(save, QUIET);
  });
  text.addEventListener("blur", () => { words.close(); if (sessionStorage.getItem(kept(number)) !== null) { clearTimeout(quiet); save(); } });
  addEventListener("online", () => sessionStorage.getItem(kept(number)) !== null && save());

  async function save() {
    const sent = text.value;
    const done = await draft.save("", () => ({ text: sent }), () => text.value);
    if (!done) return;
    if (text.value === sent) forget(number);
    problems(done.problems);
    refresh();
  }

  function problems(found) {
    mark(found);
    const list = part.querySelector("[data-problems]");
    list.replaceChildren(...found.map((one) => {
      const row = document.createElement("li");
      row.dataset.level = one.level;
      const go_there = Object.assign(document.createElement("button"), { type: "button" });
      go_there.dataset.line = one.line;
      const where = Object.assign(document.createElement("b"), {
        textContent: [`${draft.words.line} ${one.line}`, one.rule].filter(Boolean).join(" · "),
      });
      go_there.append(where, ` ${one.message}`);
      row.append(go_there);
      return row;
    }));
    const count = found.length;
    if (!count) draft.say(`${draft.words.saved} ${draft.words.clean}`, "good");
    else draft.say(`${draft.words.saved} ${count === 1 ? draft.words["problems-one"] : draft.words["problems-more"].replace("{n}", count)}`, "bad");
  }

  function mark(found) {
    levels = {};
    for (const one of found) if (levels[one.line] !== "error") levels[one.line] = one.level;
    number_lines();
  }

  function number_lines() {
    const count = text.value.split("\n").length;
    lines.replaceChildren(...Array.from({ length: count }, (_none, at) => {
      const line = document.createElement("b");
      line.textContent = at + 1;
      if (levels[at + 1]) line.dataset.level = levels[at + 1];
      return line;
    }));
    lines.scrollTop = text.scrollTop;
  }

  function go(line) {
    const before = text.value.split("\n").slice(0, line - 1).join("\n");
    const start = before.length + (line > 1 ? 1 : 0);
    const end = text.value.indexOf("\n", start);
    text.focus();
    text.setSelectionRange(start, end < 0 ? text.value.length : end);
    text.scrollTop = Math.max(0, (line - 6) * sizes(text).line);
  }
}

/* pixels of a line and of a letter, which grow with the person's own size of text */
function sizes(text) {
  const style = getComputedStyle(text);
  return { line: parseFloat(style.lineHeight), letter: parseFloat(style.fontSize) * 0.6 };
}

/* suggestions under the word that is being typed */
function completion(part, text) {
  const list = part.querySelector("#rules-words");
  let known = null, found = [], at = 0;
  text.setAttribute("aria-controls", "rules-words");
  text.setAttribute("aria-autocomplete", "list");

  const word = () => /[\w.:@"]+$/.exec(text.value.slice(0, text.selectionStart))?.[0] ?? "";
  const core = (given) => given.replace(/^["@]+/, "").toLowerCase();

  async function offer() {
    known ??= (await call("GET", "/words")).done ?? [];
    const given = word(), begun = core(given);
    if (begun.length < 2 || text.selectionStart !== text.selectionEnd) return close();
    found = known.filter((one) => core(one).startsWith(begun) || core(one).includes(`.${begun}`) || core(one).includes(`"${begun}`))
      .filter((one) => one !== given && one !== `${given}"`).slice(0, 8);
    if (!found.length) return close();
    at = 0;
    draw();
    const before = text.value.slice(0, text.selectionStart).split("\n");
    list.style.top = `${Math.min(12 + before.length * sizes(text).line - text.scrollTop, text.clientHeight - 30)}px`;
    list.style.left = `${Math.min(text.offsetLeft + 12 + (before.at(-1).length - given.length) * sizes(text).letter - text.scrollLeft, part.clientWidth - 240)}px`;
    list.hidden = false;
  }

  function draw() {
    list.replaceChildren(...found.map((one, index) => {
      const row = Object.assign(document.createElement("li"), { textContent: one, id: `rules-word-${index}` });
      row.setAttribute("role", "option");
      row.setAttribute("aria-selected", String(index === at));
      row.addEventListener("mousedown", (event) => { event.preventDefault(); take(index); });
      return row;
    }));
    text.setAttribute("aria-activedescendant", `rules-word-${at}`);
  }

  function take(index) {
    const given = word(), start = text.selectionStart - given.length;
    let after = text.selectionStart;
    if (text.value[after] === '"' && found[index].endsWith('"')) after += 1;
    text.setRangeText(found[index], start, after, "end");
    close();
    text.dispatchEvent(new Event("input", { bubbles: true }));
    close();
  }

  function close() {
    list.hidden = true;
    found = [];
    text.removeAttribute("aria-activedescendant");
  }

  text.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      at = (at + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length;
      draw();
    } else if (event.key === "Enter" || event.key === "Tab") take(at);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  });
  return { offer, close };
}

function arrived() {
  const part = document.querySelector("[data-forms]:not([data-live])") ?? document.querySelector("[data-editor]:not([data-live])");
  if (!part) return;
  part.dataset.live = "";
  (part.dataset.forms ? forms : editor)(part);
}
document.addEventListener("atl:content", arrived);
arrived();
