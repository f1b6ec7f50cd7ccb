// The picture: lanes of processes, tracks of objects, arrows, and the map of the whole run above them.

const AXIS_HEIGHT = 26, LANE = LANES > 40 ? 22 : LANES > 6 ? 32 : 44, TRACK = LANES > 6 ? 40 : 46, BAR = LANES > 40 ? 12 : LANES > 6 ? 14 : 18;
const OBJECT_COLORS = 8;
/** From this many arrows in view, only those of the lane under the pointer and of what is selected are drawn. */
const ARROWS = 200;
const INSET = 10;

const canvas = document.getElementById("canvas"), scroller = document.getElementById("scroller");
const map = document.getElementById("map");
const pen = canvas.getContext("2d"), mapPen = map.getContext("2d");

const tracks = run.tracks.map((track) => {
  const count = track.at.length;
  const times = new Float64Array(count), places = Int32Array.from(track.event);
  let time = 0;
  for (let i = 0; i < count; i++) times[i] = time += track.at[i];
  let low = 0, high = track.limit ?? 0;
  if (track.shape === "number") for (const value of track.values) { low = Math.min(low, value); high = Math.max(high, value); }
  return { ...track, times, places, low, high: high > low ? high : low + 1 };
});
const holds = Array.from({ length: LANES }, () => []);
for (const [process, object, from, to, begin, end] of run.holds) holds[process].push({ object, from, to, begin, end });
const open = Array.from({ length: LANES }, () => []);
for (const [process, begin, end, doing, step] of run.open) open[process].push({ begin, end, doing, step });

const view = {
  axis: makeAxis("time"), from: 0, to: 1, label: 120, width: 0, height: 0,
  selected: -1, relation: null, hover: null, found: [], query: "",
};
/** The events that stand out: found, or deciding what failed. */
const FOUND = 1, FAILING = 2, marked = new Uint8Array(COUNT);
for (const at of run.witnesses) marked[at] |= FAILING;
const ROWS = AXIS_HEIGHT + LANES * LANE + (tracks.length ? 14 : 0);
const TOTAL = ROWS + tracks.length * TRACK + 6;

let color = {};
function readColors() {
  const style = getComputedStyle(document.documentElement);
  const get = (name) => style.getPropertyValue(`--${name}`).trim();
  const names = ["text", "faint", "line", "soft", "page", "panel", "operation", "blocked", "stripe", "sleep", "bad", "good", "past", "future", "accent", "busy"];
  color = Object.fromEntries(names.map((name) => [name, get(name)]));
  color.objects = Array.from({ length: OBJECT_COLORS }, (_, i) => get(`object-${i}`));
  const tile = document.createElement("canvas");
  const ratio = devicePixelRatio || 1;
  tile.width = tile.height = 6 * ratio;
  const brush = tile.getContext("2d");
  brush.scale(ratio, ratio);
  brush.fillStyle = color.blocked;
  brush.fillRect(0, 0, 6, 6);
  brush.strokeStyle = color.stripe;
  brush.lineWidth = 1.4;
  for (const shift of [-6, 0, 6]) { brush.beginPath(); brush.moveTo(shift - 1, 7); brush.lineTo(shift + 7, -1); brush.stroke(); }
  color.hatch = pen.createPattern(tile, "repeat");
  color.hatch.setTransform(new DOMMatrix().scale(1 / ratio));
}

const objectColor = (object) => color.objects[Math.abs(object) % OBJECT_COLORS];
const right = () => view.width - INSET;
const toX = (x) => view.label + INSET / 2 + (x - view.from) / (view.to - view.from) * (right() - view.label - INSET / 2);
const fromX = (px) => view.from + (px - view.label - INSET / 2) / (right() - view.label - INSET / 2) * (view.to - view.from);
const laneTop = (process) => AXIS_HEIGHT + process * LANE;
const trackTop = (i) => ROWS + i * TRACK;

