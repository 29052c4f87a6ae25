// The arithmetic of attention in the playground, a step at a time: numbers small enough to follow.
'use strict';

heed.product = (a, b) => a.map((row) => b[0].map((_, j) => row.reduce((sum, x, i) => sum + x * b[i][j], 0)));
heed.turned = (a) => a[0].map((_, j) => a.map((row) => row[j]));
const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
const added = (...rows) => rows[0].map((_, i) => rows.reduce((sum, row) => sum + row[i], 0));
const pairs = (q, k, score) => q.map((query, i) => k.map((key, j) => score(query, key, i, j)));
const through = (weight, vector) => weight.map((row) => dot(row, vector));
const flat = (x) => x.flat(Infinity);

// How alike a query and a key are; w holds what is learned.
heed.SCORES = {
  scaled_dot: { formula: 'Q Kᵀ / √D', of: (q, k) => dot(q, k) / Math.sqrt(q.length) },
  dot: { formula: 'Q Kᵀ', of: dot },
  general: { formula: 'Q W Kᵀ', learned: ['w'], of: (q, k, w) => dot(q, through(w.w, k)) },
  additive: { formula: 'vᵀ tanh(W q + U k + b)', learned: ['w', 'u', 'vec', 'b'], of: (q, k, w) => dot(flat(w.vec), added(through(w.w, q), through(w.u, k), flat(w.b)).map(Math.tanh)) },
  concat: { formula: 'vᵀ tanh(W [q; k])', learned: ['w', 'vec'], of: (q, k, w) => dot(flat(w.vec), through(w.w, [...q, ...k]).map(Math.tanh)) },
  cosine: { formula: 'τ Q Kᵀ / (‖q‖ ‖k‖)', learned: ['scale'], of: (q, k, w) => { const length = Math.sqrt(dot(q, q) * dot(k, k)); return length ? (flat(w.scale)[0] * dot(q, k)) / length : 0; } },
  distance: { formula: '−τ ‖q − k‖²', learned: ['scale'], of: (q, k, w) => -flat(w.scale)[0] * q.reduce((sum, x, i) => sum + (x - k[i]) ** 2, 0) },
};

// What is added for how far apart they stand. ahead = S − T: the last query stands at the last key.
heed.POSITIONS = {
  nowhere: { of: () => 0 },
  alibi: { formula: '−m |i − j|', of: (i, j, ahead, { slope }) => -slope * Math.abs(i + ahead - j) },
};

// Who may look where.
heed.SPANS = {
  everywhere: { of: () => true },
  causal: { formula: 'j ≤ i', of: (i, j, ahead) => j <= i + ahead },
  window: { formula: 'i − left ≤ j ≤ i + right', of: (i, j, ahead, { left, right }) => j >= i + ahead - left && j <= i + ahead + right },
};

const seenOnly = (row, body) => {
  const seen = row.filter((x) => x !== -Infinity), shares = seen.length ? body(seen) : [];
  let at = 0;
  return row.map((x) => (x === -Infinity ? 0 : shares[at++]));
};
const softmax = (row) => {
  const most = Math.max(...row), powers = row.map((x) => Math.exp(x - most)), sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((x) => x / sum);
};
// p = [x − τ]₊ with Σ p = 1: τ follows from the largest so many scores that stay above it.
const sparsemax = (row) => {
  const sorted = [...row].sort((a, b) => b - a);
  let sum = 0, tau = 0;
  sorted.forEach((x, i) => { sum += x; if (1 + (i + 1) * x > sum) tau = (sum - 1) / (i + 1); });
  return row.map((x) => Math.max(0, x - tau));
};
// p = [x/2 − τ]₊² with Σ p = 1 (Peters, Niculae & Martins 2019): τ by bisection, as Σ p falls where τ grows.
const entmax15 = (row) => {
  let low = Math.max(...row) / 2 - 1, high = Math.max(...row) / 2;
  const at = (tau) => row.map((x) => Math.max(0, x / 2 - tau) ** 2);
  for (let i = 0; i < 60; ++i) at((low + high) / 2).reduce((a, b) => a + b, 0) >= 1 ? (low = (low + high) / 2) : (high = (low + high) / 2);
  return at(low);
};
const kept = (row, count) => row.map((x, i) => [x, i]).sort((a, b) => b[0] - a[0] || a[1] - b[1]).slice(0, count).map(([, i]) => i);

