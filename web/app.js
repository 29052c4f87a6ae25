// The shell: state, which lives in the address; tabs, settings, toolbar, side panel; a canvas that redraws itself.
'use strict';

// An element: attributes by name, `on…` as listeners; children are elements or texts, never markup.
heed.el = (name, attributes = {}, ...children) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else if (key === 'style') node.style.cssText = value;  // an attribute is refused where styles need a nonce
    else node.setAttribute(key, value === true ? '' : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
};

// ---- state ----------------------------------------------------------------------------------------------

heed.START = { view: '', measure: '', layer: 0, head: 'mean', query: 0, key: 0, text: 0, method: 0, step: 0, mechanism: 'scaled_dot', lang: '', theme: 'auto' };
heed.state = { ...heed.START };
heed.views = {};  // id → {needs(seen), open(app) → {move, paint, csv, close}}

heed.readAddress = (hash) => {
  const said = new URLSearchParams(hash.slice(1)), state = { ...heed.START };
  for (const key of Object.keys(state)) {
    const value = said.get(key);
    if (value === null) continue;
    if (typeof state[key] === 'number') state[key] = Math.max(0, Math.floor(Number(value)) || 0);
    else state[key] = key === 'head' && /^\d+$/.test(value) ? Number(value) : value;
  }
  return state;
};

heed.address = () => {
  const said = new URLSearchParams();
  for (const [key, value] of Object.entries(heed.state)) if (value !== heed.START[key]) said.set(key, value);
  return '#' + said;
};

heed.saveAddress = () => {
  clearTimeout(heed.saving);
  heed.saving = setTimeout(() => history.replaceState(null, '', heed.address()), 250);
};

heed.theme = () => {
  if (heed.state.theme !== 'auto') return heed.state.theme;
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
};

// What the address says, held to what there is.
heed.legal = (state) => {
  const { seen } = heed, ids = heed.viewIds();
  const within = (value, count) => Math.min(value, Math.max(count - 1, 0));
  if (!ids.includes(state.view)) state.view = ids[0];
  if (!['en', 'zh'].includes(state.lang)) state.lang = navigator.language.startsWith('zh') ? 'zh' : 'en';
  if (!['auto', 'light', 'dark'].includes(state.theme)) state.theme = 'auto';
  state.layer = within(state.layer, seen.layers.length);
  const layer = seen.layers[state.layer];
  if (layer) {
    if (typeof state.head === 'number') state.head = within(state.head, layer.heads);
    else if (state.head !== 'all') state.head = layer.heads === 1 ? 0 : 'mean';
    state.query = within(state.query, layer.T);
    state.key = within(state.key, layer.S);
  }
  state.text = within(state.text, seen.texts.length);
  state.step = within(state.step, seen.steps.length);
  if (!heed.measures(seen.layers).includes(state.measure)) state.measure = '';
  return state;
};

heed.viewIds = () => Object.keys(heed.views).filter((id) => heed.views[id].needs(heed.seen));
heed.layer = () => heed.seen.layers[heed.state.layer];

// Changes the state; where the cursor alone moved, the view is told, else everything is shown anew.
heed.set = (patch) => {
  const changed = Object.keys(patch).filter((key) => heed.state[key] !== patch[key]);
  if (!changed.length) return;
  Object.assign(heed.state, patch);
  heed.legal(heed.state);
  heed.saveAddress();
  if (changed.every((key) => key === 'query' || key === 'key') && heed.open?.move) heed.open.move();
  else heed.show();
};

// ---- the shell ------------------------------------------------------------------------------------------

const { el, say } = { el: heed.el, say: (key, values) => heed.say(key, values) };
const $ = (id) => document.getElementById(id);

heed.choice = (id, label, options, chosen, choose) =>
  el('div', { class: 'choice', role: 'group', 'aria-label': label },
    options.map(([value, text]) => el('button', { type: 'button', class: 'plain', id: `${id}-${value}`, 'aria-pressed': String(value === chosen), onclick: () => choose(value) }, text)));

heed.select = (id, label, options, chosen, choose) =>
  el('label', { class: 'field' }, label,
    el('select', { id, onchange: (event) => choose(options[event.target.selectedIndex][0]) },
      options.map(([value, text]) => el('option', { selected: value === chosen }, text))));