/** Makes a canvas as large as it is shown. */
function fit(element, brush, width, height) {
  const ratio = devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (element.width !== w || element.height !== h) { element.width = w; element.height = h; }
  brush.setTransform(ratio, 0, 0, ratio, 0, 0);
  brush.clearRect(0, 0, width, height);
}

function layout() {
  view.width = scroller.clientWidth;
  view.height = scroller.clientHeight;
  canvas.style.width = `${view.width}px`;
  canvas.style.height = `${view.height}px`;
  pen.font = FONT;
  const names = [...run.processes.slice(0, 500).map(plain), ...tracks.slice(0, 500).map((t) => objectName(t.object))];
  const most = names.reduce((most, name) => Math.max(most, pen.measureText(shorten(name, 28)).width), 40);
  pen.font = SMALL;
  const notes = [...tracks.slice(0, 500).map(trackNote), "time, idle folded"];
  const wide = notes.reduce((most, note) => Math.max(most, pen.measureText(note).width), most);
  view.label = Math.min(wide + 26, view.width * 0.3);
}

function trackNote(track) {
  return run.objects[track.object].kind + (track.limit !== null ? ` · limit ${track.limit}` : "");
}

const FONT = "12px system-ui, sans-serif", SMALL = "10.5px system-ui, sans-serif";

let pending = false;
function redraw() {
  if (pending) return;
  pending = true;
  requestAnimationFrame(() => { pending = false; draw(); });
}

let drawn = 0;
function draw() {
  const begun = performance.now();
  fit(canvas, pen, view.width, view.height);
  const scroll = scroller.scrollTop, axis = view.axis;
  pen.textBaseline = "middle";
  pen.save();
  pen.translate(0, -scroll);
  const seen = (top, height) => top + height > scroll + AXIS_HEIGHT && top < scroll + view.height;
  grid(axis, scroll);
  for (let process = 0; process < LANES; process++) if (seen(laneTop(process), LANE)) lane(process, axis);
  for (let i = 0; i < tracks.length; i++) if (seen(trackTop(i), TRACK)) drawTrack(tracks[i], trackTop(i), axis);
  drawArrows(axis, scroll);
  selection(axis);
  pen.restore();
  labels(scroll);
  marks(axis);
  drawMap();
  drawn = performance.now() - begun;
}

/** Idle folds and lines under the rows. */
function grid(axis, scroll) {
  pen.fillStyle = color.soft;
  if (axis.kind === "folded") {
    for (const fold of folds) {
      const x0 = Math.max(toX(fold.x), view.label), x1 = toX(fold.x + run.foldWidth);
      if (x1 > view.label && x0 < right()) pen.fillRect(x0, scroll + AXIS_HEIGHT, x1 - x0, view.height);
    }
  }
  pen.strokeStyle = color.line;
  pen.lineWidth = 1;
  pen.beginPath();
  for (const mark of axis.marks(view.from, view.to, right() - view.label)) {
    const x = Math.round(toX(mark.x)) + 0.5;
    if (x >= view.label) { pen.moveTo(x, scroll + AXIS_HEIGHT); pen.lineTo(x, scroll + view.height); }
  }
  pen.stroke();
}

/** The events of a lane that reach into view, as numbers in the lane. */
function inView(list, axis) {
  const first = lowerBound(list.length, view.from, (i) => axis.end[list[i]]);
  return [first, list.length];
}

