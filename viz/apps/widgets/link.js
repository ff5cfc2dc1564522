const EVERY = 5000; // ms between two looks whether the kernel is there
const ANSWER = 10000; // ms a kernel may take to answer, unless it says that it is busy
const SILENCE = { content: { data: { method: "none" } } };

// anywidget takes no message for a model whose script came later than 2 s after it, which happens
// on a busy machine: the widget is drawn, but what the kernel sends afterwards never reaches it.
// Such a model lets every message fail, a meaningless one as well; from then on we hand them over.
// These are private calls: pyproject.toml bounds the version of anywidget.
async function attend(id, model) {
  const other = await model.widget_manager.get_model(id);
  try {
    await other._handle_comm_msg(SILENCE);
  } catch {
    const plain = Object.getPrototypeOf(Object.getPrototypeOf(other));
    other.comm.on_msg((message) => plain._handle_comm_msg.call(other, message));
    model.send({ missed: id });
  }
}

function kernelAddress(id) {
  const config = document.getElementById("jupyter-config-data");
  if (!config || !id) return null;
  return `${JSON.parse(config.textContent).baseUrl || "/"}api/kernels/${id}`;
}

function render({ model, el }) {
  const known = new Set();
  function all() {
    for (const id of model.get("names")) {
      if (!known.has(id)) attend(id, model).catch(() => {}); // it was closed meanwhile
      known.add(id);
    }
  }
  model.on("change:names", all);
  all();

  const address = kernelAddress(model.get("kernel"));
  let failures = 0, asked = 0, stopped = false;

  function lost(words) {
    stopped = true;
    const banner = document.createElement("div");
    banner.className = "mfa-lost";
    banner.setAttribute("role", "alert");
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Reload the page";
    button.addEventListener("click", () => location.reload());
    banner.append(`${words} What you see is the last state, and the controls do nothing. In a notebook, run the cell again. `, button);
    el.replaceChildren(banner);
    el.closest(".mfa-app")?.classList.add("mfa-unlinked");
  }
  async function look() {
    if (stopped || document.visibilityState !== "visible" || !address) return;
    let state = "";
    try {
      const answer = await fetch(address);
      if (answer.status === 404) return lost("The kernel of this page has ended.");
      state = answer.ok ? (await answer.json()).execution_state : "";
      failures = 0;
    } catch {
      failures += 1;
    }
    if (failures > 1) return lost("The server does not answer.");
    if (asked && Date.now() - asked > ANSWER && (state === "idle" || state === "dead")) {
      lost("The kernel of this page was restarted.");
    }
  }
  // A question counts as activity and would keep an idle kernel alive: it follows a visitor's act.
  function ask() {
    if (stopped || asked) return;
    asked = Date.now();
    model.send({ asked: true });
  }
  function answered() {
    asked = 0;
  }
  const app = () => el.closest(".mfa-app");
  const timer = setInterval(look, EVERY);
  const waiting = setTimeout(() => {
    for (const kind of ["click", "change"]) app()?.addEventListener(kind, ask);
  }, 1000);
  model.on("msg:custom", answered);
  return () => {
    clearInterval(timer);
    clearTimeout(waiting);
    for (const kind of ["click", "change"]) app()?.removeEventListener(kind, ask);
    model.off("msg:custom", answered);
    model.off("change:names", all);
  };
}

export default { render };
