// Says the words of Streamlit's own controls in Chinese, as they come.

/** @import { Component } from "../browser/component.d.ts" */

const NAMED = ["title", "aria-label", "placeholder"];

/** @param {Component<{ words: Record<string, string> }>} component */
export default function ({ data }) {
  /** @param {string} text */
  const translate = (text) =>
    data.words[text] ||
    text.replace(/^Select (\d+) matches$/, "选择 $1 项")
      .replace(/^([\d.]+ ?[KMG]?B) per file$/, "每个文件不超过 $1");
  /** @param {CharacterData} node */
  const translateText = (node) => {
    const text = node.data.trim(), other = translate(text);
    if (other !== text) node.data = node.data.replace(text, other);
  };
  /** @param {Element} element */
  const translateNames = (element) => {
    for (const name of NAMED) {
      const text = element.getAttribute(name);
      if (text && translate(text) !== text) element.setAttribute(name, translate(text));
    }
  };
  /** @param {Node} node */
  const translateNode = (node) => {
    if (node instanceof Text) translateText(node);
    else if (node instanceof Element) translateNames(node);
  };
  /** @param {Node} root */
  const translateInside = (root) => {
    translateNode(root);
    if (!(root instanceof Element)) return;
    const walk = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) translateNode(walk.currentNode);
  };
  const watch = new MutationObserver((changes) => {
    for (const change of changes) {
      if (change.type === "childList") change.addedNodes.forEach(translateInside);
      else translateNode(change.target);
    }
  });
  translateInside(document.body);
  watch.observe(document.body, {
    childList: true,
    subtree: true,
    characterData: true,
    attributes: true,
    attributeFilter: NAMED,
  });
  return () => watch.disconnect();
}
