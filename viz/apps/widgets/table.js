function render({ model, el }) {
  el.classList.add("mfa-scroll");
  const table = document.createElement("table");
  el.append(table);

  function cell(kind, text, scope) {
    const made = document.createElement(kind);
    if (scope) made.scope = scope;
    made.textContent = text;
    return made;
  }
  function press(row, column, text, words) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "mfa-cell";
    button.textContent = text;
    button.setAttribute("aria-label", words);
    button.addEventListener("click", () => {
      model.set("cell", [row, column]);
      model.set("clicks", model.get("clicks") + 1);
      model.save_changes();
    });
    const made = document.createElement("td");
    made.append(button);
    return made;
  }
  function draw() {
    const headings = model.get("headings");
    const active = model.get("active");
    const focused = [...table.querySelectorAll("button")].indexOf(document.activeElement);
    table.className = model.get("prose") ? "mfa-table mfa-prose" : "mfa-table";
    table.replaceChildren();
    if (model.get("caption")) {
      const caption = document.createElement("caption");
      caption.append(cell("span", model.get("caption")));
      table.append(caption);
    }
    const head = document.createElement("tr");
    head.append(...headings.map((text) => cell("th", text, "col")));
    const top = document.createElement("thead");
    top.append(head);
    const body = document.createElement("tbody");
    body.append(...model.get("rows").map((texts, row) => {
      const line = document.createElement("tr");
      line.append(...texts.map((text, column) => {
        if (column === 0) return cell("th", text, "row");
        const idle = !active.includes(column) || text === "" || text === "0";
        return idle ? cell("td", text) : press(row, column, text, `${texts[0]}, ${headings[column]}: ${text}`);
      }));
      return line;
    }));
    table.append(top, body);
    if (focused >= 0) table.querySelectorAll("button")[focused]?.focus({ preventScroll: true });
  }

  model.on("change:version", draw);
  draw();
  return () => model.off("change:version", draw);
}

export default { render };
