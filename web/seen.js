// What was seen: read from the page once, its numbers unpacked when they are first asked for.
'use strict';
const heed = window.heed || (window.heed = {});

heed.Seen = class {
  constructor(json = JSON.parse(document.getElementById('seen').textContent)) {
    Object.assign(this, json);
    this.layers = this.attention.map((layer, index) => new heed.Layer(this, layer, index));
  }
  async mechanismTable() {
    this.table ||= JSON.parse(new TextDecoder().decode(await heed.block(this.mechanisms)));
    return this.table;
  }
};

heed.block = async (id) => {
  const text = document.getElementById('block-' + id).textContent;
  const bytes = Uint8Array.fromBase64 ? Uint8Array.fromBase64(text) : Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
};

// Rows of `width` numbers: a scale for each row, then codes of `bits` bits, less `zero`.
heed.Rows = class {
  constructor(bytes, rows, width, bits, zero) {
    this.scales = new Float32Array(bytes.buffer, bytes.byteOffset, rows);
    this.codes = bytes.subarray(4 * rows);
    Object.assign(this, { rows, width, bits, zero, stride: Math.ceil((width * bits) / 8) });
  }
  // Rows [from, from + count) as numbers.
  numbers(from, count) {
    const { width, bits, zero, stride, codes } = this, mask = (1 << bits) - 1;
    const out = new Float32Array(count * width);
    for (let r = 0, to = 0; r < count; ++r) {
      const scale = this.scales[from + r], at = (from + r) * stride;
      if (bits === 8) for (let s = 0; s < width; ++s) out[to++] = scale * (codes[at + s] - zero);
      else for (let s = 0; s < width; ++s) out[to++] = scale * (((codes[at + ((s * bits) >> 3)] >> ((s * bits) & 7)) & mask) - zero);
    }
    return out;
  }
};

// The same of rows that came as numbers.
heed.PlainRows = class {
  constructor(rows, width) {
    Object.assign(this, { width, all: Float32Array.from(rows.flat()) });
  }
  numbers(from, count) {
    return this.all.slice(from * this.width, (from + count) * this.width);
  }
};

heed.Layer = class {
  constructor(seen, json, index) {
    Object.assign(this, json, { index });
    this.queryText = seen.texts[json.queries];
    this.keyText = seen.texts[json.keys];
    this.T = this.queryText.tokens.length;
    this.S = this.keyText.tokens.length;
    this.kept = new Map();
    if (json.weights) this.take(json);
  }
  // From a server: weights [head][query][key], and q and k [head][token][element] where they are of one width.
  take({ weights, q, k }) {
    Object.assign(this, { heads: weights.length, weights: new heed.PlainRows(weights.flat(), this.S), signed: weights.flat(2).some((x) => x < 0), opening: Promise.resolve(this) });
    this.vectors = q ? 'here' : 'none';
    if (q) Object.assign(this, { width: q[0][0].length, qRows: new heed.PlainRows(q.flat(), q[0][0].length), kRows: new heed.PlainRows(k.flat(), q[0][0].length) });
  }
  open() {
    this.opening ||= heed.block(this.block).then((bytes) => {
      this.weights = new heed.Rows(bytes, this.heads * this.T, this.S, this.bits, this.signed ? 2 ** (this.bits - 1) - 1 : 0);
      return this;
    });
    return this.opening;
  }
  async openVectors() {
    if (this.qRows) return this;
    const rows = async (x, count) => new heed.Rows(await heed.block(x.block), count, x.width, 8, 127);
    this.width = this.q.width;
    this.kRows = await rows(this.k, this.heads * this.S);
    this.qRows = await rows(this.q, this.heads * this.T);
    return this;
  }
  // (T,S) of one head, or the mean of all of them; the layer is open.
  matrix(head) {
    if (this.kept.has(head)) return this.kept.get(head);
    if (this.kept.size > 24) this.kept.clear();
    const made = head === 'mean' ? this.mean() : this.weights.numbers(head * this.T, this.T);
    this.kept.set(head, made);
    return made;
  }
  mean() {
    const sum = new Float32Array(this.T * this.S);
    for (let h = 0; h < this.heads; ++h) {
      const one = this.weights.numbers(h * this.T, this.T);
      for (let i = 0; i < sum.length; ++i) sum[i] += one[i] / this.heads;
    }
    return sum;
  }
};

// How far from 0 the farthest is.
heed.largest = (numbers) => {
  let most = 0;
  for (let i = 0; i < numbers.length; ++i) most = Math.max(most, Math.abs(numbers[i]));
  return most;
};

// The `count` of a row that are farthest from 0, and more than `least`, as [index, number], the farthest first.
heed.strongest = (row, count, least = 0) => {
  const found = [], size = (at) => Math.abs(found[at][1]);
  for (let index = 0; index < row.length; ++index) {
    const value = Math.abs(row[index]);
    if (value <= least || (found.length === count && value <= size(count - 1))) continue;
    let at = Math.min(found.length, count - 1);
    for (; at > 0 && size(at - 1) < value; --at) found[at] = found[at - 1];
    found[at] = [index, row[index]];
  }
  return found;
};

// A token as it can be seen: white space and nothing have signs of their own.
heed.visible = (token) => {
  if (token === '') return '∅';
  return token.replace(/\n/g, '↵').replace(/\t/g, '⇥').replace(/^ +$/, (spaces) => '␣'.repeat(spaces.length));
};