function lane(process, axis) {
  const top = laneTop(process), list = lanes[process], y = top + (LANE - BAR) / 2 - (LANE > 24 ? 3 : 0);
  pen.save();
  pen.beginPath();
  pen.rect(view.label, top, right() - view.label + INSET, LANE);
  pen.clip();
  if (list.length) {
    const x0 = toX(axis.begin[list[0]]), x1 = toX(axis.kind === "step" && run.ends[process].open ? axis.max : axis.ofTime(run.ends[process].at));
    pen.fillStyle = color.busy;
    pen.fillRect(x0, y + BAR / 2 - 0.75, Math.max(x1 - x0, 1), 1.5);
  }
  const [first, last] = inView(list, axis);
  // A run of events in the same colour that fall on the same pixels is one rectangle.
  let runColor = null, runStrip = null, runFrom = 0, runTo = 0, runAlpha = 1;
  const flush = () => {
    if (runColor === null) return;
    if (runAlpha < 1) {
      pen.fillStyle = color.page;
      pen.fillRect(runFrom, y, runTo - runFrom, BAR);
    }
    pen.globalAlpha = runAlpha;
    pen.fillStyle = runColor;
    pen.fillRect(runFrom, y, runTo - runFrom, BAR);
    pen.globalAlpha = 1;
    if (runStrip) {
      pen.fillStyle = runStrip;
      pen.fillRect(runFrom, y + BAR - 3, runTo - runFrom, 3);
    }
    runColor = null;
  };
  const bad = [], texts = [];
  const outlines = [];
  // Where what stands behind the last event ends: at a step that never did, or at the picture's edge.
  const left = open[process].find((span) => span.doing !== "unrecorded");
  const free = left ? toX(openEnds(left, process, axis)[0]) : right();
  const scale = (right() - view.label - INSET / 2) / (view.to - view.from), origin = toX(0);
  let covered = -Infinity;
  for (let i = first; i < last; i++) {
    const at = list[i];
    if (axis.begin[at] > view.to) break;
    // What ends on pixels that are drawn already is not seen, unless it is marked.
    const ends = origin + axis.end[at] * scale;
    if (ends <= covered + 0.6 && !marked[at] && events.outcome[at] === 0) continue;
    covered = ends;
    const left = Math.max(toX(axis.begin[at]), view.label - 4), end = Math.min(toX(axis.end[at]), view.width + 4);
    const x1 = Math.max(end, left + 2), [fill, alpha, strip] = paint(at);
    const wide = x1 - left > 4 ? x1 - 1 : x1, small = wide - left < 3;
    if (fill === runColor && alpha === runAlpha && strip === runStrip && left <= runTo + 0.4 && small) runTo = Math.max(runTo, wide);
    else if (runColor !== null && wide - left <= 2.01 && wide <= runTo && alpha <= runAlpha && fill !== color.hatch) { /* hidden behind */ }
    else { flush(); runColor = fill; runFrom = left; runTo = wide; runAlpha = alpha; runStrip = strip; }
    const part = events.flags[at] & IMPLICIT;
    if (events.outcome[at] !== 0 && !part && (!bad.length || wide - bad[bad.length - 1] > 3)) bad.push(wide - 2);
    if (marked[at] && (!outlines.length || left - outlines[outlines.length - 1][0] > 1)) outlines.push([left, wide, marked[at] & FAILING]);
    const next = i + 1 < list.length ? toX(axis.begin[list[i + 1]]) : free;
    if (texts.length < 300 && !part && (wide - left > 26 || next - left > 40)) texts.push([at, left, wide, next]);
  }
  flush();
  pen.globalAlpha = 1;
  for (const span of open[process]) openSpan(span, process, axis, y);
  const held = { x: -Infinity };
  if (LANE > 24) for (const hold of holds[process]) holdBar(hold, axis, top, held);
  pen.fillStyle = color.bad;
  for (const x of bad) pen.fillRect(x, y - 3, 2.5, BAR + 3);
  for (const [x0, x1, isBad] of outlines) {
    pen.strokeStyle = isBad ? color.bad : color.accent;
    pen.lineWidth = 2;
    pen.strokeRect(x0 - 1.5, y - 1.5, Math.max(x1 - x0 + 3, 5), BAR + 3);
  }
  pen.font = SMALL;
  for (const [at, left, wide, next] of texts) barText(at, left, wide, next, y);
  if (run.ends[process].bad && list.length) {
    const x = toX(axis.kind === "step" ? (run.ends[process].open ? axis.max : axis.end[list[list.length - 1]]) : axis.ofTime(run.ends[process].at));
    pen.font = `bold ${SMALL}`;
    pen.fillStyle = color.bad;
    const text = `✗ ${run.ends[process].text}`;
    const width = pen.measureText(text).width;
    const beside = x + 4 + width < right();
    if (beside) pen.fillText(text, x + 4, y + BAR / 2);
    else { pen.fillStyle = color.page; pen.fillRect(right() - width - 8, y - 1, width + 8, BAR + 2); pen.fillStyle = color.bad; pen.fillText(text, right() - width - 4, y + BAR / 2); }
  }
  pen.restore();
}

