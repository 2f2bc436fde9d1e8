/* Building elements without ever parsing HTML: text stays text. */
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

export function svg(name, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

let sprite = "";
export const useSprite = (address) => { sprite = address; };
export function icon(name, extra = "") {
  return svg("svg", { class: `atl-icon ${extra}`, "aria-hidden": "true", focusable: "false" }, svg("use", { href: `${sprite}#${name}` }));
}

/* wording: catalogue entries with {name} fields and plural forms on n, as ui/messages.py */
export function wording(words, language) {
  const plural = new Intl.PluralRules(language);
  const say = (key, data = {}) => {
    let text = words[key];
    if (text === undefined) return key;
    if (typeof text === "object") text = text[plural.select(data.n ?? 0)] ?? text.other;
    return text.replace(/\{(\w+)(?::[^}]*)?\}/g, (whole, name) => (name in data ? String(data[name]) : whole));
  };
  say.has = (key) => words[key] !== undefined;
  return say;
}

/* how to scroll: gently, unless the person asked for less motion */
export const glide = () => (matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth");
