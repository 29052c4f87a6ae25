// The table of mechanisms, and a playground: change a number, and every number after it changes.
'use strict';

const shortNumber = (x) => {
  if (x === -Infinity || x === '-inf') return '−∞';
  if (x === 'inf') return '∞';
  const text = Number.isInteger(x) ? String(x) : x.toFixed(3);
  return text.replace('-', '−');
};
const isNumber = (x) => typeof x === 'number' && Number.isFinite(x);

// A matrix as a table; shaded: how large each of its numbers is.
heed.numberTable = (caption, formula, matrix, shaded) => {
  const palette = heed.palette(), values = matrix.flat().filter(isNumber), most = Math.max(...values.map(Math.abs), 1e-12), negative = values.some((x) => x < 0);
  const cell = (x) => {
    const ground = shaded && isNumber(x) ? (negative ? palette.signed((0.8 * x) / most) : palette.of((0.9 * x) / most)) : null;
    return heed.el('td', { class: isNumber(x) ? '' : 'faint', style: ground && `background:${heed.css(ground)};color:${heed.inkOn(ground)}` }, shortNumber(x));
  };
  return heed.el('table', { class: 'numbers' },
    heed.el('caption', {}, caption, formula ? heed.el('span', { class: 'formula' }, formula) : null),
    heed.el('tbody', {}, matrix.map((row) => heed.el('tr', {}, row.map(cell)))));
};

// A matrix whose numbers can be changed.
heed.numberInputs = (name, matrix, changed) =>
  heed.el('table', { class: 'numbers inputs' }, heed.el('caption', {}, name),
    heed.el('tbody', {}, matrix.map((row, i) => heed.el('tr', {}, row.map((x, j) => heed.el('td', {},
      heed.el('input', { type: 'number', step: '0.5', value: x, 'aria-label': `${name} ${i} ${j}`, oninput: (event) => {
        if (!Number.isFinite(event.target.valueAsNumber)) return;
        row[j] = event.target.valueAsNumber;
        changed();
      } })))))));

const copied = (x) => JSON.parse(JSON.stringify(x));

// The learned tensors that the scores want and the row does not bring: those of the row that is named so.
heed.learnedFor = (scores, row, table) => {
  const wanted = heed.SCORES[scores].learned || [], own = row.example.learned;
  return wanted.every((name) => own[name]) ? own : table.find((each) => each.name === scores).example.learned;
};

heed.playground = (row, table) => {
  const { el, say } = heed, settings = heed.PLAYABLE[row.name];
  const results = el('div', { class: 'steps', id: 'results', 'aria-live': 'off' }), box = el('div', { class: 'playground' });
  const begin = () => {
    const { q, k, v } = copied(row.example), play = { ...heed.PLAY, ...settings }, mask = q.map(() => k.map(() => true));
    const compute = () => {
      const steps = heed.attend({ q, k, v, mask, learned: heed.learnedFor(play.scores, row, table) }, play);
      results.replaceChildren(...steps.map(({ name, formula, matrix }, i) => heed.numberTable(say(name), formula, matrix, i >= steps.length - 2)));
      heed.played = steps;
    };
    const choose = (slot, rows) => heed.select('play-' + slot, say(slot), Object.keys(rows).map((name) => [name, say('slot_' + name) ]), play[slot], (name) => { play[slot] = name; compute(); showNumbers(); });
    const number = (name, least, most, step) => el('label', { class: 'field' }, say('play_' + name), el('input', { type: 'number', id: 'play-' + name, min: least, max: most, step, value: play[name], oninput: (event) => {
      const value = event.target.valueAsNumber;
      if (!(value >= least && value <= most)) return;
      play[name] = value;
      compute();
    } }));
    const extras = el('span', { class: 'row' });
    const showNumbers = () => extras.replaceChildren(...[
      play.position === 'alibi' && number('slope', 0, 8, 0.125), ...(play.span === 'window' ? [number('left', 0, 16, 1), number('right', 0, 16, 1)] : []), play.normalizer === 'top_k' && number('k', 1, 16, 1)].filter(Boolean));
    const heat = el('label', { class: 'field' }, say('temperature'), el('input', { type: 'range', id: 'temperature', min: -2, max: 2, step: 0.05, value: Math.log2(play.temperature), oninput: (event) => {
      play.temperature = +(2 ** event.target.valueAsNumber).toFixed(2);
      shown.textContent = play.temperature;
      compute();
    } }));
    const shown = el('output', { for: 'temperature' }, String(play.temperature));
    const eyes = el('table', { class: 'numbers inputs mask' }, el('caption', {}, say('mask')), el('tbody', {}, mask.map((line, i) => el('tr', {}, line.map((_, j) => el('td', {},
      el('input', { type: 'checkbox', checked: true, 'aria-label': say('mask_cell', { query: i, key: j }), onchange: (event) => { line[j] = event.target.checked; compute(); } })))))));
    box.replaceChildren(
      el('div', { class: 'row toolbar' }, choose('scores', heed.SCORES), choose('position', heed.POSITIONS), choose('span', heed.SPANS), choose('normalizer', heed.NORMALIZERS), extras, heat, shown,
        el('button', { type: 'button', class: 'quiet', onclick: begin }, say('begin_again'))),
      el('div', { class: 'steps' }, heed.numberInputs('Q', q, compute), heed.numberInputs('K', k, compute), heed.numberInputs('V', v, compute), eyes),
      results);
    showNumbers();
    compute();
  };
  begin();
  return box;
};

