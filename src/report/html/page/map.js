// The map above the picture: the whole run, and which part of it is in view.

/** The map of the whole run: how many processes wait and work, at each pixel. Made anew when the axis or width changes. */
let mapOf = null;
function mapCounts(width) {
  if (mapOf?.axis === view.axis && mapOf.width === width) return mapOf;
  const work = new Float64Array(width + 1), wait = new Float64Array(width + 1), axis = view.axis;
  const add = (into, x0, x1) => {
    const a = Math.max(0, Math.min(width - 1, Math.floor(x0 / axis.max * width)));
    const b = Math.max(a, Math.min(width - 1, Math.ceil(x1 / axis.max * width) - 1));
    into[a]++;
    into[b + 1]--;
  };
  for (let at = 0; at < COUNT; at++) {
    if (!(events.flags[at] & LONG)) add(events.flags[at] & BLOCKED ? wait : work, axis.begin[at], axis.end[at]);
  }
  for (let process = 0; process < LANES; process++) for (const span of open[process]) {
    if (span.doing === "unrecorded") continue;
    add(wait, openEnds(span, process, axis)[0], axis.max);
  }
  for (let x = 1; x <= width; x++) { work[x] += work[x - 1]; wait[x] += wait[x - 1]; }
  let most = 1;
  for (let x = 0; x < width; x++) most = Math.max(most, Math.sqrt(work[x]) + Math.sqrt(wait[x]));
  return mapOf = { axis, width, work, wait, most };
}

function drawMap() {
  const width = map.clientWidth, height = map.clientHeight;
  fit(map, mapPen, width, height);
  if (width < 2) return;
  const counts = mapCounts(width), axis = view.axis, scale = (height - 10) / counts.most;
  for (let x = 0; x < width; x++) {
    const wait = Math.sqrt(counts.wait[x]) * scale, work = Math.sqrt(counts.work[x]) * scale;
    mapPen.fillStyle = color.stripe;
    if (wait > 0) mapPen.fillRect(x, height - wait, 1, wait);
    mapPen.fillStyle = color.operation;
    if (work > 0) mapPen.fillRect(x, height - wait - Math.max(work, 1.5), 1, Math.max(work, 1.5));
  }
  const tick = (at, fill, top) => { mapPen.fillStyle = fill; mapPen.fillRect(axis.end[at] / axis.max * width - 1, top, 2, 7); };
  for (const at of view.found.slice(0, 2000)) tick(at, color.accent, 7);
  for (const at of run.witnesses) tick(at, color.bad, 0);
  const x0 = view.from / axis.max * width, x1 = view.to / axis.max * width;
  mapPen.fillStyle = color.page;
  mapPen.globalAlpha = 0.62;
  mapPen.fillRect(0, 0, x0, height);
  mapPen.fillRect(x1, 0, width - x1, height);
  mapPen.globalAlpha = 1;
  mapPen.strokeStyle = color.accent;
  mapPen.lineWidth = 1.5;
  mapPen.strokeRect(Math.min(x0 + 0.75, width - 3), 0.75, Math.max(x1 - x0 - 1.5, 2), height - 1.5);
  if (view.selected >= 0) tick(view.selected, color.accent, height - 7);
}
