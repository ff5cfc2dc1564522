const SVG = "http://www.w3.org/2000/svg";

function render({ model, el }) {
  el.classList.add("mfa-picture");
  const caption = document.createElement("div");
  caption.className = "mfa-picture-label";
  const frame = document.createElement("div");
  frame.className = "mfa-picture-frame";
  const image = document.createElement("img");
  image.draggable = false;
  const ink = document.createElementNS(SVG, "svg");
  ink.setAttribute("viewBox", "0 0 1 1");
  ink.setAttribute("preserveAspectRatio", "none");
  frame.append(image, ink);
  el.append(caption, frame);
  let url = "", path = [], cursor = [0.5, 0.5], down = false;

  function show() {
    if (url) URL.revokeObjectURL(url);
    url = model.get("image").byteLength ? URL.createObjectURL(new Blob([model.get("image")])) : "";
    if (url) image.src = url;
    else image.removeAttribute("src");
  }
  function tell() {
    const mode = model.get("mode"), label = model.get("label");
    caption.textContent = label;
    image.alt = label;
    image.style.height = model.get("height") ? `${model.get("height")}px` : "auto";
    frame.classList.toggle("mfa-touchable", mode !== "view");
    frame.tabIndex = mode === "view" ? -1 : 0;
    if (mode === "view") {
      frame.removeAttribute("role");
      frame.removeAttribute("aria-label");
    } else {
      frame.setAttribute("role", "application");
      const what = mode === "point" ? "chooses the place" : "paints there";
      frame.setAttribute("aria-label", `${label}: arrow keys move the cross, Enter ${what}`);
    }
  }
  function cross([x, y], kind) {
    const group = document.createElementNS(SVG, "g");
    group.setAttribute("class", kind);
    for (const [x1, y1, x2, y2] of [[x - 0.06, y, x + 0.06, y], [x, y - 0.03, x, y + 0.03]]) {
      const line = document.createElementNS(SVG, "line");
      for (const [name, value] of Object.entries({ x1, y1, x2, y2 })) line.setAttribute(name, value);
      group.append(line);
    }
    return group;
  }
  function draw() {
    const parts = [];
    if (path.length) {
      const box = frame.getBoundingClientRect();
      const radius = model.get("radius");
      for (const [x, y] of path) {
        const dot = document.createElementNS(SVG, "ellipse");
        const ry = radius * box.width / Math.max(box.height, 1);
        for (const [name, value] of Object.entries({ cx: x, cy: y, rx: radius, ry })) dot.setAttribute(name, value);
        parts.push(dot);
      }
    }
    if (model.get("mode") === "point" && model.get("point").length) parts.push(cross(model.get("point"), "mfa-chosen"));
    if (model.get("mode") !== "view" && document.activeElement === frame) parts.push(cross(cursor, "mfa-cursor"));
    ink.replaceChildren(...parts);
  }
  function place(event) {
    const box = frame.getBoundingClientRect();
    const inside = (value) => Math.min(Math.max(value, 0), 0.999);
    return [inside((event.clientX - box.left) / box.width), inside((event.clientY - box.top) / box.height)];
  }
  function choose(where) {
    model.set("point", where);
    model.set("points", model.get("points") + 1);
    model.save_changes();
    draw();
  }
  function finish() {
    if (!path.length) return;
    model.set("stroke", path);
    model.set("strokes", model.get("strokes") + 1);
    model.save_changes();
    path = [];
    draw();
  }
  frame.addEventListener("pointerdown", (event) => {
    cursor = place(event);
    if (model.get("mode") === "point") choose(cursor);
    if (model.get("mode") !== "brush") return;
    down = true;
    path = [cursor];
    frame.setPointerCapture(event.pointerId);
    event.preventDefault();
    draw();
  });
  frame.addEventListener("pointermove", (event) => {
    if (!down) return;
    path.push(place(event));
    draw();
  });
  for (const name of ["pointerup", "pointercancel"]) {
    frame.addEventListener(name, () => { if (down) { down = false; finish(); } });
  }
  frame.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-0.04, 0], ArrowRight: [0.04, 0], ArrowUp: [0, -0.02], ArrowDown: [0, 0.02] }[event.key];
    if (step) {
      cursor = cursor.map((value, axis) => Math.min(Math.max(value + step[axis], 0), 0.999));
      draw();
    } else if (event.key === "Enter" || event.key === " ") {
      if (model.get("mode") === "point") choose([...cursor]);
      if (model.get("mode") === "brush") { path = [[...cursor]]; finish(); }
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });
  frame.addEventListener("focus", draw);
  frame.addEventListener("blur", draw);
  model.on("change:image", show);
  model.on("change:label change:mode change:height", tell);
  model.on("change:point change:radius", draw);
  show();
  tell();
  draw();
  return () => {
    model.off("change:image", show);
    model.off("change:label change:mode change:height", tell);
    model.off("change:point change:radius", draw);
    if (url) URL.revokeObjectURL(url);
  };
}

export default { render };
