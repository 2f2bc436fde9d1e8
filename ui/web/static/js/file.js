/* A chosen file's name and size, in the page's words: the browser's own stand under our picture. */
const sized = (bytes) => {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  let at = 0;
  for (; bytes >= 1000 && at < 3; at += 1) bytes /= 1000;
  return new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: units[at], unitDisplay: "short", maximumFractionDigits: at ? 1 : 0 }).format(bytes);
};

function show(input) {
  const name = input.closest(".atl-file")?.querySelector(".atl-file-name");
  if (!name) return;
  const files = [...input.files];
  name.textContent = files.map((file) => `${file.name} (${sized(file.size)})`).join(", ") || name.dataset.none;
  name.toggleAttribute("data-chosen", files.length > 0);
}

document.addEventListener("change", (event) => {
  if (event.target.matches?.('.atl-file input[type="file"]')) show(event.target);
});
// after the form has emptied itself
document.addEventListener("reset", (event) => setTimeout(() => event.target.querySelectorAll('.atl-file input[type="file"]').forEach(show)));
