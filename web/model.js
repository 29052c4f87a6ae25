// Model view: every head of every layer as a small picture of its weights, or as a field shaded by what was measured of it.
'use strict';

// The weight farthest from 0 in each field of a grid that is at most `most` fields wide and high.
heed.pooled = (matrix, T, S, most) => {
  const rows = Math.min(T, most), columns = Math.min(S, most), out = new Float32Array(rows * columns);
  const column = Uint16Array.from({ length: S }, (_, s) => Math.floor((s * columns) / S));
  for (let t = 0; t < T; ++t) {
    const to = Math.floor((t * rows) / T) * columns, from = t * S;
    for (let s = 0; s < S; ++s) if (Math.abs(matrix[from + s]) > Math.abs(out[to + column[s]])) out[to + column[s]] = matrix[from + s];
  }
  return { pixels: out, rows, columns };
};

heed.entropy = (matrix, T, S) => {
  let sum = 0;
  for (const weight of matrix) if (weight > 0) sum -= weight * Math.log(weight);
  return sum / T;
};
heed.distance = (matrix, T, S) => {
  let sum = 0, all = 0;
  for (let t = 0; t < T; ++t) for (let s = 0; s < S; ++s) { const weight = Math.abs(matrix[t * S + s]); sum += weight * Math.abs(t - s); all += weight; }
  return all ? sum / all : 0;
};

// What can be measured of a head of an open layer; NaN where it says nothing.
heed.MEASURES = {
  entropy: (layer, head) => (layer.signed ? NaN : heed.entropy(layer.matrix(head), layer.T, layer.S)),
  distance: (layer, head) => (layer.queries === layer.keys ? heed.distance(layer.matrix(head), layer.T, layer.S) : NaN),
  importance: (layer, head) => layer.importance?.[head] ?? NaN,
};

// Those that there is something to say of, by name.
heed.measures = (layers) => Object.keys(heed.MEASURES).filter((name) => name !== 'importance' || layers.some((layer) => layer.importance));

// Numbers by layer and head, and the colour of each.
heed.headMap = (numbers, palette) => {
  const known = numbers.flat().filter((x) => !Number.isNaN(x)), most = heed.largest(known), signed = known.some((x) => x < 0);
  const share = (x) => (most ? x / most : 0);
  return { numbers, most, signed, colour: (x) => (signed ? palette.signed(share(x)) : palette.of(share(x))) };
};

// The heads without which the answer loses most; choose(layer, head) looks at one.
const neededSection = (layers, choose) => {
  const all = layers.flatMap((layer) => (layer.importance || []).map((value, head) => ({ layer, head, value })));
  if (!all.length) return [];
  const most = heed.largest(all.map(({ value }) => value)) || 1, first = all.sort((a, b) => b.value - a.value).slice(0, 8);
  return [heed.section(heed.say('needed'), heed.ranking(first.map(({ layer, head, value }) =>
    [`${layer.name} · ${head}`, value / most, heed.number(value), () => choose(layer.index, head)])), heed.el('p', {}, heed.say('needed_note')))];
};

// What becomes of the result where a layer has other weights.
const counterfactualSection = ({ counterfactuals, figure }) => {
  if (!counterfactuals?.length) return [];
  const facts = counterfactuals.flatMap(({ layer, weights, after }) => [heed.el('dt', {}, `${layer} · ${weights}`), heed.el('dd', {}, heed.number(after))]);
  return [heed.section(heed.say('otherwise'), heed.el('p', {}, heed.say('otherwise_note', { figure, before: heed.number(counterfactuals[0].before) })), heed.el('dl', { class: 'facts' }, facts))];
};

