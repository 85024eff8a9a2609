// Run inside the page by check.py: texts whose contrast is below 4.5 to 1, and controls without a name.
() => {
  const linear = (v) => (v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const parse = (text) => {
    const numbers = text.match(/[\d.]+/g).map(Number);
    return numbers.length < 4 ? [...numbers, 1] : numbers;
  };
  const over = (top, under) => top.slice(0, 3).map((v, at) => v * top[3] + under[at] * (1 - top[3]));
  const ground = (node) => {
    const stack = [];
    for (let at = node; at; at = at.parentElement) stack.unshift(parse(getComputedStyle(at).backgroundColor));
    return stack.reduce((under, top) => over(top, under), [255, 255, 255]);
  };
  const faint = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const node = walker.currentNode.parentElement;
    if (!text || !node.checkVisibility() || node.closest(".sr, script, noscript, option, :disabled")) continue;
    const under = ground(node);
    const [a, b] = [light(over(parse(getComputedStyle(node).color), under)), light(under)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) faint.add(`${ratio.toFixed(2)} ${node.tagName}.${node.className} ${text.slice(0, 30)}`);
  }
  const nameOf = (node) => {
    const by = document.getElementById(node.getAttribute("aria-labelledby") ?? "");
    return node.getAttribute("aria-label") || node.labels?.[0]?.textContent || by?.textContent || node.textContent;
  };
  const controls = [...document.querySelectorAll("button, input, select, a, section, dialog[open], [role=tab]")];
  const nameless = controls.filter((node) => node.checkVisibility() && !nameOf(node)?.trim()).map((node) => node.outerHTML.slice(0, 80));
  return { faint: [...faint].slice(0, 10), nameless };
};
