/* The secret of a link stands after the #, which browsers send to no server: it goes into the form,
   and out of the address bar and the history. */
const token = location.hash.slice(1);
const field = document.querySelector('input[name="token"]');
if (field && token) {
  field.value = token;
  history.replaceState(null, "", location.pathname);
}