const showSettings = () => {
  document.documentElement.lang = heed.state.lang;
  heed.showAsking();
  document.documentElement.dataset.theme = heed.theme();
  const title = heed.seen.title || say(heed.seen.served ? 'served' : 'untitled');
  $('title').textContent = title;
  document.title = `${title} · heed`;
  $('model').textContent = heed.seen.model;
  $('skip').textContent = say('skip');
  $('settings').replaceChildren(
    heed.choice('lang', say('language'), [['en', 'English'], ['zh', '中文']], heed.state.lang, (lang) => heed.set({ lang })),
    heed.choice('theme', say('theme'), ['auto', 'light', 'dark'].map((theme) => [theme, say(theme)]), heed.state.theme, (theme) => heed.set({ theme })));
};

const moveTab = (event) => {
  const ids = heed.viewIds(), at = ids.indexOf(heed.state.view);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: ids.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  heed.set({ view: ids[(to + ids.length) % ids.length] });
  $('tab-' + heed.state.view).focus();
};

const showTabs = () => {
  $('views').setAttribute('aria-label', say('views'));
  $('views').replaceChildren(...heed.viewIds().map((view) => {
    const chosen = view === heed.state.view;
    return el('button', { type: 'button', role: 'tab', id: 'tab-' + view, 'aria-selected': String(chosen), 'aria-controls': 'panel', tabindex: chosen ? 0 : -1, onclick: () => heed.set({ view }), onkeydown: moveTab }, say(view));
  }));
  $('panel').setAttribute('aria-labelledby', 'tab-' + heed.state.view);
};

heed.headName = (layer, head) => (head === 'mean' ? say('mean', { n: layer.heads }) : head === 'all' ? say('all_heads') : say('head_n', { n: head }));

// Which layer and head: for every view of weights. more: other choices than one head or the mean.
heed.layerTools = (more = []) => {
  const layer = heed.layer(), { layers } = heed.seen;
  const heads = [...more, ...(layer.heads > 1 ? ['mean'] : []), ...Array.from({ length: layer.heads }, (_, h) => h)];
  const chosen = heads.includes(heed.state.head) ? heed.state.head : heads[0];
  return [
    heed.select('layer', say('layer'), layers.map((each) => [each.index, each.name]), layer.index, (index) => heed.set({ layer: index })),
    heed.select('head', say('head'), heads.map((head) => [head, heed.headName(layer, head)]), chosen, (head) => heed.set({ head })),
  ];
};

heed.stepHead = (by) => {
  const { heads } = heed.layer(), { head } = heed.state;
  heed.set({ head: typeof head === 'number' ? (head + by + heads) % heads : by > 0 ? 0 : heads - 1 });
};
heed.stepLayer = (by) => heed.set({ layer: (heed.state.layer + by + heed.seen.layers.length) % heed.seen.layers.length });

const fileName = () => `${(heed.seen.title || 'heed').replace(/[^\p{L}\p{N}]+/gu, '-').slice(0, 40)}-${heed.state.view}`;

