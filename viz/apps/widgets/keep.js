const MOST = 8e6; // bytes of a file that is opened

function make(kind, traits, ...children) {
  const made = Object.assign(document.createElement(kind), traits);
  made.append(...children);
  return made;
}

function button(text, press, tip) {
  const made = make("button", { type: "button", className: "jupyter-widgets jupyter-button", textContent: text });
  made.addEventListener("click", press);
  if (tip) {
    made.title = tip;
    made.setAttribute("aria-label", tip);
  }
  return made;
}

// A word and a button, taken by Enter as well; an empty word is not sent.
function form(label, action, take, ...before) {
  const input = make("input", { type: "text", maxLength: 80 });
  const made = make("form", { className: "mfa-keep-row" },
    ...before, make("label", {}, `${label} `, input),
    make("button", { type: "submit", className: "jupyter-widgets jupyter-button", textContent: action }));
  made.addEventListener("submit", (event) => {
    event.preventDefault();
    if (input.value.trim()) take(input.value);
    input.value = "";
  });
  return [made, input];
}

function save({ name, text }) {
  const url = URL.createObjectURL(new Blob([text]));
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

function render({ model, el }) {
  function ask(request) {
    model.set("asked", request);
    model.set("asks", model.get("asks") + 1);
    model.save_changes();
  }

  const count = make("span");
  const of = make("select", { ariaLabel: "What is tagged" });
  const known = make("datalist", { id: `mfa-tags-${Math.random().toString(36).slice(2)}` });
  const [tagging, word] = form("as", "Tag", (tag) => ask({ do: "tag", of: of.value, tag }),
    make("label", {}, "Tag ", of));
  word.setAttribute("list", known.id);
  const [keeping] = form("View", "Keep this view", (name) => ask({ do: "keep", name }));
  const tags = make("div", { className: "mfa-keep-row" });
  const views = make("div", { className: "mfa-keep-row" });
  const input = make("input", { type: "file", accept: ".json,.csv", hidden: true });
  const beside = button("Save beside the run", () => ask({ do: "save" }));
  const link = button("Copy link", copied, "Copy the address of this page with all settings");
  const files = make("div", { className: "mfa-keep-row" },
    button("Download CSV", () => ask({ do: "file", kind: "csv" }), "Download the tags as CSV"),
    button("Download JSON", () => ask({ do: "file", kind: "json" }), "Download tags and views as JSON"),
    button("Open a file", () => input.click(), "Add the tags and views of a file"), input, beside, link);
  const words = make("div", { className: "mfa-keep-words" });
  words.setAttribute("role", "status");
  el.classList.add("mfa-keep");
  el.append(make("details", {}, make("summary", {}, "Tags and views ", count),
    tagging, known, tags, keeping, views, files, words));

  async function copied() {
    const address = `${location.origin}${location.pathname}?${model.get("query")}`;
    try {
      await navigator.clipboard.writeText(address);
      words.textContent = "The link is copied.";
    } catch { // pages without encryption have no clipboard
      words.textContent = address;
    }
  }
  input.addEventListener("change", async () => {
    const file = input.files[0];
    if (!file) return;
    const text = file.size > MOST ? "" : await file.text();
    input.value = ""; // the same file may be opened again
    ask({ do: "read", name: file.name, text });
  });

  function chip(text, press, tip, undo, undoTip) {
    const made = make("span", { className: "mfa-chip" }, button(text, press, tip));
    if (undo) made.append(button("\u00d7", undo, undoTip));
    return made;
  }
  function fill(place, chips) { // the focus stays on the button it was on
    const buttons = () => [...place.querySelectorAll("button")];
    const label = document.activeElement?.getAttribute("aria-label");
    const held = buttons().includes(document.activeElement);
    place.replaceChildren(...chips);
    place.style.display = chips.length ? "" : "none";
    if (held) buttons().find((one) => one.getAttribute("aria-label") === label)?.focus({ preventScroll: true });
  }
  function drawTags() {
    fill(tags, model.get("tags").map(([tag, number, having]) => chip(
      `${tag} (${number})`, () => ask({ do: "show", tag }), `Show the pictures with the tag ${tag}`,
      having.includes(of.value) && (() => ask({ do: "untag", of: of.value, tag })),
      `Take the tag ${tag} off ${of.value}`)));
  }
  function draw() {
    const [all, named, chosen] = [model.get("tags"), model.get("views"), of.value];
    count.textContent = `(${all.length} tags, ${named.length} views)`;
    of.replaceChildren(...model.get("marks").map((mark) => make("option", { textContent: mark, value: mark })));
    if (model.get("marks").includes(chosen)) of.value = chosen;
    tagging.style.display = model.get("marks").length ? "" : "none";
    known.replaceChildren(...all.map(([tag]) => make("option", { value: tag })));
    drawTags();
    fill(views, named.map((name) => chip(
      name, () => ask({ do: "open", name }), `Open the view ${name}`,
      () => ask({ do: "forget", name }), `Forget the view ${name}`)));
    beside.style.display = model.get("folder") ? "" : "none";
    beside.title = model.get("folder");
    link.style.display = document.querySelector(".mfa-page") ? "" : "none";
  }
  function say() {
    words.textContent = model.get("words");
    words.classList.toggle("mfa-error", model.get("bad"));
  }
  const download = () => save(model.get("file"));
  of.addEventListener("change", drawTags);
  const heard = { "change:marks change:tags change:views change:folder": draw,
    "change:words change:bad": say, "change:files": download };
  for (const [name, handler] of Object.entries(heard)) model.on(name, handler);
  draw();
  say();
  return () => Object.entries(heard).forEach(([name, handler]) => model.off(name, handler));
}

export default { render };
