// Curves of a training, also while it goes on: every number that it reported, over its steps.
'use strict';

const REFRESH = 2000;  // milliseconds

// Round numbers between least and most, as an axis has them.
const ticks = (least, most, count) => {
  const raw = (most - least) / count || 1, power = 10 ** Math.floor(Math.log10(raw)), step = [1, 2, 5, 10].find((by) => by * power >= raw) * power;
  const all = [];
  for (let tick = Math.ceil(least / step) * step; tick <= most + step / 1e6; tick += step) all.push(+tick.toPrecision(12));
  return all;
};
const written = (x) => (x !== 0 && (Math.abs(x) < 0.001 || Math.abs(x) >= 1e6) ? x.toExponential(1) : String(+x.toPrecision(4)));

// The loss of the training and that of the validations belong into one chart; every other number has its own.
const chartsOf = (curves) => {
  const charts = new Map();
  for (const [name, points] of Object.entries(curves)) {
    const title = name === 'validation_loss' ? 'loss' : name;
    if (!charts.has(title)) charts.set(title, []);
    charts.get(title).push({ name, points });
  }
  return [...charts].sort(([a], [b]) => (b === 'loss') - (a === 'loss')).map(([title, all]) => ({ title, curves: all }));
};

const drawChart = (pen, chart, x, y, width, height, palette) => {
  const points = chart.curves.flatMap((curve) => curve.points), xs = points.map((p) => p[0]), ys = points.map((p) => p[1]);
  const range = (all) => all.reduce(([least, most], value) => [Math.min(least, value), Math.max(most, value)], [Infinity, -Infinity]);
  const [x0, x1] = range(xs), [low, high] = range(ys), pad = (high - low || Math.abs(high) || 1) * 0.06, y0 = low - pad, y1 = high + pad;
  const left = x + 62, right = x + width - 14, top = y + 34, bottom = y + height - 30;
  const at = ([step, value]) => [left + ((right - left) * (step - x0)) / (x1 - x0 || 1), bottom - ((bottom - top) * (value - y0)) / (y1 - y0)];
  pen.text(chart.title.replace(/_/g, ' '), left, y + 16, { colour: palette.ink, size: 13.5, bold: true });
  for (const tick of ticks(y0, y1, 4)) {
    const [, here] = at([x0, tick]);
    pen.rect(left, Math.round(here), right - left, 1, palette.hairline);
    pen.text(written(tick), left - 8, here, { colour: palette.muted, size: 12.5, align: 'right' });
  }
  for (const tick of ticks(x0, x1, Math.max(2, Math.floor(width / 110)))) pen.text(written(tick), at([tick, y0])[0], bottom + 16, { colour: palette.muted, size: 12.5, align: 'center' });
  let named = right;  // where the curves' names begin, from the right
  chart.curves.forEach((curve, i) => {
    const colour = palette.heads[i], places = curve.points.map(at), name = curve.name.replace(/_/g, ' ');
    pen.path(places, colour, 1.8);
    if (places.length < 40) for (const [px, py] of places) pen.rect(px - 2, py - 2, 4, 4, colour);
    if (chart.curves.length < 2) return;
    pen.text(name, named, y + 16, { colour, size: 12.5, align: 'right' });
    named -= heed.textWidth(name, 12.5) + 14;
  });
};

heed.views.training = {
  needs: (seen) => seen.served && heed.servedModel() !== '',

  async open(stage, current) {
    const { say, el } = heed, palette = heed.palette(), model = heed.servedModel();
    const HEIGHT = 230;
    let charts = [], plate = null, waiting = 0, last = '';
    const columns = (width) => (width > 820 ? 2 : 1);
    const whole = (width) => Math.ceil(charts.length / columns(width)) * HEIGHT + 12;
    const paint = (pen, width, tall, scrolled = 0) => charts.forEach((chart, i) => {
      const wide = width / columns(width), row = Math.floor(i / columns(width));
      drawChart(pen, chart, (i % columns(width)) * wide, row * HEIGHT - scrolled, wide, HEIGHT, palette);
    });
    const show = () => {
      const names = charts.map((chart) => chart.title.replace(/_/g, ' ')).join(', ');
      const latest = charts.flatMap((chart) => chart.curves).map(({ name, points }) => [name, points.at(-1)]);
      heed.tools(charts.length ? heed.saveTools() : []);
      if (!charts.length) {
        heed.side();
        return stage.replaceChildren(el('p', { class: 'prose' }, say('training_none')));
      }
      plate ||= heed.plate(stage, { id: 'picture', label: say('training_label', { model, names }), height: (width) => Math.min(whole(width), Math.max(360, innerHeight - 240)), whole, draw: paint, keys: {} });
      plate.redraw();
      heed.side(heed.section(null, el('p', { class: 'pair' }, el('b', {}, model)), el('p', { class: 'figure' }, say('training_last', { step: Math.max(...latest.map(([, [step]]) => step)) })),
        el('dl', { class: 'facts' }, latest.flatMap(([name, [, value]]) => [el('dt', {}, name.replace(/_/g, ' ')), el('dd', {}, written(value))]))),
      heed.section(say('how'), el('p', {}, say('training_how'))));
    };
    const refresh = async () => {
      const { curves } = document.hidden && plate ? {} : await heed.call(`/v1/runs/${encodeURIComponent(model)}/metrics`).catch((error) => heed.tell(error.message, true) || {});
      if (!current()) return;
      waiting = setTimeout(refresh, REFRESH);
      const text = JSON.stringify(curves);
      if (!curves || text === last) return;
      [last, charts] = [text, chartsOf(curves)];
      show();
    };
    await refresh();
    if (!current()) return null;
    if (!plate) show();
    return {
      size: () => [plate ? plate.size()[0] : 0, plate ? whole(plate.size()[0]) : 0],
      paint,
      csv: () => [['curve', 'step', 'value'], ...charts.flatMap((chart) => chart.curves).flatMap(({ name, points }) => points.map(([step, value]) => [name, step, value]))],
      close: () => { clearTimeout(waiting); plate?.close(); },
    };
  },
};
