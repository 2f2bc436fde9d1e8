/* "How this answer was made": what the model saw, and the steps on one time scale. */
import { el, icon, svg } from "./dom.js";

const ICONS = { guardrail: "shield-check", retrieval: "database", model: "brain", tool: "wrench" };
const TOKEN = /<([A-Z][A-Z_]*?)(?:_(\d+))?>/g;

export function kindName(say, kind) {
  const key = `web.kind.${kind}`;
  return say.has(key) ? say(key) : kind.replace(/^FR_/, "").replaceAll("_", " ").toLowerCase();
}

/* masked text as nodes: <PERSON_1> becomes a token that reads "Name 1" */
export function masked(say, text) {
  const out = [];
  let at = 0;
  for (const found of text.matchAll(TOKEN)) {
    out.push(text.slice(at, found.index), el("span", { class: "atl-token" }, `${kindName(say, found[1])} ${found[2] ?? ""}`.trim()));
    at = found.index + found[0].length;
  }
  return [...out, text.slice(at)];
}

export const kindsIn = (text) => [...new Set([...text.matchAll(TOKEN)].map((found) => found[1]))];
export const tokensIn = (text) => new Set([...text.matchAll(TOKEN)].map((found) => found[0])).size;

export function duration(language, ms) {
  if (ms < 1000) return ms >= 1 ? `${Math.round(ms)} ms` : "< 1 ms";
  return `${(ms / 1000).toLocaleString(language, { minimumFractionDigits: 1, maximumFractionDigits: ms < 10000 ? 2 : 1 })} s`;
}

export function stepName(say, name) {
  for (const key of [name, `step.${name}`, `web.step.${name}`, `tool.${name}`]) if (say.has(key)) return say(key);
  return name;
}

export function waterfall(say, language, steps) {
  const total = Math.max(1, ...steps.map((step) => step.start_ms + step.duration_ms));
  return el("div", { class: "atl-water" },
    el("div", { class: "atl-water-head", "aria-hidden": "true" }, el("span", {}, say("web.how.step")),
      el("span", { class: "atl-scale" }, el("span", {}, "0 ms"), el("span", {}, duration(language, total))),
      el("span", { class: "atl-took" }, say("web.how.time"))),
    ...steps.map((step) => row(say, language, step, total)));
}

function row(say, language, step, total) {
  const kind = ICONS[step.kind] ? step.kind : "tool";
  const bar = svg("svg", {}, svg("rect", {
    x: `${Math.min(98.4, 100 * step.start_ms / total).toFixed(2)}%`, y: 1, height: 12,
    width: `${Math.max(1.6, 100 * step.duration_ms / total).toFixed(2)}%`,
  }));
  const more = [];
  if (step.verdict && step.verdict !== "allowed") more.push(verdict(say, step.verdict));
  // a check of the screen has its verdict; the number of a rule is for asking about it
  if (step.rule && !step.rule.startsWith("screen.")) more.push(el("p", {}, `${say("web.how.rule")} `, el("code", {}, step.rule)));
  for (const [key, text] of Object.entries(step.detail ?? {})) {
    more.push(el("h3", {}, stepName(say, key)), el("pre", { class: "atl-said", tabindex: "0" }, ...masked(say, String(text))));
  }
  if (!more.length) more.push(el("p", { class: "atl-small" }, say("web.how.nothing")));
  return el("details", { "data-span": kind },
    el("summary", {},
      el("span", { class: "atl-step" }, el("i", {}, icon(ICONS[kind])), el("span", {}, stepName(say, step.name))),
      el("span", { class: "atl-lane", "aria-hidden": "true" }, bar),
      el("span", { class: "atl-took" }, duration(language, step.duration_ms))),
    el("div", { class: "atl-water-more" }, ...more));
}

const VERDICTS = { allowed: "circle-check", masked: "eye-off", blocked: "ban", flagged: "triangle-alert" };
export const verdict = (say, name) =>
  el("span", { class: "atl-chip", "data-verdict": name }, icon(VERDICTS[name] ?? "triangle-alert"), say(`web.verdict.${name}`));

export function panel(say, language, reply) {
  const saw = reply.masked_request ?? "";
  const hidden = tokensIn(saw);
  const facts = [
    reply.trace_id && `tr_${reply.trace_id.slice(0, 8)}`,
    reply.duration_ms > 0 && duration(language, reply.duration_ms),
    reply.tokens > 0 && say("web.how.tokens", { n: reply.tokens }),
  ].filter(Boolean);
  const parts = [el("p", { class: "atl-small" }, facts.join(" · "))];
  if (reply.model) {
    parts.push(el("p", { class: "atl-how-model" }, icon("brain"), el("span", {}, reply.model)));
    const key = `web.how.model.${reply.model_kind}`;
    if (say.has(key)) parts.push(el("p", { class: "atl-small" }, say(key)));
  }
  if (saw) {
    const kinds = kindsIn(saw).map((kind) => kindName(say, kind)).join(", ");
    parts.push(el("div", { class: "atl-ribbon", "data-kind": hidden ? "masked" : "ok" }, icon(hidden ? "eye-off" : "shield-check"),
      el("div", {}, el("b", {}, hidden ? say("web.how.masked", { n: hidden }) : say("web.how.clean")),
        hidden ? el("p", { class: "atl-small" }, kinds) : null,
        el("p", { class: "atl-saw" }, el("span", { class: "atl-small" }, `${say("web.how.saw")} `), ...masked(say, saw)))));
  }
  if (reply.steps?.length) parts.push(waterfall(say, language, reply.steps));
  return parts;
}