/** The fill of an event, how strong it is, and the strip that tells past and future where the fill cannot. */
function paint(at) {
  const relation = view.relation?.[at];
  const alpha = relation === CONCURRENT ? 0.28 : events.flags[at] & IMPLICIT ? 0.7 : 1;
  const tint = relation === PAST ? color.past : relation === FUTURE ? color.future : null;
  if (events.flags[at] & BLOCKED) return [color.hatch, alpha, tint];
  if (tint) return [tint, 1, null];
  return [events.flags[at] & LONG ? color.sleep : color.operation, alpha, null];
}

/** The event's words in its bar, or behind it where there is room. */
function barText(at, left, wide, next, y) {
  const inside = wide - left, start = Math.max(left, view.label);
  const words = LABELLED.has(verbOf(at)) ? labelOf(at) || verbOf(at) : action(at);
  const value = events.value[at] && !(events.flags[at] & LONG) ? ` ${shorten(valueWords(events.value[at]), 18)}` : "";
  const fits = (text, room) => pen.measureText(text).width <= room - 6;
  const roomInside = wide - start;
  const on = [words + value, words, verbOf(at)].find((text) => fits(text, roomInside));
  const blocked = events.flags[at] & BLOCKED, tinted = view.relation && (view.relation[at] === PAST || view.relation[at] === FUTURE);
  const pale = events.flags[at] & LONG && !tinted;
  if (view.relation && view.relation[at] === CONCURRENT) pen.globalAlpha = 0.45;
  if (on && inside > 26) {
    if (blocked) {
      pen.fillStyle = color.blocked;
      pen.fillRect(start + 2, y + 1.5, pen.measureText(on).width + 4, BAR - 3);
    }
    pen.fillStyle = blocked || pale ? color.text : "#fff";
    pen.fillText(on, start + 4, y + BAR / 2 + 0.5);
  } else {
    const room = next - wide - 4;
    const off = [words + value, words, verbOf(at)].find((text) => fits(text, room));
    if (off && room > 24 && wide >= view.label) {
      const width = pen.measureText(off).width;
      pen.fillStyle = color.page;
      pen.fillRect(wide + 1, y + 1, width + 4, BAR - 2);
      pen.fillStyle = color.text;
      pen.fillText(off, wide + 3, y + BAR / 2 + 0.5);
    }
  }
  pen.globalAlpha = 1;
}

/** From where to where a span without an event goes. */
function openEnds(span, process, axis) {
  if (axis.kind !== "step") return [axis.ofTime(span.begin), axis.ofTime(span.end)];
  const list = lanes[process];
  return [list.length ? list[list.length - 1] + 1 : 0, axis.max];
}