heed.download = (name, content) => {
  const link = el('a', { href: URL.createObjectURL(content), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
};

// The picture whole, as the view paints it.
heed.svg = () => {
  const [width, height] = heed.open.size(), pen = new heed.SvgPen(width, height, heed.palette().surface);
  heed.open.paint(pen, width, height);
  return pen.source();
};
heed.png = () => {
  const [width, height] = heed.open.size(), scale = Math.min(2, 16000 / Math.max(width, height));
  const canvas = el('canvas', { width: Math.round(width * scale), height: Math.round(height * scale) }), context = canvas.getContext('2d');
  context.scale(scale, scale);
  const pen = new heed.CanvasPen(context);
  pen.rect(0, 0, width, height, heed.palette().surface);
  heed.open.paint(pen, width, height);
  return new Promise((done) => canvas.toBlob(done, 'image/png'));
};
heed.csvCell = (value) => (typeof value === 'number' ? String(+value.toPrecision(6)) : `"${String(value).replace(/"/g, '""')}"`);
heed.csv = (rows) => rows.map((row) => row.map(heed.csvCell).join(',')).join('\r\n') + '\r\n';

const SAVES = {
  PNG: async () => heed.download(fileName() + '.png', await heed.png()),
  SVG: () => heed.download(fileName() + '.svg', new Blob([heed.svg()], { type: 'image/svg+xml' })),
  CSV: () => heed.download(fileName() + '.csv', new Blob(['\ufeff' + heed.csv(heed.open.csv())], { type: 'text/csv' })),
};
heed.saveTools = (kinds = Object.keys(SAVES)) =>
  el('div', { class: 'row push', role: 'group', 'aria-label': say('save') },
    kinds.map((kind) => el('button', { type: 'button', class: 'quiet', 'aria-label': say('save_as', { kind }), onclick: () => SAVES[kind]() }, kind)));

heed.tools = (...nodes) => $('toolbar').replaceChildren(...nodes.flat());
heed.section = (title, ...nodes) => el('section', {}, title ? el('h2', {}, title) : null, ...nodes);
// The side panel, once a frame at most: what stood there already stays.
heed.side = (...sections) => {
  cancelAnimationFrame(heed.siding);
  const show = () => {
    for (const node of [...$('side').children]) if (!sections.includes(node)) node.remove();
    sections.forEach((node, i) => $('side').children[i] !== node && $('side').insertBefore(node, $('side').children[i]));
  };
  $('side').parentElement.classList.toggle('whole', !sections.length);
  heed.siding = requestAnimationFrame(show);
};
heed.announce = (text) => {
  clearTimeout(heed.announcing);
  heed.announcing = setTimeout(() => ($('said').textContent = text), 200);
};

heed.number = (x) => (x === 0 ? '0' : Math.abs(x) >= 0.0005 ? x.toFixed(3) : x.toExponential(0)).replace(/^-/, '−');

// Shows the state from the beginning. What a slower, earlier call brings is dropped.
heed.show = async () => {
  const focused = document.activeElement?.id, turn = (heed.turn = (heed.turn || 0) + 1);
  heed.open?.close?.();
  heed.open = null;
  showSettings();
  showTabs();
  const refocus = () => document.activeElement === document.body && focused && $(focused)?.focus();
  refocus();
  const open = await heed.views[heed.state.view].open($('stage'), () => turn === heed.turn);
  if (turn !== heed.turn) return;
  heed.open = open;
  refocus();
  document.documentElement.dataset.shown = heed.state.view;
  performance.mark('shown');
};

// ---- a canvas that fills its plate ----------------------------------------------------------------------

// draw(pen, width, height, scrolled) is called before the next frame whenever redraw() was called or the plate changed
// its size; height(width) says how high it wants to be. A plate with whole(width), the height of everything there is to
// see, scrolls over it.
heed.plate = (stage, { id, label, height, whole, draw, keys, ...listeners }) => {
  const canvas = el('canvas', { id, tabindex: 0, role: 'application', 'aria-label': label, ...listeners });
  const sizer = el('div', {}, canvas), box = el('div', { class: whole ? 'plate scrolls' : 'plate' }, sizer);
  let asked = 0, width = 0, tall = 0;
  const paint = () => {
    asked = 0;
    const dots = devicePixelRatio || 1;
    width = box.clientWidth;
    tall = Math.round(height(width));
    if (whole) {
      box.style.height = tall + 2 + 'px';
      sizer.style.height = whole(width) + 'px';
      width = box.clientWidth;
    }
    if (canvas.width !== Math.round(width * dots) || canvas.height !== Math.round(tall * dots)) {
      canvas.width = Math.round(width * dots);
      canvas.height = Math.round(tall * dots);
      canvas.style.width = width + 'px';
      canvas.style.height = tall + 'px';
    }
    const context = canvas.getContext('2d');
    context.setTransform(dots, 0, 0, dots, 0, 0);
    context.clearRect(0, 0, width, tall);
    draw(new heed.CanvasPen(context), width, tall, box.scrollTop);
  };
  const redraw = () => (asked ||= requestAnimationFrame(paint));
  canvas.addEventListener('keydown', (event) => {
    const act = !event.ctrlKey && !event.metaKey && !event.altKey && keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  const observer = new ResizeObserver(redraw);
  stage.replaceChildren(box);
  observer.observe(box);
  box.addEventListener('scroll', redraw, { passive: true });
  paint();
  return { canvas, box, redraw, size: () => [width, tall], close: () => { observer.disconnect(); cancelAnimationFrame(asked); } };
};

heed.headKeys = {
  '[': () => heed.stepHead(-1), ']': () => heed.stepHead(1), '{': () => heed.stepLayer(-1), '}': () => heed.stepLayer(1),
};

// ---- what stands beside a picture of weights ------------------------------------------------------------

heed.word = (text, index) => heed.visible(text.tokens[index]);

// A bar for each of [word, share of the largest, number, what a press does].
heed.ranking = (items) => el('ol', { class: 'ranking' }, items.map(([word, share, number, press]) =>
  el('li', {}, el('button', { type: 'button', onclick: press },
    el('span', { class: 'word' }, word),
    el('span', { class: 'bar' }, el('i', { class: share < 0 ? 'below' : '', style: `width:${(100 * Math.abs(share)).toFixed(1)}%` })),
    el('span', { class: 'number' }, number)))));

// The pair under the cursor and where its query looks most; choose(key) moves there.
heed.pairSections = (layer, matrix) => {
  const { query, key } = heed.state, row = matrix.subarray(query * layer.S, (query + 1) * layer.S);
  const from = heed.word(layer.queryText, query), to = heed.word(layer.keyText, key), most = heed.largest(row);
  heed.announce(say('said_pair', { query: from, key: to, weight: heed.number(row[key]) }));
  const ranking = heed.strongest(row, 8).map(([index, weight]) => [heed.word(layer.keyText, index), weight / most, heed.number(weight), () => heed.set({ key: index })]);
  return [
    heed.section(null, el('p', { class: 'pair' }, el('b', {}, from), ` ${say('looks_at')} `, el('b', {}, to)), el('p', { class: 'figure' }, heed.number(row[key]))),
    heed.section(say('strongest', { query: from }), ranking.length ? heed.ranking(ranking) : el('p', {}, say('nothing'))),
  ];
};

// layer.bits: in which its weights were kept, where they lost by it.
heed.scaleSection = (layer, most) => {
  const { signed } = layer, stops = (signed ? heed.SIGNED : heed.SCALES)[heed.theme()], part = 2 * (2 ** (layer.bits - (signed ? 1 : 0)) - 1);
  return heed.section(say('scale'),
    el('div', { class: 'scale', style: `background:linear-gradient(to right, ${stops.join(',')})` }),
    el('div', { class: 'ends' }, signed ? [el('span', {}, heed.number(-most)), el('span', {}, '0')] : el('span', {}, '0'), el('span', {}, heed.number(most))),
    el('p', {}, say(signed ? 'scale_signed' : 'scale_note')), layer.bits ? el('p', {}, say('loss_note', { bits: layer.bits, part })) : null);
};
heed.howSection = (how, keys) => heed.section(say('how'), el('p', {}, say(how)), el('p', {}, say('keys', { keys: say(keys) })));

// ---- pointers -------------------------------------------------------------------------------------------

// moved says whether there was anything to move. A drag moves, two fingers or Ctrl and the wheel pinch, the wheel alone moves, and what only passes or taps hovers.
heed.gestures = ({ moved, pinched, hovered }) => {
  const down = new Map();
  let far = false;
  const apart = () => { const [a, b] = [...down.values()]; return Math.hypot(a.offsetX - b.offsetX, a.offsetY - b.offsetY); };
  const lift = (event) => {
    if (down.size === 1 && !far && event.type === 'pointerup') hovered(event);
    down.delete(event.pointerId);
  };
  return {
    onpointerdown: (event) => { down.set(event.pointerId, event); far = down.size > 1; event.target.setPointerCapture(event.pointerId); },
    onpointerup: lift,
    onpointercancel: lift,
    onpointermove: (event) => {
      const last = down.get(event.pointerId);
      if (!last) return hovered(event);
      if (down.size === 2) {
        const before = apart();
        down.set(event.pointerId, event);
        const [a, b] = [...down.values()];
        return pinched(apart() / before, (a.offsetX + b.offsetX) / 2, (a.offsetY + b.offsetY) / 2);
      }
      if (!far && Math.hypot(event.offsetX - last.offsetX, event.offsetY - last.offsetY) < 5) return;
      far = true;
      down.set(event.pointerId, event);
      moved(event.offsetX - last.offsetX, event.offsetY - last.offsetY);
    },
    onwheel: (event) => {
      const closer = event.ctrlKey || event.metaKey;
      if (closer) pinched(Math.exp(-event.deltaY / 300), event.offsetX, event.offsetY);
      if (closer || moved(-event.deltaX, -event.deltaY)) event.preventDefault();  // else the page scrolls
    },
  };
};
