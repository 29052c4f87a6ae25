// Query and key, element by element: which of them make a score large.
'use strict';

heed.views.elements = {
  needs: (seen) => seen.layers.some((layer) => layer.vectors !== 'none'),

  async open(stage, current) {
    const layer = heed.layer(), say = heed.say, palette = heed.palette();
    const tools = () => heed.tools(heed.layerTools(), heed.select('query', say('query'), layer.queryText.tokens.map((token, t) => [t, `${t} ${heed.visible(token)}`]), heed.state.query, (query) => heed.set({ query })), heed.saveTools());
    if (layer.vectors !== 'here') {
      heed.tools(heed.layerTools());
      heed.side();
      stage.replaceChildren(heed.el('p', { class: 'prose' }, say(layer.vectors === 'none' ? 'no_vectors' : 'vectors_left_out')));
      return { size: () => [0, 0] };
    }
    await layer.open();
    await layer.openVectors();
    if (!current()) return null;
    const { T, S, width: D } = layer, head = typeof heed.state.head === 'number' ? heed.state.head : 0;
    const q = layer.qRows.numbers(head * T, T), k = layer.kRows.numbers(head * S, S), matrix = layer.matrix(head);
    const keys = layer.keyText.tokens.map(heed.visible), ROW = 22, TOP = 92, EDGE = 12, SIZE = 13;
    const largest = (numbers) => numbers.reduce((most, x) => Math.max(most, Math.abs(x)), 0) || 1;
    const mostOf = { q: largest(q), k: largest(k) };
    let row;
    const compute = () => {
      const at = heed.state.query * D, query = q.subarray(at, at + D), product = k.map((x, i) => x * query[i % D]);
      const scores = Float32Array.from({ length: S }, (_, s) => product.subarray(s * D, (s + 1) * D).reduce((sum, x) => sum + x, 0));
      row = { query, product, scores, most: largest(product), mostScore: largest(scores), weights: matrix.subarray(heed.state.query * S, (heed.state.query + 1) * S) };
    };
    compute();

    const whole = () => TOP + S * ROW + EDGE;
    const height = () => Math.min(whole(), Math.max(360, innerHeight - 240));
    const columns = (width) => {
      const words = Math.min(130, width * 0.16), rest = width - words - 3 * EDGE - 160, strip = rest / 2 - EDGE;
      return { words: EDGE, k: EDGE + words + EDGE, product: EDGE + words + EDGE + strip + EDGE, strip, score: width - 160, weight: width - 96 };
    };
    const strip = (pen, x, y, width, numbers, most) => {
      const cell = width / D;
      numbers.forEach((value, d) => pen.rect(x + d * cell, y, Math.max(cell - (cell > 5 ? 1 : 0), 0.5), ROW - 6, heed.css(palette.signed(value / most))));
    };
    const paint = (pen, width, tall, scrolled = 0) => {
      const at = columns(width), title = (text, x, align = 'left') => pen.text(text, x, TOP - 16, { colour: palette.muted, size: 12.5, align });
      pen.text(`q  ${heed.word(layer.queryText, heed.state.query)}`, at.words, 28, { colour: palette.accent, size: SIZE, bold: true });
      strip(pen, at.k, 20, at.strip, Array.from(row.query), mostOf.q);
      title('k', at.k), title('q ∘ k', at.product), title('q · k', at.score + 40, 'right'), title(say('weight'), at.weight);
      const mostWeight = heed.largest(row.weights);
      pen.within(0, TOP, width, tall - TOP, () => {
        for (let s = Math.max(0, Math.floor(scrolled / ROW)); s < S && TOP + s * ROW - scrolled < tall; ++s) {
          const y = TOP + s * ROW - scrolled, here = s === heed.state.key, middle = y + (ROW - 6) / 2;
          pen.text(heed.fitted(keys[s], SIZE, at.k - EDGE - at.words), at.words, middle, { colour: here ? palette.accent : palette.ink, size: SIZE, bold: here });
          strip(pen, at.k, y, at.strip, Array.from(k.subarray(s * D, (s + 1) * D)), mostOf.k);
          strip(pen, at.product, y, at.strip, Array.from(row.product.subarray(s * D, (s + 1) * D)), row.most);
          pen.text(row.scores[s].toFixed(2), at.score + 40, middle, { colour: palette.ink, size: 12.5, align: 'right' });
          if (mostWeight) pen.rect(at.weight, y + 2, (36 * Math.abs(row.weights[s])) / mostWeight, ROW - 10, row.weights[s] < 0 ? palette.below : palette.accent);
          pen.text(heed.number(row.weights[s]), at.weight + 84, middle, { colour: palette.ink, size: 12.5, align: 'right' });
        }
      });
    };
    const go = (dt, ds) => {
      const clamp = (value, count) => Math.max(0, Math.min(count - 1, value)), key = clamp(heed.state.key + ds, S);
      const [, tall] = plate.size(), y = TOP + key * ROW;
      plate.box.scrollTop = Math.max(Math.min(plate.box.scrollTop, y - TOP), y + ROW - tall);
      heed.set({ query: clamp(heed.state.query + dt, T), key });
    };
    const point = (event) => {
      const key = Math.floor((event.offsetY + plate.box.scrollTop - TOP) / ROW);
      if (event.offsetY > TOP && key >= 0 && key < S) heed.set({ key });
    };
    const plate = heed.plate(stage, {
      id: 'picture', label: say('elements_label', { layer: layer.name, head: heed.headName(layer, head) }), height, whole, draw: paint,
      keys: { ArrowUp: () => go(0, -1), ArrowDown: () => go(0, 1), ArrowLeft: () => go(-1, 0), ArrowRight: () => go(1, 0), PageUp: () => go(0, -10), PageDown: () => go(0, 10), Home: () => go(0, -S), End: () => go(0, S), ...heed.headKeys },
      onpointermove: point, onpointerdown: point,
    });
    const side = () => heed.side(...heed.pairSections(layer, matrix), heed.section(say('scale'),
      heed.el('div', { class: 'scale', style: `background:linear-gradient(to right, ${heed.SIGNED[heed.theme()].join(',')})` }),
      heed.el('div', { class: 'ends' }, heed.el('span', {}, '−'), heed.el('span', {}, '0'), heed.el('span', {}, '+')), heed.el('p', {}, say('signed_note'))), heed.howSection('elements_how', 'elements_keys'));
    tools();
    side();
    return {
      move: () => { compute(); tools(); side(); plate.redraw(); },
      size: () => [plate.size()[0], whole()],
      paint,
      csv: () => [['key', ...Array.from({ length: D }, (_, d) => `q∘k ${d}`), 'q·k', 'weight'],
        ...layer.keyText.tokens.map((token, s) => [token, ...row.product.subarray(s * D, (s + 1) * D), row.scores[s], row.weights[s]])],
      close: plate.close,
    };
  },
};
