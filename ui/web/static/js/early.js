/* Runs before anything else: light or dark for the first paint, and Gradio's templates without eval. */
(function () {
  var language = document.documentElement.lang, title = document.title;
  var chosen = (document.cookie.match(/(?:^|; )atelier_theme=(light|dark)/) || [])[1];
  var dark = matchMedia("(prefers-color-scheme: dark)");
  function set() {
    document.documentElement.dataset.theme = chosen || (dark.matches ? "dark" : "light");
    if (document.body) document.body.classList.toggle("dark", document.documentElement.dataset.theme === "dark");
  }
  set();
  dark.addEventListener("change", set);
  // Gradio puts its own class on the body from the system's wish; ours is the one that holds
  addEventListener("DOMContentLoaded", function () {
    set();
    new MutationObserver(function () {
      if (document.body.classList.contains("dark") !== (document.documentElement.dataset.theme === "dark")) set();
    }).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  });
  /* Gradio sets the page's language from the browser's and a title of its own: the page knows better */
  addEventListener("DOMContentLoaded", function () {
    if (!document.querySelector("gradio-app")) return;
    function hold() {
      if (document.documentElement.lang !== language) document.documentElement.lang = language;
      if (document.title !== title) document.title = title;
    }
    new MutationObserver(hold).observe(document.documentElement, { attributes: true, attributeFilter: ["lang"] });
    new MutationObserver(hold).observe(document.head, { childList: true, subtree: true, characterData: true });
    hold();
  });
  window.atelierTheme = function () {
    chosen = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    document.cookie = "atelier_theme=" + chosen + "; path=/; max-age=31536000; samesite=lax";
    set();
  };

  /* Gradio's HTML part turns its template "${value}" into a function by evaluating text, which would
     need 'unsafe-eval' in our policy. Only the four texts it uses for that template are answered
     here; anything else goes to the real Function and is refused by the policy. */
  var constant = /^\s*return "(|\$\{value\})";\s*$/;
  function known(given) {
    var body = String(given[given.length - 1]);
    var found = body.match(constant);
    if (found) return function () { return found[1]; };
    if (body === "return ``;") return function () { return ""; };
    if (body !== "return `${value}`;") return null;
    var at = given.indexOf("value");
    return function () { return String(arguments[at]); };
  }
  window.Function = new Proxy(Function, {
    apply: function (real, self, given) { return known(given) || Reflect.apply(real, self, given); },
    construct: function (real, given, target) { return known(given) || Reflect.construct(real, given, target); },
  });
})();
