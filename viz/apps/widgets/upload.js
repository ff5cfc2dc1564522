function render({ model, el }) {
  const input = document.createElement("input");
  input.type = "file";
  input.accept = "image/*";
  input.hidden = true;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "jupyter-widgets jupyter-button";
  button.style.width = "auto";
  button.addEventListener("click", () => input.click());
  el.append(button, input);

  function tell() {
    button.textContent = model.get("label");
    button.title = model.get("tip");
  }
  input.addEventListener("change", async () => {
    const file = input.files[0];
    if (!file) return;
    // The server hangs up on long messages: a file that is too large stays here.
    const fits = file.size <= model.get("limit");
    const content = fits ? await file.arrayBuffer() : new ArrayBuffer(0);
    input.value = ""; // the same file may be chosen again
    model.set("name", file.name);
    model.set("size", file.size);
    model.set("content", new DataView(content));
    model.set("chosen", model.get("chosen") + 1);
    model.save_changes();
  });
  model.on("change:label change:tip", tell);
  tell();
  return () => model.off("change:label change:tip", tell);
}

export default { render };
