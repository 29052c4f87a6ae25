// Colours, and a pen that draws the same on a canvas and as SVG.
'use strict';

heed.channels = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

heed.mixed = (stops, share) => {
  const at = Math.min(Math.max(share, 0), 1) * (stops.length - 1), low = Math.min(Math.floor(at), stops.length - 2);
  const [a, b] = [heed.channels(stops[low]), heed.channels(stops[low + 1])];
  return a.map((value, i) => Math.round(value + (b[i] - value) * (at - low)));
};

// One hue, whose lightness falls (rises, in the dark) all the way: readable without colour and in print.
heed.SCALES = {
  light: ['#ffffff', '#dceaf6', '#9fc9e4', '#4a97cb', '#125ea6', '#082d61'],
  dark: ['#171b21', '#123a66', '#1c66ab', '#559fd6', '#a5d0ee', '#f2f8fd'],
};
// Orange below 0, blue above: told apart by every kind of colour vision.
heed.SIGNED = {
  light: ['#a84a04', '#e58f3c', '#f9d3a6', '#ffffff', '#b4d4ec', '#4a97cb', '#0c4f94'],
  dark: ['#ffb066', '#c06a1c', '#5a3312', '#171b21', '#163f69', '#3d86c2', '#a5d0ee'],
};
// Okabe & Ito's colours, for heads that are drawn together.
heed.HEADS = {
  light: ['#0072b2', '#c24e00', '#00805c', '#b0558c', '#a37200', '#3a8fc0', '#6b5b95', '#5c5c5c'],
  dark: ['#56b4e9', '#ff8c42', '#2ec79b', '#e39cc6', '#e6b422', '#8ecdf5', '#b5a7dc', '#bdbdbd'],
};

heed.css = ([r, g, b]) => `rgb(${r} ${g} ${b})`;

