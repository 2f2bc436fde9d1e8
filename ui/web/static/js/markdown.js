/* A small, safe subset of Markdown, built as DOM nodes: headings, paragraphs, lists, quotes, code,
   tables, bold, italic, code spans, http(s) and mailto links, and [1] as a citation.
   No HTML passes, no image is fetched: model output is hostile until shown otherwise. */
import { el } from "./dom.js";

const LINE = {
  fence: /^\s{0,3}(```+|~~~+)\s*([\w+-]*)\s*$/,
  heading: /^\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$/,
  rule: /^\s{0,3}([-*_])(\s*\1){2,}\s*$/,
  quote: /^\s{0,3}>\s?(.*)$/,
  item: /^(\s*)([-*+•]|\d{1,9}[.)])\s+(.*)$/,
  row: /^\s*\|.*\|\s*$/,
  divider: /^\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)*\|?\s*$/,
};

/* splits text into blocks of source lines; all but the last are final while text still arrives */
export function blocks(text) {
  const found = [];
  let lines = [], fence = null;
  const end = () => { if (lines.length) found.push(lines.join("\n")); lines = []; };
  for (const line of text.split("\n")) {
    const mark = line.match(LINE.fence);
    if (fence) {
      lines.push(line);
      if (mark && mark[1].startsWith(fence) && !mark[2]) { fence = null; end(); }
    } else if (mark) {
      end(); fence = mark[1]; lines.push(line);
    } else if (!line.trim()) end();
    else lines.push(line);
  }
  end();
  return found;
}

export function render(block, cite) {
  const lines = block.split("\n");
  const fence = lines[0].match(LINE.fence);
  if (fence) {
    const closed = lines.length > 1 && LINE.fence.test(lines.at(-1));
    return [el("pre", { class: "atl-code", tabindex: "0" }, el("code", {}, lines.slice(1, closed ? -1 : undefined).join("\n")))];
  }
  const out = [];
  let paragraph = [];
  const flush = () => {
    if (paragraph.length) out.push(el("p", {}, ...inline(paragraph.join("\n"), cite)));
    paragraph = [];
  };
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at];
    const heading = line.match(LINE.heading);
    if (heading) {
      flush();
      out.push(el("p", { class: "atl-md-head", role: "heading", "aria-level": String(Math.min(6, heading[1].length + 1)) }, ...inline(heading[2], cite)));
    } else if (LINE.rule.test(line)) { flush(); out.push(el("hr")); }
    else if (LINE.quote.test(line)) {
      flush();
      const quoted = [];
      while (at < lines.length && LINE.quote.test(lines[at])) quoted.push(lines[at++].match(LINE.quote)[1]);
      at--;
      out.push(el("blockquote", {}, ...inline(quoted.join("\n"), cite)));
    } else if (LINE.row.test(line) && lines[at + 1] && LINE.divider.test(lines[at + 1])) {
      flush();
      const rows = [line];
      at += 2;
      while (at < lines.length && LINE.row.test(lines[at])) rows.push(lines[at++]);
      at--;
      out.push(table(rows, cite));
    } else if (LINE.item.test(line)) {
      flush();
      const items = [];
      while (at < lines.length && (LINE.item.test(lines[at]) || /^\s{2,}\S/.test(lines[at]))) {
        const item = lines[at].match(LINE.item);
        if (item) items.push({ depth: item[1].length, ordered: /\d/.test(item[2]), start: parseInt(item[2], 10), text: item[3] });
        else items.at(-1).text += `\n${lines[at].trim()}`;
        at++;
      }
      at--;
      out.push(list(items, cite));
    } else paragraph.push(line);
  }
  flush();
  return out;
}

function list(items, cite) {
  const first = items[0];
  const root = el(first.ordered ? "ol" : "ul", { start: first.ordered && first.start > 1 ? first.start : null });
  for (let at = 0; at < items.length; at++) {
    const node = el("li", {}, ...inline(items[at].text, cite));
    const inner = [];
    while (at + 1 < items.length && items[at + 1].depth > first.depth + 1) inner.push(items[++at]);
    if (inner.length) node.append(list(inner, cite));
    root.append(node);
  }
  return root;
}

function table(rows, cite) {
  const cells = (row) => row.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());
  const [head, ...body] = rows.map(cells);
  return el("div", { class: "atl-md-table", tabindex: "0" }, el("table", {},
    el("thead", {}, el("tr", {}, ...head.map((cell) => el("th", { scope: "col" }, ...inline(cell, cite))))),
    el("tbody", {}, ...body.map((row) => el("tr", {}, ...row.map((cell) => el("td", {}, ...inline(cell, cite))))))));
}

const SPAN = /(`+)([\s\S]*?[^`])\1(?!`)|\*\*([^\s*](?:[\s\S]*?[^\s])?)\*\*|__([^\s_](?:[\s\S]*?[^\s])?)__|(?<![\w*])\*([^\s*](?:[^*\n]*?[^\s*])?)\*(?![\w*])|(?<![\w_])_([^\s_](?:[^_\n]*?[^\s_])?)_(?![\w_])|\[([^\]\n]{1,300})\]\((\S{1,2000}?)\)|(https?:\/\/[^\s<>"'`]{2,2000}[^\s<>"'`.,;:!?)\]])|\[(\d{1,3})\]|\\([\\`*_{}[\]()#+.!|-])/;

export function inline(text, cite, depth = 0) {
  const out = [];
  while (text) {
    const hit = depth < 6 ? text.match(SPAN) : null;
    if (!hit) { out.push(...broken(text)); break; }
    if (hit.index) out.push(...broken(text.slice(0, hit.index)));
    const [whole, , code, bold, bold2, italic, italic2, label, target, bare, number, escaped] = hit;
    if (code !== undefined) out.push(el("code", {}, code));
    else if (bold ?? bold2) out.push(el("strong", {}, ...inline(bold ?? bold2, cite, depth + 1)));
    else if (italic ?? italic2) out.push(el("em", {}, ...inline(italic ?? italic2, cite, depth + 1)));
    else if (label !== undefined) out.push(link(target, label, whole));
    else if (bare) out.push(link(bare, bare, bare));
    else if (number) out.push(cite?.(Number(number)) ?? whole);
    else out.push(escaped);
    text = text.slice(hit.index + whole.length);
  }
  return out;
}

/* a link says where it goes: text and target may disagree on purpose */
function link(target, label, whole) {
  let address;
  try { address = new URL(target); } catch { return whole; }
  if (!["http:", "https:", "mailto:"].includes(address.protocol)) return whole;
  const node = el("a", { href: address.href, target: "_blank", rel: "noopener noreferrer nofollow" }, label);
  if (address.host && !label.includes(address.host)) node.append(el("span", { class: "atl-md-host" }, ` (${address.host})`));
  return node;
}

function broken(text) {
  return text.split("\n").flatMap((line, at) => (at ? [el("br"), line] : [line])).filter((part) => part !== "");
}
