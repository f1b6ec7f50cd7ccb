// What pointer and keyboard do.

const calm = matchMedia("(prefers-reduced-motion: reduce)");

function setView(from, to) {
  const { max, least } = view.axis;
  let width = Math.min(Math.max(to - from, Math.min(least, max)), max);
  const middle = (from + to) / 2;
  from = Math.min(Math.max(middle - width / 2, 0), max - width);
  view.from = from;
  view.to = from + width;
  redraw();
}

function zoom(factor, around = (view.from + view.to) / 2) {
  setView(around - (around - view.from) / factor, around + (view.to - around) / factor);
}

function fitAll() { setView(0, view.axis.max); }

function setAxis(kind) {
  const keep = view.selected;
  view.axis = makeAxis(kind);
  for (const name of AXES) byId(`axis-${name}`).setAttribute("aria-pressed", String(name === kind));
  view.from = 0;
  view.to = view.axis.max;
  if (keep >= 0 && view.axis.max > 0) reveal(keep);
  redraw();
}

/** Brings an event into view, its lane too. */
function reveal(at) {
  const axis = view.axis, width = view.to - view.from, x = axis.end[at];
  if (x < view.from || x > view.to) setView(x - width / 2, x + width / 2);
  const top = laneTop(events.process[at]);
  if (top < scroller.scrollTop + AXIS_HEIGHT) scroller.scrollTop = top - AXIS_HEIGHT - 4;
  else if (top + LANE > scroller.scrollTop + view.height) scroller.scrollTop = top + LANE + 8 - view.height;
}

function select(at, { scroll = false } = {}) {
  if (at < -1 || at >= COUNT) return;
  view.selected = at;
  view.relation = at < 0 ? null : relations(at);
  tellEvent(at);
  if (at >= 0) { reveal(at); showRow(at); } else fillTable();
  try { history.replaceState(null, "", at < 0 ? "#" : `#e${at + 1}`); } catch { /* a page without an address of its own */ }
  if (scroll) byId("timeline").scrollIntoView({ block: "nearest", behavior: calm.matches ? "auto" : "smooth" });
  redraw();
}

/** Selects the event that the address names. */
function fromAddress() {
  const named = /^#e(\d+)$/.exec(location.hash);
  if (named && named[1] >= 1 && named[1] <= COUNT) select(named[1] - 1, { scroll: true });
}

function setQuery(query) {
  view.query = query.trim();
  view.found = search(query);
  for (let at = 0; at < COUNT; at++) marked[at] &= ~FOUND;
  for (const at of view.found) marked[at] |= FOUND;
  byId("found").textContent = view.query ? `${view.found.length} found` : "";
  fillTable();
  redraw();
}

/** The next event found, or the one before. */
function nextFound(step) {
  const { found, selected } = view;
  if (!found.length) return;
  let i = lowerBound(found.length, selected, (k) => found[k]);
  if (step > 0) i = found[i] === selected ? i + 1 : i;
  else i -= 1;
  const at = (i + found.length) % found.length;
  select(found[at]);
  byId("found").textContent = `${at + 1} of ${found.length}`;
}

/** The next event of the process, or the one before. */
function along(step) {
  if (view.selected < 0) return select(step > 0 ? 0 : COUNT - 1);
  const lane = lanes[events.process[view.selected]], next = lane[number[view.selected] + step];
  if (next !== undefined) select(next);
}

