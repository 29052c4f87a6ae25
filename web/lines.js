// Head view: a line from each token to those it looks at, the stronger the look the stronger the line.
'use strict';

heed.views.lines = {
  needs: (seen) => seen.layers.length > 0,

  async open(stage, current) {
    const layer = await heed.layer().open();
    if (!current()) return null;
    const { T, S } = layer, palette = heed.palette(), say = heed.say, all = heed.state.head === 'all', hidden = new Set();
    const heads = all ? Array.from({ length: layer.heads }, (_, h) => h) : [heed.state.head];
    const drawn = heads.map((head, i) => {
      const matrix = layer.matrix(head);
      return { head, matrix, most: heed.largest(matrix), colour: all ? palette.heads[i % palette.heads.length] : palette.accent, rows: new Array(T) };
    });
    const queries = layer.queryText.tokens.map(heed.visible), keys = layer.keyText.tokens.map(heed.visible);
    const ROW = Math.max(T, S) > 80 ? 19 : 24, EDGE = 16, SIZE = 13.5;
    let side = 'query', over = false;  // which column the cursor is in, and whether it is shown

    const whole = () => 2 * EDGE + Math.max(T, S) * ROW;
    const height = () => Math.min(whole(), Math.max(360, innerHeight - 240));
    const columns = (width) => [width * 0.36, width * 0.64];
    const shown = () => drawn.filter(({ head }) => !hidden.has(head));
    const linesOf = (each, query) => (each.rows[query] ||= heed.strongest(each.matrix.subarray(query * S, (query + 1) * S), all ? 3 : 12, (all ? 0.1 : 0.02) * each.most));
    const marked = (query, key) => over && (side === 'query' ? query === heed.state.query : key === heed.state.key);

    const drawLines = (pen, width, from, to) => {
      const [x1, x2] = columns(width), y = (index, scrolled) => EDGE + (index + 0.5) * ROW - scrolled;
      const faint = new Map(), strong = new Map();  // lines of one colour and strength are drawn at once
      const add = (to, each, share, line) => {
        const level = Math.ceil(Math.abs(share) * 6), below = share < 0, name = `${each.head} ${level} ${below}`;
        if (!to.has(name)) to.set(name, { colour: below && !all ? palette.below : each.colour, share: level / 6, dashes: below ? [5, 4] : [], lines: [] });
        to.get(name).lines.push(line);
      };
      for (const each of shown())
        for (let query = 0; query < T; ++query) {
          if (y(query, from) < -ROW && !(over && side === 'key')) continue;
          if (y(query, from) > to - from + ROW && !(over && side === 'key')) break;
          for (const [key, weight] of linesOf(each, query)) add(marked(query, key) ? strong : faint, each, weight / each.most, [x1 + 10, y(query, from), x2 - 10, y(key, from)]);
        }
      for (const { colour, share, dashes, lines } of faint.values()) pen.curves(lines, colour, 0.6 + 2.6 * share, (over ? 0.1 : 0.75) * share, dashes);
      for (const { colour, share, dashes, lines } of strong.values()) pen.curves(lines, colour, 0.6 + 2.6 * share, 0.25 + 0.75 * share, dashes);
    };
    const drawColumn = (pen, words, x, align, cursor, from, to, looked) => {
      for (let i = Math.max(0, Math.floor((from - EDGE) / ROW)); i < words.length && EDGE + i * ROW < to; ++i) {
        const y = EDGE + (i + 0.5) * ROW - from, here = over && i === cursor;
        if (looked?.[i]) pen.rect(align === 'left' ? x - 5 : x - 175, y - ROW / 2 + 1, 180, ROW - 2, looked[i] < 0 ? palette.below : palette.accent, 0.28 * Math.abs(looked[i]));
        pen.text(heed.fitted(words[i], SIZE, 200), x, y, { colour: here ? palette.accent : palette.ink, size: SIZE, align, bold: here });
      }
    };
    const lookedAt = () => {
      if (!over || all) return [null, null];
      const { matrix } = drawn[0], { query, key } = heed.state;
      const of = side === 'query' ? matrix.subarray(query * S, (query + 1) * S) : Float32Array.from({ length: T }, (_, t) => matrix[t * S + key]);
      const most = heed.largest(of), shares = most ? of.map((weight) => weight / most) : of;
      return side === 'query' ? [null, shares] : [shares, null];
    };
    const paint = (pen, width, tall, scrolled = 0) => {
      const [x1, x2] = columns(width), [left, right] = lookedAt();
      drawLines(pen, width, scrolled, scrolled + tall);
      drawColumn(pen, queries, x1, 'right', side === 'query' ? heed.state.query : -1, scrolled, scrolled + tall, left);
      drawColumn(pen, keys, x2, 'left', side === 'key' ? heed.state.key : -1, scrolled, scrolled + tall, right);
    };

    const point = (event) => {
      const [width] = plate.size(), index = Math.floor((event.offsetY + plate.box.scrollTop - EDGE) / ROW), [x1, x2] = columns(width);
      const column = event.offsetX < (x1 + x2) / 2 ? 'query' : 'key', near = event.offsetX < x1 + 20 || event.offsetX > x2 - 20;
      over = near && index >= 0 && index < (column === 'query' ? T : S);
      if (over) { side = column; heed.set({ [column]: index }); }
      plate.redraw();
    };
    const go = (by) => {
      over = true;
      const count = side === 'query' ? T : S, index = Math.max(0, Math.min(count - 1, heed.state[side] + by)), at = EDGE + index * ROW;
      heed.set({ [side]: index });
      plate.box.scrollTop = Math.max(Math.min(plate.box.scrollTop, at - EDGE), at + 2 * ROW - plate.size()[1]);
      plate.redraw();
    };
    const cross = (to) => { side = to; go(0); };
    const plate = heed.plate(stage, {
      id: 'picture', label: say('lines_label', { layer: layer.name, head: heed.headName(layer, heed.state.head) }), height, whole, draw: paint,
      keys: {
        ArrowUp: () => go(-1), ArrowDown: () => go(1), PageUp: () => go(-10), PageDown: () => go(10), Home: () => go(-T - S), End: () => go(T + S),
        ArrowLeft: () => cross('query'), ArrowRight: () => cross('key'), Escape: () => { over = false; plate.redraw(); }, ...heed.headKeys,
      },
      onpointermove: point, onpointerdown: point,
      onpointerleave: (event) => { if (event.pointerType === 'mouse') { over = false; plate.redraw(); } },
    });
    const chips = () => heads.map((head, i) => heed.el('button', {
      type: 'button', class: 'chip', id: 'chip-' + head, 'aria-pressed': String(!hidden.has(head)), style: `--chip:${palette.heads[i % palette.heads.length]}`,
      onclick: (event) => { hidden.has(head) ? hidden.delete(head) : hidden.add(head); event.currentTarget.setAttribute('aria-pressed', String(!hidden.has(head))); plate.redraw(); },
    }, String(head)));
    const how = heed.howSection('lines_how', 'lines_keys');
    const sideOf = () => {
      if (all) return heed.side(heed.section(say('heads'), heed.el('div', { class: 'chips', role: 'group', 'aria-label': say('heads') }, chips())), how);
      return heed.side(...heed.pairSections(layer, drawn[0].matrix), how);
    };
    heed.tools(heed.layerTools(layer.heads > 1 ? ['all'] : []), heed.saveTools());
    sideOf();
    return {
      move: () => { if (!all) sideOf(); plate.redraw(); },
      size: () => [plate.size()[0], whole()],
      paint,
      csv: () => [['head', 'query', 'key', 'weight'], ...shown().flatMap(({ head, matrix }) =>
        layer.queryText.tokens.flatMap((query, t) => layer.keyText.tokens.map((key, s) => [String(head), query, key, matrix[t * S + s]])))],
      close: plate.close,
    };
  },
};
