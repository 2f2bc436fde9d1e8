/* An amount of money is typed in dollars and sent in millionths, as budgets count it. */
const MILLION = 1_000_000;

for (const kind of ["input", "change"]) {
  document.addEventListener(kind, (event) => {
    const form = event.target.closest?.("form");
    const typed = form?.querySelector("#budget-most");
    if (!typed) return;
    const factor = form.elements.unit.value === "cost" ? MILLION : 1;
    form.elements.most.value = typed.value === "" ? "" : Math.round(Number(typed.value) * factor);
  });
}
