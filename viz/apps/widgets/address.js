// Keeps the page's address and the kernel's view of it the same; see address.py.
function render({ model }) {
  const here = () => location.search.slice(1);
  function write() {
    const wanted = model.get("query");
    if (wanted === here()) return;
    const app = (query) => new URLSearchParams(query).get("app");
    const url = `${location.pathname}${wanted ? `?${wanted}` : ""}`;
    if (app(wanted) === app(here())) history.replaceState(null, "", url);
    else history.pushState(null, "", url);
  }
  function read() {
    model.set("asked", here());
    model.set("visits", model.get("visits") + 1);
    model.save_changes();
  }
  model.on("change:query", write);
  addEventListener("popstate", read);
  write();
  return () => {
    model.off("change:query", write);
    removeEventListener("popstate", read);
  };
}

export default { render };
