// Keeps the page's address and the kernel's view of it the same; see scripted.py.
function render({ model }) {
  const here = () => location.search.slice(1);
  const app = (query) => new URLSearchParams(query).get("app") || "";
  function write() {
    const wanted = model.get("query");
    if (wanted === here()) return;
    const url = `${location.pathname}${wanted ? `?${wanted}` : ""}`;
    if (app(wanted) === app(here())) history.replaceState(null, "", url);
    else history.pushState(null, "", url);
  }
  function ask(query) {
    model.set("asked", query);
    model.set("visits", model.get("visits") + 1);
    model.save_changes();
  }
  const back = () => ask(here());
  // A link to another app stays in this page and its kernel, unless a new tab is asked for.
  function follow(event) {
    const link = event.target.closest?.('.mfa-page a[href^="?"]');
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    ask(link.getAttribute("href").slice(1));
  }
  model.on("change:query", write);
  addEventListener("popstate", back);
  document.addEventListener("click", follow);
  write();
  return () => {
    model.off("change:query", write);
    removeEventListener("popstate", back);
    document.removeEventListener("click", follow);
  };
}

export default { render };