heed.luminance = (rgb) => {
  const [r, g, b] = rgb.map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
// Black or white, whichever stands out more: at least 4.5 to 1 on any ground.
heed.inkOn = (rgb) => (heed.luminance(rgb) > 0.179 ? '#000000' : '#ffffff');

heed.palette = () => {
  const style = getComputedStyle(document.documentElement), theme = heed.theme();
  const named = (name) => style.getPropertyValue('--' + name).trim();
  const table = Array.from({ length: 256 }, (_, i) => heed.mixed(heed.SCALES[theme], i / 255));
  const both = Array.from({ length: 511 }, (_, i) => heed.mixed(heed.SIGNED[theme], i / 510));  // 0 at 255
  return {
    ink: named('ink'), muted: named('muted'), hairline: named('hairline'), surface: named('surface'), accent: named('accent'), mark: named('mark'), below: named('below'),
    heads: heed.HEADS[theme],
    // The colours of a share, 0 to 1; of one that has a sign, −1 to 1.
    table, both,
    of: (share) => table[Math.round(255 * Math.min(Math.max(share, 0), 1))],
    signed: (share) => both[Math.round(255 * (Math.min(Math.max(share, -1), 1) + 1))],
  };
};

// Weights as a small picture, a pixel each; signed: some may be below 0.
heed.pixels = (matrix, width, height, most, palette, signed) => {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const image = new ImageData(width, height), words = new Uint32Array(image.data.buffer);
  const colours = (signed ? palette.both : palette.table).map(([r, g, b]) => (255 << 24) | (b << 16) | (g << 8) | r);
  const per = most > 0 ? 255 / most : 0, zero = signed ? 255 : 0;
  for (let i = 0; i < matrix.length; ++i) words[i] = colours[zero + Math.min(255, Math.round(matrix[i] * per))];
  canvas.getContext('2d').putImageData(image, 0, 0);
  return canvas;
};

heed.FONT = getComputedStyle(document.documentElement).fontFamily;

const measure = document.createElement('canvas').getContext('2d');
heed.textWidth = (text, size) => {
  measure.font = `${size}px ${heed.FONT}`;
  return measure.measureText(text).width;
};
const cut = new Map();  // what was fitted before
heed.fitted = (text, size, most) => {
  const key = `${size} ${Math.round(most)} ${text}`;
  if (!cut.has(key)) {
    const letters = Array.from(text);
    let said = text;
    while (letters.length > 1 && heed.textWidth(said, size) > most) {
      letters.pop();
      said = letters.join('') + '…';
    }
    cut.set(key, said);
  }
  return cut.get(key);
};

heed.CanvasPen = class {
  constructor(context) {
    this.context = context;
    context.textBaseline = 'middle';
    context.imageSmoothingEnabled = false;
  }
  rect(x, y, width, height, colour, alpha = 1) {
    this.context.globalAlpha = alpha;
    this.context.fillStyle = colour;
    this.context.fillRect(x, y, width, height);
    this.context.globalAlpha = 1;
  }
  frame(x, y, width, height, colour, thick = 1) {
    this.context.strokeStyle = colour;
    this.context.lineWidth = thick;
    this.context.strokeRect(x, y, width, height);
  }
  // Lines from (x1, y1) to (x2, y2) that bend, all drawn at once; broken ones where `dashes` says how.
  curves(lines, colour, thick, alpha, dashes = []) {
    const { context } = this;
    context.globalAlpha = alpha;
    context.setLineDash(dashes);
    context.strokeStyle = colour;
    context.lineWidth = thick;
    context.beginPath();
    for (const [x1, y1, x2, y2] of lines) {
      context.moveTo(x1, y1);
      context.bezierCurveTo((x1 + x2) / 2, y1, (x1 + x2) / 2, y2, x2, y2);
    }
    context.stroke();
    context.globalAlpha = 1;
    context.setLineDash([]);
  }
  path(points, colour, thick) {
    const { context } = this;
    context.strokeStyle = colour;
    context.lineWidth = thick;
    context.beginPath();
    points.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.stroke();
  }
  text(text, x, y, { colour, size = 13, align = 'left', angle = 0, bold = false }) {
    const { context } = this;
    context.fillStyle = colour;
    context.font = `${bold ? 600 : 400} ${size}px ${heed.FONT}`;
    context.textAlign = align;
    if (!angle) return context.fillText(text, x, y);
    context.save();
    context.translate(x, y);
    context.rotate(angle);
    context.fillText(text, 0, 0);
    context.restore();
  }
  image(canvas, x, y, width, height) {
    this.context.drawImage(canvas, x, y, width, height);
  }
  within(x, y, width, height, draw) {
    this.context.save();
    this.context.beginPath();
    this.context.rect(x, y, width, height);
    this.context.clip();
    draw();
    this.context.restore();
  }
};

heed.SvgPen = class {
  constructor(width, height, ground) {
    this.node = this.make('svg', { width, height, viewBox: `0 0 ${width} ${height}`, 'font-family': heed.FONT });
    this.into = this.node;
    this.clips = 0;
    this.rect(0, 0, width, height, ground);
  }
  make(name, attributes) {
    const node = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, typeof value === 'number' ? +value.toFixed(2) : value);
    return node;
  }
  add(name, attributes) {
    return this.into.appendChild(this.make(name, attributes));
  }
  rect(x, y, width, height, colour, alpha = 1) {
    this.add('rect', { x, y, width, height, fill: colour, 'fill-opacity': alpha });
  }
  frame(x, y, width, height, colour, thick = 1) {
    this.add('rect', { x, y, width, height, fill: 'none', stroke: colour, 'stroke-width': thick });
  }
  curves(lines, colour, thick, alpha, dashes = []) {
    const d = lines.map(([x1, y1, x2, y2]) => `M${x1} ${y1}C${(x1 + x2) / 2} ${y1} ${(x1 + x2) / 2} ${y2} ${x2} ${y2}`).join('');
    this.add('path', { d, fill: 'none', stroke: colour, 'stroke-width': thick, 'stroke-opacity': alpha, ...(dashes.length && { 'stroke-dasharray': dashes.join(' ') }) });
  }
  path(points, colour, thick) {
    this.add('polyline', { points: points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' '), fill: 'none', stroke: colour, 'stroke-width': thick });
  }
  text(text, x, y, { colour, size = 13, align = 'left', angle = 0, bold = false }) {
    const anchor = { left: 'start', center: 'middle', right: 'end' }[align];
    const turned = angle ? { transform: `rotate(${((angle * 180) / Math.PI).toFixed(1)} ${x.toFixed(2)} ${y.toFixed(2)})` } : {};
    this.add('text', { x, y, fill: colour, 'font-size': size, 'text-anchor': anchor, 'dominant-baseline': 'central', 'font-weight': bold ? 600 : 400, ...turned }).textContent = text;
  }
  image(canvas, x, y, width, height) {
    this.add('image', { x, y, width, height, href: canvas.toDataURL(), preserveAspectRatio: 'none', 'image-rendering': 'pixelated' });
  }
  within(x, y, width, height, draw) {
    const id = 'clip-' + this.clips++, outer = this.into;
    this.add('clipPath', { id }).append(this.make('rect', { x, y, width, height }));
    this.into = this.add('g', { 'clip-path': `url(#${id})` });
    draw();
    this.into = outer;
  }
  source() {
    return new XMLSerializer().serializeToString(this.node);
  }
};
