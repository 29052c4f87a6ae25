"""What is asked of every page, as JavaScript; and what axe-core finds in it."""
import importlib.util
import sys
from pathlib import Path

# axe-core is a file of a Python package, of which nothing else is used; tools/setup puts it here.
sys.path.append(str(Path(__file__).resolve().parent.parent.parent / "build/python"))
PACKAGE = importlib.util.find_spec("axe_playwright_python")
AXE = PACKAGE and (Path(PACKAGE.origin).parent / "axe.min.js").read_text(encoding="utf-8")


def violations(page):
    """What axe-core finds, a sentence each: its rule, where, and why. Nothing where it is not installed."""
    if not AXE:
        return []
    if page.evaluate("typeof axe") != "object":
        page.evaluate(AXE + "; 0")
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] }).then((done) => done.violations)")
    return [f"{rule['id']}: {node['html'][:120]}: {node['failureSummary']}" for rule in found for node in rule["nodes"]]


# What stands out too little, by WCAG 2.2 AA: 4.5 to 1, 3 to 1 for large letters.
CONTRAST = r"""(() => {
  const channels = (text) => (text.match(/[\d.]+/g) || []).map(Number);
  const ground = (node) => {
    for (; node; node = node.parentElement) {
      const [r, g, b, a = 1] = channels(getComputedStyle(node).backgroundColor);
      if (a === 1) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const node of document.querySelectorAll('body *')) {
    const said = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!said || !node.getClientRects().length || ['SCRIPT', 'STYLE', 'OPTION'].includes(node.tagName) || node.closest('.hidden') || node.disabled) continue;
    const style = getComputedStyle(node), size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const [a, b] = [heed.luminance(channels(style.color).slice(0, 3)), heed.luminance(ground(node))].sort((x, y) => y - x), ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (large ? 3 : 4.5)) poor.push(`${ratio.toFixed(2)} ${node.className} ${node.textContent.slice(0, 30)}`);
  }
  return poor;
})()"""

# What can be used but has no name, what is named twice, what is said to be there and is not, and pictures without words.
NAMES = r"""(() => {
  const wrong = [], name = (node) => node.getAttribute('aria-label') || node.textContent.trim() || node.labels?.[0]?.textContent.trim();
  for (const node of document.querySelectorAll('button, input, select, canvas, [role=listbox], [role=tablist], [role=group]'))
    if (node.getClientRects().length && !name(node)) wrong.push('no name: ' + node.outerHTML.slice(0, 90));
  const ids = [...document.querySelectorAll('[id]')].map((node) => node.id);
  ids.filter((id, i) => ids.indexOf(id) !== i).forEach((id) => wrong.push('twice: ' + id));
  for (const key of ['aria-controls', 'aria-labelledby', 'aria-activedescendant'])
    for (const node of document.querySelectorAll(`[${key}]`)) if (!document.getElementById(node.getAttribute(key))) wrong.push(`${key}: ${node.getAttribute(key)}`);
  for (const [role, parent] of [['tab', 'tablist'], ['option', 'listbox']])
    for (const node of document.querySelectorAll(`[role=${role}]`)) if (!node.closest(`[role=${parent}]`)) wrong.push(`${role} outside a ${parent}`);
  if (document.querySelectorAll('h1').length !== 1 || !document.documentElement.lang || !document.title) wrong.push('no heading, language or title');
  return wrong;
})()"""

# A canvas on which nothing was drawn has one colour.
DRAWN = r"""(() => {
  const canvas = document.querySelector('#stage canvas');
  if (!canvas) return 99;
  const pixels = new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  return new Set(pixels).size;
})()"""
