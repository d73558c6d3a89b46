// The prices of one model: what is chosen, the chart of it, and the same as a table.
const METERS = new Map(facts.meters); // Every meter by its name, in the order in which they are told, with its words.

function chosen(id) {
  return document.getElementById(id).value;
}

function offersChosen() {
  const wanted = chosen("model").trim().toLowerCase();
  const model = facts.histories.find((each) => each.name.toLowerCase() === wanted);
  return model ? model.offers : [];
}

// The values of an option that are left, given those chosen before it.
function fill(id, values, name, preferred) {
  const select = document.getElementById(id);
  const former = select.value;
  select.replaceChildren(...values.map((value) => new Option(name(value), value)));
  const wanted = [former, ...preferred.map(String)].find((value) => values.map(String).includes(value));
  if (wanted !== undefined) select.value = wanted;
  select.parentElement.hidden = values.length < 2 && id !== "meter";
}

function distinct(values) {
  return [...new Set(values)];
}

const amountOf = (what) => (Array.isArray(what) ? what[0] : what);
const isAmount = (what) => Array.isArray(what) || !(what in facts.states);
const currencyOf = (what) => (Array.isArray(what) ? what[1] : "USD");

// The amount in a currency; null where there is none.
function inCurrency(what, currency) {
  if (!isAmount(what)) return null;
  if (currencyOf(what) === currency) return amountOf(what);
  return currency === "USD" && Array.isArray(what) ? what[2] : null;
}

function currenciesOf(offers) {
  const quoted = offers.flatMap((offer) => offer.points.map(point).filter(isAmount).map(currencyOf));
  return distinct(["USD", ...quoted]);
}

// What holds from a point on: an amount of another currency stands in three places.
function point(each) {
  return each.length > 2 ? each.slice(1) : each[1];
}

function fillChoices() {
  const offers = offersChosen();
  const meters = [...METERS.keys()].filter((meter) => offers.some((offer) => offer.meter === meter));
  fill("meter", meters, (meter) => METERS.get(meter), ["input_token"]);
  const metered = offers.filter((offer) => offer.meter === chosen("meter"));
  fill("plan", distinct(metered.map((offer) => offer.plan)), (plan) => plan, ["standard"]);
  const planned = metered.filter((offer) => offer.plan === chosen("plan"));
  const tiers = distinct(planned.map((offer) => offer.tier)).sort((one, other) => one - other);
  fill("tier", tiers.length > 1 ? [...tiers, "all"] : tiers, tierName, [0]);
  const isDrawable = (currency) => planned.some((offer) => offer.points.some((at) => inCurrency(point(at), currency) !== null));
  const drawable = currenciesOf(planned).filter(isDrawable);
  fill("currency", drawable.length ? drawable : ["USD"], (currency) => (currency === "USD" ? "US dollars" : `${currency}, as quoted`), ["USD"]);
}

function tierName(tier) {
  if (tier === "all") return "all of them";
  return Number(tier) === 0 ? "base tier" : `from ${Number(tier).toLocaleString("en")} tokens`;
}

function shownOffers() {
  const tier = chosen("tier");
  return offersChosen().filter(
    (offer) =>
      offer.meter === chosen("meter") && offer.plan === chosen("plan") && (tier === "all" || String(offer.tier) === tier),
  );
}

// The offers that are shown, each with what tells it from the others: its id where a gateway has several for the model.
function namedOffers() {
  const offers = shownOffers();
  const several = offers.filter((offer) => offers.some((other) => other.where === offer.where && other.id !== offer.id));
  const nameOf = (offer) => {
    const name = several.includes(offer) ? `${offer.where} · ${offer.id}` : offer.where;
    return chosen("tier") === "all" && offer.tier ? `${name}, ${tierName(offer.tier)}` : name;
  };
  return offers.map((offer) => ({ ...offer, name: nameOf(offer) }));
}

// From when to when what holds; the last of them to the last look at the source.
function spans(offer) {
  return offer.points.map((each, n) => ({
    since: each[0],
    until: n + 1 < offer.points.length ? offer.points[n + 1][0] : offer.until,
    isOpen: n + 1 === offer.points.length,
    what: point(each),
  }));
}

function unit() {
  return `${chosen("currency")} per ${facts.units[chosen("meter")]}`;
}

function said(offer, span, currency) {
  const own = currencyOf(span.what) === currency ? "" : `, quoted as ${amountOf(span.what)} ${currencyOf(span.what)}`;
  const until = span.isOpen ? "on" : `to ${moment(span.until).slice(0, 10)}`;
  return `${inCurrency(span.what, currency)}${plain(own)}, ${plain(offer.name)}, ${moment(span.since).slice(0, 10)} ${until}`;
}

function trace(offer, style, grid) {
  const currency = chosen("currency");
  const pieces = spans(offer).map((span) => {
    const amount = inCurrency(span.what, currency);
    const y = amount === null ? null : Number(amount);
    return { since: span.since, until: span.until, y, text: amount === null ? "" : said(offer, span, currency) };
  });
  return steps(pieces, grid, style, offer.name);
}

function historyChart() {
  const offers = namedOffers();
  const from = Math.min(...offers.map((offer) => offer.points[0][0]));
  const to = Math.max(...offers.map((offer) => offer.until));
  const grid = gridBetween(from, to);
  const traces = offers
    .map((offer, n) => trace(offer, look(n, offers.length), grid))
    .filter((each) => each.y.some((y) => y !== null));
  const title = { title: { text: plain(unit()) } };
  const amounts = traces.flatMap((each) => each.y).filter((y) => y > 0);
  const isLog = document.getElementById("log").checked && amounts.length > 0;
  const yaxis = isLog ? logAxis(amounts, title) : axis({ ...title, rangemode: "tozero" });
  return { traces, layout: { xaxis: timeAxis(), yaxis, hovermode: hoverMode(traces.length), height: height(320, traces.length) } };
}

function cells(offer, span) {
  const isUnknown = !isAmount(span.what);
  const price = isUnknown ? facts.states[span.what] : `${amountOf(span.what)} ${currencyOf(span.what)}`;
  const free = amountOf(span.what) === "0" ? " (free)" : "";
  const usd = isUnknown || !Array.isArray(span.what) ? "" : span.what[2] === null ? "no rate" : `${span.what[2]} USD`;
  return [offer.name, offer.id, moment(span.since), span.isOpen ? `${moment(span.until)}, last seen` : moment(span.until), price + free, usd];
}

function historyTable() {
  const rows = namedOffers().flatMap((offer) => spans(offer).map((span) => cells(offer, span)));
  document.getElementById("history-rows").replaceChildren(
    ...rows.map((row) => {
      const line = document.createElement("tr");
      const names = ["", "minor", "moment", "moment", "number amount", "number amount"];
      line.append(...row.map((text, n) => Object.assign(document.createElement("td"), { textContent: text, className: names[n] })));
      return line;
    }),
  );
  document.getElementById("history-unit").textContent = `Price per ${facts.units[chosen("meter")] ?? "unit"}`;
  nameCells(document.getElementById("history-t"));
}

function showHistory() {
  const isKnown = offersChosen().length > 0;
  document.getElementById("model").setAttribute("aria-invalid", String(!isKnown));
  document.getElementById("model-note").textContent = isKnown ? "" : "No such model here: pick one from the list.";
  if (!isKnown) return;
  fillChoices();
  document.getElementById("history-title").textContent = chosen("model");
  draw("chart-history", historyChart);
  historyTable();
}
