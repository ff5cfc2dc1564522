// The page's program. `ort` is the runtime; everything else is taken from the elements above.
const $ = (id) => document.getElementById(id);
const facts = JSON.parse($("facts").textContent);
const { height: H, width: W, branches } = facts;
const COLOURS = ["var(--b0)", "var(--b1)", "var(--b2)", "var(--b3)"];
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
const VALUES = new Uint8Array(128);
[...DIGITS].forEach((digit, value) => { VALUES[digit.charCodeAt(0)] = value; });

async function unpack(id) {
  const text = $(id).textContent;
  const bytes = new Uint8Array(text.length / 5 * 4), view = new DataView(bytes.buffer);
  for (let i = 0, o = 0; i < text.length; i += 5, o += 4) {
    let word = 0;
    for (let k = 0; k < 5; k++) word = word * 85 + VALUES[text.charCodeAt(i + k)];
    view.setUint32(o, word);
  }
  const whole = bytes.subarray(0, +$(id).dataset.bytes);
  $(id).remove();
  const stream = new Blob([whole]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function readWeights(bytes) {
  const runs = facts.runs, count = runs.reduce((a, b) => a + b, 0);
  const scales = new Float32Array(bytes.buffer, 0, runs.length), start = runs.length * 4;
  const length = count + (4 - count % 4) % 4, values = new Float32Array(count);
  for (let run = 0, i = 0; run < runs.length; run++) {
    for (const end = i + runs[run]; i < end; i++) {
      const low = bytes[start + length + (i >> 2)] >> ((i & 3) * 2) & 3;
      values[i] = ((bytes[start + i] << 2 | low) - 512) * scales[run];
    }
  }
  return new Uint8Array(values.buffer);
}

function readHalf(bytes) {
  const words = new Uint16Array(bytes.buffer, 0, bytes.length >> 1), found = new Float32Array(words.length);
  words.forEach((word, i) => {
    const sign = word & 0x8000 ? -1 : 1, power = word >> 10 & 31, rest = word & 1023;
    found[i] = sign * (power ? 2 ** (power - 15) * (1 + rest / 1024) : rest * 2 ** -24);
  });
  return found;
}

const state = { query: 0, toward: null, strokes: [], clean: null, result: null, brush: { x: W / 2, y: H / 2 } };
let session, features, urls, busy = false, again = false;
const picture = $("picture"), context = picture.getContext("2d", { willReadFrequently: true });
[picture.width, picture.height] = [W, H];
const D = branches.reduce((sum, branch) => sum + branch.width, 0);
const GREY = "#808080";

function drawPicture(cursor) {
  context.drawImage(state.clean, 0, 0);
  context.fillStyle = GREY;
  for (const stroke of state.strokes) for (const { x, y, r } of stroke) {
    context.beginPath(); context.arc(x, y, r, 0, 2 * Math.PI); context.fill();
  }
  if (!cursor) return;
  context.strokeStyle = "#fff"; context.lineWidth = 1;
  context.beginPath(); context.arc(state.brush.x, state.brush.y, +$("brush").value, 0, 2 * Math.PI); context.stroke();
}

function readPixels() {
  drawPicture(false);
  const rgba = context.getImageData(0, 0, W, H).data, planes = new Uint8Array(3 * H * W);
  for (let i = 0; i < H * W; i++) for (let c = 0; c < 3; c++) planes[c * H * W + i] = rgba[4 * i + c];
  if (picture.matches(":focus-visible")) drawPicture(true);
  return planes;
}

async function compute(planes) {
  const found = await session.run({ pictures: new ort.Tensor("uint8", planes, [1, 3, H, W]) });
  const embedding = found.embedding.data, length = Math.hypot(...embedding);
  const descriptor = Float32Array.from(embedding, (value) => value / length);
  return { descriptor, parts: branches.map(({ name }) => found[name + ".parts"]) };
}

// What argues for likeness to a direction: the parts of each pixel times the direction.
function mapsToward({ parts }, direction) {
  let start = 0;
  return parts.map((tensor, b) => {
    const [, channels, h, w] = tensor.dims, map = new Float32Array(h * w);
    for (let c = 0; c < channels; c++) for (let i = 0; i < h * w; i++) {
      map[i] += direction[start + c] * tensor.data[c * h * w + i];
    }
    start += branches[b].width;
    return { map, h, w };
  });
}

function rank(descriptor, query) {
  const { person, camera } = facts.pictures[query];
  return facts.pictures.map((other, index) => {
    if (other.camera === camera) return null;
    let at = 0;
    const shares = branches.map(({ width }) => {
      let share = 0;
      for (const end = at + width; at < end; at++) share += descriptor[at] * features[index * D + at];
      return share;
    });
    return { index, shares, score: shares.reduce((a, b) => a + b), same: other.person === person };
  }).filter(Boolean).sort((a, b) => b.score - a.score);
}

function lines({ first, step, count }, size) {
  return Array.from({ length: size }, (_, i) => {
    const place = Math.min(Math.max(((i + .5) / size - first) / step, 0), count - 1), low = Math.floor(place);
    return [low, Math.min(low + 1, count - 1), place - low];
  });
}

function drawMap(canvas, { map, w }, branch, limit) {
  const draw = canvas.getContext("2d"), pixels = context.getImageData(0, 0, W, H), data = pixels.data;
  const rows = lines(branch.rows, H), columns = lines(branch.columns, W);
  for (let y = 0; y < H; y++) for (let x = 0; x < W; x++) {
    const [t, b, v] = rows[y], [l, r, u] = columns[x], i = 4 * (y * W + x);
    const value = ((map[t * w + l] * (1 - u) + map[t * w + r] * u) * (1 - v)
      + (map[b * w + l] * (1 - u) + map[b * w + r] * u) * v) / limit;
    const strength = Math.min(Math.abs(value), 1) ** .7 * .85;
    const light = 60 + .65 * (.3 * data[i] + .59 * data[i + 1] + .11 * data[i + 2]);
    (value > 0 ? [214, 39, 40] : [33, 102, 172]).forEach((tone, c) => {
      data[i + c] = light * (1 - strength) + tone * strength;
    });
  }
  draw.putImageData(pixels, 0, 0);
}

function centre({ map, h, w }) {
  let sum = 0, moment = 0;
  map.forEach((value, i) => { if (value > 0) { sum += value; moment += value * (Math.floor(i / w) + .5) / h; } });
  return moment / sum;
}

function sentence(maps) {
  const centres = maps.map(centre), gaps = centres.slice(1).map((c, i) => c - centres[i]);
  const words = centres.map((c) => Math.round(100 * c) + " %").join(", ");
  if (gaps.every((gap) => gap > .05)) {
    return `The four branches part: from the head down to the feet, their maps are centred at ${words} of the height.`;
  }
  const worst = gaps.indexOf(Math.min(...gaps));
  return `Here the branches do not part well: ${worst + 1} and ${worst + 2} `
    + (gaps[worst] < 0 ? "stand in the wrong order" : "look at nearly the same height") + ` (centres at ${words}).`;
}

function show() {
  const { result, ranking } = state, chosen = state.toward;
  const direction = chosen === null ? result.descriptor : features.subarray(chosen * D, (chosen + 1) * D);
  const maps = mapsToward(result, direction);
  state.maps = maps;
  const all = maps.flatMap(({ map }) => [...map].map(Math.abs)).sort((a, b) => a - b);
  const limit = all[Math.floor(.995 * (all.length - 1))] || 1;
  drawPicture(false);
  maps.forEach((map, b) => drawMap($("maps").children[b].firstChild, map, branches[b], limit));
  if (picture.matches(":focus-visible")) drawPicture(true);
  $("target").textContent = chosen === null ? "the picture's own descriptor" : "the picture that you pressed";
  $("seen").textContent = sentence(maps);
  const first = ranking.findIndex(({ same }) => same) + 1;
  const told = state.strokes.length ? "With what you painted over, the" : "The";
  $("found").innerHTML = first === 1
    ? `<span class="right">Found.</span> ${told} first answer is the same person, seen by the other camera.`
    : `<span class="wrong">Missed.</span> ${told} same person comes only at place ${first}: others look more alike to the network.`;
  $("ranks").replaceChildren(...ranking.slice(0, 10).map(({ index, shares, score, same }, place) => {
    const item = document.createElement("li"), button = document.createElement("button");
    item.className = (same ? "same " : "") + (index === chosen ? "chosen" : "");
    button.setAttribute("aria-pressed", index === chosen);
    button.setAttribute("aria-label", `Place ${place + 1}, ${same ? "the same person" : "another person"}, score ${score.toFixed(2)}`);
    const pieces = shares.map((share, b) => `<b style="width:${Math.max(100 * share, 0)}%;background:${COLOURS[b]}"></b>`);
    button.innerHTML = `<img alt="" src="${urls[index]}"><div class="score">${pieces.join("")}</div><span>${place + 1}. ${score.toFixed(2)}${same ? " ✓" : ""}</span>`;
    button.onclick = () => { state.toward = index === chosen ? null : index; show(); $("ranks").children[place].firstChild.focus(); };
    item.append(button);
    return item;
  }));
}

async function update() {
  if (busy) { again = true; return; }
  busy = true;
  do {
    again = false;
    const start = performance.now(), query = state.query;
    state.result = await compute(readPixels());
    state.ranking = rank(state.result.descriptor, query);
    show();
    $("time").textContent = `Last answer: ${Math.round(performance.now() - start)} ms.`;
    await new Promise(requestAnimationFrame);
  } while (again);
  busy = false;
}

async function choose(index) {
  const image = await createImageBitmap(state.blobs[index]);
  Object.assign(state, { query: index, toward: null, strokes: [], clean: image });
  drawPicture(false);
  if (session) await update();
}

function at(event) {
  const box = picture.getBoundingClientRect();
  return { x: (event.clientX - box.left) / box.width * W, y: (event.clientY - box.top) / box.height * H, r: +$("brush").value };
}
let painting = false;
picture.onpointerdown = (event) => {
  picture.setPointerCapture(event.pointerId); painting = true;
  state.strokes.push([at(event)]); drawPicture(false); update();
};
picture.onpointermove = (event) => {
  if (painting) { state.strokes.at(-1).push(at(event)); drawPicture(false); update(); }
};
picture.onpointerup = picture.onpointercancel = () => { painting = false; };
picture.onkeydown = (event) => {
  const moves = { ArrowUp: [0, -6], ArrowDown: [0, 6], ArrowLeft: [-6, 0], ArrowRight: [6, 0] }, move = moves[event.key];
  if (move) {
    state.brush = { x: Math.min(Math.max(state.brush.x + move[0], 0), W), y: Math.min(Math.max(state.brush.y + move[1], 0), H) };
    drawPicture(true);
  } else if (event.key === " ") {
    state.strokes.push([{ ...state.brush, r: +$("brush").value }]); update();
  } else return;
  event.preventDefault();
};
picture.onfocus = () => drawPicture(picture.matches(":focus-visible"));
picture.onblur = () => drawPicture(false);
$("undo").onclick = () => { state.strokes.pop(); update(); };
$("clear").onclick = () => { state.strokes = []; update(); };

async function begin() {
  const jpegs = await unpack("jpegs");
  let place = 0;
  state.blobs = facts.jpeg.map((length) => new Blob([jpegs.subarray(place, place += length)], { type: "image/jpeg" }));
  urls = state.blobs.map((blob) => URL.createObjectURL(blob));
  branches.forEach(({ name }, b) => {
    const figure = document.createElement("figure"), canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [W, H];
    canvas.setAttribute("role", "img"); canvas.setAttribute("aria-label", `Map of branch ${b + 1}`);
    const caption = document.createElement("figcaption");
    caption.innerHTML = `<i style="background:${COLOURS[b]}"></i>${name.replace("branch", "Branch ")}`;
    figure.append(canvas, caption); $("maps").append(figure);
  });
  $("shares").innerHTML = branches.map((_, b) => `<b style="color:${COLOURS[b]}">■</b> ${b + 1}`).join(" ") + ":";
  facts.pictures.forEach(({ person, camera }, index) => {
    if (camera !== 1) return;
    const label = document.createElement("label");
    label.innerHTML = `<input type="radio" name="person" aria-label="Person ${person}" ${index ? "" : "checked"}><img alt="" src="${urls[index]}">`;
    label.firstChild.onchange = () => choose(index);
    $("people").append(label);
  });
  const others = facts.pictures.filter(({ camera }) => camera !== 1).length;
  $("gallery").textContent = `it searches ${others} pictures of the other camera, two of each person`;
  await choose(0);
  const names = ["wasm", "glue", "graph", "weights", "features"];
  const [wasm, glue, graph, weights, half] = await Promise.all(names.map(unpack));
  features = readHalf(half);
  const mjs = URL.createObjectURL(new Blob([glue], { type: "text/javascript" }));
  Object.assign(ort.env.wasm, { numThreads: 1, wasmBinary: wasm, wasmPaths: { mjs } });
  session = await ort.InferenceSession.create(graph, { executionProviders: ["wasm"],
    externalData: [{ path: "weights", data: readWeights(weights) }] });
  await update();
  document.body.dataset.ready = Math.round(performance.now());
}
// For tests and for the curious: what the page computes of what it shows.
window.mfa = { state, readPixels, facts };
begin().catch((error) => { $("seen").textContent = `The page cannot compute here: ${error.message ?? error}`; throw error; });
