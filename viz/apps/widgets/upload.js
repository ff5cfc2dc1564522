// A photo has 24 million pixels, the network looks at 256 x 128: it is made smaller here.
async function shrunk(file, most) {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  const share = Math.min(1, most / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(share * picture.width));
  canvas.height = Math.max(1, Math.round(share * picture.height));
  const pen = canvas.getContext("2d");
  pen.fillStyle = "white"; // behind what is transparent
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.95));
  return blob.arrayBuffer();
}

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

  function draw() {
    button.textContent = model.get("label");
    button.title = model.get("tip");
  }
  input.addEventListener("change", async () => {
    const file = input.files[0];
    if (!file) return;
    const content = await shrunk(file, model.get("side")).catch(() => new ArrayBuffer(0));
    input.value = ""; // the same file may be chosen again
    model.set("name", file.name);
    model.set("content", new DataView(content));
    model.set("chosen", model.get("chosen") + 1);
    model.save_changes();
  });
  model.on("change:label change:tip", draw);
  draw();
  return () => model.off("change:label change:tip", draw);
}

export default { render };
