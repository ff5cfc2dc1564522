const SILENCE = { content: { data: { method: "none" } } };

// anywidget takes no message for a model whose script came later than 2 s after it, which happens
// on a busy machine: the widget is drawn, but what it is told afterwards never reaches it. Such a
// model lets every message fail, a meaningless one as well; from then on we hand them over.
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

function render({ model }) {
  const known = new Set();
  function all() {
    for (const id of model.get("names")) {
      if (!known.has(id)) attend(id, model).catch(() => {}); // it was closed meanwhile
      known.add(id);
    }
  }
  model.on("change:names", all);
  all();
  return () => model.off("change:names", all);
}

export default { render };
