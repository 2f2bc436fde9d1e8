/* Own kinds: what the edited file would find, shown without saving it. */
const form = () => document.querySelector(".atl-kinds");

function cell(head, inside, name = "td") {
  const made = document.createElement(name);
  made.dataset.label = head;
  made.append(inside);
  return made;
}

function shown(row, heads, words) {
  const line = document.createElement("tr");
  const found = row.found.length ? row.found.join(" · ") : words.kindsNothing;
  const verdict = row.ok === null ? words.kindsSample : row.ok ? words.kindsGood : words.kindsWrong;
  const values = [row.kind || "–", row.text, found, verdict];
  line.append(...values.map((value, index) => cell(heads[index], value)));
  line.dataset.ok = String(row.ok);
  return line;
}

async function attempt(button) {
  const from = form();
  const alert = from.querySelector("[role=alert]");
  const samples = from.querySelector("#kinds-samples").value.split("\n").map((line) => line.trim()).filter(Boolean);
  button.disabled = true;
  alert.hidden = true;
  try {
    const answer = await fetch("/api/v1/screen/kinds/try", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text: from.elements.text.value, samples }),
    }).catch(() => null);
    const said = await answer?.json().catch(() => null);
    if (!answer?.ok) {
      alert.textContent = said?.message ?? from.dataset.kindsFailed;
      alert.hidden = false;
      return;
    }
    const results = document.getElementById("kinds-results");
    const table = results.querySelector("table");
    const heads = table.dataset.heads.split("|");
    table.tBodies[0].replaceChildren(...said.rows.map((row) => shown(row, heads, from.dataset)));
    results.hidden = false;
    results.scrollIntoView({ block: "nearest" });
  } finally {
    button.disabled = false;
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("#kinds-try");
  if (button) attempt(button);
});
