// What happens when the page is opened, printed, or looked at in another light.
const PAPER = 680; // Pixels that fit on an upright page.

function setUpHistory() {
  document.getElementById("model-names").append(...facts.histories.map((model) => new Option("", model.name)));
  for (const id of ["model", "meter", "plan", "tier", "currency", "log"]) {
    document.getElementById(id).addEventListener("change", showHistory);
  }
  document.getElementById("model").value = facts.histories[0].name;
  showHistory();
}

function setUpTheme() {
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const button = document.getElementById("theme");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : dark.matches);
  const say = () => button.setAttribute("aria-pressed", String(isDark()));
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    say();
    redrawAll();
  });
  dark.addEventListener("change", () => {
    say();
    redrawAll();
  });
  say();
}

function setUpPrinting() {
  const root = document.documentElement;
  let former;
  const wide = (width) => {
    for (const id of drawn.keys()) {
      const place = document.getElementById(id);
      if (place.data) Plotly.relayout(place, { width, autosize: width === undefined });
    }
  };
  window.addEventListener("beforeprint", () => {
    former = root.dataset.theme;
    root.dataset.theme = "light";
    redrawAll();
    wide(PAPER);
  });
  window.addEventListener("afterprint", () => {
    if (former) root.dataset.theme = former;
    else delete root.dataset.theme;
    redrawAll();
    wide(undefined);
  });
}

// Charts need a browser of 2024 or newer; whatever else there is stands in the tables.
async function setUpCharts() {
  for (const [id, make] of Object.entries(OVERVIEW)) if (document.getElementById(id)) draw(id, make);
  if (facts.histories.length) setUpHistory();
  await loadLibrary();
  redrawAll();
  let narrow = isNarrow();
  window.addEventListener("resize", () => {
    if (narrow !== isNarrow()) redrawAll();
    narrow = isNarrow();
  });
}

document.documentElement.classList.add("scripted");
setUpTheme();
setUpTables();
setUpPrinting();
setUpCharts().then(
  () => document.documentElement.classList.add("ready"),
  (error) => {
    document.documentElement.classList.add("chartless");
    console.warn(`no charts: ${error}`);
  },
);
