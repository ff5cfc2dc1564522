function render({ model, el }) {
  el.classList.add("mfa-code");
  const toggle = document.createElement("button");
  const copy = document.createElement("button");
  const listing = document.createElement("pre");
  for (const button of [toggle, copy]) {
    button.type = "button";
    button.className = "jupyter-widgets jupyter-button";
    button.style.width = "auto";
  }
  listing.tabIndex = 0;
  listing.setAttribute("aria-label", "Python code that makes this picture");
  el.append(toggle, copy, listing);

  async function copied() {
    try {
      await navigator.clipboard.writeText(model.get("text"));
    } catch { // pages without encryption have no clipboard: select the text and copy that
      getSelection().selectAllChildren(listing);
      document.execCommand("copy");
    }
    copy.textContent = "Copied";
    setTimeout(() => { copy.textContent = "Copy"; }, 1500);
  }
  function draw() {
    const open = model.get("expanded");
    toggle.textContent = `${open ? "Hide" : "Show"} ${model.get("what")}`;
    toggle.setAttribute("aria-expanded", String(open));
    copy.textContent = "Copy";
    copy.style.display = listing.style.display = open ? "" : "none";
    listing.textContent = model.get("text");
  }
  toggle.addEventListener("click", () => {
    model.set("expanded", !model.get("expanded"));
    model.save_changes();
    draw();
  });
  copy.addEventListener("click", copied);
  model.on("change", draw);
  draw();
  return () => model.off("change", draw);
}

export default { render };