/** A step that never ended, or a stretch of which nothing was recorded. */
function openSpan(span, process, axis, y) {
  const [from, to] = openEnds(span, process, axis);
  const x0 = Math.max(toX(from), view.label - 4), x1 = Math.min(toX(to), view.width);
  if (x1 <= x0) return;
  if (span.doing === "unrecorded") {
    pen.fillStyle = color.sleep;
    for (let x = x0; x < x1; x += 6) pen.fillRect(x, y + BAR / 2 - 1.5, 3, 3);
    return;
  }
  pen.fillStyle = color.hatch;
  pen.fillRect(x0, y, x1 - x0, BAR);
  pen.strokeStyle = color.bad;
  pen.lineWidth = 1.5;
  pen.strokeRect(x0 + 0.75, y + 0.75, x1 - x0 - 1.5, BAR - 1.5);
  pen.font = SMALL;
  const text = `${plain(span.doing)} …`, width = pen.measureText(text).width;
  if (x1 - x0 > width + 12) {
    pen.fillStyle = color.blocked;
    pen.fillRect(x0 + 3, y + 2, width + 6, BAR - 4);
    pen.fillStyle = color.text;
    pen.fillText(text, x0 + 6, y + BAR / 2 + 0.5);
  }
}

function holdBar(hold, axis, top, held) {
  const stepping = axis.kind === "step";
  const x0 = Math.max(toX(stepping ? hold.from + 1 : axis.end[hold.from]), view.label);
  const until = hold.to >= 0 ? (stepping ? hold.to : axis.begin[hold.to]) : stepping ? axis.max : axis.ofTime(hold.end);
  const x1 = Math.min(toX(until), view.width);
  if (x1 < view.label || x0 > right() || x1 < held.x + 0.6 && x1 - x0 < 1) return;
  held.x = x1;
  pen.globalAlpha = view.relation && view.relation[hold.from] === CONCURRENT ? 0.35 : 1;
  pen.fillStyle = objectColor(hold.object);
  pen.fillRect(x0, top + LANE - 8 + 2 * (hold.row ?? 0), Math.max(x1 - x0, 1.5), 4);
  pen.globalAlpha = 1;
}

/** Holds that overlap lie under one another. */
for (const list of holds) {
  const ends = [];
  for (const hold of list) {
    let row = ends.findIndex((end) => end <= hold.begin);
    if (row < 0) row = ends.length;
    ends[row] = hold.end;
    hold.row = Math.min(row, 1) * 1;
  }
}

function levelX(track, i, axis) {
  if (i >= track.times.length) return axis.max;
  if (axis.kind === "step") return track.places[i] < 0 ? 0 : track.places[i] + 1;
  return axis.ofTime(track.times[i]);
}

