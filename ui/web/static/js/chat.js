/* The chat: sends a message, follows the turn, keeps the composer honest. */
import { el, glide, icon, useSprite, wording } from "./dom.js";
import { panel } from "./how.js";
import { Answer, mine, ribbon, size } from "./message.js";
import { savedForm } from "./saved.js";
import { events } from "./stream.js";
import { announce, toast } from "./shell.js";

export function chat(root) {
  if (!root.dataset.agent) return;
  const { agent, language } = root.dataset;
  useSprite(root.dataset.icons);
  const say = wording(JSON.parse(root.dataset.words), language);
  const find = (selector) => root.querySelector(selector);
  const log = find("#atl-log"), form = find("#atl-composer"), field = find("[data-atl-text]"), send = find("[data-atl-send]");
  const shelf = find("[data-atl-files]"), how = find("[data-atl-how-body]");
  const state = { conversation: root.dataset.conversation, files: [], kept: [], turn: null };
  const headers = { "x-atelier-language": language };
  const draft = `atelier.draft.${agent}`;

  /* the composer */
  const fit = () => { field.style.height = "auto"; field.style.height = `${Math.min(field.scrollHeight, 220)}px`; };
  const shape = () => {
    send.replaceChildren(icon(state.turn ? "square" : "send-horizontal"));
    send.setAttribute("aria-label", say(state.turn ? "web.chat.stop" : "web.chat.send"));
    send.toggleAttribute("data-stop", Boolean(state.turn));
    send.disabled = !state.turn && !field.value.trim() && !state.files.length;
  };
  const write = (text) => { field.value = text; fit(); shape(); field.focus(); };
  const attach = (files) => {
    for (const file of files) state.files.push(file);
    const still = state.kept.map((name) => el("li", { title: say("web.chat.kept") }, icon("file-text"), el("span", {}, name), el("small", {}, say("web.chat.kept"))));
    shelf.replaceChildren(...still, ...state.files.map((file, at) => el("li", {}, icon("file-text"), el("span", {}, `${file.name} · ${size(file.size, language)}`),
      el("button", { type: "button", "aria-label": say("web.chat.remove", { name: file.name }), onclick: () => { state.files.splice(at, 1); attach([]); } }, icon("x")))));
    shape();
  };
  field.addEventListener("input", () => { fit(); shape(); sessionStorage.setItem(draft, field.value); });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); if (!state.turn) form.requestSubmit(); }
  });
  field.addEventListener("paste", (event) => {
    if (event.clipboardData.files.length) { event.preventDefault(); attach(event.clipboardData.files); }
  });
  find("[data-atl-file]").addEventListener("change", (event) => { attach(event.target.files); event.target.value = ""; });
  const over = (event) => { event.preventDefault(); root.toggleAttribute("data-drop", event.type === "dragover"); };
  root.addEventListener("dragover", over);
  root.addEventListener("dragleave", over);
  root.addEventListener("drop", (event) => { over(event); attach(event.dataTransfer.files); });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (state.turn) stop(); else if (field.value.trim() || state.files.length) ask(field.value.trim(), state.files);
  });
  root.addEventListener("click", async (event) => {
    const starter = event.target.closest("[data-atl-starter]");
    if (starter) write(starter.textContent);
    const sample = event.target.closest("[data-atl-sample]");
    if (sample) {
      const answer = await fetch(sample.dataset.atlSample).catch(() => null);
      if (!answer?.ok) return toast(say("web.chat.offline"));
      const body = await answer.blob();
      attach([new File([body], sample.dataset.name, { type: body.type })]);
      sample.disabled = true;
    }
  });

  /* what the actions under an answer do */
  const kept = async () => {
    const answer = await fetch(`/api/v1/conversations/${encodeURIComponent(state.conversation)}`, { headers }).catch(() => null);
    return answer?.ok ? (await answer.json()).messages : [];
  };
  const about = {
    draft: "draft" in root.dataset ? agent : "",
    async find(reply) {
      const found = (await kept()).findLast((each) => each.role === "assistant" && each.trace_id === reply.trace_id);
      return { conversation: state.conversation, number: found?.number ?? 0 };
    },
    async regenerate(answer) {
      if (state.turn) return;
      if (answer.node !== [...log.querySelectorAll(".atl-answer")].at(-1)) return announce(say("web.chat.again.last"));
      const turn = (state.turn = { controller: new AbortController(), answer }), before = answer.reply;
      answer.again();
      shape();
      try {
        await followed(await fetch(`/api/v1/conversations/${encodeURIComponent(state.conversation)}/regenerate`, { method: "POST", headers: { ...headers, accept: "text/event-stream" }, signal: turn.controller.signal }), answer);
      } catch (error) {
        if (!turn.begun && before) answer.end(before, () => reveal(before)); // nothing has replaced it
        answer.fail(error instanceof Refused && error.message ? error.message : say("web.chat.offline"));
        if (turn.begun) reconnect();
      }
      state.turn = null;
      shape();
    },
  };
  /* edit and send again: a branch that ends before that message, so that nothing is lost */
  async function edit(article, text) {
    if (state.turn) return;
    const place = [...log.querySelectorAll(".atl-mine-said")].indexOf(article);
    const asked = (await kept()).filter((each) => each.role === "user");
    const number = asked[place]?.number, files = asked[place]?.extra?.files ?? [];
    if (!number) return toast(say("web.chat.offline"));
    const answer = await fetch(`/api/v1/conversations/${encodeURIComponent(state.conversation)}/branch`, {
      method: "POST", headers: { ...headers, "content-type": "application/json" }, body: JSON.stringify({ after: number - 1 }),
    }).catch(() => null);
    const row = await answer?.json().catch(() => null);
    if (!answer?.ok) return toast(row?.message ?? say("web.chat.offline"));
    state.conversation = row.id;
    for (let each = article; each; ) { const next = each.nextElementSibling; each.remove(); each = next; }
    await remember();
    state.kept = files; // the branch still reads them
    attach([]);
    write(text);
    announce(say("web.chat.edit.told"));
  }
  const said = (text, files) => {
    const article = mine(say, text, files, small ? null : () => edit(article, text));
    return article;
  };

  /* a turn */
  // on a wide screen the log scrolls, on a phone the page does
  const scroller = () => (getComputedStyle(log).overflowY === "visible" ? document.scrollingElement : log);
  const bottom = () => { const box = scroller(); return box.scrollHeight - box.scrollTop - box.clientHeight < (box === log ? 120 : 500); };
  const follow = (stick) => {
    if (!stick) return;
    const box = scroller();
    if (box === log) box.scrollTop = box.scrollHeight;
    else form.scrollIntoView({ block: "end" });
  };
  const small = "small" in root.dataset; // beside the builder's form: no panel, and the address stays
  const show = (reply) => how?.replaceChildren(...panel(say, language, reply));
  const reveal = (reply) => {
    if (small) return location.assign(`/${language}/playground?agent=${encodeURIComponent(agent)}&conversation=${encodeURIComponent(state.conversation)}`);
    show(reply);
    find("[data-atl-how]").scrollIntoView({ block: "nearest", behavior: glide() });
  };

  async function ask(text, files) {
    find("[data-atl-welcome]")?.remove();
    const answer = new Answer(say, language, about), asked = said(text, [...state.kept, ...files.map((file) => file.name)]);
    log.querySelectorAll("[data-unsent]").forEach((each) => each.remove());
    log.append(asked, answer.node);
    const turn = (state.turn = { controller: new AbortController(), answer });
    const body = message(text, files);
    field.value = ""; sessionStorage.removeItem(draft); state.files = []; state.kept = []; attach([]); fit(); follow(true);
    try {
      const response = await fetch(`/api/v1/agents/${encodeURIComponent(agent)}/messages`, {
        method: "POST", body, signal: turn.controller.signal,
        headers: { ...headers, accept: "text/event-stream", ...(typeof body === "string" ? { "content-type": "application/json" } : {}) },
      });
      await followed(response, answer);
    } catch (error) {
      if (error.name === "AbortError") { answer.end({ status: "stopped" }, () => {}); announce(say("web.chat.stopped")); }
      else {
        answer.fail(error instanceof Refused && error.message ? error.message : say("web.chat.offline"));
        if (turn.begun) reconnect();
        else unsent(asked, answer.node, text, files);
      }
    }
    state.turn = null;
    shape();
    if (turn.begun || turn.controller.signal.aborted) await remember();
  }

  class Refused extends Error {}

  /* what did not arrive goes back to where it was typed, for another try, a reload, or after signing in again */
  function unsent(asked, node, text, files) {
    if (field.value || state.files.length) return; // somebody types on already: it stays to be read, with what happened
    asked.remove();
    node.dataset.unsent = "";
    attach(files);
    write(text);
    sessionStorage.setItem(draft, text);
  }

  /* the connection ended in the middle: the server keeps the turn, and tells it when it is back */
  async function reconnect(wait = 1500) {
    const { conversation } = state;
    await new Promise((done) => setTimeout(done, wait));
    if (state.turn || state.conversation !== conversation) return;
    const there = await fetch(`/api/v1/conversations/${encodeURIComponent(conversation)}`, { headers }).catch(() => null);
    if (there?.ok) reopen();
    else if (wait < 60_000 && (there?.status ?? 503) >= 500) reconnect(wait * 1.5);
  }

  /* read a turn's events into its answer, to the end */
  async function followed(response, answer) {
    if (!response.ok) throw new Refused((await response.json().catch(() => ({}))).message);
    for await (const { name, data } of events(response)) {
      const stick = bottom();
      handlers[name]?.(answer, data);
      follow(stick);
    }
    if (answer.node.getAttribute("aria-busy") === "true") throw new Refused(say("web.chat.interrupted"));
  }

  /* a turn that goes on without a message from here: after an approval, or after a reload */
  async function resume(answer) {
    const turn = (state.turn = { controller: new AbortController(), answer });
    answer.again();
    shape();
    try {
      await followed(await fetch(`/api/v1/conversations/${encodeURIComponent(state.conversation)}/events`, { headers: { ...headers, accept: "text/event-stream" }, signal: turn.controller.signal }), answer);
    } catch (error) {
      answer.fail(error instanceof Refused && error.message ? error.message : say("web.chat.offline"));
      reconnect(5000);
    }
    state.turn = null;
    shape();
  }

  const handlers = {
    notice: (answer, data) => answer.notice(data),
    delta: (answer, data) => answer.add(data.text),
    step: (answer, data) => answer.step(data),
    begin: (answer, data) => {
      if (data.conversation) state.conversation = data.conversation;
      if (state.turn) state.turn.begun = true;
    },
    approval: (answer, data) => answer.ask(data, () => resume(answer)),
    idle: (answer) => reopen(),
    error: (answer, data) => { answer.fail(data.message); announce(data.message); },
    reply: (answer, data) => {
      answer.end(data, () => reveal(data));
      show(data);
      if (data.conversation) state.conversation = data.conversation;
      for (const each of data.approvals ?? []) answer.ask(each, () => resume(answer));
      if (data.status === "done" && state.conversation && !small) {
        log.querySelectorAll(".atl-saved-form").forEach((each) => each.remove());
        answer.foot.append(savedForm(say, state.conversation));
      }
      announce(say(data.status === "waiting" ? "web.chat.approval" : "web.chat.ready"));
    },
  };

  function message(text, files) {
    const { conversation, kept } = state;
    if (!files.length) return JSON.stringify({ text, ...(conversation ? { conversation } : {}), ...(kept.length ? { kept } : {}) });
    const form = new FormData();
    form.append("text", text);
    if (conversation) form.append("conversation", conversation);
    for (const name of kept) form.append("kept", name);
    for (const file of files) form.append("files", file, file.name);
    return form;
  }

  async function stop() {
    const { turn } = state;
    if (!state.conversation) await remember();
    if (state.conversation) {
      const answer = await fetch(`/api/v1/conversations/${state.conversation}/stop`, { method: "POST", headers }).catch(() => null);
      if (answer?.ok) return setTimeout(() => { if (state.turn === turn) turn.controller.abort(); }, 1500);
    }
    turn.controller.abort(); // the server stops the turn when the connection closes
  }

  /* the address carries the conversation, so that reload and back reopen it */
  async function remember() {
    if (!state.conversation) {
      const rows = await fetch(`/api/v1/conversations?limit=1&agent=${encodeURIComponent(agent)}`, { headers }).then((answer) => answer.json()).catch(() => []); // newest first
      state.conversation = rows[0]?.id ?? "";
    }
    root.querySelectorAll("[data-atl-conversation]").forEach((field) => field.setAttribute("value", state.conversation));
    if (state.conversation && !small) {
      const address = new URL(location.href);
      address.searchParams.set("agent", agent);
      address.searchParams.set("conversation", state.conversation);
      history.replaceState(null, "", address);
    }
  }

  async function reopen() {
    const answer = await fetch(`/api/v1/conversations/${encodeURIComponent(state.conversation)}`, { headers }).catch(() => null);
    if (!answer?.ok) {
      const text = (await answer?.json().catch(() => null))?.message ?? say("web.chat.offline");
      state.conversation = "";
      return log.append(ribbon("error", text));
    }
    const { messages, approvals = [], running = false } = await answer.json();
    if (messages.length) find("[data-atl-welcome]")?.remove();
    log.replaceChildren(...log.querySelectorAll("[data-atl-welcome]"));
    let last = null;
    for (const each of messages) {
      if (each.role === "user") { log.append(said(each.text, each.extra?.files ?? [])); continue; }
      const shown = new Answer(say, language, about);
      const reply = { ...each.extra, text: each.text, trace_id: each.trace_id };
      shown.end(reply, () => reveal(reply));
      for (const id of each.extra?.approvals ?? []) {
        const waiting = approvals.find((one) => one.id === id);
        if (waiting) shown.ask(waiting, () => resume(shown));
      }
      last = shown;
      log.append(shown.node);
      show(reply);
    }
    follow(true);
    if (running) {
      if (!last || messages.at(-1).role === "user") { last = new Answer(say, language, about); log.append(last.node); }
      resume(last);
    }
  }

  if (state.conversation) reopen();
  if (sessionStorage.getItem(draft)) write(sessionStorage.getItem(draft));
  shape();
  root.dataset.atlChat = "ready";
  if (!small && new URLSearchParams(location.search).has("tour")) {
    import("./tour.js").then(({ tour }) => tour(root, say, { write, conversation: () => state.conversation }));
  }
}