heed.views.model = {
  needs: (seen) => seen.layers.length > 0 && (seen.layers.length > 1 || seen.layers[0].heads > 1 || seen.counterfactuals?.length > 0),

  async open(stage, current) {
    const { layers } = heed.seen, say = heed.say, palette = heed.palette(), most = Math.max(...layers.map((layer) => layer.heads));
    const LEFT = Math.min(190, 36 + Math.max(...layers.map((layer) => heed.textWidth(layer.name, 12.5)))), TOP = 34, GAP = 7;
    const small = layers.map((layer) => new Array(layer.heads)), { measure } = heed.state;
    let map = null;  // of the measure, when every layer is open
    const cursor = { layer: heed.state.layer, head: typeof heed.state.head === 'number' ? heed.state.head : 0 };

    const pitch = (width) => Math.max(26, Math.min(118, (width - LEFT - 12) / most));
    const whole = (width) => TOP + layers.length * pitch(width) + 12;
    const height = (width) => Math.min(whole(width), Math.max(360, innerHeight - 240));
    const shade = (pen, value, x, y, size) => {
      if (Number.isNaN(value)) return pen.text('–', x + size / 2, y + size / 2, { colour: palette.muted, size: 12.5, align: 'center' });
      const ground = map.colour(value);
      pen.rect(x, y, size, size, heed.css(ground));
      if (size >= 40) pen.text(heed.number(value), x + size / 2, y + size / 2, { colour: heed.inkOn(ground), size: 12.5, align: 'center' });
    };
    const place = (width, layer, head) => [LEFT + head * pitch(width), TOP + layer * pitch(width)];
    const paint = (pen, width, tall, scrolled = 0) => {
      const size = pitch(width) - GAP, every = Math.ceil(26 / pitch(width));
      pen.within(0, TOP - 4, width, tall - TOP + 4, () => layers.forEach((layer, l) => {
        const y = place(width, l, 0)[1] - scrolled;
        if (y < -size || y > tall) return;
        pen.text(heed.fitted(layer.name, 12.5, LEFT - 22), LEFT - 12, y + size / 2, { colour: l === cursor.layer ? palette.accent : palette.muted, size: 12.5, align: 'right', bold: l === cursor.layer });
        for (let h = 0; h < layer.heads; ++h) {
          const x = place(width, l, h)[0];
          if (map) shade(pen, map.numbers[l][h], x, y, size);
          else if (small[l][h]) pen.image(small[l][h], x, y, size, size);
          pen.frame(x - 0.5, y - 0.5, size + 1, size + 1, palette.hairline);
          if (l === cursor.layer && h === cursor.head) pen.frame(x - 2, y - 2, size + 4, size + 4, palette.mark, 2);
        }
      }));
      for (let h = 0; h < most; h += every) pen.text(String(h), place(width, 0, h)[0] + size / 2, TOP - 16, { colour: h === cursor.head ? palette.accent : palette.muted, size: 12.5, align: 'center', bold: h === cursor.head });
    };

    const show = () => heed.set({ view: 'matrix', ...cursor });
    const side = () => {
      const layer = layers[cursor.layer], head = heed.headName(layer, cursor.head), facts = [];
      for (const [name, of] of layer.weights ? Object.entries(heed.MEASURES) : []) {
        const value = of(layer, cursor.head);
        if (!Number.isNaN(value)) facts.push(heed.el('dt', {}, say(name)), heed.el('dd', {}, heed.number(value)));
      }
      const scale = map ? [heed.scaleSection({ signed: map.signed }, map.most)] : layer.signed ? [heed.section(say('scale'), heed.el('p', {}, say('scale_signed')))] : [];
      const number = map ? map.numbers[cursor.layer][cursor.head] : NaN;  // a measure has nothing to say of some heads
      heed.announce(`${layer.name}, ${head}` + (Number.isNaN(number) ? '' : `: ${heed.number(number)}`));
      heed.side(heed.section(null, heed.el('p', { class: 'pair' }, heed.el('b', {}, layer.name)), heed.el('p', { class: 'figure' }, head), heed.el('dl', { class: 'facts' }, facts),
        heed.el('button', { type: 'button', class: 'plain', id: 'come-closer', onclick: show }, say('look_closer'))), ...scale, ...needed, ...otherwise, heed.howSection(measure ? 'measure_how' : 'model_how', 'model_keys'));
    };
    const look = (layer, head) => {
      cursor.layer = Math.max(0, Math.min(layers.length - 1, layer));
      cursor.head = Math.max(0, Math.min(layers[cursor.layer].heads - 1, head));
      const [width, tall] = plate.size(), y = place(width, cursor.layer, 0)[1];
      plate.box.scrollTop = Math.max(Math.min(plate.box.scrollTop, y - TOP), y + pitch(width) - tall);
      side();
      plate.redraw();
    };
    const go = (dl, dh) => look(cursor.layer + dl, cursor.head + dh);
    const needed = neededSection(layers, look), otherwise = counterfactualSection(heed.seen);
    const at = (event) => {
      const [width] = plate.size(), h = Math.floor((event.offsetX - LEFT) / pitch(width)), l = Math.floor((event.offsetY + plate.box.scrollTop - TOP) / pitch(width));
      return event.offsetY > TOP - 4 && layers[l] && h >= 0 && h < layers[l].heads ? { layer: l, head: h } : null;
    };
    const hover = (event) => {
      const found = at(event);
      if (!found || (found.layer === cursor.layer && found.head === cursor.head)) return;
      Object.assign(cursor, found);
      side();
      plate.redraw();
    };
    const plate = heed.plate(stage, {
      id: 'picture', label: say('model_label', { layers: layers.length, heads: most }), height, whole, draw: paint,
      keys: { ArrowUp: () => go(-1, 0), ArrowDown: () => go(1, 0), ArrowLeft: () => go(0, -1), ArrowRight: () => go(0, 1), Home: () => go(0, -most), End: () => go(0, most), Enter: show, ' ': show },
      onpointermove: hover, onpointerdown: hover, onclick: (event) => at(event) && show(),
    });
    plate.canvas.style.cursor = 'pointer';
    const measures = heed.measures(layers);
    heed.tools(heed.select('measure', say('shown'), [['', say('shown_weights')], ...measures.map((name) => [name, say(name)])], measure, (chosen) => heed.set({ measure: chosen })), heed.saveTools());
    side();

    const fill = async () => {
      const numbers = [];
      for (const [l, layer] of layers.entries()) {
        await layer.open();
        if (measure) numbers.push(Array.from({ length: layer.heads }, (_, h) => heed.MEASURES[measure](layer, h)));
        for (let h = 0; h < layer.heads && !measure && current(); ++h) {
          const { pixels, rows, columns } = heed.pooled(layer.weights.numbers(h * layer.T, layer.T), layer.T, layer.S, 96);
          small[l][h] = heed.pixels(pixels, columns, rows, heed.largest(pixels), palette, layer.signed);
        }
        if (!current()) return;
        plate.redraw();
        await new Promise((next) => setTimeout(next));
      }
      if (measure) {
        map = heed.headMap(numbers, palette);
        plate.redraw();
      }
      side();
      document.documentElement.dataset.filled = 'model';
    };
    delete document.documentElement.dataset.filled;
    const filled = fill();
    return {
      size: () => [plate.size()[0], whole(plate.size()[0])],
      paint,
      csv: () => [['layer', 'head', ...measures], ...layers.filter((layer) => layer.weights).flatMap((layer) =>
        Array.from({ length: layer.heads }, (_, h) => [layer.name, String(h), ...measures.map((name) => heed.MEASURES[name](layer, h)).map((x) => (Number.isNaN(x) ? '' : x))]))],
      close: plate.close,
      filled,
    };
  },
};
