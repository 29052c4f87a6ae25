// Alignment: the weights of a head as a matrix that can be come closer to.
'use strict';

heed.views.matrix = {
  needs: (seen) => seen.layers.length > 0,

  async open(stage, current) {
    const layer = await heed.layer().open();
    if (!current()) return null;
    const { T, S } = layer, head = heed.state.head === 'all' ? 'mean' : heed.state.head, matrix = layer.matrix(head);
    const palette = heed.palette(), most = heed.largest(matrix), pixels = heed.pixels(matrix, S, T, most, palette, layer.signed), colourOf = layer.signed ? palette.signed : palette.of;
    const words = (text) => text.tokens.map(heed.visible);
    const queries = words(layer.queryText), keys = words(layer.keyText), SIZE = 12.5, TURN = -Math.PI / 3;
    const longest = (list) => Math.min(150, list.reduce((most, word) => Math.max(most, heed.textWidth(word.slice(0, 40), SIZE)), 0));
    const left = longest(queries) + 22, top = longest(keys) * 0.87 + 22, right = longest(keys) * 0.5 + 14, bottom = 14;
    const zoom = { by: 1, x: 0, y: 0 };  // x, y: what is scrolled out to the left and above

    const room = () => Math.max(360, innerHeight - 240);
    const fit = (width) => Math.min(38, (width - left - right) / S, Math.max((room() - top - bottom) / T, S * T > 40000 ? 0 : 15));
    const height = (width) => Math.max(240, Math.min(room(), top + bottom + T * fit(width) * zoom.by));
    const place = (width, tall) => {
      const cell = fit(width) * zoom.by, wide = width - left - (zoom.by > 1 ? 0 : right), high = tall - top - (zoom.by > 1 ? 0 : bottom);
      zoom.x = Math.max(0, Math.min(zoom.x, S * cell - wide));
      zoom.y = Math.max(0, Math.min(zoom.y, T * cell - high));
      return { cell, wide: Math.min(wide, S * cell), high: Math.min(high, T * cell), x: left - zoom.x, y: top - zoom.y };
    };

    const drawCells = (pen, { cell, x, y, wide, high }) => {
      if (cell < 13) return pen.image(pixels, x, y, S * cell, T * cell);
      const from = (offset) => Math.floor(offset / cell);
      for (let t = from(zoom.y); t < T && y + t * cell < top + high; ++t)
        for (let s = from(zoom.x); s < S && x + s * cell < left + wide; ++s) {
          const weight = matrix[t * S + s], colour = colourOf(most ? weight / most : 0);
          pen.rect(x + s * cell, y + t * cell, cell - 1, cell - 1, heed.css(colour));
          if (cell >= 34 && Math.abs(weight) >= 0.005) pen.text(weight.toFixed(2).replace('-', '−'), x + (s + 0.5) * cell - 0.5, y + (t + 0.5) * cell, { colour: heed.inkOn(colour), size: 11, align: 'center' });
        }
    };
    const drawWords = (pen, { cell, x, y, wide, high }) => {
      const every = Math.max(1, Math.ceil(14 / cell)), { query, key } = heed.state;
      const shown = (index, cursor) => index === cursor || (index % every === 0 && Math.abs(index - cursor) * cell >= (every > 1 ? 13 : 0));
      const style = (marked) => ({ colour: marked ? palette.accent : palette.ink, size: SIZE, bold: marked });
      pen.within(0, top - 8, left, high + 16, () => {
        for (let t = 0; t < T; ++t) {
          const at = y + (t + 0.5) * cell;
          if (at > top - 8 && at < top + high + 8 && shown(t, query)) pen.text(heed.fitted(queries[t], SIZE, 150), left - 10, at, { ...style(t === query), align: 'right' });
        }
      });
      for (let s = 0; s < S; ++s) {
        const at = x + (s + 0.5) * cell;
        if (at >= left - 1 && at <= left + wide + 1 && shown(s, key)) pen.text(heed.fitted(keys[s], SIZE, 150), at + 1, top - 9, { ...style(s === key), angle: TURN });
      }
    };
    const drawCursor = (pen, { cell, x, y, wide }) => {
      const { query, key } = heed.state, size = Math.max(cell, 5);
      if (cell < 6) {
        pen.rect(left, y + query * cell, wide, Math.max(cell, 1), palette.accent, 0.18);
        pen.rect(x + key * cell, top, Math.max(cell, 1), T * cell, palette.accent, 0.18);
      }
      pen.frame(x + key * cell - 1, y + query * cell - 1, size + 1, size + 1, palette.mark, 2);
    };
    const paint = (pen, width, tall) => {
      const at = place(width, tall);
      pen.within(left, top, at.wide, at.high, () => drawCells(pen, at));
      pen.within(left - 3, top - 3, at.wide + 6, at.high + 6, () => drawCursor(pen, at));
      drawWords(pen, at);
    };

    const zoomAt = (factor, px = left, py = top) => {
      const [width] = plate.size(), before = fit(width) * zoom.by;
      zoom.by = Math.max(1, Math.min(zoom.by * factor, Math.max(1, 48 / fit(width))));
      const grown = (fit(width) * zoom.by) / before;
      zoom.x = (px - left + zoom.x) * grown - (px - left);
      zoom.y = (py - top + zoom.y) * grown - (py - top);
      plate.redraw();
    };
    const intoSight = () => {
      const [width, tall] = plate.size(), { cell, wide, high } = place(width, tall), { query, key } = heed.state;
      zoom.x = Math.max(Math.min(zoom.x, key * cell), (key + 1) * cell - wide);
      zoom.y = Math.max(Math.min(zoom.y, query * cell), (query + 1) * cell - high);
    };
    const go = (dt, ds) => {
      const clamp = (value, count) => Math.max(0, Math.min(count - 1, value));
      heed.set({ query: clamp(heed.state.query + dt, T), key: clamp(heed.state.key + ds, S) });
      intoSight();
    };
    const cellAt = (event) => {
      const [width, tall] = plate.size(), { cell, x, y } = place(width, tall);
      const s = Math.floor((event.offsetX - x) / cell), t = Math.floor((event.offsetY - y) / cell);
      return event.offsetX >= left && event.offsetY >= top && s >= 0 && s < S && t >= 0 && t < T ? { query: t, key: s } : null;
    };

    const touch = heed.gestures({
      moved: (dx, dy) => { zoom.x -= dx; zoom.y -= dy; plate.redraw(); return zoom.by > 1; },
      pinched: zoomAt,
      hovered: (event) => { const cell = cellAt(event); if (cell) heed.set(cell); },
    });
    const plate = heed.plate(stage, {
      id: 'picture', label: heed.say('matrix_label', { layer: layer.name, head: heed.headName(layer, head) }), height, draw: paint,
      keys: {
        ArrowUp: () => go(-1, 0), ArrowDown: () => go(1, 0), ArrowLeft: () => go(0, -1), ArrowRight: () => go(0, 1),
        Home: () => go(0, -S), End: () => go(0, S), PageUp: () => go(-10, 0), PageDown: () => go(10, 0),
        '+': () => zoomAt(1.4), '=': () => zoomAt(1.4), '-': () => zoomAt(1 / 1.4), 0: () => zoomAt(0), ...heed.headKeys,
      },
      ...touch,
    });
    const still = [heed.scaleSection(layer, most), heed.howSection('matrix_how', 'matrix_keys')];
    const side = () => heed.side(...heed.pairSections(layer, matrix), ...still);
    heed.tools(heed.layerTools(),
      heed.choice('zoom', heed.say('closer'), [['in', '+'], ['out', '−'], ['whole', heed.say('fit')]], '', (way) => zoomAt({ in: 1.5, out: 1 / 1.5, whole: 0 }[way])),
      heed.saveTools());
    side();
    return {
      move: () => { side(); plate.redraw(); },
      size: plate.size,
      paint,
      csv: () => [['', ...layer.keyText.tokens], ...layer.queryText.tokens.map((token, t) => [token, ...matrix.subarray(t * S, (t + 1) * S)])],
      close: plate.close,
      zoomAt, zoom,
    };
  },
};
