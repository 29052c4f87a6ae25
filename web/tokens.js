// Marked text: how much each token counted, by one method or another.
'use strict';

// Of each text: the methods that say something about it. values() → numbers, a token each.
heed.methods = (text) => {
  const { seen, state } = heed;
  const given = seen.scores.filter((each) => each.text === text).map((each) => ({ name: each.method, values: async () => Float32Array.from(each.values), about: each }));
  const layer = seen.layers[state.layer];
  if (!layer || layer.keys !== text) return given;
  const column = async () => {
    await layer.open();
    const matrix = layer.matrix(typeof state.head === 'number' ? state.head : 'mean'), sums = new Float32Array(layer.S);
    for (let i = 0; i < matrix.length; ++i) sums[i % layer.S] += matrix[i] / layer.T;
    return sums;
  };
  return [...given, { name: heed.say('received', { layer: layer.name }), values: column, ofLayer: true }];
};

heed.views.tokens = {
  needs: (seen) => seen.scores.length > 0 || seen.layers.length > 0,

  async open(stage, current) {
    const { say, el, state, seen } = heed, methods = heed.methods(state.text), method = methods[Math.min(state.method, methods.length - 1)];
    const choose = seen.texts.length > 1 ? [heed.select('text', say('text'), seen.texts.map((text, i) => [i, text.name]), state.text, (text) => heed.set({ text, method: 0 }))] : [];
    const tools = [...choose, ...(method ? [heed.select('method', say('method'), methods.map(({ name }, i) => [i, name]), methods.indexOf(method), (at) => heed.set({ method: at }))] : []),
      ...(seen.layers.length && (!method || method.ofLayer) ? heed.layerTools() : [])];
    heed.tools(tools, method ? heed.saveTools() : []);
    if (!method) {
      heed.side();
      stage.replaceChildren(el('p', { class: 'prose' }, say('no_method')));
      return { size: () => [0, 0] };
    }
    const values = await method.values();
    if (!current()) return null;
    const palette = heed.palette(), text = seen.texts[state.text], most = values.reduce((most, x) => Math.max(most, Math.abs(x)), 0) || 1;
    const signed = values.some((value) => value < 0), colour = (value) => (signed ? palette.signed(value / most) : palette.of(value / most));
    let cursor = values.indexOf(values.reduce((a, b) => Math.max(a, b)));

    const marks = text.tokens.map((token, i) => {
      const ground = colour(values[i]);
      return el('span', { class: 'mark', role: 'option', id: 'mark-' + i, 'aria-selected': String(i === cursor), 'aria-label': `${heed.visible(token)}: ${values[i].toFixed(3)}`, style: `background:${heed.css(ground)};color:${heed.inkOn(ground)}`, onpointerenter: () => go(i), onclick: () => go(i) }, heed.visible(token));
    });
    const keys = (event) => {
      const to = { ArrowLeft: cursor - 1, ArrowRight: cursor + 1, Home: 0, End: marks.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      go(Math.max(0, Math.min(marks.length - 1, to)));
    };
    const box = el('div', { class: 'plate marks', id: 'marks', tabindex: 0, role: 'listbox', 'aria-label': say('tokens_label', { method: method.name }), 'aria-activedescendant': 'mark-' + cursor, onkeydown: keys }, marks);
    const go = (i) => {
      marks[cursor].setAttribute('aria-selected', 'false');
      marks[(cursor = i)].setAttribute('aria-selected', 'true');
      box.setAttribute('aria-activedescendant', 'mark-' + i);
      side();
    };
    const worth = () => {
      const { about } = method;
      if (!about) return heed.section(say('worth'), el('p', {}, say('worth_unknown')));
      return heed.section(say('worth'), el('dl', { class: 'facts' },
        el('dt', {}, say('comprehensiveness')), el('dd', {}, about.comprehensiveness.toFixed(3)), el('dt', {}, say('sufficiency')), el('dd', {}, about.sufficiency.toFixed(3))),
        el('p', {}, say('worth_note')));
    };
    const side = () => {
      const ranking = Array.from(values, (value, i) => [i, value]).sort((a, b) => b[1] - a[1]).slice(0, 8).map(([i, value]) =>
        [heed.visible(text.tokens[i]), Math.max(0, value / most), value.toFixed(3), () => go(i)]);
      heed.side(heed.section(null, el('p', { class: 'pair' }, el('b', {}, heed.visible(text.tokens[cursor]))), el('p', { class: 'figure' }, values[cursor].toFixed(3))),
        heed.section(say('most'), heed.ranking(ranking)), worth(), heed.section(say('proves'), el('p', {}, say('proves_note'))));
    };
    stage.replaceChildren(box);
    side();

    // The text as a picture: words in lines of the plate's width.
    const laidOut = (width) => {
      const places = [];
      let x = 20, y = 20;
      for (const token of text.tokens) {
        const wide = heed.textWidth(heed.visible(token), 16) + 10;
        if (x + wide > width - 20 && x > 20) { x = 20; y += 34; }
        places.push([x, y, wide]);
        x += wide + 4;
      }
      return { places, height: y + 48 };
    };
    const paint = (pen, width) => laidOut(width).places.forEach(([x, y, wide], i) => {
      const ground = colour(values[i]);
      pen.rect(x, y, wide, 28, heed.css(ground));
      pen.text(heed.visible(text.tokens[i]), x + 5, y + 14, { colour: heed.inkOn(ground), size: 16 });
    });
    return { size: () => [box.clientWidth, laidOut(box.clientWidth).height], paint, csv: () => [['token', method.name], ...text.tokens.map((token, i) => [token, values[i]])] };
  },
};
