// Model view: every head of every layer as a small picture.
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

heed.views.model = {
  needs: (seen) => seen.layers.length > 0 && (seen.layers.length > 1 || seen.layers[0].heads > 1),

  async open(stage, current) {
    const { layers } = heed.seen, say = heed.say, palette = heed.palette(), most = Math.max(...layers.map((layer) => layer.heads));
    const LEFT = Math.min(190, 36 + Math.max(...layers.map((layer) => heed.textWidth(layer.name, 12.5)))), TOP = 34, GAP = 7;
    const small = layers.map((layer) => new Array(layer.heads));
    const cursor = { layer: heed.state.layer, head: typeof heed.state.head === 'number' ? heed.state.head : 0 };

    const pitch = (width) => Math.max(26, Math.min(118, (width - LEFT - 12) / most));
    const whole = (width) => TOP + layers.length * pitch(width) + 12;
    const height = (width) => Math.min(whole(width), Math.max(360, innerHeight - 240));
    const place = (width, layer, head) => [LEFT + head * pitch(width), TOP + layer * pitch(width)];
    const paint = (pen, width, tall, scrolled = 0) => {
      const size = pitch(width) - GAP, every = Math.ceil(26 / pitch(width));
      pen.within(0, TOP - 4, width, tall - TOP + 4, () => layers.forEach((layer, l) => {
        const y = place(width, l, 0)[1] - scrolled;
        if (y < -size || y > tall) return;
        pen.text(heed.fitted(layer.name, 12.5, LEFT - 22), LEFT - 12, y + size / 2, { colour: l === cursor.layer ? palette.accent : palette.muted, size: 12.5, align: 'right', bold: l === cursor.layer });
        for (let h = 0; h < layer.heads; ++h) {
          const x = place(width, l, h)[0];
          if (small[l][h]) pen.image(small[l][h], x, y, size, size);
          pen.frame(x - 0.5, y - 0.5, size + 1, size + 1, palette.hairline);
          if (l === cursor.layer && h === cursor.head) pen.frame(x - 2, y - 2, size + 4, size + 4, palette.mark, 2);
        }
      }));
      for (let h = 0; h < most; h += every) pen.text(String(h), place(width, 0, h)[0] + size / 2, TOP - 16, { colour: h === cursor.head ? palette.accent : palette.muted, size: 12.5, align: 'center', bold: h === cursor.head });
    };

    const show = () => heed.set({ view: 'matrix', ...cursor });
    const side = () => {
      const layer = layers[cursor.layer], head = heed.headName(layer, cursor.head), facts = [];
      if (layer.weights) {
        const matrix = layer.matrix(cursor.head);
        if (!layer.signed) facts.push(heed.el('dt', {}, say('entropy')), heed.el('dd', {}, heed.number(heed.entropy(matrix, layer.T, layer.S))));
        if (layer.queries === layer.keys) facts.push(heed.el('dt', {}, say('distance')), heed.el('dd', {}, heed.number(heed.distance(matrix, layer.T, layer.S))));
      }
      heed.announce(`${layer.name}, ${head}`);
      heed.side(heed.section(null, heed.el('p', { class: 'pair' }, heed.el('b', {}, layer.name)), heed.el('p', { class: 'figure' }, head), heed.el('dl', { class: 'facts' }, facts),
        heed.el('button', { type: 'button', class: 'plain', id: 'come-closer', onclick: show }, say('look_closer'))), ...(layer.signed ? [heed.section(say('scale'), heed.el('p', {}, say('scale_signed')))] : []), heed.howSection('model_how', 'model_keys'));
    };
    const go = (dl, dh) => {
      cursor.layer = Math.max(0, Math.min(layers.length - 1, cursor.layer + dl));
      cursor.head = Math.max(0, Math.min(layers[cursor.layer].heads - 1, cursor.head + dh));
      const [width, tall] = plate.size(), y = place(width, cursor.layer, 0)[1];
      plate.box.scrollTop = Math.max(Math.min(plate.box.scrollTop, y - TOP), y + pitch(width) - tall);
      side();
      plate.redraw();
    };
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
    heed.tools(heed.saveTools());
    side();

    const fill = async () => {
      for (const [l, layer] of layers.entries()) {
        await layer.open();
        for (let h = 0; h < layer.heads && current(); ++h) {
          const { pixels, rows, columns } = heed.pooled(layer.weights.numbers(h * layer.T, layer.T), layer.T, layer.S, 96);
          small[l][h] = heed.pixels(pixels, columns, rows, heed.largest(pixels), palette, layer.signed);
        }
        if (!current()) return;
        plate.redraw();
        await new Promise((next) => setTimeout(next));
      }
      side();
      document.documentElement.dataset.filled = 'model';
    };
    delete document.documentElement.dataset.filled;
    const filled = fill();
    return {
      size: () => [plate.size()[0], whole(plate.size()[0])],
      paint,
      csv: () => [['layer', 'head', 'entropy'], ...layers.filter((layer) => layer.weights).flatMap((layer) =>
        Array.from({ length: layer.heads }, (_, h) => [layer.name, String(h), layer.signed ? '' : heed.entropy(layer.weights.numbers(h * layer.T, layer.T), layer.T, layer.S)]))],
      close: plate.close,
      filled,
    };
  },
};
