// The charts that show everything in scope at once.
function changesChart() {
  const rows = [...facts.charts.changes].reverse();
  const factor = rows.map((row) => Math.log2(Number(row.ratio)));
  const most = Math.max(1, ...factor.map(Math.abs));
  const step = most > (isNarrow() ? 2 : 4) ? 3 : 1;
  const ticks = Array.from({ length: 41 }, (_, n) => (n - 20) * step).filter((tick) => Math.abs(tick) <= Math.max(most, step));
  // From no change to the next tick at least, with room at both ends: a tick at the very edge would lose its label.
  const [low, high] = [Math.min(0, ...factor.map((value) => (value < 0 ? Math.min(value, -step) : 0))), Math.max(0, ...factor.map((value) => (value > 0 ? Math.max(value, step) : 0)))];
  const room = (isNarrow() ? 0.2 : 0.08) * (high - low || 1);
  const bars = {
    ...{ type: "bar", orientation: "h", x: factor, y: rows.map((_, n) => n), hoverinfo: "text", textposition: "none" },
    text: rows.map((row) => `${row.effect} ${plain(row.model)}, ${plain(row.meter)}${row.suspect ? " (suspect)" : ""}<br>${plain(row.step)}<br>${plain(row.where)}, ${row.when}`),
    marker: { color: factor.map((value) => colour(value < 0 ? "cut" : "rise")), opacity: rows.map((row) => (row.suspect ? 0.4 : 1)) },
  };
  const labels = rows.map((row) =>
    plain(isNarrow() ? `${cut(row.model, 17)}, ${cut(row.meter, 6)}` : `${cut(row.model, 36)}, ${cut(row.meter, 26)} · ${cut(row.source, 24)}`),
  );
  const layout = {
    ...{ showlegend: false, height: 70 + 24 * rows.length, bargap: 0.35 },
    xaxis: axis({ title: { text: "new price by old price" }, range: [low - room, high + room], tickangle: 0, tickvals: ticks, ticktext: ticks.map((tick) => (tick < 0 ? `÷ ${2 ** -tick}` : tick ? `× ${2 ** tick}` : "same")) }),
    yaxis: axis({ tickvals: rows.map((_, n) => n), ticktext: labels, ticklabelstandoff: 6 }),
  };
  return { traces: rows.length ? [bars] : [], layout };
}

// Step lines of all sources, each with its moments, until when, its values, and what is told of the k-th of them.
function linesOf(sources, said) {
  const grid = gridBetween(Math.min(...sources.map((each) => each.at[0])), Math.max(...sources.map((each) => each.until)));
  return sources.map((each, n) => {
    const pieces = each.at.map((since, k) => ({
      ...{ since, until: each.at[k + 1] ?? each.until, y: each.values[k] === null ? null : Number(each.values[k]) },
      text: `${each.values[k]}${said(each, k)}, ${plain(each.name)}, since ${moment(since).slice(0, 10)}`,
    }));
    return steps(pieces, grid, look(n, sources.length), each.name);
  });
}

function linesChart(traces, title, more) {
  const yaxis = axis({ title: { text: title }, ...more });
  return { traces, layout: { xaxis: timeAxis(), yaxis, hovermode: hoverMode(traces.length), height: height(300, traces.length) } };
}

function indexChart() {
  const traces = linesOf(facts.charts.index, (each, k) => ` (${each.items[k]} offers in the basket)`);
  return linesChart(traces, "index, first day = 100");
}

function sizesChart() {
  return linesChart(linesOf(facts.charts.sizes, () => " models"), "models listed", { rangemode: "tozero" });
}

function churnChart() {
  const bars = (each, n, values, sign, word) => ({
    ...{ type: "bar", x: each.moved.map(moment), y: values.map((value) => sign * value), hoverinfo: "text", textposition: "none" },
    text: values.map((value, k) => `${value} ${word} ${plain(each.name)}<br>${moment(each.moved[k])}`),
    ...{ name: plain(each.name), legendgroup: each.name, showlegend: sign > 0, width: facts.barWidth },
    marker: { color: look(n).color },
  });
  const traces = facts.charts.sizes.flatMap((each, n) =>
    each.moved.length
      ? [bars(each, n, each.came, 1, "came or returned"), bars(each, n, each.went, -1, "went")]
      : [],
  );
  const layout = { barmode: "relative", xaxis: timeAxis({ tickformat: "%b %-d\n%Y" }), yaxis: axis({ title: { text: "came (+), went (−)" } }), height: height(280, facts.charts.sizes.length) };
  return { traces, layout };
}

