/* One answer on the screen: ribbons, growing text, sources, files. Knows no network. */
import { approvalCard, exceptionForm } from "./approval.js";
import { el, icon } from "./dom.js";
import { feedback } from "./feedback.js";
import { testCase } from "./testcase.js";
import { blocks, render } from "./markdown.js";
import { duration, masked, stepName } from "./how.js";
import { supporting } from "./passage.js";

const RIBBON_ICONS = { masked: "eye-off", blocked: "ban", flagged: "triangle-alert", approval: "handshake", limit: "clock", "fallback-model": "brain", info: "info", error: "triangle-alert" };

export function ribbon(kind, text) {
  return el("div", { class: "atl-ribbon", "data-kind": kind }, icon(RIBBON_ICONS[kind] ?? "info"), el("b", {}, text));
}

export function mine(say, text, files, edit = null) {
  return el("article", { class: "atl-mine-said", "aria-label": say("web.chat.you") },
    el("p", {}, text),
    edit ? el("button", { type: "button", class: "atl-iconbutton atl-edit", "aria-label": say("web.chat.edit"), title: say("web.chat.edit"), onclick: () => edit(text) }, icon("pencil")) : null,
    files.length ? el("ul", { class: "atl-files" }, ...files.map((name) => el("li", {}, icon("file-text"), el("span", {}, name)))) : null);
}

export class Answer {
  /* `about` gives what the actions under an answer need: find(reply), regenerate(answer); `draft`, the agent that takes test cases */
  constructor(say, language, about = null) {
    this.about = about;
    this.say = say;
    this.language = language;
    this.text = "";
    this.reply = null;
    this.ribbons = el("div", { class: "atl-ribbons" });
    this.activity = el("p", { class: "atl-activity" }, icon("loader-circle", "atl-turning"), el("span", {}, say("web.chat.thinking")));
    this.body = el("div", { class: "atl-md" });
    this.foot = el("div", { class: "atl-answer-foot" });
    this.node = el("article", { class: "atl-answer", "aria-label": say("web.chat.answer"), "aria-busy": "true" }, this.ribbons, this.activity, this.body, this.foot);
    this.asked = el("div", { class: "atl-asked" });
    this.body.after(this.asked);
    this.drawn = []; // per block: source and nodes
    this.waiting = 0;
  }

  notice(notice) {
    const data = { ...notice.data };
    if (this.say.has(`tool.${data.tool}`)) data.tool = this.say(`tool.${data.tool}`);
    const text = notice.text ?? this.say(notice.key, data);
    // told once while it streamed and once with the reply
    if (![...this.ribbons.children].some((each) => each.textContent === text)) this.ribbons.append(ribbon(notice.kind, text));
  }

  step(step) {
    this.activity.lastElementChild.textContent = this.say.has(`web.chat.doing.${step.kind}`)
      ? this.say(`web.chat.doing.${step.kind}`, { name: stepName(this.say, step.name) }) : stepName(this.say, step.name);
  }

  /* text arrives faster than a screen shows it: one drawing per frame, only what changed */
  add(text) {
    this.text += text;
    this.waiting ||= requestAnimationFrame(() => { this.waiting = 0; this.draw(); });
  }

  draw() {
    if (this.text) this.activity.hidden = true;
    const sources = new Set((this.reply?.sources ?? []).map((source) => source.number));
    const cite = (number) => sources.has(number)
      ? el("button", { type: "button", class: "atl-cite", "aria-label": this.say("web.chat.source", { n: number }), onclick: () => this.show(number) }, String(number)) : null;
    const now = blocks(this.text);
    while (this.drawn.length > now.length) this.drawn.pop().nodes.forEach((node) => node.remove());
    now.forEach((source, at) => {
      const old = this.drawn[at];
      if (old?.source === source && old.cited === sources.size) return;
      const nodes = render(source, cite);
      if (old) { old.nodes[0]?.before(...nodes); old.nodes.forEach((node) => node.remove()); }
      else this.body.append(...nodes);
      this.drawn[at] = { source, nodes, cited: sources.size };
    });
  }

  show(number) {
    const source = this.foot.querySelector(`[data-source="${number}"]`);
    if (!source) return;
    source.closest(".atl-sources").open = true;
    source.open = true;
    source.querySelector("summary").focus();
  }

  end(reply, onHow) {
    cancelAnimationFrame(this.waiting);
    this.waiting = 0;
    this.reply = reply;
    if (reply.text) this.text = reply.text;
    this.draw();
    this.activity.remove();
    this.node.setAttribute("aria-busy", "false");
    this.node.dataset.status = reply.status ?? "done";
    for (const notice of reply.notices ?? []) this.notice(notice);
    if (reply.error && reply.error !== "stopped" && this.say.has(`error.${reply.error}`)) {
      const told = ribbon(reply.status === "blocked" ? "blocked" : "error", this.say(`error.${reply.error}`, reply.error_data));
      told.setAttribute("role", "alert");
      if (!reply.notices?.some((notice) => notice.kind === "blocked")) this.ribbons.append(told);
    }
    const rule = reply.status === "blocked" && (reply.error_data?.rule ?? reply.notices?.find((notice) => notice.kind === "blocked")?.data?.rule);
    if (rule && /^[A-Z]/.test(rule) && reply.trace_id) this.asked.append(exceptionForm(this.say, rule, reply.trace_id));
    if (reply.status === "stopped") this.ribbons.append(ribbon("info", this.say("web.chat.stopped")));
    const opinion = this.about && reply.trace_id && reply.status !== "waiting" ? feedback(this.say, () => this.about.find(reply)) : null;
    const keep = this.about?.draft && this.text && reply.trace_id && reply.status !== "waiting" ? testCase(this.say, this.about.draft, () => this.about.find(reply)) : null;
    const mark = reply.mark_text ? [el("p", { class: "atl-small atl-made" }, icon("info"), reply.mark_text)] : [];
    this.foot.replaceChildren(...mark, ...this.extras(reply), this.actions(reply, onHow, opinion, keep), ...(opinion ? [opinion.form] : []), ...(keep ? [keep.form] : []));
  }

