function render({ model, el }) {
  el.classList.add("mfa-slider");
  const label = document.createElement("label");
  const words = document.createElement("span");
  const input = document.createElement("input");
  input.type = "range";
  const output = document.createElement("output");
  label.append(words, input, output);
  el.append(label);

  function write() {
    output.textContent = model.get("value").toFixed(model.get("digits"));
  }
  function draw() {
    words.textContent = model.get("label");
    for (const name of ["min", "max", "step"]) input[name] = model.get(name);
    input.value = model.get("value");
    input.disabled = model.get("disabled");
    input.setAttribute("aria-label", model.get("label"));
    write();
  }
  input.addEventListener("input", () => {
    model.set("value", Number(input.value));
    model.save_changes();
    write();
  });
  model.on("change", draw);
  draw();
  return () => model.off("change", draw);
}

export default { render };
