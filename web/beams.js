// The answers that a beam ended with, as a tree: where they begin alike they are one branch, which forks where they part.
'use strict';

// Of the answers `which`, from their token `from` on: what they share, whose end this is, and how the others go on.
heed.beamTree = (answers, from = 0, which = answers.map((_, n) => n)) => {
  const first = answers[which[0]];
  let to = from;
  while (to < first.tokens.length && which.every((n) => answers[n].tokens[to] === first.tokens[to])) ++to;
  const next = new Map();
  for (const n of which) {
    if (answers[n].tokens.length === to) continue;
    next.set(answers[n].tokens[to], [...(next.get(answers[n].tokens[to]) || []), n]);
  }
  const shared = first.tokens.slice(from, to).map((token, i) => ({ token: heed.visible(token), logP: first.log_probabilities[from + i], step: from + i }));
  return { which, shared, ended: which.filter((n) => answers[n].tokens.length === to), branches: [...next.values()].map((group) => heed.beamTree(answers, to, group)) };
};

// Several answers that share nothing stand beside each other.
const trunks = (answers) => {
  const tree = heed.beamTree(answers);
  return tree.shared.length || tree.ended.length ? [tree] : tree.branches;
};

const signed = (x) => x.toFixed(2).replace('-', '−');
const ranks = (which) => which.map((n) => n + 1).join(', ');
// Which of the answers the steps are of; −1: none.
const ownAnswer = () => heed.seen.answers.findIndex(({ tokens }) => tokens.length === heed.seen.steps.length && tokens.every((token, i) => token === heed.seen.steps[i].token));

const branchLabel = ({ which, shared, ended }, answers) => {
  const said = heed.say('branch_label', { text: shared.map(({ token }) => token).join(' '), logP: signed(shared.reduce((sum, { logP }) => sum + logP, 0)), ranks: ranks(which) });
  return [said, ...ended.map((n) => heed.say('branch_end', { rank: n + 1, score: signed(answers[n].score) }))].join(' ');
};

// The tree as lists within lists, for the eye and for who listens. Left and right go along a branch, up and down across.
heed.beamList = (answers) => {
  const { el, say, state } = heed, own = ownAnswer(), all = [];
  const token = (each, mine) => el('span', { class: mine && each.step === state.step ? 'beamed here' : 'beamed', onclick: mine && (() => heed.set({ step: each.step })) },
    el('span', { class: 'word' }, each.token), el('span', { class: 'bar' }, el('i', { style: `width:${(100 * Math.exp(each.logP)).toFixed(1)}%` })), el('span', { class: 'number' }, signed(each.logP)));
  const item = (branch, level, parent) => {
    const mine = branch.which.includes(own), at = all.length;
    const node = el('li', { role: 'treeitem', id: 'branch-' + at, tabindex: at ? -1 : 0, 'aria-level': level, 'aria-expanded': branch.branches.length ? 'true' : null, 'aria-label': branchLabel(branch, answers), class: mine ? 'own' : '' });
    all.push({ node, parent, at });
    node.append(el('span', { class: 'stretch' }, branch.shared.map((each) => token(each, mine)), branch.ended.map((n) => el('span', { class: 'score' }, say('answer_n', { rank: n + 1, score: signed(answers[n].score) })))));
    if (branch.branches.length) node.append(el('ul', { role: 'group' }, branch.branches.map((each) => item(each, level + 1, at))));
    return node;
  };
  const tree = el('ul', { class: 'plate beam', role: 'tree', 'aria-label': say('beam') }, trunks(answers).map((each) => item(each, 1, -1)));
  tree.addEventListener('keydown', (event) => {
    const at = all.findIndex(({ node }) => node === document.activeElement), child = all.findIndex(({ parent }) => parent === at);
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, ArrowLeft: all[at]?.parent, ArrowRight: child, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (!all[to]) return;
    all.forEach(({ node }) => (node.tabIndex = -1));
    all[to].node.tabIndex = 0;
    all[to].node.focus();
  });
  return tree;
};

// The same as a picture. Gives what is drawn of it, as (pen, palette), and its size.
heed.beamPicture = (answers, left, top) => {
  const ROW = 44, GAP = 34, SIZE = 12.5, own = ownAnswer(), drawn = [];
  let right = left;
  const wide = (text) => heed.textWidth(text, SIZE) + 12;
  const place = (branch, x, y) => {  // → how high it is
    const places = [];
    let end = x;
    const put = (text, width, more) => { places.push({ text, x: end, width, ...more }); end += width; };
    for (const { token, logP } of branch.shared) put(token, Math.max(wide(token), wide(signed(logP))), { logP });
    for (const n of branch.ended) { const text = heed.say('answer_n', { rank: n + 1, score: signed(answers[n].score) }); put(text, wide(text), {}); }
    right = Math.max(right, end);
    let high = 0;
    const forks = branch.branches.map((each) => { const from = y + high, tall = place(each, end + GAP, from); high += tall; return from + tall / 2; });
    high = Math.max(high, ROW);
    drawn.push({ places, end, middle: y + high / 2, forks, own: branch.which.includes(own) });
    return high;
  };
  const height = trunks(answers).reduce((high, each) => high + place(each, left, top + high), 0);
  const paint = (pen, palette) => drawn.forEach(({ places, end, middle, forks, own: mine }) => {
    for (const { text, x, width, logP } of places) {
      pen.text(text, x + width / 2, logP === undefined ? middle : middle - 9, { colour: mine ? palette.accent : palette.ink, size: SIZE, align: 'center' });
      if (logP === undefined) continue;
      pen.rect(x + 5, middle + 1, width - 10, 4, palette.hairline);
      pen.rect(x + 5, middle + 1, (width - 10) * Math.exp(logP), 4, palette.accent);
      pen.text(signed(logP), x + width / 2, middle + 14, { colour: palette.muted, size: 11, align: 'center' });
    }
    pen.curves(forks.map((to) => [end + 2, middle, end + GAP - 2, to]), palette.muted, 1.5, 1);
  });
  return { paint, size: [right, height + 20] };
};

heed.beamRows = (answers) => [['answer', 'score', 'token', 'log-probability'],
  ...answers.flatMap(({ tokens, score, log_probabilities: logP }, n) => tokens.map((token, i) => [n + 1, score, token, logP[i]]))];