function offersChart() {
  const models = [...facts.charts.offers].reverse();
  const dots = models.flatMap((model, n) => model.usd.map((usd, k) => ({ n, usd, where: model.where[k], name: model.name, isFirst: model.rank[k] === 1, isSuspect: model.suspect[k] })));
  const shown = dots.filter((dot) => Number(dot.usd) > 0);
  const ranges = models.flatMap((model, n) => {
    const priced = model.usd.map(Number).filter((usd) => usd > 0);
    return priced.length ? [{ n, from: Math.min(...priced), to: Math.max(...priced) }] : [];
  });
  const bars = {
    ...{ x: ranges.flatMap((each) => [each.from, each.to, null]), y: ranges.flatMap((each) => [each.n, each.n, null]) },
    ...{ mode: "lines", hoverinfo: "skip", showlegend: false, line: { color: colour("rule"), width: 6 } },
  };
  const some = (isFirst, name, mark) => {
    const mine = shown.filter((dot) => dot.isFirst === isFirst);
    return {
      ...{ x: mine.map((dot) => Number(dot.usd)), y: mine.map((dot) => dot.n), mode: "markers", hoverinfo: "text", name },
      text: mine.map((dot) => `${dot.usd} USD per 1M tokens${dot.isSuspect ? " (suspect)" : ""}<br>${plain(dot.name)}<br>${plain(dot.where)}`),
      marker: { ...mark, opacity: mine.map((dot) => (dot.isSuspect ? 0.4 : 1)) },
    };
  };
  const traces = shown.length
    ? [bars, some(false, "other hosts", { size: 9, color: colour("soft") }), some(true, "cheapest", { size: 11, color: colour("cut"), symbol: "diamond" })]
    : [];
  const layout = {
    height: 110 + 24 * models.length,
    xaxis: logAxis(shown.map((dot) => Number(dot.usd)), { title: { text: "USD per 1M tokens" }, tickangle: 0 }),
    yaxis: axis({ tickvals: models.map((_, n) => n), ticktext: models.map((model) => plain(cut(model.name, isNarrow() ? 22 : 50))), range: [-0.7, models.length - 0.3] }),
  };
  return { traces, layout };
}

function tiersChart() {
  const most = 2 * Math.max(...facts.charts.tiers.flatMap((each) => each.starts));
  const traces = facts.charts.tiers.map((each, n) => {
    const line = { x: [], y: [], text: [] };
    each.starts.forEach((start, k) => {
      const end = each.starts[k + 1] ?? most;
      for (const size of [start, ...Array.from({ length: 19 }, (_, part) => start + ((end - start) * (part + 1)) / 20), end]) {
        const cost = (size * Number(each.prices[k])) / 1e6;
        line.x.push(size);
        line.y.push(cost);
        line.text.push(`${cost.toPrecision(4)} ${plain(each.currency)} for ${Math.round(size).toLocaleString("en")} input tokens<br>${plain(each.name)}<br>${each.prices[k]} ${plain(each.currency)} per 1M tokens`);
      }
    });
    return { ...line, mode: "lines", hoverinfo: "text", name: plain(cut(each.name, isNarrow() ? 40 : 90)), line: look(n, facts.charts.tiers.length) };
  });
  const layout = {
    ...{ xaxis: axis({ title: { text: "tokens of the prompt" }, tickformat: ",d", nticks: isNarrow() ? 4 : 8 }) },
    ...{ yaxis: axis({ title: { text: "cost of the prompt" }, rangemode: "tozero" }), height: height(320, traces.length) },
  };
  return { traces, layout };
}

const OVERVIEW = {
  "chart-changes": changesChart,
  "chart-index": indexChart,
  "chart-sizes": sizesChart,
  "chart-churn": churnChart,
  "chart-offers": offersChart,
  "chart-tiers": tiersChart,
};