function drawTrack(track, top, axis) {
  const bottom = top + TRACK - 8, height = TRACK - 16, count = track.times.length;
  const yOf = (value) => bottom - (value - track.low) / (track.high - track.low) * height;
  pen.save();
  pen.beginPath();
  pen.rect(view.label, top, right() - view.label + INSET, TRACK);
  pen.clip();
  pen.strokeStyle = color.line;
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(view.label, bottom + 0.5);
  pen.lineTo(right(), bottom + 0.5);
  pen.stroke();
  let i = Math.max(0, lowerBound(count, view.from, (k) => levelX(track, k, axis)) - 1);
  const tint = objectColor(track.object), written = [];
  pen.font = SMALL;
  while (i < count) {
    const at = levelX(track, i, axis);
    if (at > view.to) break;
    let x0 = Math.max(toX(at), view.label), x1 = Math.min(toX(levelX(track, i + 1, axis)), right());
    let low = track.values[i], high = low, last = i, any = track.values[i];
    // Levels that begin within one pixel: their least and greatest, then the last of them.
    const most = fromX(x0 + 1);
    while (last + 1 < count && levelX(track, last + 1, axis) < most) {
      last++;
      if (track.shape === "number") { low = Math.min(low, track.values[last]); high = Math.max(high, track.values[last]); }
      any ??= track.values[last];
    }
    if (last > i) x1 = Math.min(toX(levelX(track, last + 1, axis)), right());
    const width = Math.max(x1 - x0, 1), value = track.values[last];
    if (track.shape === "number") {
      pen.fillStyle = tint;
      pen.globalAlpha = 0.25;
      pen.fillRect(x0, yOf(value), width, bottom - yOf(value));
      pen.globalAlpha = 1;
      pen.fillRect(x0, yOf(value) - 1, width, 2);
      if (high > low) pen.fillRect(x0 - 0.75, yOf(high) - 1, 1.5, yOf(low) - yOf(high) + 2);
      if (last > 0 && last === i) {
        const before = yOf(track.values[i - 1]), now = yOf(value);
        pen.fillRect(x0 - 0.75, Math.min(before, now), 1.5, Math.abs(before - now));
      }
      if (width > 14) written.push([x0, width, String(value), yOf(value)]);
    } else if (value === null && any !== null) {
      pen.fillStyle = tint;
      pen.fillRect(x0, top + 9, 1, TRACK - 18);
    } else if (value !== null) {
      pen.fillStyle = tint;
      pen.globalAlpha = 0.3;
      pen.fillRect(x0, top + 9, Math.max(width - 0.5, 1), TRACK - 18);
      pen.globalAlpha = 1;
      const text = track.shape === "owner" ? processName(value) : shorten(plain(value), 40);
      if (width > 20) written.push([x0, width, text, null]);
    }
    i = last + 1;
  }
  if (track.limit !== null && track.shape === "number") {
    const y = Math.round(yOf(track.limit)) + 0.5;
    pen.strokeStyle = color.bad;
    pen.setLineDash([5, 4]);
    pen.beginPath();
    pen.moveTo(view.label, y);
    pen.lineTo(right(), y);
    pen.stroke();
    pen.setLineDash([]);
  }
  pen.fillStyle = color.text;
  for (const [x, width, text, y] of written) {
    if (pen.measureText(text).width > width - 5) continue;
    pen.fillText(text, x + 4, y === null ? top + TRACK / 2 : y > top + TRACK / 2 ? y - 7 : y + 8);
  }
  pen.restore();
}

/** The arrows that are drawn: all in view, or those of one lane and of what is selected. */
function shownArrows(axis, scroll) {
  const all = [], seen = (process) => laneTop(process) + LANE > scroll && laneTop(process) < scroll + view.height;
  for (const arrow of arrows) {
    const [x0, x1] = arrowEnds(axis, arrow);
    if (Math.max(x0, x1) < view.from || Math.min(x0, x1) > view.to) continue;
    if (seen(events.process[arrow.from]) || seen(events.process[arrow.to])) all.push(arrow);
  }
  if (all.length <= ARROWS) return all;
  const lane = view.hover?.process ?? -1, selected = view.selected;
  const own = all.filter(({ from, to }) => from === selected || to === selected);
  const hovered = lane < 0 ? [] : all.filter(({ from, to }) => events.process[from] === lane || events.process[to] === lane);
  return [...hovered.slice(0, 2 * ARROWS), ...own];
}

const DASHES = { message: [], start: [], end: [], "hand-over": [5, 3], wake: [5, 3], signal: [2, 2] };

