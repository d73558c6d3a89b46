// What all charts have in common: their facts, their colours, and how they are drawn again when these change.
const facts = JSON.parse(document.getElementById("facts").textContent);

const drawn = new Map(); // The place of each chart, with what makes its traces and its layout.

const SETTINGS = { displayModeBar: false, responsive: true, showTips: false };

async function unpack(id) {
  const packed = atob(document.getElementById(id).textContent);
  const bytes = Uint8Array.from(packed, (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

async function loadLibrary() {
  const script = document.createElement("script");
  script.textContent = await unpack("library");
  document.head.append(script); // It runs at once; the policy of the page knows its digest.
}

function draw(id, make) {
  drawn.set(id, make);
  redraw(id);
}

function redraw(id) {
  if (!window.Plotly) return;
  const place = document.getElementById(id);
  const { traces, layout } = drawn.get(id)();
  place.parentElement.classList.toggle("without", traces.length === 0);
  if (traces.length) Plotly.react(place, traces, { ...common(), ...layout }, SETTINGS);
}

function redrawAll() {
  for (const id of drawn.keys()) redraw(id);
}

// A colour of the style sheet as it is now, light or dark.
function colour(name) {
  const probe = document.getElementById("probe");
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}

const LINES = 8;
const DASHES = ["solid", "dash", "dot", "dashdot"];

// The look of the n-th of so many lines: when the colours are used up, they begin again with another dash. The first
// are broader, so that what lies below another line is still seen.
function look(n, count = 1) {
  const width = 2 + Math.min(count - 1 - n, 4);
  return { color: colour(`line-${(n % LINES) + 1}`), dash: DASHES[Math.floor(n / LINES) % DASHES.length], width };
}

function axis(more) {
  const line = { gridcolor: colour("rule"), linecolor: colour("rule"), zerolinecolor: colour("rule") };
  return { ...line, automargin: true, exponentformat: "none", fixedrange: true, ...more };
}

function timeAxis(more) {
  return axis({ type: "date", hoverformat: "%Y-%m-%d %H:%M", nticks: isNarrow() ? 4 : 8, ...more });
}

// A logarithmic axis whose marks are plain numbers.
function logAxis(values, more) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const steps = isNarrow() ? [1] : [1, 2, 5];
  const marks = [];
  for (let power = -9; power < 7; power += 1) for (const step of steps) marks.push(Number(`${step}e${power}`));
  const shown = marks.filter((mark) => mark > least / 10 && mark < most * 10);
  return axis({ type: "log", tickvals: shown, ticktext: shown.map((mark) => mark.toLocaleString("en", { maximumFractionDigits: 9 })), ...more });
}

// So high that the legend above it does not take from the chart.
function height(plot, lines) {
  return plot + 20 * (isNarrow() ? lines : Math.ceil(lines / 3));
}

function common() {
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: getComputedStyle(document.body).fontFamily, size: isNarrow() ? 11 : 13, color: colour("ink") },
    margin: { l: 8, r: 8, t: 8, b: 8 },
    hoverlabel: { bgcolor: colour("card"), bordercolor: colour("rule"), font: { color: colour("ink") }, align: "left" },
    hovermode: "closest",
    dragmode: false,
    legend: { orientation: "h", x: 0, y: 1.03, yanchor: "bottom" },
    showlegend: true,
  };
}

const PARTS = 120; // Over the width of a chart there are so many places where a flat line can be asked.
const MOST = 12; // Lines that can be told together of one moment.

// Moments between two that all lines of a chart have in common, so that they can be asked together.
function gridBetween(from, to) {
  return Array.from({ length: PARTS + 1 }, (_, part) => from + ((to - from) * part) / PARTS);
}

// A step line through pieces: from a moment on until another, a number (null: nothing to draw), and what is told of it.
function steps(pieces, grid, style, name) {
  const line = { x: [], y: [], text: [] };
  const sizes = [];
  for (const { since, until, y, text } of pieces) {
    const add = (at, size) => {
      line.x.push(moment(at));
      line.y.push(y);
      line.text.push(text);
      sizes.push(size);
    };
    add(since, 7);
    if (y !== null) for (const at of grid) if (at > since && at < until) add(at, 0);
    if (until > since) add(until, 0);
  }
  // Markers of several sizes would be pale unless they are told not to be.
  const marker = { size: sizes, color: style.color, line: { width: 0 }, opacity: 1 };
  const look = { mode: "lines+markers", line: { ...style, shape: "hv" }, connectgaps: false, marker };
  return { ...line, ...look, hoverinfo: "x+text", name: plain(cut(name, isNarrow() ? 40 : 90)) };
}

function hoverMode(lines) {
  return lines > MOST || isNarrow() ? "closest" : "x unified";
}

function isNarrow() {
  return window.innerWidth < 640;
}

// Plotly reads some HTML in its texts; those of gateways shall be read as they are.
function plain(text) {
  return String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

function cut(text, length) {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

// Moments as Plotly and people read them, in UTC.
function moment(seconds) {
  return new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ");
}
