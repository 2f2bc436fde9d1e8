/* Which sentences of a passage an answer rests on: those that share most with the sentences that cite it. No DOM. */
const LEAST = 2; // shared words; a figure counts as two

/* words that can tell one sentence from another, without accents and endings */
function telling(text) {
  const found = text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().match(/\p{N}[\p{N}.,:]*\p{N}|[\p{L}\p{N}]+/gu) ?? [];
  return new Set(found.filter((word) => word.length > 3 || /\p{N}/u.test(word)).map((word) => (/\p{N}/u.test(word) ? word : word.slice(0, 6))));
}

// sentences and lines with the white space after them; together they are the whole text
const pieces = (text) => text.match(/[.!?…]*[^.!?…\n]+(?:[.!?…](?!\s|$)[^.!?…\n]*)*[.!?…]*\s*|[.!?…\s]+/gu) ?? [];

/* the sentences of an answer that cite `number`; all of it when none does */
function citing(answer, number) {
  const mark = `[${number}]`;
  const found = pieces(answer.replace(/([.!?…])\s*((?:\[\d+\]\s*)+)/g, " $2$1 ")).filter((one) => one.includes(mark));
  return found.length ? found.join(" ") : answer;
}

/* the passage in its order as [text, whether the answer rests on it] */
export function supporting(passage, answer, number) {
  const wanted = telling(citing(answer, number).replace(/\[\d+\]/g, " "));
  const scored = pieces(passage).map((text) => {
    const shared = [...telling(text)].filter((word) => wanted.has(word));
    return [text, shared.reduce((sum, word) => sum + (/\p{N}/u.test(word) ? 2 : 1), 0)];
  });
  const most = Math.max(0, ...scored.map(([, score]) => score));
  const parts = [];
  for (const [text, score] of scored) {
    const marked = score >= LEAST && score >= most * 0.7;
    const last = parts.at(-1);
    if (last && last[1] === marked) last[0] += text;
    else parts.push([text, marked]);
  }
  return parts;
}