function drawArrows(axis, scroll) {
  pen.save();
  pen.beginPath();
  pen.rect(view.label, scroll + AXIS_HEIGHT, right() - view.label + INSET, view.height);
  pen.clip();
  for (const arrow of shownArrows(axis, scroll)) {
    const { from, to, kind, certain } = arrow, [ax, bx] = arrowEnds(axis, arrow), x0 = toX(ax), x1 = toX(bx);
    const own = from === view.selected || to === view.selected;
    const middle = (process) => laneTop(process) + LANE / 2 - (LANE > 24 ? 3 : 0);
    const down = events.process[to] > events.process[from] ? 1 : -1;
    const y0 = middle(events.process[from]) + down * BAR / 2, y1 = middle(events.process[to]) - down * BAR / 2;
    pen.globalAlpha = own ? 1 : view.relation ? (view.relation[from] && view.relation[to] ? 0.5 : 0.12) : 0.8;
    pen.strokeStyle = pen.fillStyle = own ? (to === view.selected ? color.past : color.future) : kind === "message" ? color.text : color.faint;
    pen.lineWidth = own ? 2 : kind === "start" || kind === "end" ? 0.8 : 1.2;
    pen.setLineDash(certain ? DASHES[kind] : [1.5, 3]);
    // A bow where other lanes lie between, so that it is distinct from their contents.
    const bow = Math.abs(events.process[to] - events.process[from]) > 1 ? Math.min(18, 6 + Math.abs(y1 - y0) / 20) : 0;
    const cx = (x0 + x1) / 2 + bow, cy = (y0 + y1) / 2, angle = Math.atan2(y1 - cy, x1 - cx);
    pen.beginPath();
    pen.moveTo(x0, y0);
    pen.quadraticCurveTo(cx, cy, x1, y1);
    pen.stroke();
    pen.setLineDash([]);
    pen.beginPath();
    pen.moveTo(x1, y1);
    for (const side of [-0.42, 0.42]) pen.lineTo(x1 - 7 * Math.cos(angle + side), y1 - 7 * Math.sin(angle + side));
    pen.closePath();
    pen.fill();
  }
  pen.restore();
}

function selection(axis) {
  const at = view.selected;
  if (at < 0) return;
  const process = events.process[at], y = laneTop(process) + (LANE - BAR) / 2 - (LANE > 24 ? 3 : 0);
  const x0 = Math.max(toX(axis.begin[at]), view.label - 4), x1 = Math.max(toX(axis.end[at]), x0 + 2);
  if (x1 < view.label || x0 > view.width) return;
  pen.strokeStyle = color.page;
  pen.lineWidth = 5;
  pen.strokeRect(x0 - 2.5, y - 2.5, x1 - x0 + 5, BAR + 5);
  pen.strokeStyle = color.accent;
  pen.lineWidth = 2.5;
  pen.strokeRect(x0 - 2.5, y - 2.5, x1 - x0 + 5, BAR + 5);
}

function labels(scroll) {
  pen.fillStyle = color.page;
  pen.fillRect(0, 0, view.label - 1, view.height);
  pen.strokeStyle = color.line;
  pen.lineWidth = 1;
  pen.beginPath();
  pen.moveTo(view.label - 0.5, 0);
  pen.lineTo(view.label - 0.5, view.height);
  const selected = view.selected >= 0 ? events.process[view.selected] : -1;
  const name = (text, top, height, bold, note) => {
    pen.font = bold ? `bold ${FONT}` : FONT;
    pen.fillStyle = color.text;
    const y = top + height / 2 - (note ? 7 : 0);
    clipped(text, 12, y, view.label - 18);
    if (note) { pen.font = SMALL; pen.fillStyle = color.faint; clipped(note, 12, y + 14, view.label - 18); }
  };
  for (let process = 0; process < LANES; process++) {
    const top = laneTop(process) - scroll;
    if (top + LANE < AXIS_HEIGHT || top > view.height) continue;
    if (run.ends[process].bad) { pen.fillStyle = color.bad; pen.fillRect(4, top + 6, 3, LANE - 12); }
    name(processName(process), top, LANE - (LANE > 24 ? 6 : 0), process === selected);
  }
  if (tracks.length) {
    const y = ROWS - 7.5 - scroll;
    pen.moveTo(0, y);
    pen.lineTo(view.width, y);
  }
  for (let i = 0; i < tracks.length; i++) {
    const top = trackTop(i) - scroll, track = tracks[i];
    if (top + TRACK < AXIS_HEIGHT || top > view.height) continue;
    pen.fillStyle = objectColor(track.object);
    pen.fillRect(4, top + 9, 3, TRACK - 18);
    name(objectName(track.object), top, TRACK, false, trackNote(track));
  }
  pen.stroke();
}