/** The event of a lane above or below that lies nearest. */
function across(step) {
  if (view.selected < 0) return select(0);
  const axis = view.axis, x = axis.end[view.selected];
  for (let process = events.process[view.selected] + step; process >= 0 && process < LANES; process += step) {
    const lane = lanes[process];
    if (!lane.length) continue;
    let i = lowerBound(lane.length, x, (k) => axis.end[lane[k]]);
    if (i === lane.length || (i > 0 && x - axis.end[lane[i - 1]] < axis.end[lane[i]] - x)) i -= 1;
    return select(lane[i]);
  }
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  byId("theme").setAttribute("aria-label", theme === "dark" ? "light colours" : "dark colours");
  readColors();
  redraw();
}
const isDark = () => (document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
const otherTheme = () => setTheme(isDark() ? "light" : "dark");

const KEYS = {
  "ArrowRight": () => along(1), "ArrowLeft": () => along(-1), "ArrowUp": () => across(-1), "ArrowDown": () => across(1),
  "Home": () => select(0), "End": () => select(COUNT - 1),
  "]": () => view.selected < COUNT - 1 && select(view.selected + 1), "[": () => view.selected > 0 && select(view.selected - 1),
  "+": () => zoomHere(1.6), "=": () => zoomHere(1.6), "-": () => zoomHere(1 / 1.6), "0": fitAll,
  "1": () => setAxis("time"), "2": () => setAxis("folded"), "3": () => setAxis("step"),
  "n": () => nextFound(1), "N": () => nextFound(-1),
  "/": () => { byId("search").focus(); byId("search").select(); },
  "?": () => byId("help").showModal(), "t": otherTheme,
};

function zoomHere(factor) {
  const x = view.selected >= 0 ? view.axis.end[view.selected] : undefined;
  zoom(factor, x !== undefined && x >= view.from && x <= view.to ? x : undefined);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
  const typing = event.target.matches("input, textarea, select");
  if (event.key === "Escape") {
    if (typing) { event.target.value = ""; setQuery(""); event.target.blur(); scroller.focus({ preventScroll: true }); }
    else if (view.query) { byId("search").value = ""; setQuery(""); }
    else select(-1);
    return;
  }
  if (typing) return;
  // Arrows scroll what has the focus, unless that is the picture or nothing.
  const moves = event.key.startsWith("Arrow") || event.key === "Home" || event.key === "End";
  if (moves && event.target !== document.body && event.target !== scroller && event.target !== canvas) return;
  const act = Object.hasOwn(KEYS, event.key) ? KEYS[event.key] : null;
  if (!act || COUNT === 0 && moves) return;
  event.preventDefault();
  act();
});

/** The pointer over the picture: shows a tooltip; dragging moves, the wheel with Ctrl zooms. */
let drag = null;
canvas.addEventListener("pointerdown", (event) => {
  if (event.button !== 0) return;
  drag = { x: event.offsetX, y: event.offsetY, from: view.from, to: view.to, top: scroller.scrollTop, moved: false };
  canvas.setPointerCapture(event.pointerId);
});
canvas.addEventListener("pointermove", (event) => {
  if (drag) {
    const dx = event.offsetX - drag.x, dy = event.offsetY - drag.y;
    if (Math.abs(dx) + Math.abs(dy) > 4) drag.moved = true;
    if (!drag.moved) return;
    const shift = dx / (right() - view.label) * (drag.to - drag.from);
    scroller.scrollTop = drag.top - dy;
    setView(drag.from - shift, drag.to - shift);
    hideTip();
    return;
  }
  const hit = pick(event.offsetX, event.offsetY), before = view.hover?.process;
  view.hover = hit;
  canvas.style.cursor = hit && (hit.event >= 0 || hit.span) ? "pointer" : "default";
  tip(hit, event);
  if (hit?.process !== before && arrows.length > ARROWS) redraw();
});
canvas.addEventListener("pointerup", (event) => {
  const moved = drag?.moved;
  drag = null;
  if (moved || event.button !== 0) return;
  const hit = pick(event.offsetX, event.offsetY);
  select(hit && hit.event >= 0 ? hit.event : -1);
  if (hit?.span) showStep(hit.span.step);
  scroller.focus({ preventScroll: true });
});
canvas.addEventListener("pointercancel", () => { drag = null; });
canvas.addEventListener("pointerleave", () => { view.hover = null; hideTip(); if (arrows.length > ARROWS) redraw(); });
canvas.addEventListener("dblclick", (event) => zoom(3, fromX(event.offsetX)));
scroller.addEventListener("wheel", (event) => {
  const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
  if (event.ctrlKey || event.metaKey) zoom(Math.exp(-event.deltaY * 0.004), Math.max(fromX(event.offsetX), view.from));
  else if (Math.abs(sideways) > Math.abs(event.deltaY) || event.shiftKey) {
    const shift = sideways / view.width * (view.to - view.from);
    setView(view.from + shift, view.to + shift);
  } else return;
  event.preventDefault();
}, { passive: false });
scroller.addEventListener("scroll", redraw);

