const MARK = { match: "\u2713 ", wrong: "\u2717 " };

function render({ model, el }) {
  el.classList.add("mfa-cards");
  const heading = document.createElement("div");
  heading.className = "mfa-cards-label";
  const list = document.createElement("div");
  list.className = "mfa-cards-list";
  list.setAttribute("role", "group");
  el.append(heading, list);
  let urls = [];

  function mark() {
    const selected = model.get("selected");
    [...list.children].forEach((card, index) => {
      card.classList.toggle("mfa-selected", index === selected);
      if (card.tagName === "BUTTON") card.setAttribute("aria-pressed", String(index === selected));
    });
  }

  function draw() {
    const focused = [...list.children].indexOf(document.activeElement);
    urls.forEach((url) => URL.revokeObjectURL(url));
    const images = model.get("images");
    const clickable = model.get("clickable");
    urls = images.map((data) => URL.createObjectURL(new Blob([data])));
    heading.textContent = model.get("label");
    el.style.display = model.get("label") || model.get("items").length ? "" : "none";
    list.setAttribute("aria-label", model.get("label"));
    const columns = model.get("columns");
    list.style.display = columns ? "grid" : "";
    list.style.gridTemplateColumns = columns ? `repeat(${columns}, max-content)` : "";
    list.replaceChildren(...model.get("items").map((item, index) => {
      const pressable = clickable && !item.still;
      const card = document.createElement(pressable ? "button" : "div");
      if (pressable) {
        card.type = "button";
        card.addEventListener("click", () => {
          model.set("selected", index);
          model.set("clicks", model.get("clicks") + 1);
          model.save_changes();
        });
      }
      card.className = `mfa-card mfa-${item.kind}`;
      card.style.width = `${model.get("height") * model.get("aspect") + 26}px`; // rows align
      const image = document.createElement("img");
      image.src = urls[index];
      image.alt = item.alt;
      image.style.height = `${model.get("height")}px`;
      const title = document.createElement("span");
      title.textContent = (MARK[item.kind] || "") + item.title;
      const sub = document.createElement("small");
      sub.textContent = item.sub;
      card.append(image, title, sub);
      return card;
    }));
    mark();
    if (focused >= 0 && list.children[focused]) list.children[focused].focus({ preventScroll: true });
  }

  model.on("change:version", draw);
  model.on("change:selected", mark);
  draw();
  return () => {
    model.off("change:version", draw);
    model.off("change:selected", mark);
    urls.forEach((url) => URL.revokeObjectURL(url));
  };
}

export default { render };
