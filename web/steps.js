// Step by step: how sure the model was of each token that it said, and what it might have said.
'use strict';

heed.views.steps = {
  needs: (seen) => seen.steps.length > 0,

  async open(stage) {
    const { say, el, seen, state } = heed, { steps } = seen, palette = heed.palette(), at = state.step, step = steps[at];
    const go = (to) => heed.set({ step: Math.max(0, Math.min(steps.length - 1, to)) });
    const keys = (event) => {
      const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: steps.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      go(to);
    };
    const column = (each, i) => el('button', {
      type: 'button', class: 'step', role: 'option', id: 'step-' + i, tabindex: i === at ? 0 : -1, 'aria-selected': String(i === at), onclick: () => go(i),
      'aria-label': say('step_label', { token: heed.visible(each.token), probability: each.probability.toFixed(3) }),
    }, el('span', { class: 'tower' }, el('i', { style: `height:${(100 * each.probability).toFixed(1)}%` })), el('span', { class: 'word' }, heed.visible(each.token)));
    const others = step.alternatives.length ? step.alternatives : [{ token: step.token, probability: step.probability }];
    const rows = others.map(({ token, probability }) => el('li', { class: token === step.token ? 'said' : '' },
      el('span', { class: 'word' }, heed.visible(token)), el('span', { class: 'bar' }, el('i', { style: `width:${(100 * probability).toFixed(1)}%` })), el('span', { class: 'number' }, probability.toFixed(3))));
    const { answers } = seen, beam = answers.length > 1;
    stage.replaceChildren(
      el('div', { class: 'plate towers', role: 'listbox', 'aria-orientation': 'horizontal', 'aria-label': say('steps'), onkeydown: keys }, steps.map(column)),
      el('h2', { class: 'small-head gap' }, say('instead', { n: at + 1, of: steps.length })),
      el('ol', { class: 'alternatives' }, rows),
      ...(beam ? [el('h2', { class: 'small-head gap' }, say('beam')), heed.beamList(answers)] : []));
    document.getElementById('step-' + at).scrollIntoView({ block: 'nearest', inline: 'nearest' });
    heed.tools(
      el('div', { class: 'row' }, el('button', { type: 'button', class: 'plain', id: 'step-back', disabled: at === 0, onclick: () => go(at - 1) }, say('back')),
        el('button', { type: 'button', class: 'plain', id: 'step-on', disabled: at === steps.length - 1, onclick: () => go(at + 1) }, say('on'))),
      heed.saveTools());
    heed.side(heed.section(null, el('p', { class: 'pair' }, el('b', {}, heed.visible(step.token))), el('p', { class: 'figure' }, step.probability.toFixed(3)),
      el('dl', { class: 'facts' }, el('dt', {}, say('entropy')), el('dd', {}, step.entropy.toFixed(3)), el('dt', {}, say('surprise')), el('dd', {}, (-Math.log2(Math.max(step.probability, 1e-12))).toFixed(2)))),
      heed.howSection('steps_how', 'steps_keys'), ...(beam ? [heed.section(say('beam'), el('p', {}, say('beam_how')), el('p', {}, say('keys', { keys: say('beam_keys') })))] : []));
    heed.announce(say('step_label', { token: heed.visible(step.token), probability: step.probability.toFixed(3) }));

    const WIDE = 64, TOWER = 170, BELOW = 240;
    const tree = beam ? heed.beamPicture(answers, 20, BELOW) : { paint: () => {}, size: [0, 0] };
    const paint = (pen) => {
      steps.forEach((each, i) => {
        const x = 20 + i * WIDE, high = TOWER * each.probability;
        pen.rect(x + 16, 20, 24, TOWER, palette.hairline);
        pen.rect(x + 16, 20 + TOWER - high, 24, high, i === at ? palette.mark : palette.accent);
        pen.text(heed.fitted(heed.visible(each.token), 12.5, WIDE - 6), x + 28, TOWER + 40, { colour: palette.ink, size: 12.5, align: 'center' });
      });
      tree.paint(pen, palette);
    };
    return {
      size: () => [Math.max(40 + steps.length * WIDE, tree.size[0] + 20), BELOW + tree.size[1]],
      paint,
      csv: () => [...(beam ? [...heed.beamRows(answers), []] : []), ['step', 'token', 'probability', 'entropy', 'alternative', 'its probability'], ...steps.flatMap((each, i) =>
        (each.alternatives.length ? each.alternatives : [{ token: '', probability: 0 }]).map((other) => [i, each.token, each.probability, each.entropy, other.token, other.probability]))],
    };
  },
};