const tipBox = byId("tip");
function hideTip() { tipBox.hidden = true; }
function tip(hit, event) {
  let lines = [];
  if (hit?.track) {
    const { track, level } = hit, value = track.values[level];
    const said = track.shape === "owner" ? (value === null ? "none" : processName(value)) : String(value ?? "null");
    lines = [`${objectName(track.object)}: ${shorten(plain(said), 80)}`, hit.event >= 0 ? `since ${sentence(hit.event)}` : "from the begin"];
  } else if (hit && hit.event >= 0) {
    const at = hit.event;
    lines = [sentence(at), detail(at), moment(events.end[at])];
  } else if (hit?.span) {
    lines = [`${processName(hit.process)} ${plain(hit.span.doing)}`, "never ended", `begun at ${moment(hit.span.begin)}`];
  } else if (hit) lines = [`${processName(hit.process)}: ${run.ends[hit.process].text}`];
  if (!lines.length) return hideTip();
  tipBox.replaceChildren(...lines.filter(Boolean).map((line, i) => make(i ? "div" : "b", {}, line)));
  tipBox.hidden = false;
  const room = document.documentElement.clientWidth - tipBox.offsetWidth - 8;
  tipBox.style.left = `${Math.max(4, Math.min(event.clientX + 14, room))}px`;
  const below = event.clientY + 16 + tipBox.offsetHeight < innerHeight;
  tipBox.style.top = `${below ? event.clientY + 16 : event.clientY - tipBox.offsetHeight - 10}px`;
}

/** On the map: a click goes there, dragging moves the window. */
let mapDrag = false;
function onMap(event) {
  const x = event.offsetX / map.clientWidth * view.axis.max, width = view.to - view.from;
  setView(x - width / 2, x + width / 2);
}
map.addEventListener("pointerdown", (event) => { mapDrag = true; map.setPointerCapture(event.pointerId); onMap(event); });
map.addEventListener("pointermove", (event) => { if (mapDrag) onMap(event); });
map.addEventListener("pointerup", () => { mapDrag = false; });
map.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoom(Math.exp(-event.deltaY * 0.004), event.offsetX / map.clientWidth * view.axis.max);
}, { passive: false });

for (const name of AXES) byId(`axis-${name}`).addEventListener("click", () => setAxis(name));
byId("zoom-in").addEventListener("click", () => zoomHere(1.6));
byId("zoom-out").addEventListener("click", () => zoomHere(1 / 1.6));
byId("zoom-fit").addEventListener("click", fitAll);
byId("theme").addEventListener("click", otherTheme);
byId("help-open").addEventListener("click", () => byId("help").showModal());
byId("help-close").addEventListener("click", () => byId("help").close());
byId("earlier").addEventListener("click", () => { table.page--; fillTable(); });
byId("later").addEventListener("click", () => { table.page++; fillTable(); });
byId("only-found").addEventListener("change", (event) => { table.onlyFound = event.target.checked; table.page = 0; fillTable(); });
byId("rows").addEventListener("click", (event) => {
  const row = event.target.closest("tr");
  if (row && !event.target.closest("a")) select(Number(row.dataset.at));
});
let searching = 0;
byId("search").addEventListener("input", (event) => {
  clearTimeout(searching);
  searching = setTimeout(() => setQuery(event.target.value), COUNT > 20000 ? 200 : 40);
});
byId("search").addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  clearTimeout(searching);
  if (view.query !== event.target.value.trim()) setQuery(event.target.value);
  nextFound(event.shiftKey ? -1 : 1);
});
for (const button of document.querySelectorAll("button[data-copy]")) {
  button.addEventListener("click", () => copy(button, button.dataset.copy));
}
document.addEventListener("click", (event) => {
  // An address that is there already is no change: the event is selected all the same.
  const named = /^#e(\d+)$/.exec(event.target.closest?.("a.event")?.getAttribute("href") ?? "");
  if (!named || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  select(named[1] - 1, { scroll: true });
});
addEventListener("hashchange", fromAddress);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColors(); redraw(); });
new ResizeObserver(() => { layout(); redraw(); }).observe(scroller);
new ResizeObserver(redraw).observe(map);

byId("spacer").style.height = `${TOTAL}px`;
scroller.style.height = `min(${TOTAL + 2}px, max(56vh, 260px))`;
readColors();
layout();
setAxis(run.axis);
tellEvent(-1);
fillTable();
fromAddress();
document.documentElement.dataset.ready = "true";

// For tests and the console: what is shown, and where.
window.ipcrun = {
  view, relations, record, search, select, setView,
  draw: () => { draw(); return drawn; },
  placeOf: (at) => [toX((view.axis.begin[at] + view.axis.end[at]) / 2), laneTop(events.process[at]) + LANE / 2 - 3 - scroller.scrollTop],
};