  /* a tool waits for a person */
  ask(approval, resume) {
    if (this.asked.querySelector(`[data-approval="${CSS.escape(approval.id)}"]`)) return;
    this.asked.append(approvalCard(this.say, this.language, approval, (row) => { if (row.state === "approved" || row.state === "rejected") resume(); }));
  }

  /* the turn goes on: what was said so far makes room for the whole answer */
  again() {
    this.text = "";
    this.draw();
    this.foot.replaceChildren();
    this.activity = el("p", { class: "atl-activity" }, icon("loader-circle", "atl-turning"), el("span", {}, this.say("web.chat.thinking")));
    this.body.before(this.activity);
    this.node.setAttribute("aria-busy", "true");
  }

  fail(text) {
    cancelAnimationFrame(this.waiting);
    this.draw();
    this.activity.remove();
    this.node.setAttribute("aria-busy", "false");
    const box = ribbon("error", text);
    box.setAttribute("role", "alert");
    this.ribbons.append(box);
  }

  extras(reply) {
    const parts = [];
    for (const file of reply.artefacts ?? []) {
      const address = `/api/v1/artefacts/${encodeURIComponent(file.id)}`;
      parts.push(/^image\/(png|jpeg|webp|svg\+xml)$/.test(file.media_type)
        ? el("figure", { class: "atl-artefact" }, el("img", { src: `${address}?inline=1`, alt: drawing(this.say, file), loading: "lazy" }), el("figcaption", {}, el("a", { href: address, download: file.name }, icon("download"), file.name)))
        : el("a", { class: "atl-button", "data-size": "small", href: address, download: file.name }, icon("download"), `${file.name} · ${size(file.size, this.language)}`));
    }
    const sources = reply.sources ?? [];
    if (sources.length) {
      parts.push(el("details", { class: "atl-sources" }, el("summary", {}, icon("book-open"), this.say("web.chat.sources", { n: sources.length })),
        ...sources.map((source) => el("details", { "data-source": source.number },
          el("summary", {}, el("span", { class: "atl-cite" }, String(source.number)), `${source.document}${source.page ? ` · ${this.say("web.chat.page", { page: source.page })}` : ""}`),
          el("blockquote", {}, ...supporting(source.text, this.text, source.number).map(([text, marked]) => el(marked ? "mark" : "span", {}, ...masked(this.say, text))))))));
    }
    return parts;
  }

  actions(reply, onHow, opinion, keep) {
    const about = [reply.model, reply.duration_ms > 0 && duration(this.language, reply.duration_ms)].filter(Boolean).join(" · ");
    return el("div", { class: "atl-actions" },
      this.text && el("button", { type: "button", class: "atl-iconbutton", "aria-label": this.say("web.chat.copy"), title: this.say("web.chat.copy"), onclick: async () => {
        await navigator.clipboard.writeText(reply.mark_text ? `${this.text}\n\n${reply.mark_text}` : this.text);
        const { toast } = await import("./shell.js");
        toast(this.say("web.chat.copied"));
      } }, icon("copy")),
      this.about && this.text && el("button", { type: "button", class: "atl-iconbutton", "data-atl-again": true, "aria-label": this.say("web.chat.again"), title: this.say("web.chat.again"), onclick: () => this.about.regenerate(this) }, icon("refresh-cw")),
      ...(opinion?.buttons ?? []),
      keep?.button,
      el("button", { type: "button", class: "atl-button", "data-size": "small", onclick: onHow }, icon("scan-search"), this.say("web.chat.how")),
      about && el("span", { class: "atl-small" }, about));
  }
}

/* what a drawing shows, for whoever cannot see it; its name where it does not say */
export function drawing(say, { name, shows = {} }) {
  const { kind, title, x, y } = shows;
  if (!kind && !title && !(x && y)) return name;
  const what = say(`web.chat.drawing.${kind ?? "other"}`);
  const titled = title ? say("web.chat.drawing.titled", { what, title }) : what;
  if (!x || kind === "pie") return titled;
  return y ? say("web.chat.drawing.axes", { what: titled, x, y }) : say("web.chat.drawing.axis", { what: titled, x });
}

export function size(bytes, language) {
  const units = language === "fr" ? ["o", "Ko", "Mo"] : ["B", "KB", "MB"];
  let at = 0;
  while (bytes >= 1024 && at < 2) { bytes /= 1024; at++; }
  return `${bytes.toLocaleString(language, { maximumFractionDigits: at ? 1 : 0 })} ${units[at]}`;
}
