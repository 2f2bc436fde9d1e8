/* "Ask now": says whether the identity provider answered. */
document.addEventListener("atl:done", (event) => {
  const said = document.getElementById("provider-check");
  if (!said || event.detail?.problem === undefined) return;
  said.textContent = event.detail.problem ? said.dataset.providerBad : said.dataset.providerOk;
});