function clipped(text, x, y, room) {
  let shown = text;
  for (let length = Math.min(text.length, 60); pen.measureText(shown).width > room && length > 2; length--) shown = shorten(text, length);
  pen.fillText(shown, x, y);
}

function marks(axis) {
  pen.fillStyle = color.page;
  pen.fillRect(0, 0, view.width, AXIS_HEIGHT);
  pen.font = SMALL;
  pen.fillStyle = color.faint;
  pen.fillText(axis.kind === "step" ? "step" : axis.kind === "folded" ? "time, idle folded" : "time", 12, AXIS_HEIGHT / 2);
  pen.save();
  pen.beginPath();
  pen.rect(view.label, 0, view.width - view.label, AXIS_HEIGHT);
  pen.clip();
  if (axis.kind === "folded") {
    pen.font = `italic ${SMALL}`;
    for (const fold of folds) {
      const x0 = toX(fold.x), x1 = toX(fold.x + run.foldWidth), text = duration(fold.to - fold.from);
      if (x1 > view.label && x0 < right()) {
        pen.fillStyle = color.soft;
        pen.fillRect(x0, 0, x1 - x0, AXIS_HEIGHT);
        pen.fillStyle = color.faint;
        const width = pen.measureText(text).width;
        if (width + 4 < x1 - x0) pen.fillText(text, (x0 + x1 - width) / 2, AXIS_HEIGHT / 2);
        else if (x1 - x0 > 16) pen.fillText("⋯", (x0 + x1) / 2 - 4, AXIS_HEIGHT / 2);
      }
    }
    pen.font = SMALL;
  }
  pen.fillStyle = color.text;
  for (const mark of axis.marks(view.from, view.to, right() - view.label)) {
    const x = toX(mark.x), width = pen.measureText(mark.text).width;
    if (x + width + 4 < view.width) pen.fillText(mark.text, x + 4, AXIS_HEIGHT / 2);
  }
  pen.restore();
  pen.strokeStyle = color.line;
  pen.beginPath();
  pen.moveTo(0, AXIS_HEIGHT - 0.5);
  pen.lineTo(view.width, AXIS_HEIGHT - 0.5);
  pen.stroke();
}

/** What lies at a place of the picture: an event, a lane, a track. */
function pick(px, py) {
  const y = py + scroller.scrollTop, x = fromX(px), axis = view.axis;
  if (py < AXIS_HEIGHT) return null;
  const process = Math.floor((y - AXIS_HEIGHT) / LANE);
  if (process >= 0 && process < LANES) {
    const list = lanes[process], slack = (view.to - view.from) / view.width * 5;
    if (px < view.label) return { process, event: -1 };
    for (const span of open[process]) {
      const [from, to] = openEnds(span, process, axis);
      if (span.doing !== "unrecorded" && x >= from && x <= to) return { process, event: -1, span };
    }
    let best = -1, distance = Infinity;
    for (let i = lowerBound(list.length, x - slack, (k) => axis.end[list[k]]); i < list.length; i++) {
      const at = list[i];
      if (axis.begin[at] > x + slack) break;
      const away = x < axis.begin[at] ? axis.begin[at] - x : x > axis.end[at] ? x - axis.end[at] : 0;
      // Of several at the pointer the shortest: what took long is easy to hit elsewhere.
      const cost = away * 1e3 + Math.max(axis.end[at] - axis.begin[at], 0) * 1e-3;
      if (cost < distance) { distance = cost; best = at; }
    }
    return { process, event: best };
  }
  const i = Math.floor((y - ROWS) / TRACK);
  if (i >= 0 && i < tracks.length) {
    const track = tracks[i];
    const level = Math.max(0, lowerBound(track.times.length, x + 1e-9, (k) => levelX(track, k, axis)) - 1);
    return { track, level, event: track.places[level] ?? -1 };
  }
  return null;
}