// Weights from the scores of a row, of which −∞ is hidden.
heed.NORMALIZERS = {
  softmax: { formula: 'eˢ / Σ eˢ', of: (row) => seenOnly(row, softmax) },
  sparsemax: { formula: '[s − τ]₊', of: (row) => seenOnly(row, sparsemax) },
  entmax15: { formula: '[s/2 − τ]₊²', of: (row) => seenOnly(row, entmax15) },
  sigmoid: { formula: '1 / (1 + e⁻ˢ)', of: (row) => seenOnly(row, (seen) => seen.map((x) => 1 / (1 + Math.exp(-x)))) },
  hard: { formula: 'arg max', of: (row) => seenOnly(row, (seen) => { const at = kept(seen, 1)[0]; return seen.map((_, i) => (i === at ? 1 : 0)); }) },
  top_k: { formula: 'softmax, j ∈ top_k(s)', of: (row, { k }) => seenOnly(row, (seen) => { const at = kept(seen, k); return seenOnly(seen.map((x, i) => (at.includes(i) ? x : -Infinity)), softmax); }) },
  none: { formula: 's', of: (row) => seenOnly(row, (seen) => seen) },
};

heed.PLAY = { scores: 'scaled_dot', position: 'nowhere', span: 'everywhere', normalizer: 'softmax', temperature: 1, slope: 2 ** -8, left: 3, right: 1, k: 3 };

// How the rows of the table are made of these; a row that is not here shows the program's numbers alone.
heed.PLAYABLE = {
  scaled_dot: {}, dot: { scores: 'dot' }, general: { scores: 'general' }, additive: { scores: 'additive' }, concat: { scores: 'concat' }, cosine: { scores: 'cosine' }, distance: { scores: 'distance' },
  causal: { span: 'causal' }, window: { span: 'window' }, local_m: { span: 'window', left: 3, right: 3 }, alibi: { position: 'alibi', span: 'causal' },
  sparsemax: { normalizer: 'sparsemax' }, entmax15: { normalizer: 'entmax15' }, sigmoid: { normalizer: 'sigmoid' }, hard: { normalizer: 'hard' }, top_k: { normalizer: 'top_k' }, none: { normalizer: 'none' },
};

// Every number on the way: [{name, formula, matrix}], the last two the weights and the output. mask[i][j] false hides.
heed.attend = ({ q, k, v, mask, learned }, play) => {
  const ahead = k.length - q.length, score = heed.SCORES[play.scores], position = heed.POSITIONS[play.position], span = heed.SPANS[play.span], normalizer = heed.NORMALIZERS[play.normalizer];
  const steps = [{ name: 'step_scores', formula: score.formula, matrix: pairs(q, k, (query, key) => score.of(query, key, learned)) }];
  const next = (name, formula, change) => steps.push({ name, formula, matrix: steps.at(-1).matrix.map((row, i) => row.map((x, j) => change(x, i, j))) });
  if (position.formula) next('step_position', '+ ' + position.formula, (x, i, j) => x + position.of(i, j, ahead, play));
  if (play.temperature !== 1) next('step_temperature', `/ ${play.temperature}`, (x) => x / play.temperature);
  if (span.formula || mask.flat().includes(false)) next('step_mask', span.formula || '', (x, i, j) => (span.of(i, j, ahead, play) && mask[i][j] ? x : -Infinity));
  steps.push({ name: 'step_weights', formula: normalizer.formula, matrix: steps.at(-1).matrix.map((row) => normalizer.of(row, play)) });
  steps.push({ name: 'step_out', formula: 'P V', matrix: heed.product(steps.at(-1).matrix, v) });
  return steps;
};