// The program's own numbers, of a mechanism that the playground does not know.
heed.workedNumbers = (row) => {
  const { example } = row, { say } = heed;
  const learned = Object.entries(example.learned).filter(([, x]) => Array.isArray(x[0]) && isNumber(x[0][0]) && x.length <= 6).map(([name, x]) => heed.numberTable(name, '', x, false));
  return heed.el('div', { class: 'steps' }, heed.numberTable('Q', '', example.q, false), heed.numberTable('K', '', example.k, false), heed.numberTable('V', '', example.v, false), learned,
    Object.entries(example.steps).map(([name, matrix]) => heed.numberTable(name, '', matrix, false)),
    heed.numberTable(say('step_scores'), '', example.scores, false), heed.numberTable(say('step_weights'), '', example.weights, true), heed.numberTable(say('step_out'), '', example.out, true));
};

heed.patternPicture = (row) => {
  const canvas = heed.el('canvas', { width: 160, height: 160, role: 'img', 'aria-label': heed.say('pattern_label', { name: row.name }) }), matrix = Float32Array.from(row.pattern.flat(), (x) => (isNumber(x) ? x : 0));
  const small = heed.pixels(matrix, row.pattern[0].length, row.pattern.length, heed.largest(matrix), heed.palette(), matrix.some((x) => x < 0));
  new heed.CanvasPen(canvas.getContext('2d')).image(small, 0, 0, 160, 160);
  return canvas;
};

heed.views.mechanisms = {
  needs: () => true,

  async open(stage, current) {
    const table = await heed.seen.mechanismTable();
    if (!current()) return null;
    const { el, say, state } = heed, row = table.find((each) => each.name === state.mechanism) || table[0], words = (each) => (state.lang === 'zh' ? each.zh : each);
    const items = table.map((each) => el('button', { type: 'button', class: 'item', id: 'mechanism-' + each.name, 'aria-current': each === row ? 'true' : null, onclick: () => heed.set({ mechanism: each.name }) },
      el('span', { class: 'word' }, each.name), el('span', { class: 'year' }, String(each.year))));
    const filter = (event) => {
      const wanted = event.target.value.toLowerCase();
      table.forEach((each, i) => (items[i].hidden = ![each.name, words(each).purpose, each.formula, words(each).paper].some((text) => text.toLowerCase().includes(wanted))));
    };
    const fact = (title, text) => [el('dt', {}, say(title)), el('dd', {}, text)];
    const detail = el('div', { class: 'detail' },
      el('div', { class: 'intro' },
        el('div', {}, el('h2', { class: 'big-head' }, row.name), el('p', { class: 'formula large' }, words(row).formula), el('p', { class: 'lead' }, words(row).purpose),
          el('dl', { class: 'facts wide' }, fact('paper', words(row).paper), fact('cost', words(row).cost), fact('trap', words(row).trap), fact('code', el('code', {}, row.code)))),
        el('figure', {}, heed.patternPicture(row), el('figcaption', {}, say('pattern'), row.pattern.flat().some((x) => x < 0) ? ` ${say('below_and_above')}` : ''))),
      el('h3', { class: 'small-head gap' }, say(heed.PLAYABLE[row.name] ? 'playground' : 'worked')),
      el('p', { class: 'prose' }, say(heed.PLAYABLE[row.name] ? 'playground_note' : 'worked_note')),
      heed.PLAYABLE[row.name] ? heed.playground(row, table) : heed.workedNumbers(row));
    const scrolled = document.getElementById('mechanism-list')?.scrollTop || 0;
    const list = el('div', { class: 'list', id: 'mechanism-list', role: 'group', 'aria-label': say('mechanisms') }, items);
    stage.replaceChildren(el('div', { class: 'catalogue' }, el('div', {}, el('input', { type: 'search', id: 'find', placeholder: say('find'), 'aria-label': say('find'), oninput: filter }), list), detail));
    list.scrollTop = scrolled;
    items[table.indexOf(row)].scrollIntoView({ block: 'nearest' });
    heed.tools();
    heed.side();
    return { size: () => [0, 0] };
  },
};
